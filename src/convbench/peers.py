"""convbench's strategies beside the peer libraries: measured in one interleaved run per problem.

Both sides compute with prepared filters, each in its own best layout; no conversion is timed.
A problem on a number of threads gets a fresh process, so that no library inherits another's
thread pool, caches or memory.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from convbench import blas, conv2d, threads
from convbench.asv_run import INHERITED
from convbench.errors import MeasureFailed, UnsupportedProblem
from convbench.problem import LAYOUTS, Array, ConvProblem
from convbench.reference import convolve, relative_error
from convbench.strategies import STRATEGIES, Strategy
from convbench.strategies._peer import LIBRARIES
from convbench.timing import Clock, time_interleaved
from convbench.workloads import WORKLOADS

PROBLEMS = (
    *("question", "alexnet_conv1_towers", "vgg16_conv1_2", "vgg16_conv2_2", "vgg16_conv3_2"),
    *("vgg16_conv5_1", "resnet50_stem", "resnet50_conv2_1x1", "resnet50_conv2_3x3"),
    *("resnet50_conv4_3x3", "resnet50_conv5_3x3", "mobilenetv2_dw2", "mobilenetv2_dw14"),
    "gray_blur31",
)
"""What is compared unless others are asked for."""

AUTO = "auto"
QUESTION = "question"
WHOLE_CALL = "conv2d"
"""The whole call of `conv2d` by `auto`, preparation included: timed on the question only."""

KEEP_WITHIN = 2.0
"""Own strategies slower than this times the fastest, in a few trial calls, are not measured on."""

HOPELESS = 20.0
HOPELESS_SECONDS = 0.5
"""A first call slower than both, the factor times the fastest and the time, gets no second one.
Shorter ones do: they may only have loaded a compiled kernel or started threads."""

TRIAL_SECONDS = 0.005
"""Short calls are tried for so long; the fastest counts, because it only has to be a bound."""

MAX_ERROR = 1e-3
"""Relative error from which an output is wrong: far above rounding in any of the methods."""

PAUSE_SECONDS = 0.03
"""Rest before a sample on several threads. Idle threads of OpenMP and OpenBLAS spin for up to
some 25 ms before they sleep, on a core that the next library's threads need. Forbidding them to
spin would slow their own library down, so every sample begins when they sleep."""

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)

Run = Callable[[], Array]


@dataclass(frozen=True, slots=True)
class Timed:
    """One strategy in one layout: median and quartiles, in seconds per call."""

    strategy: str
    layout: str
    seconds: float
    q25: float
    q75: float
    samples: int

    @property
    def spread(self) -> float:
        """Half the interquartile range, relative to the median."""
        return (self.q75 - self.q25) / 2 / self.seconds

    @property
    def external(self) -> bool:
        """Whether it is a peer."""
        return self.strategy in STRATEGIES and STRATEGIES[self.strategy].external


@dataclass(frozen=True, slots=True)
class Comparison:
    """One problem on a number of threads.

    Attributes
    ----------
    timed : tuple of Timed
        What took part in the interleaved measurement.
    slow : mapping of label to float
        Own strategies that the trial left out, and their seconds per call in it.
    excluded : mapping of label to str
        What failed or was wrong, and how.
    blas : tuple of str
        What NumPy and SciPy multiply with.
    versions : mapping of str to str
        Peer libraries that took part.
    """

    problem: str
    threads: int
    timed: tuple[Timed, ...]
    slow: Mapping[str, float]
    excluded: Mapping[str, str]
    blas: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    def peers(self) -> Mapping[str, Timed]:
        """Peers by name."""
        return {one.strategy: one for one in self.timed if one.external}

    @property
    def best_peer(self) -> Timed | None:
        """The fastest peer."""
        return _fastest(self.peers.values())

    @property
    def best_own(self) -> Timed | None:
        """The fastest own strategy in its best layout; `auto`, which runs one of them, is none."""
        return _fastest(
            one for one in self.timed if not one.external and one.strategy not in (AUTO, WHOLE_CALL)
        )

    @property
    def auto(self) -> Timed | None:
        """`auto` with prepared filters, in its best layout."""
        return _fastest(one for one in self.timed if one.strategy == AUTO)

    @property
    def whole_call(self) -> Timed | None:
        """`conv2d` as users call it, in layout NCHW."""
        return _fastest(one for one in self.timed if one.strategy == WHOLE_CALL)

    @property
    def speedup(self) -> float:
        """How many times faster than the best peer the best own strategy is; NaN without both."""
        return _ratio(self.best_peer, self.best_own)

    @property
    def regret(self) -> float:
        """How many times slower than the best own strategy `auto` is; NaN without both."""
        return _ratio(self.auto, self.best_own)

    def as_document(self) -> dict[str, Any]:
        """Give everything measured, and what follows from it, as JSON knows it."""
        return asdict(self) | {
            "best_peer": self.best_peer and self.best_peer.strategy,
            "best_own": self.best_own and self.best_own.strategy,
            "speedup": _finite(self.speedup),
            "regret": _finite(self.regret),
        }

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Comparison":
        """Read what `as_document` wrote."""
        fields = {name: document[name] for name in cls.__slots__}
        return cls(**fields | {"timed": tuple(Timed(**one) for one in document["timed"])})


@dataclass(frozen=True, slots=True)
class Summary:
    """A ratio over several problems."""

    geometric_mean: float
    least: float
    least_problem: str
    most: float
    most_problem: str
    at_least_one: int
    problems: int


def summarise(ratios: Mapping[str, float]) -> Summary | None:
    """Summarise a ratio by problem, leaving out those that have none."""
    known = {problem: ratio for problem, ratio in ratios.items() if math.isfinite(ratio)}
    if not known:
        return None
    least, most = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    return Summary(
        geometric_mean=statistics.geometric_mean(known.values()),
        least=known[least],
        least_problem=least,
        most=known[most],
        most_problem=most,
        at_least_one=sum(ratio >= 1 for ratio in known.values()),
        problems=len(known),
    )


def missing() -> dict[str, str]:
    """Say for every peer library that is absent how to install it, and how large it is."""
    return {
        name: f"{reason} ({', '.join(filter(None, (f'{library.megabytes} MB', library.note)))})"
        for name, library in LIBRARIES.items()
        if (reason := library.missing())
    }


def compare_apart(
    problem: str, thread_count: int, *, seconds: float, own: Sequence[str]
) -> Comparison:
    """Compare in a fresh process, whose libraries are told the number of threads as they load.

    Raises
    ------
    MeasureFailed
        When that process ends without an answer.
    """
    request = {"name": problem, "thread_count": thread_count, "seconds": seconds, "own": [*own]}
    with tempfile.TemporaryDirectory(prefix="convbench-peers-") as folder:
        file = Path(folder, "comparison.json")
        file.write_text(json.dumps(request))
        child = subprocess.run(
            [sys.executable, "-c", f"from convbench import peers; peers.answer({str(file)!r})"],
            env=child_environment(os.environ, thread_count),
            capture_output=True,
            text=True,
        )
        if child.returncode:
            last_line = (child.stderr.strip() or f"exit code {child.returncode}").splitlines()[-1]
            raise MeasureFailed(f"comparing {problem} on {thread_count} thread(s): {last_line}")
        return Comparison.of_document(json.loads(file.read_text()))


def answer(file: str) -> None:
    """Replace the request in a file by its comparison: what the fresh process does."""
    request = json.loads(Path(file).read_text())
    Path(file).write_text(json.dumps(compare(**request).as_document()))


def child_environment(environ: Mapping[str, str], thread_count: int) -> dict[str, str]:
    """Set the number of threads for every library, without the caller's settings for them."""
    kept = {name: value for name, value in environ.items() if not name.startswith(INHERITED)}
    return kept | dict.fromkeys(THREAD_VARIABLES, str(thread_count))


