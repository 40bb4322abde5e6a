"""Choices among many events load those that do not stand in the document."""

from typing import Any

import pytest
from chromium import NEEDS_BROWSER
from test_browser import Watched
from test_changes_rows import EVENTS, store_of_events

from convbench.report.events import FIRST_ROWS
from convbench.report.site import write_site

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_site(
        store_of_events().measurements(), tmp_path_factory.mktemp("events") / "ü site"
    ).as_uri()


def shown(watched: Watched) -> Any:
    return sync_api.expect(watched.page.locator("#events tbody tr:visible"))


def test_the_newest_events_are_shown_until_more_are_asked_for(browser: Any, site: str) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{site}#/changes", "changes")
    shown(watched).to_have_count(FIRST_ROWS)

    watched.page.click("#changes-all")
    shown(watched).to_have_count(EVENTS)

    again = Watched(browser, "light")
    again.open(watched.page.url, "changes")
    shown(again).to_have_count(EVENTS)
    sync_api.expect(again.page.locator("#changes-all")).to_be_hidden()
    assert watched.errors + again.errors + watched.outside + again.outside == []
    watched.page.close()
    again.page.close()


def test_a_size_counts_among_all_events_and_stands_in_the_address(browser: Any, site: str) -> None:
    """Sizes are 1.01, 1.03 …: five are below 10 %."""
    watched = Watched(browser, "light")
    watched.open(f"{site}#/changes", "changes")

    watched.page.select_option(".view[data-view=changes] select[data-state=least]", "1.1")

    shown(watched).to_have_count(EVENTS - 5)
    sync_api.expect(watched.page.locator("#changes-count")).to_contain_text(
        f"{EVENTS - 5} of {EVENTS} events"
    )
    assert "least=1.1" in watched.page.url
    again = Watched(browser, "light")
    again.open(watched.page.url, "changes")
    shown(again).to_have_count(EVENTS - 5)
    watched.page.close()
    again.page.close()
