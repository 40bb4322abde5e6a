"""Tags of the project's repository, at the measured commits that first contain them."""

from bisect import bisect_left
from collections.abc import Iterable

from convbench.report.measurements import Measurements
from convbench.report.naming import records

Tag = tuple[int, str, bool]
"""A measured commit's position, the tag, and whether the tagged commit itself was measured."""


def find_tags(measurements: Measurements) -> list[Tag]:
    """Place each tag at its commit, else at the first measured one after it, oldest first.

    What is older than all measured commits, or newer, is left out.
    """
    known = measurements.tables["commits"]
    rows = [row for row in records(known) if row["position"] == row["position"]]
    places = {row["commit"]: int(row["position"]) for row in rows}
    # In this order measured commits stand; one that the repository has lost is in none.
    measured = [
        (places[commit.commit], commit.position)
        for commit in measurements.commits
        if commit.commit in places
    ]
    found = []
    for row in rows:
        at = bisect_left(measured, (places[row["commit"]], -1))
        is_within = at < len(measured) and places[row["commit"]] >= measured[0][0]
        for tag in _listed(row["tags"]) if is_within else ():
            found.append((measured[at][1], str(tag), measured[at][0] == places[row["commit"]]))
    return sorted(found)


def _listed(tags: object) -> list[object]:
    return list(tags) if isinstance(tags, Iterable) and not isinstance(tags, str) else []