def compare(name: str, thread_count: int, *, seconds: float, own: Sequence[str] = ()) -> Comparison:
    """Try everything once, then measure the peers and the fast ones in interleaved rounds.

    Parameters
    ----------
    name : str
        A name of WORKLOADS.
    thread_count : int
        For libraries that read it when they are loaded, set before this process began.
    seconds : float
        Time for the samples of each callable.
    own : sequence of str
        Own strategies that take part; all by default.
    """
    with threads.limit(thread_count):
        blas.exercise()
        libraries = tuple(f"{one.family} {one.version}".strip() for one in blas.loaded_blas())
        trial = _try_all(name, own)
        calls = trial.worth_measuring()
        clock = time.perf_counter if thread_count == 1 else resting_clock()
        samples = time_interleaved(calls, seconds=seconds, clock=clock)
    return Comparison(
        problem=name,
        threads=thread_count,
        timed=tuple(_timed(label, taken) for label, taken in samples.items()),
        slow={label: t for label, t in trial.seconds.items() if label not in calls},
        excluded=trial.excluded,
        blas=libraries,
        versions=_versions(),
    )


def resting_clock(
    *, sleep: Callable[[float], None] = time.sleep, clock: Clock = time.perf_counter
) -> Clock:
    """Make a clock for `time_interleaved` that rests before every sample.

    A sample reads the clock twice, at its start and at its end: every other reading comes late.
    """
    at_start = cycle((True, False))

    def read() -> float:
        if next(at_start):
            sleep(PAUSE_SECONDS)
        return clock()

    return read


