"""Write rows of the store as CSV, JSON, Parquet or SQLite, for other tools.

Every format holds all columns and loses nothing; a number read back is the same float. CSV and JSON
write times in UTC as 2026-11-22T10:00:00.000Z. An infinity is inf or -inf in CSV and the text "inf"
or "-inf" in JSON, which has no word for it; what is missing is null, in CSV an empty cell without
quotes. Parameters, packages, samples and other cells with several values are JSON, in CSV and
SQLite as text. JSON is one array with an object per line. In SQLite the table is named as in the
store; "values" and "commit" need quotes, being words of SQL. Text is not changed either: where a
cell could pass for a spreadsheet's formula, a note says which columns to import as text.

A file appears when it is whole. What goes to stdout can end early: believe exit code 0.
"""

import argparse
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convbench.errors import BadUsage
from convbench.results import exporting, load_table, loading, newest, schema
from convbench.results.exporting import FORMATS, TEXTS, Export
from convbench.results.moments import moment

EXAMPLES = r"""
convbench export results/store --format csv > values.csv
convbench export results/store --format parquet --output new.parquet --newest
convbench export results/store --format sqlite --output all.db --table events
convbench export results/store --format json --benchmark "^run\." \
    --since 2026-11-01
"""
SEE_ALSO = "docs/results.md; convbench inventory"
NO = "options selected rows, and there are none; the table has no rows"

TABLES = ("values", *schema.TABLES)

FILTERS = ("project", "machine", "environment")

