"""Answer the question for one convolution: every strategy beside `np.dot`, measured and explained.

The table has each strategy's time, the time that the cost model predicts, executed operations,
workspace, error, and in a clause where its time goes. Everything is measured in this process, here
and now.
"""

import argparse
import json
import math
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from convbench import ceilings, threads
from convbench.errors import BadProblem, BadUsage
from convbench.problem import DTYPES, LAYOUTS, ConvProblem
from convbench.question import DENSE, DENSE_FLOPS, Measured, Measurement, measure
from convbench.report import bounds, readable, why
from convbench.strategies import auto
from convbench.workloads import WORKLOADS

EXAMPLES = """\
# the question
convbench explain --input 32x32x3 --filters 10x2x2 --stride 2

# a layer of ResNet-50, on all threads
convbench explain --problem resnet50_conv2_3x3 --dtype float32 --threads all
"""
SEE_ALSO = "docs/strategies.md; convbench strategies"

MAX_BYTES = 10**9
"""Operands above this are refused: the copies that strategies make would not fit into memory."""

PARAMETERS = (("stride", "1"), ("padding", "0"), ("dilation", "1"), ("groups", "1"))
"""Options of a shape that is typed in, with their defaults."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench explain`; text is parsed by `read_problem`."""
    parser.add_argument("--problem", metavar="NAME", help="a named problem, instead of a shape")
    parser.add_argument("--input", metavar="HxWxC", help="as 32x32x3")
    parser.add_argument("--filters", metavar="OxKHxKW", help="as 10x2x2")
    for name, default in PARAMETERS:
        parser.add_argument(f"--{name}", metavar="N", help=f"default: {default}")
    parser.add_argument("--batch", metavar="N", help="images (default: 1, or the named problem's)")
    parser.add_argument(
        "--dtype", metavar="TYPE", default="float64", help=f"{' or '.join(DTYPES)} (float64)"
    )
    parser.add_argument(
        "--layout", metavar="NAME", default="NCHW", help=f"{' or '.join(LAYOUTS)} (NCHW)"
    )
    parser.add_argument("--threads", default="1", metavar="N", help='a number, or "all" (1)')
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        default=0.2,
        help="time spent on each strategy (default: 0.2)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Measure in this process, then print the table and the explanation."""
    problem, number = read_problem(arguments), read_threads(arguments.threads)
    if not 0 < arguments.seconds < math.inf:
        raise BadUsage(f"--seconds must be a positive number of seconds; got {arguments.seconds}")
    if problem.bytes > MAX_BYTES:
        raise BadUsage(
            f"input, filters and output take {readable.quantity(problem.bytes, 'bytes')}; "
            f"explain measures up to {readable.quantity(MAX_BYTES, 'bytes')}, give smaller sizes"
        )
    if not problem.batch:
        raise BadUsage("--batch must be at least 1: without an image there is nothing to measure")
    if not arguments.json:
        say(f"measuring {describe(problem)}, on {threads_text(number, 'BLAS ')}")
    measurement = measure(problem, seconds=arguments.seconds, number_of_threads=number)
    roofs = ceilings.roofs(problem.dtype, number, problem.bytes)
    explanation = explain(measurement)
    if arguments.json:
        say(json.dumps(as_document(measurement, roofs, explanation)))
    else:
        for line in report_lines(measurement, roofs, explanation):
            say(line)
    return 0


def read_problem(arguments: argparse.Namespace) -> ConvProblem:
    """Parse the options into a problem; every mistake is one clear sentence."""
    sizes = _named_sizes(arguments) if arguments.problem else _typed_sizes(arguments)
    if arguments.batch is not None:
        sizes["batch"] = _integer("--batch", arguments.batch)
    return ConvProblem(**sizes, dtype=arguments.dtype, layout=arguments.layout)


def read_threads(text: str) -> int:
    """Parse --threads."""
    available = os.cpu_count() or 1
    if text == "all":
        return threads.count()
    if not re.fullmatch("[0-9]+", text, re.ASCII) or not 1 <= int(text) <= available:
        raise BadUsage(f'--threads takes 1 to {available}, or "all"; got {text!r}')
    return int(text)


def _named_sizes(arguments: argparse.Namespace) -> dict[str, Any]:
    typed = [name for name in ("input", "filters", *dict(PARAMETERS)) if getattr(arguments, name)]
    if typed:
        raise BadUsage(f"--problem names a whole shape; leave out --{' and --'.join(typed)}")
    try:
        return dict(WORKLOADS[arguments.problem])
    except KeyError:
        raise BadUsage(
            f"unknown problem {arguments.problem!r}; choose one of: {', '.join(WORKLOADS)}"
        ) from None