class _Trial:
    """What a few calls of everything showed."""

    def __init__(self) -> None:
        self.calls: dict[str, Run] = {}
        self.seconds: dict[str, float] = {}
        self.excluded: dict[str, str] = {}

    def take(self, label: str, make: Callable[[], Run], expected: Array) -> None:
        """Call once, check the output, and time a few more calls unless the first was hopeless."""
        try:
            call = make()
            start = time.perf_counter()
            output = call()
            elapsed = time.perf_counter() - start
        except UnsupportedProblem:
            return  # not with these filters
        except Exception as error:  # one broken library must not cost the whole table
            first_line = (str(error).strip() or "no message").splitlines()[0]
            self.excluded[label] = f"{type(error).__name__}: {first_line}"
            return
        error_found = relative_error(output, expected)
        if not error_found <= MAX_ERROR:  # NaN is no agreement either
            self.excluded[label] = f"relative error {error_found:.2g}"
            return
        fastest = min(self.seconds.values(), default=math.inf)
        if elapsed <= max(HOPELESS * fastest, HOPELESS_SECONDS):
            elapsed = _fastest_call(call)
        self.seconds[label] = elapsed
        if self._is_worth_measuring(label):  # or its prepared filters would stay in memory
            self.calls[label] = call

    def worth_measuring(self) -> dict[str, Run]:
        """Give peers and `auto`, and the own strategies that are not far behind the fastest."""
        return {
            label: call for label, call in self.calls.items() if self._is_worth_measuring(label)
        }

    def _is_worth_measuring(self, label: str) -> bool:
        own = [seconds for each, seconds in self.seconds.items() if not _is_always_measured(each)]
        return _is_always_measured(label) or self.seconds[label] <= KEEP_WITHIN * min(own)


def _fastest_call(call: Run) -> float:
    fastest, begun = math.inf, time.perf_counter()
    start = begun
    while start - begun < TRIAL_SECONDS:
        call()
        end = time.perf_counter()
        fastest, start = min(fastest, end - start), end
    return fastest


def _is_always_measured(label: str) -> bool:
    name, _ = label.split()
    return name in (AUTO, WHOLE_CALL) or STRATEGIES[name].external


def _try_all(name: str, own: Sequence[str]) -> _Trial:
    trial = _Trial()
    by_layout = {layout: ConvProblem(**WORKLOADS[name], layout=layout) for layout in LAYOUTS}
    planes = convolve(*by_layout["NCHW"].random_operands(), by_layout["NCHW"])
    for layout, problem in by_layout.items():
        x, weights = problem.random_operands()  # the same numbers in every layout
        expected = planes if layout == "NCHW" else np.moveaxis(planes, 1, -1)
        for strategy in _candidates(problem, own):
            make = partial(_prepared, strategy, x, weights, problem)
            trial.take(f"{strategy.name} {layout}", make, expected)
        if name == QUESTION and layout == "NCHW" and (not own or AUTO in own):
            make = partial(_whole_call, x, weights, problem)
            trial.take(f"{WHOLE_CALL} {layout}", make, expected)
    return trial


def _prepared(strategy: Strategy, x: Array, weights: Array, problem: ConvProblem) -> Run:
    return partial(strategy.run, x, strategy.prepare(weights, problem), problem)


def _whole_call(x: Array, weights: Array, problem: ConvProblem) -> Run:
    return partial(conv2d, x, weights, stride=problem.stride)  # all that the question needs


def _candidates(problem: ConvProblem, own: Sequence[str]) -> Iterator[Strategy]:
    """Yield peers first: they are fast, and what is far behind them gets one trial call only."""
    for strategy in sorted(STRATEGIES.values(), key=lambda each: not each.external):
        wanted = strategy.external or not own or strategy.name in own
        if wanted and strategy.unsupported(problem) is None:
            yield strategy


def _timed(label: str, samples: Sequence[float]) -> Timed:
    q25, median, q75 = (float(value) for value in np.quantile(samples, (0.25, 0.5, 0.75)))
    strategy, layout = label.split()
    return Timed(strategy, layout, median, q25, q75, len(samples))


def _versions() -> dict[str, str]:
    loaded = {name: sys.modules.get(library.module) for name, library in LIBRARIES.items()}
    return {name: str(module.__version__) for name, module in loaded.items() if module}


def _fastest(timed: Iterable[Timed]) -> Timed | None:
    return min(timed, key=lambda one: one.seconds, default=None)


def _ratio(numerator: Timed | None, denominator: Timed | None) -> float:
    if numerator is None or denominator is None:
        return math.nan
    return numerator.seconds / denominator.seconds


def _finite(ratio: float) -> float | None:
    return ratio if math.isfinite(ratio) else None