# What the default view asks of a row.
_OF_NEWEST = (*loading.POINT, "params", "status", "started_at", "run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `convbench export`."""
    parser.add_argument("store", metavar="STORE", type=Path, help="what `convbench collect` wrote")
    parser.add_argument(
        "--format", metavar="FORMAT", choices=FORMATS, required=True, help=", ".join(FORMATS)
    )
    parser.add_argument(
        "--output", metavar="FILE", default="-", help="a new file; - is stdout (default)"
    )
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")
    parser.add_argument(
        "--table",
        metavar="TABLE",
        choices=TABLES,
        default="values",
        help=f"{', '.join(TABLES)} (default: values)",
    )
    parser.add_argument(
        "--benchmark",
        metavar="REGEX",
        help="benchmarks whose name has a match, as in asv's --bench",
    )
    for name in FILTERS:
        parser.add_argument(
            f"--{name}",
            metavar="NAME",
            action="append",
            default=[],
            help=f"only this {name}; may be given several times",
        )
    parser.add_argument("--since", metavar="DATE", help="commits of this day (UTC) or moment on")
    parser.add_argument("--until", metavar="DATE", help="commits before this day (UTC) or moment")
    parser.add_argument(
        "--newest",
        action="store_true",
        help="only the newest run of each value (holds one machine's rows in memory)",
    )
    parser.add_argument("--samples", action="store_true", help="values with all their samples")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Export, and say what was written unless it went to stdout."""
    if arguments.output == "-":
        _check_stdout(arguments.format)
        written = _to_stdout(selected(arguments), arguments.format)
    else:
        path = Path(arguments.output)
        _keep_store(path, arguments.store)
        rows = selected(arguments)
        written = exporting.write(rows, path, arguments.format, force=arguments.force)
        say(f"{path}: {written.rows:,} rows of {arguments.table}")
        if arguments.format == "csv" and written.formulas:
            say(
                f"note: text in {', '.join(written.formulas)} begins like a formula (=, +, -, @);"
                " import these columns as text when a spreadsheet opens the file"
            )
    return 1 if _is_selective(arguments) and not written.rows else 0


def _check_stdout(file_format: str) -> None:
    if file_format not in TEXTS:
        raise BadUsage(
            f"--format {file_format} needs a file: --output FILE"
            f" (stdout takes {' and '.join(TEXTS)})"
        )
    if sys.stdout is None:  # as Python says that it was closed before it started
        raise BadUsage("stdout is closed; give --output FILE")


def _to_stdout(rows: Export, file_format: str) -> exporting.Written:
    try:
        written = exporting.stream(rows, sys.stdout.buffer, file_format)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; keep Python from complaining again on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exporting.Written(rows=1)
    return written


def _keep_store(path: Path, store: Path) -> None:
    if store.resolve() in path.resolve().parents:
        raise BadUsage(f"--output {path} lies in the store; write exports outside of {store}")


def _is_selective(arguments: argparse.Namespace) -> bool:
    names = (*FILTERS, "benchmark", "since", "until")
    return any(map(_is_given, (getattr(arguments, name) for name in names)))


def _is_given(option: Any) -> bool:
    """Whether an option was given: also one that the empty text was given to."""
    return option not in (None, False, [])


def selected(arguments: argparse.Namespace) -> Export:
    """Return the rows that the options ask for; they are read while they are written.

    The first of them are read at once: a store or an option that can't be read is refused before
    anything is written.

    Raises
    ------
    BadUsage
        An option asks for what the table doesn't have, or can't be read.
    """
    _refuse_useless(arguments)
    columns, pattern = schema.SCHEMAS[arguments.table], _pattern(arguments.benchmark)
    if arguments.samples:
        columns = pa.schema([*columns, *schema.FAMILIES["samples"]])
    tables = _values(arguments) if arguments.table == "values" else _small_table(arguments)
    if pattern is not None:
        tables = (_matching(rows, pattern) for rows in tables)
    return Export(
        arguments.table, columns, itertools.chain(list(itertools.islice(tables, 1)), tables)
    )


def _refuse_useless(arguments: argparse.Namespace) -> None:
    table, dated = arguments.table, dict.fromkeys(("since", "until"), "commit_date")
    columns = {name: name for name in (*FILTERS, "benchmark")} | dated
    useless = [
        option for option, name in columns.items() if name not in schema.SCHEMAS[table].names
    ]
    useless += ["newest", "samples"] if table != "values" else []
    for option in useless:
        if _is_given(getattr(arguments, option)):
            raise BadUsage(f"--{option} can't be asked of the table {table}; leave it out")


def _pattern(regex: str | None) -> re.Pattern[str] | None:
    try:
        return None if regex is None else re.compile(regex)
    except re.error as error:
        raise BadUsage(f"--benchmark {regex!r} is no regular expression: {error}") from None


def _matching(rows: pa.Table, pattern: re.Pattern[str]) -> pa.Table:
    names = rows["benchmark"].cast(schema.TEXT)
    found = [name for name in pc.unique(names).to_pylist() if name and pattern.search(name)]
    return rows.filter(pc.is_in(names, value_set=pa.array(found, schema.TEXT)))


def _dates(arguments: argparse.Namespace) -> dict[str, datetime]:
    """Read the options that are dates; UTC where they don't say."""
    given = {option: getattr(arguments, option) for option in ("since", "until")}
    return {
        option: moment(text, f"--{option}") for option, text in given.items() if text is not None
    }


def _values(arguments: argparse.Namespace) -> Iterator[pa.Table]:
    """Yield rows of `values`, with --newest those of one machine after the other."""
    wanted: dict[str, Any] = {name: getattr(arguments, name) for name in FILTERS}
    wanted = {name: choices for name, choices in wanted.items() if choices} | _dates(arguments)
    if not arguments.newest:
        yield from loading.scan(arguments.store, samples=arguments.samples, **wanted)
        return
    for place in _machines(arguments.store, wanted):
        pieces = loading.scan(arguments.store, samples=arguments.samples, **(wanted | place))
        rows = pa.concat_tables(pieces).unify_dictionaries()
        frame = schema.to_frame(rows.select(_OF_NEWEST), "values")
        yield rows.take(pa.array(newest(frame).index))


def _machines(store: Path, wanted: dict[str, Any]) -> list[dict[str, str]]:
    """List every machine that has rows; no point of `newest` lies on two."""
    names = ["project", "machine"]
    found = {
        tuple(place.values())
        for piece in loading.scan(store, columns=names, **wanted)
        for place in piece.cast(pa.schema([(name, schema.TEXT) for name in names]))
        .group_by(names)
        .aggregate([])
        .to_pylist()
    }
    return [dict(zip(names, place, strict=True)) for place in sorted(found)]


def _small_table(arguments: argparse.Namespace) -> Iterator[pa.Table]:
    columns = schema.SCHEMAS[arguments.table]
    rows = as_table(load_table(arguments.store, arguments.table), columns)
    for name in FILTERS:
        if choices := getattr(arguments, name):
            rows = rows.filter(pc.is_in(rows[name], value_set=pa.array(choices, schema.TEXT)))
    compare = {"since": pc.greater_equal, "until": pc.less}
    for option, date in _dates(arguments).items():
        rows = rows.filter(compare[option](rows["commit_date"], pa.scalar(date, schema.TIME)))
    yield rows


def as_table(frame: pd.DataFrame, columns: pa.Schema) -> pa.Table:
    """Turn a frame that `load_table` returned back into what the store holds."""
    frame = frame.copy()
    maps = [field.name for field in columns if pa.types.is_map(field.type)]
    for name in maps:
        frame[name] = frame[name].map(lambda cell: list(cell.items()), na_action="ignore")
    return pa.Table.from_pandas(frame, schema=columns, preserve_index=False)
