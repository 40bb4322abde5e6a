"""Read asv results into the store: tidy tables in Parquet, only what changed since the last time.

RESULTS is the results directory of any asv project, of format 1 or 2, or files of pyperf,
pytest-benchmark or Google Benchmark. Raw files are only read. A damaged file is named and skipped;
the rest is collected.
"""

import argparse
import gc
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from convbench.errors import BadUsage
from convbench.results import collect
from convbench.results.adapters import ADAPTERS, Origin
from convbench.results.collection import say_nothing
from convbench.results.moments import moment
from convbench.results.sources import find_sources
from convbench.results.words import CONFIG, Words, read_words

EXAMPLES = """\
convbench collect results/ --store store/

# order, subjects and tags of commits from the project's repository
convbench collect results/ --store store/ --repo .

# files of pytest-benchmark, which don't say what was measured where
convbench collect .benchmarks/ --store store/ --commit 0123abcd --machine box
"""
SEE_ALSO = "docs/results.md; convbench detect, convbench report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `convbench collect`."""
    tools = ", ".join(f"{adapter.name} ({adapter.summary})" for adapter in ADAPTERS)
    parser.add_argument(
        "results_dirs",
        metavar="RESULTS",
        nargs="+",
        help="an asv results directory (with benchmarks.json), or a folder that holds some; "
        f"or JSON files of {tools}, or a folder of them",
    )
    parser.add_argument("--store", metavar="DIR", required=True, help="the store; made if absent")
    parser.add_argument(
        "--project",
        metavar="NAME",
        help="the project's name where no facts.json says it (default: the folder's name)",
    )
    parser.add_argument(
        "--repo",
        metavar="DIR",
        help="the project's git repository: order, subjects, tags and branches of commits",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="which parameters and variables are strategy, problem, dtype, threads and blas, and "
        f"which machines were renamed (default: {CONFIG} in this folder, where there is one)",
    )
    parser.add_argument(
        "--only-machine",
        metavar="NAME",
        action="append",
        help="read only this machine's folders; may be given several times. A store of one machine "
        "can be collected at the same time as others', and `convbench combine` makes one of them",
    )
    parser.add_argument(
        "--keep-samples",
        metavar="N",
        type=_count,
        help="keep all samples of the newest N commits, quantiles of the others "
        "(default: as before, 100 at first)",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=_count,
        help="processes that read, where there is work for them (default: as many as CPUs)",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit 2 when a file is damaged or a machine's name refused; the rest is collected",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    other = parser.add_argument_group("what other tools' files don't say")
    other.add_argument("--commit", metavar="HASH", default="", help="the measured commit")
    other.add_argument("--commit-date", metavar="DATE", help="its date, like 2026-03-01")
    other.add_argument("--machine", metavar="NAME", default="", help="the machine")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10**9:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got {text!r}")
    return int(text)


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Collect, and say in one line what was read."""
    origin = Origin(arguments.commit, _date_ms(arguments.commit_date), arguments.machine)
    if origin != Origin():
        _check_has_foreign(arguments)
    # What a collection holds it holds to its end, in no cycles: looking for some takes a tenth.
    gc.disable()
    try:
        summary = collect(
            arguments.results_dirs,
            arguments.store,
            project=arguments.project,
            repo=arguments.repo,
            words=_words(arguments.config),
            origin=origin,
            only_machines=arguments.only_machine,
            keep_samples=arguments.keep_samples,
            jobs=arguments.jobs or len(os.sched_getaffinity(0)),
            say=say_nothing if arguments.json else say,
        )
    finally:
        gc.enable()
    say(json.dumps(asdict(summary)) if arguments.json else summary.text)
    return 2 if arguments.strict and summary.damaged else 0


def _check_has_foreign(arguments: argparse.Namespace) -> None:
    sources = find_sources(arguments.results_dirs, Path(arguments.store))
    if not any(source.foreign for source in sources):
        raise BadUsage(
            "--commit, --commit-date and --machine tell what other tools' files don't say, and"
            f" {', '.join(arguments.results_dirs)} has none; leave them out: asv's results say it"
        )


def _words(config: Path | None) -> Words:
    if config is None:
        here = Path(CONFIG)
        return read_words(here) if here.is_file() else Words()
    return read_words(config)


def _date_ms(text: str | None) -> int | None:
    if text is None:
        return None
    return int(moment(text, "--commit-date").timestamp() * 1000)
