"""Which pages are set against each other, and when their content is there."""

from dataclasses import dataclass

DRAWN = ".view[data-view=history] .chart.drawn .main-svg"
PICTURE = (
    ".view[data-view=history] .chart:not(.waiting) .still svg.sketch, "
    ".view[data-view=history] .chart.drawn .main-svg"
)
"""A history's picture: the sketch, or Plotly's.

What stands in the document is the first history's, and shown until another one's data are there.
"""

HISTORY_LINK = "#newest tbody tr:nth-child(2) a[href^='#/history']"
ASV_LINK = "#summarylist-body tbody tr:nth-child(2) td a"


@dataclass(frozen=True)
class Page:
    """A page by its address in the site, and a selector of what a reader came for."""

    path: str
    content: str


OVERVIEW = Page("index.html", ".view[data-view=overview] h1")
MATRIX = Page("index.html#/matrix", ".view[data-view=matrix] table")
CHANGES = Page("index.html#/changes", ".view[data-view=changes] h1")
GRID = Page("index.html#/", "#summarygrid-display .benchmark-container")
LIST = Page("index.html#summarylist", "#summarylist-display tbody tr")
REGRESSIONS = Page("index.html#regressions", "#regressions-display tbody tr")


def history(measure: str) -> Page:
    """A history that is not the first one, so that its picture is not in the document."""
    return Page(f"index.html#/history?measure={measure}", PICTURE)


def asv_benchmark(measure: str) -> Page:
    """asv's page of one benchmark."""
    return Page(f"index.html#{measure}", "#graph-display #main-graph canvas")
