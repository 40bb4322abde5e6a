"""Compare two commits, BLAS builds, environments or strategies: a verdict per cell.

Both arms are measured on this machine by fresh processes in turns, in the folder of asv.conf.json.
A cell is SLOWER, FASTER, SAME within the margin, or AMBIGUOUS with the least effect that would have
been seen. This runs the code of both commits and of the benchmarks.
"""

import argparse
import contextlib
import math
import os
import re
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from convbench.commands.options import add_config
from convbench.comparison import kept
from convbench.comparison.blocks import Values
from convbench.comparison.contest import Request, contest
from convbench.comparison.defaults import Defaults, read_defaults
from convbench.comparison.kept import Kept
from convbench.comparison.rounds import Decide, measure_rounds
from convbench.comparison.suite_files import suite_files
from convbench.errors import BadUsage
from convbench.report.comparison_annotations import as_annotations
from convbench.report.comparison_junit import as_junit
from convbench.report.comparison_markdown import as_markdown
from convbench.report.comparison_text import Comparison, as_json, as_lines
from convbench.report.links import compare_link, is_site_url
from convbench.stats.block_comparison import Evidence, Plan, Settings, judge, wants
from convbench.stats.planning import MOST_BLOCKS

EXAMPLES = r"""
convbench compare main HEAD
convbench compare main HEAD --bench "^run\." --budget-minutes 10
convbench compare blas:openblas blas:mkl
convbench compare strategy:im2col strategy:winograd_f4x3 --at v0.1

# judge what was measured before, by another margin
convbench compare --from blocks.json --margin 5%
"""
SEE_ALSO = "docs/comparing.md; convbench gate"

INTERRUPTED = 130

BUILT_IN: Mapping[str, Any] = {
    **{"margin": "2%", "threshold": "5%", "threads": "1", "blocks": 40},
    **{"bench": "", "environment": "", "budget_minutes": math.inf, "site_url": ""},
}
"""Where neither the command line nor the project's file says anything."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench compare`."""
    what = "commit, or blas:NAME, environment:NAME, strategy:NAME"
    parser.add_argument(
        "base", metavar="BASE", nargs="?", default="", help=f"compared with: {what}"
    )
    parser.add_argument(
        "head", metavar="HEAD", nargs="?", default="", help="what is judged, of the same kind"
    )
    _add_what(parser.add_argument_group("what is compared, and where"))
    _add_how(parser.add_argument_group("how long, and how sure"))
    _add_outputs(parser.add_argument_group("what is written"))


def _add_what(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--at",
        default="HEAD",
        metavar="COMMIT",
        help="where builds, environments, strategies are compared (default: HEAD)",
    )
    group.add_argument("--bench", metavar="REGEX", help="cells to compare, by asv's names")
    add_config(group)
    group.add_argument(
        "--environment", metavar="NAME", help="environment to use, by its name or a part of it"
    )
    group.add_argument(
        "--environment-type",
        metavar="TYPE",
        default="",
        help="asv's provider (default: the configuration's)",
    )
    group.add_argument("--threads", choices=("1", "all"), help="default: 1")


