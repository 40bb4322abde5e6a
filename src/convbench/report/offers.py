"""What a site has beside its pages: for readers of feeds, for scripts, for READMEs and chats."""

from collections.abc import Sequence

from convbench.report.badges import badge_files
from convbench.report.events import EventRow
from convbench.report.feed import FEED, feed
from convbench.report.measurements import Measurements
from convbench.report.overview import Overview
from convbench.report.poster import PICTURE, poster
from convbench.report.series import Series
from convbench.report.summary import SUMMARY, summary


def offered_files(
    measurements: Measurements,
    series: Sequence[Series],
    rows: Sequence[EventRow],
    overview: Overview,
    title: str,
    repo_url: str = "",
    site_url: str = "",
) -> dict[str, str]:
    """Make the files, by their path in the site; `rows` are all events."""
    return {
        FEED: feed(measurements, rows, title, site_url),
        SUMMARY: summary(measurements, series, rows, overview, title, repo_url),
        PICTURE: poster(measurements, rows, overview, title),
        **badge_files(measurements, series, rows, title),
    }
