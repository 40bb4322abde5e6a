"""Reading the store into pandas."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from convbench.errors import BadResults, BadUsage
from convbench.results import schema
from convbench.results.manifest import read_manifest
from convbench.results.moments import Moment, moment
from convbench.results.numbering import numbered
from convbench.results.params import from_text
from convbench.results.part_files import read_groups
from convbench.results.partition import PartRecord
from convbench.results.store import read_table

# The columns that a filter may name: all that hold text, except the map.
FILTERS = tuple(f.name for f in schema.SCHEMAS["values"] if f.type == schema.NAME)

# What makes a point of the default view, with `params`.
POINT = (
    *("project", "machine", "environment", "blas", "threads"),
    *("blas_identity", "blas_sha256", "commit", "benchmark"),
)

# Within one of these, builds are told apart by their hash.
_BUILD_OF = ["project", "machine", "environment", "identity"]

_IDENTITY = (*_BUILD_OF[:-1], "blas_identity", "blas_sha256")

# A collector may replace parts while they are read; then the new manifest names the new ones.
_ATTEMPTS = 5

# Into the same folder only what changed would be read, and a damaged part doesn't show that it is.
_ANEW = "collect again, into a new folder"


def load(
    store: Path | str,
    *,
    samples: bool = False,
    columns: Iterable[str] | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    **filters: str | Iterable[str],
) -> pd.DataFrame:
    """Read the table `values` of a store.

    Only what is asked for is read: parts by project, machine and date, groups of rows by the texts
    that they hold, columns by name.

    Parameters
    ----------
    store : path
        A folder that `convbench collect` wrote.
    samples : bool
        Add the columns `samples` (seconds per call of every sample) and `quantiles` (what stays of
        an old commit's samples: at probabilities 0, 0.1, … 1); None where not recorded.
    columns : iterable of str, optional
        Read these columns only, in this order.
    since, until : str or datetime, optional
        Keep rows of commits from this moment on, or before it: ``"2026-03-01"``, UTC by default.
    **filters : str or iterable of str
        Keep rows whose column of that name has this value, or one of these values.

    Returns
    -------
    DataFrame
        Columns of `schema.SCHEMAS["values"]`; `params` are dicts. `blas_identity` names the hash
        as well where an environment had two builds that call themselves the same:
        ``OpenBLAS 0.3.31 Haswell (3f2a9c1b04de)``.

    Raises
    ------
    BadResults
        `store` is no store, or a newer convbench wrote it.
    BadUsage
        A filter or column is none, a column is named twice or none at all, or a moment can't be
        read.
    """
    query = _Query.of(columns, samples, since, until, filters)
    told_apart = query.columns is None or "blas_identity" in query.columns
    reading = query if not told_apart else query.reading(_IDENTITY)
    for attempt in range(_ATTEMPTS):
        try:
            tables = [reading.empty(), *_scan(Path(store), reading)]
            values = schema.to_frame(pa.concat_tables(tables).unify_dictionaries(), "values")
            if told_apart:
                values = _builds_told_apart(values, read_table(Path(store), "environments"))
            return values if query.columns is None else values[query.chosen]
        except FileNotFoundError as error:
            if attempt == _ATTEMPTS - 1:
                raise BadResults(f"{store} lost {error.filename or error}; {_ANEW}") from None
        except (OSError, pa.ArrowException) as error:
            raise BadResults(f"{store} can't be read ({error}); {_ANEW}") from None
    raise AssertionError("the last attempt returns or raises")


def scan(
    store: Path | str,
    *,
    samples: bool = False,
    columns: Iterable[str] | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    **filters: str | Iterable[str],
) -> Iterator[pa.Table]:
    """Yield the rows that `load` would return as Arrow tables, a hundred thousand rows at a time.

    For stores that are larger than the memory; errors are those of `load`.

    Parameters
    ----------
    store : path
        A folder that `convbench collect` wrote.
    samples, columns, since, until, **filters
        As of `load`.

    Yields
    ------
    pyarrow.Table
        Rows in the order of the store; identities of builds are not told apart.
    """
    query = _Query.of(columns, samples, since, until, filters)
    try:
        yield from map(_with_maps, _scan(Path(store), query))
    except FileNotFoundError as error:
        raise BadResults(
            f"{store} was collected into while it was read ({error.filename or error} is gone); "
            "read it again"
        ) from None
    except (OSError, pa.ArrowException) as error:
        raise BadResults(f"{store} can't be read ({error}); {_ANEW}") from None


def dataset(store: Path | str) -> ds.Dataset:
    """Return the table `values` as an Arrow dataset, for other tools' queries.

    Parameters
    ----------
    store : path
        A folder that `convbench collect` wrote.

    Returns
    -------
    pyarrow.dataset.Dataset
        Every column of `values` except the four statistics (interval and quartiles), which are
        coded in files of their own; `scan` and ``convbench export`` have them.
    """
    store = Path(store)
    paths = [str(store / str(part.paths["values"])) for part in read_manifest(store).parts]
    schema_of_values = schema.FAMILIES["values"]
    return ds.dataset(paths, schema=schema_of_values, format="parquet")


@dataclass(frozen=True)
class _Query:
    """What is asked of `values`; `columns` is None for all."""

    columns: tuple[str, ...] | None
    samples: bool
    since: datetime | None
    until: datetime | None
    wanted: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(
        cls,
        columns: Iterable[str] | None,
        samples: bool,
        since: Moment | None,
        until: Moment | None,
        filters: Mapping[str, str | Iterable[str]],
    ) -> "_Query":
        """Check what a caller asks for."""
        names = schema.SCHEMAS["values"].names
        chosen = None if columns is None else _distinct(columns, names)
        wanted = {column: _choices(column, choice) for column, choice in filters.items()}
        first = None if since is None else moment(since, "since")
        end = None if until is None else moment(until, "until")
        return cls(chosen, samples, first, end, wanted)

    @property
    def chosen(self) -> list[str]:
        """Names of the columns of the result."""
        names = schema.SCHEMAS["values"].names if self.columns is None else self.columns
        return [*names, *(schema.LISTS if self.samples else ())]

    def reading(self, columns: Iterable[str]) -> "_Query":
        """Return a query that reads further columns."""
        if self.columns is None:
            return self
        return replace(self, columns=(*self.columns, *(set(columns) - set(self.columns))))

    @property
    def needed(self) -> list[str]:
        """Columns of `values` that must be read to answer."""
        dates = ["commit_date"] if self.since or self.until else []
        names = schema.SCHEMAS["values"].names if self.columns is None else self.columns
        return list(dict.fromkeys([*names, *self.wanted, *dates]))

    def empty(self) -> pa.Table:
        """Return the result without rows."""
        whole = pa.schema([*schema.ROWS, *schema.FAMILIES["samples"]])
        return whole.empty_table().select(self.chosen)

    def may_be_in(self, part: PartRecord) -> bool:
        """Whether a part may have such rows."""
        place = {name: getattr(part, name) for name in _PLACE}
        return all(name in self.wanted.get(column, [name]) for column, name in place.items())

    def filtered(self, table: pa.Table) -> pa.Table:
        """Keep the rows that are asked for, with the columns that are asked for."""
        kept = pa.repeat(pa.scalar(True), len(table))
        for column, choices in self.wanted.items():
            texts = pa.array(choices, pa.string())
            kept = pc.and_(kept, pc.is_in(table[column].cast(pa.string()), value_set=texts))
        if self.since is not None:
            kept = pc.and_(kept, pc.greater_equal(table["commit_date"], self.since))
        if self.until is not None:
            kept = pc.and_(kept, pc.less(table["commit_date"], self.until))
        return table.filter(kept).select(self.chosen)


_PLACE = ("project", "machine")


def _choices(column: str, choice: str | Iterable[str]) -> tuple[str, ...]:
    if column not in FILTERS:
        raise BadUsage(f"no filter {column!r}; the columns are {', '.join(FILTERS)}")
    if isinstance(choice, str):
        return (choice,)
    choices = tuple(choice) if isinstance(choice, Iterable) else (choice,)
    if strange := [one for one in choices if not isinstance(one, str)]:
        raise BadUsage(f"filter {column}: expected a text or several, got {strange[0]!r}")
    return choices


def _distinct(columns: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(columns)
    if not chosen:
        raise BadUsage(f"no columns; the columns are {', '.join(names)}")
    for place, column in enumerate(chosen):
        if column not in names:
            raise BadUsage(f"no column {column!r}; the columns are {', '.join(names)}")
        if column in chosen[:place]:
            raise BadUsage(f"column {column!r} is asked for twice; name each once")
    return chosen


def _with_maps(table: pa.Table) -> pa.Table:
    """Turn the texts of parameter combinations into maps."""
    place = table.schema.get_field_index("params")
    if place < 0:
        return table
    texts = table["params"].unify_dictionaries().combine_chunks()
    maps = pa.array([from_text(text) for text in texts.dictionary.to_pylist()], schema.PAIRS)
    return table.set_column(
        place, schema.SCHEMAS["values"].field("params"), maps.take(texts.indices)
    )


def _scan(store: Path, query: _Query) -> Iterator[pa.Table]:
    for part in read_manifest(store).parts:
        if not query.may_be_in(part):
            continue
        groups = read_groups(
            store,
            part.paths,
            columns=query.needed,
            samples=query.samples,
            wanted=query.wanted,
            between=(query.since, query.until),
        )
        yield from map(query.filtered, groups)


def _builds_told_apart(values: pd.DataFrame, environments: pa.Table) -> pd.DataFrame:
    """Add the hash to an identity that two builds of one environment share.

    The store's environments decide, not the rows that were asked for: one build has one name.
    """
    builds = schema.to_frame(environments.select([*_BUILD_OF, "blas_sha256"]), "environments")
    builds = builds[builds["blas_sha256"].fillna("") != ""].drop_duplicates()
    shared = set(builds.loc[builds.duplicated(_BUILD_OF), _BUILD_OF].itertuples(index=False))
    if not shared:
        return values
    names = values[["project", "machine", "environment", "blas_identity"]]
    known = values["blas_sha256"].fillna("") != ""
    mask = known & np.array([name in shared for name in names.itertuples(index=False, name=None)])
    told = values["blas_identity"] + " (" + values["blas_sha256"] + ")"
    return values.assign(blas_identity=values["blas_identity"].mask(mask, told))


def load_table(store: Path | str, name: str) -> pd.DataFrame:
    """Read one of the tables beside `values`.

    Parameters
    ----------
    store : path
        A folder that `convbench collect` wrote.
    name : str
        The table, such as ``"commits"`` or ``"events"``.

    Returns
    -------
    DataFrame
        The right columns, and no rows when the store has none.
    """
    read_manifest(Path(store))
    return schema.to_frame(read_table(Path(store), name), name)


def newest(values: pd.DataFrame) -> pd.DataFrame:
    """Keep the newest run of each point: the default view.

    A point is one cell (machine, environment, benchmark, parameters) at one commit under one
    BLAS identity: another BLAS build is another point, also when it carries the same version and
    only the library's file differs. A run that skipped or did not select a
    cell never hides an older one that measured it, or failed at it; a newer failure does hide an
    older number.

    Parameters
    ----------
    values : DataFrame
        Rows that `load` returned, with all columns.

    Returns
    -------
    DataFrame
        Some of these rows, in their order.
    """
    points = _points(values)
    if points.max(initial=-1) + 1 == len(values):
        return values
    measured = values["status"].ne(schema.SKIPPED).to_numpy()
    ranked = pd.DataFrame(
        {
            "point": points,
            "measured": measured,
            "started_at": values["started_at"].to_numpy(),
            "run": values["run"].to_numpy(),
            "row": np.arange(len(values)),
        }
    )
    rank = ["measured", "started_at", "run", "row"]
    order = ranked.sort_values(rank, na_position="first", kind="stable")
    kept = order.drop_duplicates("point", keep="last")["row"].sort_values()
    return values.iloc[kept.to_numpy()]


def _points(values: pd.DataFrame) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Return a number per row, from 0: equal for rows of one point of `newest`."""
    # Rows of one combination share its dict: each is sorted once.
    distinct = {id(pairs): pairs for pairs in values["params"]}
    texts = {key: tuple(sorted(pairs.items())) for key, pairs in distinct.items()}
    params = [texts[id(pairs)] for pairs in values["params"]]
    # Null is what an older store says for "not known", the empty text what this one says.
    columns = (values[name].fillna("") for name in POINT)
    return numbered((*columns, pd.Series(params, dtype=object)), len(values))
