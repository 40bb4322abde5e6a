"""Compare change-point detectors, ours and others, on histories whose changes are known.

asv's own, Otava, ruptures and Mozilla's rule take part where they are installed (the extra
detectors).
"""

import argparse
import multiprocessing
import os
import re
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from convbench.errors import BadUsage
from convbench.host import host
from convbench.stats.bench import goals, pictures
from convbench.stats.bench.answer import Answer
from convbench.stats.bench.cost import COST, cost
from convbench.stats.bench.detectors import DETECTORS, Detector
from convbench.stats.bench.figures import Figure
from convbench.stats.bench.injection import INJECTION
from convbench.stats.bench.labelled import LABELLED, score
from convbench.stats.bench.material import read_histories, read_labelled
from convbench.stats.bench.protocols import PROTOCOLS, SEED
from convbench.stats.bench.units import Unit, plan

EXAMPLES = r"""
convbench bench-detectors --quick
convbench bench-detectors --test step --json figures.json
convbench bench-detectors --goals --histories histories/ \
    --document docs/statistics.md
"""
SEE_ALSO = "docs/statistics.md; convbench detect"

TESTS = (*PROTOCOLS, INJECTION, LABELLED, COST)
QUICK_SHARE = 0.1

BEGIN, END = "<!-- bench-detectors begins -->", "<!-- bench-detectors ends -->"
"""Lines of a Markdown document between which `--document` puts the tables."""

