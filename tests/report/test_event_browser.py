"""The view of one event, and CSV of tables, in a real browser from disk."""

import csv
import io
import re
from typing import Any

import pytest
from chromium import NEEDS_BROWSER
from sample_store import Store, convolution_store, event, found_change
from test_browser import LETTER, MODES, Watched, changed_store, sync_api
from test_site import HOSTILE

from convbench.report.site import write_site

pytestmark = NEEDS_BROWSER

IM2COL = "strategy=im2col, problem=question, dtype=float32"
EVENT = f"{12:010x}"
MANY, FAILING = "00000000aa", "00000000bb"


def many_store() -> Store:
    """Make a store with an event of 15 histories and one that starts to fail."""
    store = convolution_store(14)
    many = [
        found_change(9, before=1e-5, after=2e-5, params=f"{IM2COL}{', n=' * bool(n)}{n or ''}")
        for n in range(15)
    ]
    nothing = dict.fromkeys(("ratio", "ratio_low", "ratio_high", "before", "after"), float("nan"))
    failing = found_change(9, before=1.0, after=1.0, params=IM2COL) | nothing
    failing["kind"] = "starts failing"
    store.tables["changes"] = [*many, failing]
    store.tables["events"] = [*event(MANY, *many), *event(FAILING, failing, reproduce="")]
    store.tables["events"][0] |= {"known_as": "00cc", "evidence": HOSTILE[0]}
    store.tables["commits"][9]["subject"] = HOSTILE[1]
    return store


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("event-sites")
    stores = {"changed": changed_store(), "many": many_store()}
    return {
        name: write_site(store.measurements(), folder / name).as_uri()
        for name, store in stores.items()
    }


def opened(browser: Any, address: str, mode: str = "light") -> Watched:
    watched = Watched(browser, mode)
    watched.open(address, "event")
    sync_api.expect(watched.page.locator("#event-all")).to_be_visible()
    return watched


def test_what_stands_in_the_picture_names_its_commit(browser: Any, sites: dict[str, str]) -> None:
    watched = opened(browser, f"{sites['changed']}#/event?id={EVENT}", "light")
    commits = watched.page.evaluate("CB.load('meta').then(meta => meta.commits)")
    titles = watched.page.locator("#event-picture circle title")

    for at, (commit, date, subject) in enumerate(commits):
        words = " ".join(filter(None, [commit[:8], date, subject]))
        sync_api.expect(titles.nth(at)).to_have_text(re.compile(f"^[^,]+, {re.escape(words)}$"))
    assert titles.count() == len(commits)
    watched.page.close()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("site", "name"), [("changed", EVENT), ("many", MANY), ("many", FAILING)])
def test_an_event_is_shown_whole_without_errors_or_requests(
    browser: Any, sites: dict[str, str], site: str, name: str, mode: str
) -> None:
    watched = opened(browser, f"{sites[site]}#/event?id={name}", mode)
    page = watched.page

    assert page.locator("#event-picture svg").count() == 1
    assert page.locator("#event-facts > div").count() == 4
    assert page.locator("#event-commits tbody tr").count() == 1
    assert page.title().startswith(page.locator("#event-title").inner_text())
    current = page.locator('nav a[aria-current="page"]')
    assert current.get_attribute("href") == "#/changes"
    inside = "document.querySelector('main').scrollWidth <= document.documentElement.clientWidth"
    assert page.evaluate(inside)
    assert (watched.errors, watched.outside) == ([], [])
    page.close()


def test_a_row_of_changes_leads_to_its_event_and_back(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['changed']}#/changes", "changes")

    watched.page.locator(f'#events tr[data-event="{EVENT}"] td a').first.click()

    title = watched.page.locator("#event-title")
    sync_api.expect(title).to_have_text("time_run became 2.0 times faster at 000000ad")
    assert watched.page.url.endswith(f"#/event?id={EVENT}")
    watched.page.go_back()
    sync_api.expect(watched.page.locator("#events")).to_be_visible()
    watched.page.close()


def test_one_event_leads_to_the_others_of_its_commit(browser: Any, sites: dict[str, str]) -> None:
    watched = opened(browser, f"{sites['many']}#/event?id={MANY}")

    watched.page.locator("#event-others a").click()

    title = watched.page.locator("#event-title")
    sync_api.expect(title).to_have_text("time_run began to fail at 000000aa")
    sync_api.expect(watched.page.locator("#event-commands")).to_contain_text("The first changed")
    assert watched.page.locator("#event-picture .level").count() == 0
    watched.page.close()


def test_an_older_name_of_an_event_still_shows_it(browser: Any, sites: dict[str, str]) -> None:
    watched = opened(browser, f"{sites['many']}#/event?id=00cc")

    sync_api.expect(watched.page.locator("#event-title")).to_contain_text("2.0 times slower")
    watched.page.close()