def _typed_sizes(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.input is None or arguments.filters is None:
        raise BadUsage("give a shape by --input HxWxC and --filters OxKHxKW, or --problem NAME")
    height, width, channels = _sizes("--input", arguments.input, "HxWxC, as 32x32x3")
    filters, kernel_height, kernel_width = _sizes(
        "--filters", arguments.filters, "OxKHxKW, as 10x2x2"
    )
    stride, padding, dilation, groups = (
        _integer(f"--{name}", default if (given := getattr(arguments, name)) is None else given)
        for name, default in PARAMETERS
    )
    return {
        "in_channels": channels,
        "height": height,
        "width": width,
        "out_channels": filters,
        "kernel_height": kernel_height,
        "kernel_width": kernel_width,
        "stride": (stride, stride),
        "padding": (padding, padding),
        "dilation": (dilation, dilation),
        "groups": groups,
    }


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


def as_document(
    measurement: Measurement, roofs: ceilings.Roofs, explanation: why.Explanation
) -> dict[str, Any]:
    """Give the whole answer as JSON."""
    problem, document = measurement.problem, asdict(measurement)
    due = {one.name: due_of(one, measurement) for one in ways(measurement)}
    return document | {
        "problem": document["problem"]
        | {
            "flops": problem.flops,
            "bytes": problem.bytes,
            "arithmetic_intensity": problem.arithmetic_intensity,
            "attainable_flops_per_second": roofs.attainable(problem.flops, problem.bytes),
        },
        "roofs": asdict(roofs),
        "dense": document["dense"] | due[DENSE],
        "strategies": [one | due[one["name"]] for one in document["strategies"]],
        "auto": [{"name": name, "seconds": value} for name, value in ranking(measurement)],
        "title": explanation.title,
        "sentences": list(explanation.sentences),
        "rows": [asdict(row) for row in explanation.rows],
    }


def report_lines(
    measurement: Measurement, roofs: ceilings.Roofs, explanation: why.Explanation
) -> Iterator[str]:
    """Write the answer for a terminal."""
    yield explanation.title
    yield asked_line(measurement.problem, roofs)
    yield ceiling_line(measurement, roofs)
    yield from ("", *table(measurement), "")
    for name, reason in measurement.skipped.items():
        yield f"skipped {name}: {reason}"
    yield auto_line(measurement)
    for library in measurement.blas:
        words = (library.family, library.version, library.architecture, f"({library.file})")
        named = " ".join(word for word in words if word)
        yield f"BLAS: {named}, {threads_text(measurement.threads)}"
    yield from ("", *explanation.sentences)


def describe(problem: ConvProblem) -> str:
    """Say what is convolved, in one line."""
    parameters = ", ".join(
        f"{name} {value if isinstance(value, int) or len({*value}) > 1 else value[0]}"
        for name, value, default in (
            ("stride", problem.stride, None),
            ("padding", problem.padding, (0, 0)),
            ("dilation", problem.dilation, (1, 1)),
            ("groups", problem.groups, 1),
            ("batch", problem.batch, 1),
            ("layout", problem.layout, "NCHW"),
        )
        if value != default
    )
    return (
        f"{problem.height}×{problem.width}×{problem.in_channels} image, {problem.out_channels} "
        f"filters of {problem.kernel_height}×{problem.kernel_width}×"
        f"{problem.in_channels // problem.groups}, {parameters}, {problem.dtype}"
    )


def threads_text(number: int, kind: str = "") -> str:
    """Write a number of threads."""
    return f"one {kind}thread" if number == 1 else f"{number} {kind}threads"


def asked_line(problem: ConvProblem, roofs: ceilings.Roofs) -> str:
    """Say what the problem asks for, and which roof is the lowest above it."""
    attainable = roofs.attainable(problem.flops, problem.bytes)
    bound = "arithmetic" if attainable == roofs.flops_per_second else f"memory, {roofs.level}"
    return (
        f"{readable.operations(problem.flops)} operations on "
        f"{readable.quantity(problem.bytes, 'bytes')}, "
        f"{readable.significant(problem.arithmetic_intensity)} a byte: at most "
        f"{readable.rate(attainable / 1e9)}, set by {bound}"
    )


def ceiling_line(measurement: Measurement, roofs: ceilings.Roofs) -> str:
    """Say what the machine can give at best."""
    limits, moved = measurement.ceilings, measurement.problem.bytes
    return (
        f"ceiling {readable.rate(roofs.gemm_flops_per_second / 1e9)} by GEMM, "
        f"{readable.rate(roofs.fma_flops_per_second / 1e9).removesuffix(' GFLOP/s')} by FMA; "
        f"{readable.quantity(roofs.triad_bytes_per_second, 'byte/s')} by triad in {roofs.level}, "
        f"where the operands fit; "
        f"NumPy copies {readable.quantity(limits.bandwidth(moved), 'byte/s')}, "
        f"a call takes {readable.seconds(limits.call_seconds)}"
    )


def ranking(measurement: Measurement) -> tuple[tuple[str, float], ...]:
    """Give what `auto` predicts for its candidates on so many threads."""
    with threads.limit(measurement.threads):
        return auto.ranking(measurement.problem)


def auto_line(measurement: Measurement) -> str:
    """Say what `auto` chooses, and what it predicted for it and for the others."""
    (chosen, value), *others = ranking(measurement)
    measured = {one.name: one.seconds for one in measurement.strategies}
    fastest = min(measured.values())
    regret = f", {readable.times(measured[chosen] / fastest)}× the fastest measured"
    predicted = ", ".join(f"{name} {readable.seconds(seconds)}" for name, seconds in others)
    return (
        f"auto chooses {chosen}: predicts {readable.seconds(value)}"
        f"{regret if chosen in measured else ''}; others: {predicted or 'none'}"
    )


def ways(measurement: Measurement) -> list[Measured]:
    """Give every measured way, fastest first."""
    every = (measurement.dense, *measurement.strategies)
    return sorted(every, key=lambda measured: measured.seconds)


def direct_flops(one: Measured, measurement: Measurement) -> int:
    """Count the operations of the direct algorithm for what this way computes."""
    return DENSE_FLOPS if one is measurement.dense else measurement.problem.flops


def due_of(one: Measured, measurement: Measurement) -> dict[str, float | str]:
    """Derive what a way's measured time means: rates, fraction of the peak, and the reason."""
    direct = direct_flops(one, measurement)
    cost = bounds.Cost(
        seconds=one.seconds,
        flops=one.flops,
        direct_flops=direct,
        moved_bytes=one.moved_bytes,
        overhead=one.predicted.overhead,
        at_peak=one.predicted.at_peak,
        traffic=one.predicted.traffic,
        **asdict(one.interpreted),
    )
    executed = readable.gflops_per_second(one.flops, one.seconds)
    return {
        "predicted_seconds": one.predicted.seconds,
        "executed_gflops_per_second": executed,
        "direct_gflops_per_second": readable.gflops_per_second(direct, one.seconds),
        "fraction_of_peak": executed * 1e9 / measurement.ceilings.flops_per_second,
        "why": bounds.why(cost),
    }


HEADINGS = (
    *("strategy", "predicted", "time", "spread", f"× {DENSE}", "executed", "direct", "of peak"),
    *("workspace", "error", "why"),
)
"""`executed` and `direct` are GFLOP/s of the operations executed and of the direct algorithm's."""


def table(measurement: Measurement) -> Iterator[str]:
    """Align the ways, fastest first, `np.dot` among them; the spread is half the quartiles'."""
    rows = [HEADINGS, *(table_row(one, measurement) for one in ways(measurement))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *numbers, clause in rows:
        cells = (cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=False))
        yield "  ".join((name.ljust(widths[0]), *cells, clause))


def table_row(one: Measured, measurement: Measurement) -> tuple[str, ...]:
    """Write one way's cells in the order of `HEADINGS`."""
    due = due_of(one, measurement)
    return (
        one.name,
        readable.seconds(float(due["predicted_seconds"])),
        readable.seconds(one.seconds),
        f"±{(one.q75 - one.q25) / 2 / one.seconds:.1%}",
        readable.times(one.seconds / measurement.dense.seconds),
        readable.significant(float(due["executed_gflops_per_second"])),
        readable.significant(float(due["direct_gflops_per_second"])),
        f"{readable.significant(100 * float(due['fraction_of_peak']), 2)} %",
        readable.quantity(one.workspace_bytes, "bytes"),
        "–" if one.error is None else readable.significant(one.error, 2),
        str(due["why"]),
    )
