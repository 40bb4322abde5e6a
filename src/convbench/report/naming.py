"""Names that a reader sees: of lines, measures and units, as short as still tells them apart."""

from typing import Any

import pandas as pd


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a frame's rows."""
    return frame.to_dict("records")  # type: ignore[return-value] # columns are text


def line_order(name: str) -> tuple[bool, str]:
    """Sort lines by name, but OpenBLAS first: NumPy's own wheels carry it."""
    return (not name.startswith("openblas"), name)


def name_units(values: pd.DataFrame) -> pd.Series:
    """Fill units that the results do not tell from asv's rule: the method's prefix is the type.

    asv forgets the unit of a benchmark that was removed, but keeps its results.
    """
    methods = values["benchmark"].str.rsplit(".", n=1).str[-1]
    ruled = pd.Series("", index=values.index, dtype="object")
    for prefix, unit in (("time_", "seconds"), ("mem_", "bytes"), ("peakmem_", "bytes")):
        ruled = ruled.mask(methods.str.startswith(prefix), unit)
    units = values["unit"].fillna("").astype("object")
    return units.where(units != "", ruled)


def name_lines(values: pd.DataFrame) -> pd.Series:
    """Name each row's line by as few words as tell the lines of its machine apart."""
    parts = values[["machine", "environment", "blas", "threads", "blas_identity"]].fillna("")
    distinct = parts.drop_duplicates()
    names = {}
    for _, rows in distinct.groupby("machine"):
        several_threads = len(set(rows["threads"])) > 1
        identities = rows[rows["blas_identity"] != ""].groupby("blas")["blas_identity"].nunique()
        for row in records(rows):
            words = [row["blas"] or row["environment"]]
            if row["blas"] and identities.get(row["blas"], 0) > 1 and row["blas_identity"]:
                words.append(row["blas_identity"])
            if row["blas"] and several_threads and row["threads"]:
                words.append("1 thread" if row["threads"] == "1" else f"{row['threads']} threads")
            names[tuple(row.values())] = " · ".join(words)
    keys = zip(*(parts[column] for column in parts.columns), strict=True)
    return pd.Series([names[key] for key in keys], index=values.index, dtype="object")


def name_measures(values: pd.DataFrame) -> pd.Series:
    """Shorten benchmark names to their method where no two benchmarks would then coincide."""
    benchmarks = values["benchmark"].astype("object")
    named = values["strategy"].ne("") | values["problem"].ne("") | values["dtype"].ne("")
    methods = benchmarks.str.rsplit(".", n=1).str[-1]
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
