"""Answer the question for one convolution: every strategy beside `np.dot`, measured and explained.

convbench explain --input 32x32x3 --filters 10x2x2 --stride 2
"""

import argparse
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from convbench.errors import BadProblem, BadUsage
from convbench.problem import DTYPES, ConvProblem
from convbench.question import DENSE, DENSE_FLOPS, Measurement, measure
from convbench.report import readable, why
from convbench.strategies.auto import choose

SUMMARY = "measure one convolution with every strategy and say why it is slow"

MAX_BYTES = 10**9
"""Operands above this are refused: the copies that strategies make would not fit into memory."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench explain`; text is parsed by `read_problem`."""
    parser.add_argument("--input", required=True, metavar="HxWxC", help="as 32x32x3")
    parser.add_argument("--filters", required=True, metavar="OxKHxKW", help="as 10x2x2")
    for name, default in (("stride", "1"), ("padding", "0"), ("dilation", "1"), ("groups", "1")):
        parser.add_argument(f"--{name}", default=default, metavar="N", help=f"default: {default}")
    parser.add_argument("--dtype", default="float64", help=f"{' or '.join(DTYPES)} (float64)")
    parser.add_argument(
        "--seconds", type=float, default=0.2, help="time spent on each strategy (default: 0.2)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Measure in this process, then print the table and the explanation."""
    problem = read_problem(arguments)
    if not 0 < arguments.seconds < math.inf:
        raise BadUsage(f"--seconds must be a positive number of seconds; got {arguments.seconds}")
    if problem.bytes > MAX_BYTES:
        raise BadUsage(
            f"input, filters and output take {readable.quantity(problem.bytes, 'bytes')}; "
            f"explain measures up to {readable.quantity(MAX_BYTES, 'bytes')}, give smaller sizes"
        )
    if not arguments.json:
        say(f"measuring {describe(problem)}, on one BLAS thread")
    measurement = measure(problem, seconds=arguments.seconds)
    explanation = explain(measurement)
    if arguments.json:
        say(json.dumps(as_document(measurement, explanation)))
    else:
        for line in report_lines(measurement, explanation):
            say(line)
    return 0


def read_problem(arguments: argparse.Namespace) -> ConvProblem:
    """Parse the options into a problem; every mistake is one clear sentence."""
    height, width, channels = _sizes("--input", arguments.input, "HxWxC, as 32x32x3")
    filters, kernel_height, kernel_width = _sizes(
        "--filters", arguments.filters, "OxKHxKW, as 10x2x2"
    )
    stride, padding, dilation = (
        _integer(f"--{name}", getattr(arguments, name))
        for name in ("stride", "padding", "dilation")
    )
    return ConvProblem(
        in_channels=channels,
        height=height,
        width=width,
        out_channels=filters,
        kernel_height=kernel_height,
        kernel_width=kernel_width,
        stride=(stride, stride),
        padding=(padding, padding),
        dilation=(dilation, dilation),
        groups=_integer("--groups", arguments.groups),
        dtype=arguments.dtype,
    )


def _sizes(option: str, text: str, accepted: str) -> tuple[int, int, int]:
    if not re.fullmatch(r"[0-9]+([x×][0-9]+){2}", text, re.IGNORECASE):
        raise BadUsage(f"{option} takes {accepted}; got {text!r}")
    first, second, third = (int(size) for size in re.split("[xX×]", text))
    return first, second, third


def _integer(option: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadUsage(f"{option} takes an integer, as 2; got {text!r}") from None


def explain(measurement: Measurement) -> why.Explanation:
    """Put the measured times into words."""
    if not measurement.strategies:
        raise BadProblem(f"no strategy can do this problem: {measurement.skipped}")
    problem = measurement.problem
    question = why.Question(
        problem="question",
        flops=problem.flops,
        outputs=math.prod(problem.output_shape),
        taps=problem.taps,
    )
    dense, *timings = (
        why.Timing(name=one.name, seconds=one.seconds, flops=one.flops)
        for one in (measurement.dense, *measurement.strategies)
    )
    return why.explain(question, timings, dense)


def as_document(measurement: Measurement, explanation: why.Explanation) -> dict[str, Any]:
    """Give the whole answer as JSON."""
    document = asdict(measurement)
    return document | {
        "threads": 1,
        "problem": document["problem"] | {"flops": measurement.problem.flops},
        "title": explanation.title,
        "sentences": list(explanation.sentences),
        "rows": [asdict(row) for row in explanation.rows],
    }


def report_lines(measurement: Measurement, explanation: why.Explanation) -> Iterator[str]:
    """Write the answer for a terminal."""
    yield explanation.title
    yield from ("", *table(measurement), "")
    for name, reason in measurement.skipped.items():
        yield f"skipped {name}: {reason}"
    yield f"auto chooses {choose(measurement.problem).name}"
    for library in measurement.blas:
        words = (library.family, library.version, library.architecture, f"({library.file})")
        yield f"BLAS: {' '.join(word for word in words if word)}, one thread"
    yield from ("", *explanation.sentences)


def describe(problem: ConvProblem) -> str:
    """Say what is convolved, in one line."""
    parameters = ", ".join(
        f"{name} {value}"
        for name, value, default in (
            ("stride", problem.stride[0], None),
            ("padding", problem.padding[0], 0),
            ("dilation", problem.dilation[0], 1),
            ("groups", problem.groups, 1),
        )
        if value != default
    )
    return (
        f"{problem.height}×{problem.width}×{problem.in_channels} image, {problem.out_channels} "
        f"filters of {problem.kernel_height}×{problem.kernel_width}×"
        f"{problem.in_channels // problem.groups}, {parameters}, {problem.dtype}"
    )


def table(measurement: Measurement) -> Iterator[str]:
    """Align the times, fastest first, `np.dot` among them; the spread is half the quartiles'."""
    dense = measurement.dense
    rows = [("strategy", "time", "spread", f"× {DENSE}", "GFLOP/s")]
    for one in sorted((dense, *measurement.strategies), key=lambda each: each.seconds):
        direct = DENSE_FLOPS if one is dense else measurement.problem.flops
        rows.append(
            (
                one.name,
                readable.seconds(one.seconds),
                f"±{(one.q75 - one.q25) / 2 / one.seconds:.1%}",
                readable.times(one.seconds / dense.seconds),
                readable.significant(readable.gflops_per_second(direct, one.seconds)),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *numbers in rows:
        cells = (cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True))
        yield "  ".join((name.ljust(widths[0]), *cells))
