"""BLAS versions as an axis: which lines are one family of builds, and the order of its versions.

A new BLAS version on the same commit is a new point. Over the commits each version is a line; over
the versions each family (openblas, or openblas with one of its thread counts) is one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from convbench.report.measurements import Measurements
from convbench.report.naming import line_order, name_threads


def families(measurements: Measurements) -> Mapping[tuple[str, str], str]:
    """Name the family of each machine and line; empty where no BLAS version is known."""
    rows = measurements.rows_of_lines
    threads: dict[str, set[str]] = defaultdict(set)
    for row in rows.values():
        threads[row["blas"]].add(row["threads"])
    return {
        (machine, line): _family(row["blas"], row["threads"], len(threads[row["blas"]]))
        if row["blas"] and row["blas_identity"]
        else ""
        for (machine, line), row in rows.items()
    }


def version_order(measurements: Measurements) -> list[str]:
    """Order all BLAS versions: family by family as lines stand, in each by version number."""
    known = {
        (line_order(row["blas"]), natural(row["blas_identity"]), row["blas_identity"])
        for row in measurements.rows_of_lines.values()
        if row["blas"] and row["blas_identity"]
    }
    return _unique(identity for *_, identity in sorted(known))


def natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """Make a key that sorts numbers within text as numbers: 0.3.9 before 0.3.30."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((part[0] in "0123456789", int(part) if part[0] in "0123456789" else 0, part)
                 for part in parts)  # fmt: skip


def _family(blas: str, threads: str, several: int) -> str:
    return f"{blas} · {name_threads(threads)}" if several > 1 and threads else blas


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