Say = Callable[[str], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench bench-detectors`."""
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        default=SEED,
        help=f"of all chance (default: {SEED}, for development)",
    )
    parser.add_argument(
        "--detector",
        nargs="+",
        metavar="NAME",
        default=list(DETECTORS),
        help=f"of: {', '.join(DETECTORS)} (default: all)",
    )
    parser.add_argument(
        "--test",
        nargs="+",
        metavar="NAME",
        default=list(TESTS),
        help=f"of: {', '.join(TESTS)} (default: all)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the series, a minute or two"
    )
    parser.add_argument(
        "--goals", action="store_true", help="judge ours by the goals, on draws of their own"
    )
    parser.add_argument(
        "--histories",
        type=Path,
        metavar="DIR",
        help="Parquet files with columns series, index, value (and environment, benchmark, params, "
        "commit, commit_date): real histories to put steps into",
    )
    parser.add_argument(
        "--labelled",
        type=Path,
        metavar="DIR",
        help="a checkout of alan-turing-institute/TCPD: series that people have labelled",
    )
    parser.add_argument(
        "--jobs", type=int, default=None, metavar="N", help="processes (default: one per CPU)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument(
        "--document",
        type=Path,
        metavar="FILE",
        help=f"write the tables into this Markdown file, between the lines {BEGIN} and {END}",
    )
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw the pictures there, SVG")


def run(arguments: argparse.Namespace, say: Say) -> int:
    """Run the tests, then time the detectors, and tell both."""
    check(arguments)
    asked = [DETECTORS[name] for name in dict.fromkeys(arguments.detector)]
    detectors = tuple(one for one in asked if one.installed)
    absent = (one.how_to_install for one in asked if not one.installed)
    figures = run_tests(arguments, detectors, say)
    # Last and alone: other work of ours on the machine would be in the times.
    timed = measure_cost(arguments, detectors, say)
    answer = Answer(
        made_by(arguments),
        arguments.seed,
        share_of(arguments),
        detectors,
        (*absent, *left_out(arguments)),
        tuple(figures),
        tuple(timed),
        tuple(goals.judge(figures)) if arguments.goals else (),
        tuple(goals.judge_cost(timed)) if arguments.goals else (),
    )
    for line in answer.lines(markdown=False):
        say(line)
    write(arguments, answer)
    return 0


def share_of(arguments: argparse.Namespace) -> float:
    """Give the share of the series that is asked for."""
    return QUICK_SHARE if arguments.quick else 1.0


def run_tests(
    arguments: argparse.Namespace, detectors: Sequence[Detector], say: Say
) -> list[Figure]:
    """Run every test but that of processor time."""
    histories = read_histories(arguments.histories) if arguments.histories else {}
    labelled = read_labelled(arguments.labelled) if arguments.labelled else []
    units = plan(
        arguments.test,
        [one.name for one in detectors],
        histories,
        goals=arguments.goals,
        share=share_of(arguments),
        seed=arguments.seed,
    )
    figures = compute(units, arguments.jobs or len(os.sched_getaffinity(0)), say)
    for one in detectors if LABELLED in arguments.test and labelled else ():
        figures += score(one.name, one.find, labelled)
    return figures


def measure_cost(
    arguments: argparse.Namespace, detectors: Sequence[Detector], say: Say
) -> list[Figure]:
    """Time the detectors, one after the other."""
    timed: list[Figure] = []
    for one in detectors if COST in arguments.test else ():
        say(f"timing {one.name}")
        timed += cost(one.name, one.find, time.process_time, arguments.seed)
    return timed


def check(arguments: argparse.Namespace) -> None:
    """Refuse options that name nothing or can't be served, before hours of work."""
    for option, asked, known in (
        ("--detector", arguments.detector, tuple(DETECTORS)),
        ("--test", arguments.test, TESTS),
    ):
        for name in asked:
            if name not in known:
                raise BadUsage(f"{option} takes names of: {', '.join(known)}; got {name!r}")
    if arguments.jobs is not None and arguments.jobs < 1:
        raise BadUsage(f"--jobs must be at least 1; got {arguments.jobs}")
    if arguments.seed < 0:
        raise BadUsage(f"--seed must not be negative; got {arguments.seed}")
    if arguments.document:
        _around_tables(arguments.document)
    if arguments.json and not arguments.json.parent.is_dir():
        raise BadUsage(f"--json takes a file in a folder that exists; got {arguments.json}")


def left_out(arguments: argparse.Namespace) -> Iterator[str]:
    """Say which of the tests that were asked for could not be run."""
    if INJECTION in arguments.test and not arguments.histories:
        yield f"the test {INJECTION} is left out: it needs real histories, --histories DIR"
    if LABELLED in arguments.test and not arguments.labelled:
        yield f"the test {LABELLED} is left out: it needs a checkout of TCPD, --labelled DIR"


def made_by(arguments: argparse.Namespace) -> str:
    """Say what ran where, without the paths of this machine."""
    words = ["convbench bench-detectors", "--seed", str(arguments.seed)]
    for option, every in (("detector", DETECTORS), ("test", TESTS)):
        if set(asked := getattr(arguments, option)) != set(every):
            words += [f"--{option}", *map(shlex.quote, asked)]
    words += [f"--{name}" for name in ("quick", "goals") if getattr(arguments, name)]
    words += [f"--{name} DIR" for name in ("histories", "labelled") if getattr(arguments, name)]
    facts = host()
    return f"`{' '.join(words)}` on {facts.cpu or 'an unknown CPU'}, {facts.cpus} CPUs"


def compute(units: Sequence[Unit], jobs: int, say: Say) -> list[Figure]:
    """Compute all units, in their order, and say how far it is."""
    figures: list[Figure] = []
    last = len(units) - 1
    with _mapping(jobs) as run_each:
        for number, (unit, found) in enumerate(zip(units, run_each(units), strict=True)):
            figures += found
            following = units[min(number + 1, last)]
            if number == last or (unit.test, unit.detector) != (following.test, following.detector):
                say(f"{number + 1} of {len(units)}: {unit.test}, {unit.detector}")
    return figures


@contextmanager
def _mapping(jobs: int) -> Iterator[Callable[[Iterable[Unit]], Iterable[list[Figure]]]]:
    """Give what computes units, in processes of their own if there are to be several."""
    if jobs == 1:
        yield lambda units: map(Unit.figures, units)
        return
    context = multiprocessing.get_context("spawn")  # a fork would inherit Numba's threads
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield lambda units: pool.map(Unit.figures, units)


def write(arguments: argparse.Namespace, answer: Answer) -> None:
    """Write the files that were asked for."""
    if arguments.json:
        arguments.json.write_text(answer.as_json(), encoding="utf-8")
    if arguments.document:
        before, after = _around_tables(arguments.document)
        tables = re.sub("\n{3,}", "\n\n", "\n".join(answer.lines(markdown=True))).strip("\n")
        text = f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"
        arguments.document.write_text(text, encoding="utf-8")
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
        for name, drawing in pictures.draw(arguments.seed).items():
            (arguments.pictures / name).write_text(drawing, encoding="utf-8")


def _around_tables(document: Path) -> tuple[str, str]:
    """Split a document at the lines between which the tables stand."""
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadUsage(
            f"--document takes a file with the lines {BEGIN} and {END}; {document} lacks them"
        )
    return before, after
