"""Count how often equal arms are called different, and known delays are found, on this machine.

Each run compares many cells in real processes; what is measured stays in the folder, and the next
call measures only the runs that are missing.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from convbench.commands.compare import decision, judged, ratio_of, settings_of
from convbench.comparison import kept
from convbench.comparison.blocks import Bench
from convbench.comparison.kept import Kept
from convbench.comparison.null_arms import null_arms, null_cells, null_shop
from convbench.comparison.rounds import measure_rounds
from convbench.errors import BadUsage
from convbench.stats.false_verdicts import FalseVerdicts, false_verdicts

EXAMPLES = """\
convbench null-study study/ --runs 5
convbench null-study slower/ --runs 5 --delay 3%
"""
SEE_ALSO = "docs/statistics.md; convbench compare"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench null-study`."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        type=Path,
        help="where every run's block values are kept; judged if complete",
    )
    parser.add_argument(
        "--runs", type=int, metavar="N", default=30, help="independent runs (default: 30)"
    )
    parser.add_argument(
        "--cells", type=int, metavar="N", default=100, help="cells of a run (default: 100)"
    )
    parser.add_argument(
        "--delay", default="", metavar="PERCENT", help="make HEAD slower by it (default: equal)"
    )
    parser.add_argument(
        "--blocks",
        type=int,
        metavar="N",
        default=10,
        help="most blocks of the first stage (default: 10)",
    )
    parser.add_argument(
        "--sample-milliseconds",
        type=float,
        metavar="MS",
        default=1.0,
        help="least time of a sample (default: 1)",
    )


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Measure the runs that the folder lacks, and count the verdicts of all."""
    for name in ("runs", "blocks", "sample_milliseconds"):
        if not getattr(arguments, name) > (1 if name == "blocks" else 0):
            raise BadUsage(f"--{name.replace('_', '-')} {getattr(arguments, name)}: give more")
    delay = ratio_of("delay", arguments.delay) - 1 if arguments.delay else 0.0
    runs = []
    for number in range(1, arguments.runs + 1):
        path = arguments.folder / f"run-{number:03}.json"
        if not path.exists():
            kept.write(path, _measured(arguments, delay, number))
        data = kept.read(path)
        _check(path, data, delay, arguments.blocks)
        runs.append(data)
        say(f" run {number}: {len(data.values)} cells in {data.seconds:.0f} s")
    for line in _lines(_counted(runs), delay):
        say(line)
    return 0


def _check(path: Path, data: Kept, delay: float, blocks: int) -> None:
    """Refuse runs of another study, which would be counted as this one's."""
    base, head = null_arms(delay)
    if (data.base, data.head, data.blocks) != (base.label, head.label, blocks):
        raise BadUsage(
            f"{path} is a run of {data.base}, {data.head} and {data.blocks} blocks, not of"
            f" {base.label}, {head.label} and {blocks}: name another folder"
        )


def _measured(arguments: argparse.Namespace, delay: float, number: int) -> Kept:
    arms = null_arms(delay)
    data = Kept(
        base=arms[0].label,
        head=arms[1].label,
        margin=1.02,
        threshold=1.05,
        blocks=arguments.blocks,
    )
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="null-study-") as scratch:
        shop = null_shop(Path(scratch), arguments.sample_milliseconds / 1000)
        cells = null_cells(shop, arms[0], arguments.cells)
        bench = Bench(shop, arms, seed=number)
        values = measure_rounds(bench, cells, decision(settings_of(data)), say=lambda _: None)
    return kept.measured(data, values, time.monotonic() - start)


def _counted(runs: list[Kept]) -> FalseVerdicts:
    settings = settings_of(runs[0])
    return false_verdicts(
        [judged(data).judgements for data in runs],
        alpha=settings.screen_alpha,
        one_look=all(len(settings_of(data).looks) == 1 for data in runs),
    )


def _lines(figures: FalseVerdicts, delay: float) -> list[str]:
    """Say the counts, and what follows from them."""
    total = figures.cells
    lines = [
        f"{figures.runs} runs, {total} cells: {figures.slower} slower, {figures.faster} faster,"
        f" {figures.same} same, {figures.ambiguous} ambiguous",
        f"stage 1 alone: {figures.screened} significant; median ratio {figures.median_ratio:.5f}",
    ]
    if delay:
        found = figures.slower / max(total, 1)
        return [*lines, f"a delay of {100 * delay:g} % was found in {100 * found:.1f} % of cells"]
    uniform = "" if figures.uniformity is None else f"; uniform p: {figures.uniformity:.2g}"
    return [
        *lines,
        f"false verdicts: below {100 * figures.cells_below:.3g} % of cells if they were"
        f" independent, in below {100 * figures.runs_below:.3g} % of runs, at 95 % confidence",
        f"sides: p {figures.symmetry:.2g}{uniform}",
    ]