def _add_how(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--margin", metavar="PERCENT", help="as good as equal (default: 2%%)")
    group.add_argument(
        "--threshold", metavar="PERCENT", help="a regression beyond it closes the gate (5%%)"
    )
    group.add_argument(
        "--budget-minutes", type=float, metavar="M", help="time to measure (default: any)"
    )
    group.add_argument(
        "--blocks", type=int, metavar="N", help="most blocks of a cell's first stage (default: 40)"
    )
    group.add_argument(
        "--seed", type=int, metavar="N", help="of the order of the cells (default: random)"
    )


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--json", metavar="FILE", help="write a JSON document; - for stdout")
    group.add_argument("--markdown", metavar="FILE", help="write Markdown; - for stdout")
    group.add_argument("--junit", metavar="FILE", help="write JUnit XML; - for stdout")
    group.add_argument(
        "--annotations",
        metavar="FILE",
        help="write GitHub's annotations, an error per regression; - for stdout",
    )
    group.add_argument(
        "--site-url",
        metavar="URL",
        help="the published site; Markdown links to its Compare",
    )
    group.add_argument("--keep", type=Path, metavar="FILE", help="keep the block values")
    group.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="judge block values that --keep wrote; nothing is measured",
    )


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Measure or read block values, judge them and say so; 0 whatever the verdicts are."""
    outcome = compared(arguments, say)
    return INTERRUPTED if outcome is None else 0


def compared(arguments: argparse.Namespace, say: Callable[[str], None]) -> Comparison | None:
    """Give the comparison that was asked for, with all outputs written; None if interrupted."""
    progress = silent if prints_document(arguments) else say
    _check_files(arguments)
    site_url = _site_url(arguments)
    try:
        with interruptible():
            data = _read(arguments) if arguments.source else _measured(arguments, progress)
    except KeyboardInterrupt:
        progress("convbench: interrupted; its processes have ended, and nothing was kept")
        return None
    if arguments.keep:
        kept.write(arguments.keep, data)
    comparison = judged(data, site_url)
    _write(arguments, comparison, say)
    for line in as_lines(comparison):
        progress(line)
    return comparison


def judged(data: Kept, site_url: str = "") -> Comparison:
    """Judge block values; the same ones give the same verdicts."""
    settings = settings_of(data)
    judgements = judge(evidence_of(data.values), settings)
    skipped = {name: each.skipped for name, each in data.values.items() if each.skipped}
    return Comparison(
        data.base,
        data.head,
        judgements,
        settings,
        skipped,
        base_commit=data.base_commit,
        head_commit=data.head_commit,
        link=compare_link(site_url, data.base_commit, data.head_commit),
    )


def settings_of(data: Kept) -> Settings:
    """Give the settings of a comparison: looks at the first stage, each at twice the blocks."""
    looks = list(Settings().looks)
    while looks[-1] < data.blocks:
        looks.append(2 * looks[-1])
    looks = [*(look for look in looks if look < data.blocks), data.blocks]
    return Settings(margin=data.margin, threshold=data.threshold, looks=tuple(looks))


def evidence_of(values: Mapping[str, Values]) -> list[Evidence]:
    """Hand block values to the statistics, without the cells that an arm does not implement."""
    return [
        Evidence(name, np.array(each.screen), np.array(each.confirm), each.failed)
        for name, each in values.items()
        if not each.skipped
    ]


def decision(settings: Settings) -> Decide:
    """Let the statistics say which blocks are measured next."""

    def decide(values: Mapping[str, Values], seconds: Mapping[str, float], left: float) -> Plan:
        return wants(evidence_of(values), settings, seconds, left)

    return decide


def prints_document(arguments: argparse.Namespace) -> bool:
    """Tell whether stdout is a document, which nothing else may stand in."""
    return "-" in _outputs(arguments).values()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let a request to end, and a terminal that closes, be an interruption: processes are ended."""
    asked = [signal.SIGTERM, signal.SIGHUP]
    previous = {each: signal.getsignal(each) for each in asked}
    for each, handler in previous.items():
        if handler is not signal.SIG_IGN:  # as under nohup
            signal.signal(each, _interrupt)
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def silent(_: str) -> None:
    """Print nothing: stdout is a document."""


def _measured(arguments: argparse.Namespace, say: Callable[[str], None]) -> Kept:
    if not arguments.base or not arguments.head:
        raise BadUsage("give BASE and HEAD, or --from FILE")
    options = _options(arguments, defaults := read_defaults(arguments.config.resolve().parent))
    request = _request(arguments, options, defaults)
    data = _empty(options)
    with contest(request, say) as (bench, cells):
        start = time.monotonic()
        values = measure_rounds(
            bench,
            cells,
            decision(settings_of(data)),
            budget_seconds=60 * options["budget_minutes"],
            say=say,
        )
        base, head = bench.arms
    data = kept.measured(data, values, time.monotonic() - start)
    if request.kind == "commit":
        data = replace(data, base_commit=base.commit, head_commit=head.commit)
    return replace(data, base=base.label, head=head.label)


