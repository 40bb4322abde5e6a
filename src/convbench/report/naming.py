"""Names that a reader sees: of lines, measures and units, as short as still tells them apart."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from convbench.results.result_file import undescribed


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a frame's rows."""
    # By columns: `to_dict` asks Arrow's text cell by cell, which takes ten times as long.
    columns = [_cells(frame[name]) for name in frame.columns]
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _cells(column: pd.Series) -> list[Any]:
    return list(column) if column.dtype.kind == "M" else column.to_numpy(object).tolist()


RATE_UNITS = ("/s", "/sec", "/second", "per second")
"""How the units end of which more is better: GFLOP/s, images/s."""


def is_rate(unit: str) -> bool:
    """Tell whether a greater value of this unit is the better one."""
    return unit.endswith(RATE_UNITS)


def line_order(name: str) -> tuple[bool, str]:
    """Sort lines by name, but OpenBLAS first: NumPy's own wheels carry it."""
    return (not name.startswith("openblas"), name)


def name_units(values: pd.DataFrame) -> pd.Series:
    """Fill units that rows of an older store don't tell, from asv's rule."""
    codes, benchmarks = pd.factorize(values["benchmark"])
    ruled = pd.Series([undescribed(name).unit for name in benchmarks], dtype="object")
    units = values["unit"].fillna("").astype("object")
    return units.where(units != "", ruled.to_numpy()[codes])


def name_lines(values: pd.DataFrame) -> pd.Series:
    """Name each row's line by as few words as tell the lines of its machine apart.

    Threads are named on all machines or on none, so that equal lines have equal names. No two
    environments share a line: `detect` searches each on its own.
    """
    parts = values[["machine", "environment", "blas", "threads", "blas_identity"]].fillna("")
    distinct = parts.drop_duplicates()
    several_threads = len(set(distinct[distinct["blas"] != ""]["threads"])) > 1
    names = {}
    for _, rows in distinct.groupby("machine"):
        identities = rows[rows["blas_identity"] != ""].groupby("blas")["blas_identity"].nunique()
        for row in records(rows):
            words = [row["blas"] or row["environment"]]
            if row["blas"] and identities.get(row["blas"], 0) > 1 and row["blas_identity"]:
                words.append(row["blas_identity"])
            if row["blas"] and several_threads and row["threads"]:
                words.append(name_threads(row["threads"]))
            names[tuple(row.values())] = " · ".join(words)
        names |= _tell_apart(
            {tuple(row.values()): names[tuple(row.values())] for row in records(rows)}
        )
    keys = zip(*(_cells(parts[column]) for column in parts.columns), strict=True)
    return pd.Series([names[key] for key in keys], index=values.index, dtype="object")


def name_threads(threads: str) -> str:
    """Write a number of threads, or `all`, in words."""
    return "1 thread" if threads == "1" else f"{threads} threads"


def _tell_apart(names: Mapping[tuple[str, ...], str]) -> dict[tuple[str, ...], str]:
    """Add to a name that several environments of a machine share what tells these apart."""
    sharing: dict[str, set[str]] = {}
    for (_, environment, *_), name in names.items():
        sharing.setdefault(name, set()).add(environment)
    words = {
        name: telling_words(environments)
        for name, environments in sharing.items()
        if len(environments) > 1
    }
    return {
        key: f"{name} ({words[name][key[1]]})" if name in words else name
        for key, name in names.items()
    }


def telling_words(environments: Iterable[str]) -> dict[str, str]:
    """Give the shortest words of each name that no other has: `numpy 2.5.0`, else the whole name.

    asv joins an environment's parts by hyphens, each a package and its version in one word.
    """
    parts = {name: dict(map(_name_and_version, name.split("-"))) for name in sorted(environments)}
    shared = [part for part in next(iter(parts.values())) if all(part in p for p in parts.values())]
    # NumPy first: where it changed, what else changed with it is no news.
    for part in sorted(shared, key=lambda part: part != "numpy"):
        versions = {name: versions[part] for name, versions in parts.items()}
        if len(set(versions.values())) == len(versions):
            return {name: f"{part} {version}".strip() for name, version in versions.items()}
    common = set.intersection(*(set(versions.items()) for versions in parts.values()))
    words = {
        name: ", ".join(" ".join(one).strip() for one in versions.items() if one not in common)
        for name, versions in parts.items()
    }
    unique = all(words.values()) and len(set(words.values())) == len(words)
    return words if unique else {name: name for name in words}


def _name_and_version(part: str) -> tuple[str, str]:
    """Cut `numpy2.5.0` in two; what has no version is a name alone."""
    found = re.fullmatch(r"(.*?\D)(\d[\d.]*\w*)", part)
    return (found[1], found[2]) if found else (part, "")


def name_measures(values: pd.DataFrame) -> pd.Series:
    """Shorten benchmark names to their method where no two benchmarks would then coincide."""
    benchmarks = values["benchmark"].astype("object")
    named = values["strategy"].ne("") | values["problem"].ne("") | values["dtype"].ne("")
    codes, distinct = pd.factorize(benchmarks)
    last = pd.Series([str(name).rsplit(".", 1)[-1] for name in distinct], dtype="object")
    methods = pd.Series(last.to_numpy()[codes], index=values.index, dtype="object")
    cells = pd.DataFrame(
        {
            "method": methods,
            "strategy": values["strategy"],
            "problem": values["problem"],
            "dtype": values["dtype"],
            "benchmark": benchmarks,
        }
    ).drop_duplicates()
    cell = ["method", "strategy", "problem", "dtype"]
    clashing = set(cells[cells.duplicated(cell, keep=False)]["method"])
    # A project without strategies keeps asv's own names, which its readers know.
    short = named & ~methods.isin(clashing) & bool(values["strategy"].ne("").any())
    return methods.where(short, benchmarks)
