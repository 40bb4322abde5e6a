"""Print the command that measures one stored point again; with --run, measure and compare.

POINT is what History shows of a value. What has changed since, of machine, packages or suite, is
said first.
"""

import argparse
import json
import math
import re
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from convbench import machine, runs
from convbench.commands import measure
from convbench.commands.options import add_config
from convbench.errors import BadUsage, MeasureFailed
from convbench.report.readable import quantity
from convbench.results import collect, load, load_table, points
from convbench.results.raw_files import printable
from convbench.stats import null_control
from convbench.stats.repetition import Expected, expected_again

EXAMPLES = r"""
convbench reproduce \
    "8156ac1a-ci-20261125T101500Z/mkl/1/ceilings.Gemm.track_rate('float32')"

# measure now, and compare
convbench reproduce --run --store store/ \
    "8156ac1a-ci-20261125T101500Z/mkl/1/ceilings.Gemm.track_rate('float32')"
"""
SEE_ALSO = "docs/measuring.md; convbench measure"
NO = "the value that --run measured does not agree with the stored one"

Say = Callable[[str], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `convbench reproduce`."""
    parser.add_argument(
        "point",
        metavar="POINT",
        help="a value, as History shows it: RUN/BLAS/THREADS/BENCHMARK(PARAMS)",
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        default=Path("results/store"),
        help="what `convbench collect` wrote (default: results/store)",
    )
    add_config(parser)
    parser.add_argument(
        "--run", action="store_true", help="measure now, and exit 1 if the value does not agree"
    )


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored value with what is known of its run.

    Attributes
    ----------
    row : Series
        Its row of `values`.
    run : Series or None
        The row of its measuring run; None where `asv run` measured it.
    machine : dict
        Facts of its machine, as far as they are known.
    expected : Expected
        Where another measurement should fall.
    """

    row: "pd.Series[Any]"
    run: "pd.Series[Any] | None"
    machine: dict[str, Any]
    expected: Expected


def run(arguments: argparse.Namespace, say: Say) -> int:
    """Print what a point was measured with; with --run, measure and compare."""
    point = points.parse(arguments.point)
    values = load(arguments.store)
    stored = look_up(arguments.store, values, point)
    words = command_words(stored)
    for line in description(stored):
        say(printable(line))
    for note in differences(stored, arguments.config):
        say(f"note:     {printable(note)}")
    if not arguments.run:
        say(f"command:  {printable(shlex.join(words))}")
        return 0
    if stored.run is None:
        raise BadUsage(
            f"POINT {arguments.point} was measured by `asv run`, not by `convbench measure`:"
            f" run the command yourself: {shlex.join(words)}"
        )
    return compare(stored, measured_again(words[1:], arguments.config, point, say), say)


def look_up(store: Path, values: pd.DataFrame, point: points.Point) -> Stored:
    """Find a point, its run and its machine in a store."""
    row = points.find(values, point)
    if row["status"] != "ok" or not pd.notna(row["value"]):
        raise BadUsage(f"POINT {point} holds no value to reproduce: it {row['status']}")
    known = load_table(store, "runs")
    of_run = known[(known["run"] == row["run"]) & (known["project"] == row["project"])]
    machines = load_table(store, "machines")
    of_machine = machines[
        (machines["machine"] == row["machine"]) & (machines["project"] == row["project"])
    ]
    place = ["project", "machine", "run", "environment"]
    beside = values[(values[place].fillna("") == row[place].fillna("")).all(axis=1)]
    host = of_machine["host_json"].dropna()
    return Stored(
        row=row,
        run=None if of_run.empty else of_run.iloc[0],
        machine=json.loads(host.iloc[0]) if len(host) else {},
        expected=expected_again(
            float(row["value"]),
            float(row["ci_low"]),
            float(row["ci_high"]),
            null_control(beside).spread,
        ),
    )


def command_words(stored: Stored) -> list[str]:
    """Give the command that measures the same cell of the same commit in the same way."""
    row, name = stored.row, points.point_of(stored.row.to_dict())
    _, bracket, params = str(name).partition("(")
    escaped = re.escape(name.benchmark + bracket + params).replace(r"\ ", " ")
    commit, machine_name = str(row["commit"]), str(row["machine"])
    cell = f"^{escaped.removesuffix(re.escape('()'))}$"
    if name_of_option := next((one for one in (commit, machine_name) if one.startswith("-")), ""):
        raise BadUsage(
            f"POINT {name} has {name_of_option!r} where a name is expected, which a command would"
            " take for an option; measure the commit by its hash yourself"
        )
    if stored.run is None:
        # asv names a provider and an interpreter; the rest of an environment is its matrix.
        provider = str(row["environment"]).partition("-")[0]
        return ["asv", "run", f"{commit}^!", "-E", provider, "--bench", cell]
    words = ["convbench", "measure", commit, "--machine", machine_name]
    if isinstance(provider := stored.run["environment_type"], str) and provider:
        words += ["--environment-type", provider]
    words += ["--blas", str(row["blas"]), "--threads", str(row["threads"])]
    return [*words, "--bench", cell]


def description(stored: Stored) -> list[str]:
    """Say what is stored."""
    row, unit = stored.row, str(stored.row["unit"])
    where = f"on {row['machine']}" + (f", {stored.machine['cpu']}" if stored.machine else "")
    when = "" if pd.isna(row["started_at"]) else f"{row['started_at']:%Y-%m-%d %H:%M} UTC "
    low, high = stored.expected.low, stored.expected.high
    lines = [
        f"value:    {quantity(float(row['value']), unit)}",
        f"expected: {quantity(low, unit)} to {quantity(high, unit)} in 99 of 100 repetitions",
        f"measured: {when}{where}, {row['blas_identity'] or 'BLAS unknown'},"
        f" threads: {row['threads']}",
        f"commit:   {row['commit']}",
    ]
    if stored.run is not None and isinstance(stored.run["command"], str):
        lines.append(f"by:       {stored.run['command']}")
    return lines


def differences(stored: Stored, config: Path) -> list[str]:
    """Say what is different here from what the point was measured with."""
    notes = []
    here = machine.host()
    if stored.machine and (stored.machine["cpu"], stored.machine["cpus"]) != (here.cpu, here.cpus):
        notes.append(
            f"this machine is a {here.cpu} with {here.cpus} CPUs, another one than"
            f" {stored.row['machine']}: the value can't be expected to agree"
        )
    if stored.run is None:
        return notes
    if stored.run["dirty"] is True:
        notes.append("the work tree had uncommitted changes, which no command brings back")
    lock = config.resolve().parent / "requirements.lock"
    known = stored.run["lock_sha256"]
    if isinstance(known, str) and known and known != runs.lock_sha256(lock):
        notes.append("requirements.lock is another one than then: check out the suite's commit")
    if isinstance(stored.run["disturbed"], str) and stored.run["disturbed"]:
        notes.append(f"the run was disturbed: {stored.run['disturbed']}")
    return notes


def measured_again(
    words: list[str], config: Path, point: points.Point, say: Say
) -> "pd.Series[Any]":
    """Run the command in a folder of its own; return the row of the new value."""
    with tempfile.TemporaryDirectory(prefix="convbench-reproduce-") as folder:
        parser = argparse.ArgumentParser()
        measure.add_arguments(parser)
        made, stamp = Path(folder, "runs"), Path(folder, "stamp")
        ours = ["--runs", str(made), "--stamp", str(stamp), "--config", str(config)]
        options = parser.parse_args([*words[1:], *ours])
        measure.run(options, say)
        collect(made, Path(folder, "store"))
        values = load(Path(folder, "store"))
    of_benchmark = values[values["benchmark"] == point.benchmark]
    same = [tuple(params.values()) == point.params for params in of_benchmark["params"]]
    selected = of_benchmark[same]
    if selected.empty or selected.iloc[0]["status"] != "ok":
        status = "was not measured" if selected.empty else str(selected.iloc[0]["status"])
        raise MeasureFailed(f"the new measurement of {point} gave no value: it {status}")
    return selected.iloc[0]


def compare(stored: Stored, again: "pd.Series[Any]", say: Say) -> int:
    """Say whether the new value is as expected: 0, or 1 where it is not."""
    value, unit = float(again["value"]), str(stored.row["unit"])
    then, now = (_library(row) for row in (stored.row, again))
    if then != now:
        say(f"note:     {' '.join(then)} then, {' '.join(now)} now")
    agrees = stored.expected.holds(value)
    ratio = value / float(stored.row["value"]) if stored.row["value"] else math.nan
    verdict = "agrees" if agrees else "does not agree"
    say(f"now:      {quantity(value, unit)}, {ratio:.3f} times the stored value: it {verdict}")
    return 0 if agrees else 1


def _library(row: "pd.Series[Any]") -> tuple[str, str]:
    """Give a BLAS's identity and the short hash of its file, which `load` may have joined."""
    digest = row["blas_sha256"] if isinstance(row["blas_sha256"], str) else ""
    return str(row["blas_identity"]).removesuffix(f" ({digest})"), digest