def _request(
    arguments: argparse.Namespace, options: Mapping[str, Any], defaults: Defaults
) -> Request:
    if options["threads"] not in ("1", "all"):
        raise BadUsage(f"threads {options['threads']!r}: give 1 or all")
    return Request(
        base=arguments.base,
        head=arguments.head,
        config=arguments.config,
        at=arguments.at,
        environment=options["environment"],
        environment_type=arguments.environment_type,
        threads=options["threads"],
        bench=options["bench"],
        parameters=defaults.strategy_parameters,
        seed=secrets.randbits(32) if arguments.seed is None else arguments.seed,
    )


def _empty(options: Mapping[str, Any]) -> Kept:
    """Check how it is judged before anything is measured."""
    if not 2 <= options["blocks"] <= MOST_BLOCKS:
        raise BadUsage(f"--blocks {options['blocks']}: give at least 2, at most {MOST_BLOCKS}")
    if not options["budget_minutes"] > 0:
        raise BadUsage(f"--budget-minutes {options['budget_minutes']:g}: give a positive number")
    data = Kept(
        base="",
        head="",
        margin=ratio_of("margin", options["margin"]),
        threshold=ratio_of("threshold", options["threshold"]),
        blocks=options["blocks"],
    )
    settings_of(data)
    return data


def _options(arguments: argparse.Namespace, defaults: Defaults) -> dict[str, Any]:
    """Take each option from the command line, else the project's file, else what is built in."""
    given = {name: getattr(arguments, name) for name in BUILT_IN}
    asked = {name: value for name, value in given.items() if value is not None}
    return {**BUILT_IN, **defaults.options, **asked}


def ratio_of(name: str, text: str) -> float:
    """Read a percentage as a ratio: 2% is 1.02."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*%\s*", text)
    if not found or not float(found[1]) > 0:
        raise BadUsage(f"--{name} {text!r}: give a percentage above zero, as 2%")
    return 1 + float(found[1]) / 100


def _read(arguments: argparse.Namespace) -> Kept:
    """Read what was kept; margin and threshold may be other ones."""
    if arguments.base or arguments.keep:
        raise BadUsage("--from measures nothing: give neither BASE nor HEAD nor --keep with it")
    data = kept.read(arguments.source)
    margin, threshold = arguments.margin, arguments.threshold
    return replace(
        data,
        margin=ratio_of("margin", margin) if margin else data.margin,
        threshold=ratio_of("threshold", threshold) if threshold else data.threshold,
    )


def _site_url(arguments: argparse.Namespace) -> str:
    """Check the address of the site before anything is measured."""
    given = arguments.site_url
    if given is None:
        defaults = read_defaults(arguments.config.resolve().parent)
        given = str(defaults.options.get("site_url", BUILT_IN["site_url"]))
    if given and not is_site_url(given):
        raise BadUsage(
            "--site-url must be the address of a folder, such as https://example.org/benchmarks/; "
            f"got {given!r}"
        )
    return str(given)


def _outputs(arguments: argparse.Namespace) -> dict[str, str | None]:
    names = ("json", "markdown", "junit", "annotations")
    outputs = {name: getattr(arguments, name) for name in names}
    if list(outputs.values()).count("-") > 1:
        raise BadUsage("one document at most can go to stdout: give a file for the others")
    return outputs


def _check_files(arguments: argparse.Namespace) -> None:
    """Refuse files that can't be written before minutes are spent on what they should hold."""
    named = {**_outputs(arguments), "keep": arguments.keep}
    files = {name: Path(file) for name, file in named.items() if file and str(file) != "-"}
    for name, file in files.items():
        if file.is_dir():
            raise BadUsage(f"--{name} {file} is a folder: give a file")
        file.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise BadUsage(f"--{name} {file} can't be written: give another file")
    if len({file.resolve() for file in files.values()}) < len(files):
        raise BadUsage("two outputs go to one file: give each its own")


def _write(
    arguments: argparse.Namespace, comparison: Comparison, say: Callable[[str], None]
) -> None:
    writers: Mapping[str, Callable[[Comparison], str]] = {
        "json": as_json,
        "markdown": as_markdown,
        "junit": as_junit,
        "annotations": lambda one: as_annotations(one, suite_files(arguments.config)),
    }
    for name, target in _outputs(arguments).items():
        if not target:
            continue
        text = writers[name](comparison)
        if target == "-":
            say(text.removesuffix("\n"))
        else:
            Path(target).write_text(text, encoding="utf-8")
