"""Compare the best own strategy with the peer libraries, side by side in one run per problem.

PyTorch, ONNX Runtime, OpenVINO and OpenCV take part where they are installed (the extras torch,
onnxruntime, openvino, opencv, or all: peers): float32, prepared filters, each side in its own best
layout, in interleaved rounds of a fresh process.
"""

import argparse
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from convbench import peers, threads
from convbench.errors import BadUsage
from convbench.peers import Comparison, Summary, Timed
from convbench.report import readable
from convbench.strategies import STRATEGIES
from convbench.workloads import WORKLOADS

EXAMPLES = """\
convbench peers --threads 1,all --markdown
convbench peers --problems question,gray_blur31 --seconds 0.1
"""
SEE_ALSO = 'README.md, "Beside the frameworks"'

NONE = "–"

Say = Callable[[str], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench peers`."""
    parser.add_argument(
        "--problems",
        default=",".join(peers.PROBLEMS),
        metavar="A,B",
        help=f"workloads, or all {len(WORKLOADS)} (default: {len(peers.PROBLEMS)} of them)",
    )
    parser.add_argument(
        "--threads", default="1,all", metavar="N,M", help="numbers of threads (default: 1,all)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        default=0.3,
        help="time spent on each strategy (default: 0.3)",
    )
    parser.add_argument(
        "--own",
        default="",
        metavar="A,B",
        help="own strategies that take part (default: every one)",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON document instead")
    output.add_argument("--markdown", action="store_true", help="print tables in Markdown instead")


def run(arguments: argparse.Namespace, say: Say) -> int:
    """Measure every problem on every number of threads, each in a fresh process."""
    problems = read_names("--problems", arguments.problems, tuple(WORKLOADS))
    own_names = tuple(name for name, one in STRATEGIES.items() if not one.external)
    own = read_names("--own", arguments.own, own_names) if arguments.own else ()
    thread_counts = read_threads(arguments.threads)
    if not 0 < arguments.seconds < math.inf:
        raise BadUsage(f"--seconds must be a positive number of seconds; got {arguments.seconds}")
    plain = not arguments.json and not arguments.markdown
    measured: dict[int, list[Comparison]] = {}
    for thread_count in thread_counts:
        measured[thread_count] = []
        for problem in problems:
            if plain:
                say(f"measuring {problem} on {readable.counted(thread_count, 'thread')}")
            measured[thread_count].append(
                peers.compare_apart(problem, thread_count, seconds=arguments.seconds, own=own)
            )
    if arguments.json:
        say(json.dumps(as_document(measured), allow_nan=False))
    else:
        for line in report_lines(measured, markdown=arguments.markdown):
            say(line)
    return 0


def read_names(option: str, text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Parse names separated by commas, or "all"."""
    names = tuple(known) if text == "all" else tuple(text.split(","))
    if unknown := [name for name in names if name not in known]:
        raise BadUsage(f"{option} takes all, or names of: {', '.join(known)}; got {unknown[0]!r}")
    return names


def read_threads(text: str) -> tuple[int, ...]:
    """Parse numbers of threads separated by commas; "all" is what convbench uses by itself."""
    words = [str(threads.count()) if word == "all" else word for word in text.split(",")]
    if not all(word.isdecimal() and int(word) for word in words):
        raise BadUsage(f"--threads takes numbers of at least 1, or all, as 1,all; got {text!r}")
    return tuple(dict.fromkeys(int(word) for word in words))


def as_document(measured: Mapping[int, Sequence[Comparison]]) -> dict[str, Any]:
    """Give everything as JSON."""
    return {
        "dtype": "float32",
        "missing": peers.missing(),
        "comparisons": [one.as_document() for each in measured.values() for one in each],
        "summaries": [
            {
                "threads": thread_count,
                **{
                    ratio: summary and asdict(summary)
                    for ratio, summary in zip(
                        ("speedup", "regret"), summaries(comparisons), strict=True
                    )
                },
            }
            for thread_count, comparisons in measured.items()
        ],
    }


def summaries(comparisons: Sequence[Comparison]) -> tuple[Summary | None, Summary | None]:
    """Summarise speedup and regret over the problems."""
    return (
        peers.summarise({one.problem: one.speedup for one in comparisons}),
        peers.summarise({one.problem: one.regret for one in comparisons}),
    )


def report_lines(measured: Mapping[int, Sequence[Comparison]], *, markdown: bool) -> Iterator[str]:
    """Write the tables, one per number of threads, and what they are worth."""
    table, bullet = (in_markdown, "- ") if markdown else (aligned, "")
    for thread_count, comparisons in measured.items():
        yield from (
            "",
            f"{readable.counted(thread_count, 'thread')}, float32, prepared filters: median ms "
            "± half the interquartile range",
            "",
        )
        yield from table(table_rows(comparisons))
        yield ""
        lines = (*verdicts(comparisons), *remarks(comparisons))
        yield from (f"{bullet}{line}" for line in lines)
    if not any(one.peers for comparisons in measured.values() for one in comparisons):
        yield f"{bullet}no peer took part: only convbench's own strategies were measured"
    yield from (f"{bullet}{text}" for text in peers.missing().values())


def table_rows(comparisons: Sequence[Comparison]) -> list[tuple[str, ...]]:
    """Write a row per problem, below a heading; peers that took part nowhere have no column."""
    names = [
        name for name in STRATEGIES if any(name in comparison.peers for comparison in comparisons)
    ]
    rows = [("problem", *names, "best own", "strategy", "speedup", "auto", "regret")]
    for one in comparisons:
        best = one.best_own
        rows.append(
            (
                one.problem,
                *(cell(one.peers.get(name)) for name in names),
                cell(best),
                f"{best.strategy} {best.layout}" if best else NONE,
                ratio(one.speedup),
                cell(one.auto),
                ratio(one.regret),
            )
        )
    return rows


def cell(timed: Timed | None) -> str:
    """Write a time in milliseconds with its spread."""
    if timed is None:
        return NONE
    return f"{readable.significant(timed.seconds * 1e3)} ±{timed.spread:.0%}"


def ratio(value: float) -> str:
    """Write a ratio to two digits after the point, where the verdicts are drawn."""
    return f"{value:.2f}" if math.isfinite(value) else NONE


def verdicts(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Say what the ratios come to."""
    speedup, regret = summaries(comparisons)
    if speedup:
        yield (
            f"speedup, best peer ÷ best own: geometric mean {speedup.geometric_mean:.2f}, at least "
            f"1.0 on {speedup.at_least_one} of {speedup.problems}, least {speedup.least:.2f} "
            f"({speedup.least_problem})"
        )
    if regret:
        yield (
            f"regret, auto ÷ best own: geometric mean {regret.geometric_mean:.2f}, worst "
            f"{regret.most:.2f} ({regret.most_problem})"
        )
    for one in comparisons:
        yield from whole_call(one)


def whole_call(one: Comparison) -> Iterator[str]:
    """Set `conv2d` with everything that it does beside ONNX Runtime's prepared session."""
    if one.whole_call is None:
        return
    line = f"{one.problem}, the whole call conv2d(x, w, stride=2): {cell(one.whole_call)} ms"
    session = one.peers.get("onnxruntime")
    if session:
        times = one.whole_call.seconds / session.seconds
        line += f", {times:.2f} times ONNX Runtime's session.run ({cell(session)} ms)"
    yield line


def remarks(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Say how it was measured, with what, and what was left out."""
    slow = sum(len(one.slow) for one in comparisons)
    yield (
        "each problem in a fresh process, in interleaved rounds; own strategies in both layouts, "
        f"but for {slow} cases slower than {peers.KEEP_WITHIN:g} times the fastest own one in a "
        "few trial calls"
    )
    versions = {name: text for one in comparisons for name, text in one.versions.items()}
    libraries = dict.fromkeys(library for one in comparisons for library in one.blas)
    yield ", ".join((*(f"{name} {text}" for name, text in versions.items()), *libraries))
    for one in comparisons:
        for label, reason in one.excluded.items():
            yield f"excluded {label} on {one.problem}: {reason}"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align the columns for a terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (text.rjust(width) for text, width in zip(others, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *cells))


def in_markdown(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write the same table in Markdown."""
    heading, *body = rows
    yield f"| {' | '.join(heading)} |"
    yield f"|---{'|--:' * (len(heading) - 1)}|"
    yield from (f"| {' | '.join(row)} |" for row in body)
