"""The holes as data: all of them, where the document has those that matter most."""

from collections.abc import Hashable
from operator import attrgetter

from convbench.report.coverage import MOST_IN_FILE, Coverage
from convbench.report.data_files import script

TEXTS = ("state", "name", "detail", "where", "reason", "link")
"""What of a hole stands in the file once, and is named by its number."""


def holes_file(coverage: Coverage | None) -> dict[str, str]:
    """Make ``data/holes.js``, if there are any.

    Each column has a value per hole; of texts it is the number of one in ``texts``.
    """
    if coverage is None or not coverage.holes:
        return {}
    holes = coverage.holes[:MOST_IN_FILE]
    texts: dict[Hashable, int] = {}

    def column(name: str) -> list[int]:
        values = [attrgetter(name)(hole) for hole in holes]
        return (
            [texts.setdefault(value, len(texts)) for value in values] if name in TEXTS else values
        )

    columns = {name: column(name) for name in (*TEXTS, "number", "position", "behind")}
    data = {"all": len(coverage.holes), **columns, "texts": list(texts)}
    return {"data/holes.js": script("holes", data)}
