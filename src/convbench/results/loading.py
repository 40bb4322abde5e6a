"""Reading the store into pandas."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from convbench.errors import BadResults, BadUsage
from convbench.results import schema
from convbench.results.store import parts_of, read_manifest, read_table

# The columns that a filter may name: all that hold text, except the map.
FILTERS = tuple(f.name for f in schema.SCHEMAS["values"] if pa.types.is_dictionary(f.type))

# What makes a point of the default view, with `params`.
POINT = (
    *("project", "machine", "environment", "blas", "threads"),
    *("blas_identity", "blas_sha256", "commit", "benchmark"),
)

# Within one of these, builds are told apart by their hash.
_BUILD_OF = ["project", "machine", "environment", "identity"]

# A collector may replace parts while they are read; then the new manifest names the new ones.
_ATTEMPTS = 5


def load(
    store: Path | str, *, samples: bool = False, **filters: str | Iterable[str]
) -> pd.DataFrame:
    """Read the table `values` of a store.

    Parameters
    ----------
    store : path
        A folder that `convbench collect` wrote.
    samples : bool
        Add the column `samples`: seconds per call of every sample, None where not recorded.
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
        A filter names no column.
    """
    wanted = {column: _choices(column, choice) for column, choice in filters.items()}
    for attempt in range(_ATTEMPTS):
        try:
            values = schema.to_frame(_read(Path(store), samples, wanted), "values")
            return _builds_told_apart(values, read_table(Path(store), "environments"))
        except FileNotFoundError as error:
            if attempt == _ATTEMPTS - 1:
                raise BadResults(f"{store} lost {error.filename or error}; collect again") from None
        except (OSError, pa.ArrowException) as error:
            raise BadResults(f"{store} can't be read ({error}); collect again") from None
    raise AssertionError("the last attempt returns or raises")


def _choices(column: str, choice: str | Iterable[str]) -> list[str]:
    if column not in FILTERS:
        raise BadUsage(f"no filter {column!r}; the columns are {', '.join(FILTERS)}")
    return [choice] if isinstance(choice, str) else list(choice)


def _read(store: Path, samples: bool, wanted: dict[str, list[str]]) -> pa.Table:
    empty = schema.empty_table("values")
    if samples:
        empty = _with_samples(empty, schema.empty_table("samples"))
    tables = [empty]
    for part in parts_of(read_manifest(store)):
        if any(part[name] not in wanted.get(name, [part[name]]) for name in ("project", "machine")):
            continue
        table = pq.read_table(store / part["values"], partitioning=None)
        table = schema.completed(table, schema.SCHEMAS["values"])
        if samples:
            table = _with_samples(table, read_samples(store, part, len(table)))
        for column, choices in wanted.items():
            values = pa.array(choices, pa.string())
            table = table.filter(pc.is_in(table[column].cast(pa.string()), value_set=values))
        tables.append(table)
    return pa.concat_tables(tables).unify_dictionaries()


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


def read_samples(store: Path, part: Mapping[str, Any], rows: int) -> pa.Table:
    """Read the samples of one part, row for row; nulls where none were recorded."""
    if part["samples"] is None:
        nulls = pa.nulls(rows, schema.SCHEMAS["samples"].field("samples").type)
        return pa.table({"samples": nulls})
    return pq.read_table(store / part["samples"], columns=["samples"], partitioning=None)


def _with_samples(values: pa.Table, samples: pa.Table) -> pa.Table:
    return values.append_column("samples", samples["samples"])


def load_table(store: Path | str, name: str) -> pd.DataFrame:
    """Read one of the other tables; the right columns and no rows when the store has none."""
    read_manifest(Path(store))
    return schema.to_frame(read_table(Path(store), name), name)


def newest(values: pd.DataFrame) -> pd.DataFrame:
    """Keep the newest run of each point: the default view.

    A point is one cell (machine, environment, benchmark, parameters) at one commit under one
    BLAS identity: another BLAS build is another point, also when it carries the same version and
    only the library's file differs. A run that skipped or did not select a
    cell never hides an older one that measured it, or failed at it; a newer failure does hide an
    older number.
    """
    measured = values["status"].ne(schema.SKIPPED).to_numpy()
    ranked = pd.DataFrame(
        {
            "point": _points(values),
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
    """Return a number per row: equal for rows of one point of `newest`."""
    points = np.zeros(len(values), dtype=np.int64)
    params = [tuple(sorted(pairs.items())) for pairs in values["params"]]
    # Null is what an older store says for "not known", the empty text what this one says.
    columns = (values[name].fillna("") for name in POINT)
    for column in (*columns, pd.Series(params, dtype=object)):
        codes, found = pd.factorize(column, use_na_sentinel=False)
        # Numbered anew after each column: the product can't overflow.
        points, _ = pd.factorize(points * (len(found) + 1) + codes)
    return points