@pytest.mark.parametrize("name", ["", "00dd", "../../assets/app", "<b>x</b>"])
def test_without_such_an_event_the_view_says_so_and_loads_nothing_else(
    browser: Any, sites: dict[str, str], name: str
) -> None:
    watched = opened(browser, f"{sites['many']}#/event?id={MANY}")
    watched.page.evaluate("CB.load('meta').then(() => 0)")  # its commits' names come last
    loaded: list[str] = []
    watched.page.on("request", lambda request: loaded.append(request.url))

    watched.page.evaluate("hash => { location.hash = hash; }", f"#/event?id={name}")

    sync_api.expect(watched.page.locator("#event-all")).to_be_hidden()
    words = f"no event {name}." if name else "A link from Changes opens an event here"
    sync_api.expect(watched.page.locator("#event-none")).to_contain_text(words)
    scripts = [one.rsplit("/", 1)[1] for one in loaded if one.endswith(".js")]
    assert scripts == (["00dd.js"] if name == "00dd" else [])
    watched.page.close()


def test_hostile_words_of_an_event_show_and_do_nothing(browser: Any, sites: dict[str, str]) -> None:
    watched = opened(browser, f"{sites['many']}#/event?id={MANY}")

    sync_api.expect(watched.page.locator("#event-facts")).to_contain_text(HOSTILE[0])
    sync_api.expect(watched.page.locator("#event-commits")).to_contain_text(HOSTILE[1])
    assert watched.page.locator("main img").count() == 0
    assert (watched.errors, watched.outside) == ([], [])
    watched.page.close()


def test_many_histories_are_cut_until_all_are_asked_for(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = opened(browser, f"{sites['many']}#/event?id={MANY}")
    rows = watched.page.locator("#event-histories tbody tr >> visible=true")
    assert rows.count() == 10

    watched.page.get_by_role("button", name="All 15 histories").click()

    assert rows.count() == 15
    watched.page.close()


def test_an_event_fits_on_paper_with_all_its_histories(browser: Any, sites: dict[str, str]) -> None:
    watched = opened(browser, f"{sites['many']}#/event?id={MANY}")
    watched.page.emulate_media(media="print")
    watched.page.set_viewport_size(LETTER)

    assert watched.page.evaluate("document.documentElement.scrollWidth") <= LETTER["width"]
    assert watched.page.locator("#event-histories tbody tr >> visible=true").count() == 15
    assert not watched.page.locator(".csv button >> visible=true").count()
    watched.page.close()


def saved(watched: Watched, name: str) -> tuple[str, list[list[str]]]:
    """Press a table's button; give the name of the file and its rows."""
    with watched.page.expect_download() as download:
        watched.page.get_by_role("button", name=f"CSV: {name}", exact=True).click()
    text = download.value.path().read_bytes().decode()
    assert text.count("\r\n") == text.count("\n")
    return download.value.suggested_filename, list(csv.reader(io.StringIO(text)))


def test_a_table_is_saved_as_it_is_shown(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['changed']}#/changes?kind=improvement", "changes")

    name, (head, *rows) = saved(watched, "changes")

    assert name == "convbench-changes.csv"
    # Without the column of pictures, and without what only paper shows.
    assert head == [
        *("Change", "Strategy", "First commit", "Cause, and how it is known", "Decision"),
    ]  # fmt: skip
    assert len(rows) == 6
    assert rows[0][0] == "▼ −50 %; −52 % to −48 %; 10.0 µs → 5.00 µs"
    assert rows[0][1] == "time_run; time_run · question · float32 · openblas; 1 history, 1 machine"
    assert (watched.errors, watched.outside) == ([], [])
    watched.page.close()


def test_groups_of_tables_are_one_file(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['changed']}#/overview", "overview")

    _, (head, *rows) = saved(watched, "newest-values")

    assert head == ["Group", "Strategy", "openblas", "mkl"]
    assert len({row[0] for row in rows}) > 1
    assert {len(row) for row in rows} == {4}
    watched.page.close()


def test_only_the_table_that_is_chosen_is_saved(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['changed']}#/matrix?blas=mkl&dtype=float32", "matrix")

    name, (head, *rows) = saved(watched, "matrix-mkl-float32-made-up-machine")

    assert name == "convbench-matrix-mkl-float32-made-up-machine.csv"
    assert head[0] == "Strategy"
    assert rows[0][1].startswith("★ 1; ")
    watched.page.close()


def test_text_like_a_formula_is_saved_as_it_is_and_said(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = opened(browser, f"{sites['many']}#/event?id={MANY}")
    evil = '=HYPERLINK("x"), "y"\n+1'
    watched.page.evaluate(
        "text => { document.querySelector('#event-commits tbody td').textContent = text; }", evil
    )

    _, rows = saved(watched, "commits")

    assert rows[1][0] == '=HYPERLINK("x"), "y" +1'
    note = watched.page.locator("#event-commits-title + .csv span")
    sync_api.expect(note).to_contain_text("Text in Commit begins like a formula")
    watched.page.close()
