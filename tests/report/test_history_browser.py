"""The view History in a real browser from disk: axes, values, lines, range, two points, samples."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from chromium import NEEDS_BROWSER
from history_lines import counted, read_line
from sample_store import (
    MACHINE,
    Store,
    commit_name,
    convolution_store,
    event,
    foreign_store,
    found_change,
    row,
)
from test_browser import Watched, sync_api
from test_history_files import one_series

from convbench.report.measurements import prepare
from convbench.report.packed_columns import pack_counts, pack_values
from convbench.report.site import write_site

pytestmark = NEEDS_BROWSER

IM2COL = "measure=time_run&problem=question&strategy=im2col&dtype=float32"
LONG = 2400  # commits


def own_store() -> Store:
    """Make a store of 30 commits with two tags and a change that is an event."""
    store = convolution_store(30)
    store.tables["commits"][4]["tags"] = ["v1.0"]
    store.tables["commits"][20]["tags"] = ["v2.0"]
    change = found_change(
        20, before=1e-5, after=1.2e-5, params="strategy=im2col, problem=question, dtype=float32"
    )
    store.tables["changes"] = [change]
    store.tables["events"] = event("00000000aa", change)
    slow = {commit_name(at) for at in range(20, 30)}
    for made in store.rows:
        if made["commit"] in slow and made["strategy"] == "im2col":
            made |= {name: 1.2 * made[name] for name in ("value", "ci_low", "ci_high")}
    return store


def long_store() -> Store:
    """Make a history of very many commits with one value far from all others."""
    store = one_series(LONG)
    noise = np.random.default_rng(5)
    for at, made in enumerate(store.rows):
        made["value"] = 1e-3 * noise.normal(1, 0.01) * (3 if at == 1000 else 1)
    return store


def sampled(store: Store) -> Any:
    """Give the newest value of im2col its samples."""
    made = store.measurements()
    params = (("strategy", "im2col"), ("problem", "question"), ("dtype", "float32"))
    place = (MACHINE, "virtualenv-py3.12-openblas", "run-29", commit_name(29))
    samples = {(*place, "run.Float32.time_run", params): [1.0e-5, 1.1e-5, 1.15e-5, 1.3e-5]}
    return prepare("convbench", made.newest, made.tables["commits"], made.tables, samples=samples)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("history-sites")
    single = Store()
    single.rows = [row(0, 1e-3, params={"n": "1"}, blas="", benchmark="b.time_it")]
    made = {
        "own": sampled(own_store()),
        "foreign": foreign_store(12).measurements(),
        "long": long_store().measurements(),
        "single": single.measurements(),
    }
    return {name: write_site(one, folder / name).as_uri() for name, one in made.items()}


@pytest.fixture
def watched(browser: Any) -> Iterator[Watched]:
    """Open a page; whatever a test does, nothing goes wrong and nothing is asked for elsewhere."""
    page = Watched(browser, "light")
    yield page
    assert (page.errors, page.outside) == ([], [])
    page.page.close()


def traces(watched: Watched) -> list[dict[str, Any]]:
    """Give the lines of the plot: their coordinates and what they belong to."""
    made: list[dict[str, Any]] = watched.page.evaluate(
        "document.getElementById('history-plot').data.filter(one => one.customdata"
        " && one.mode.startsWith('lines')).map(one => ({x: one.x, y: one.y, text: one.hovertext}))"
    )
    return made


def axis(watched: Watched, name: str) -> dict[str, Any]:
    found: dict[str, Any] = watched.page.evaluate(
        f"(({{type, range}}) => ({{type, range}}))"
        f"(document.getElementById('history-plot')._fullLayout.{name})"
    )
    return found


def words_in_plot(watched: Watched) -> list[str]:
    texts: list[str] = watched.page.evaluate(
        "document.getElementById('history-plot').layout.annotations.map(one => one.text)"
    )
    return texts


def choose(watched: Watched, key: str, value: str) -> None:
    """Choose in a menu and wait until the plot has followed."""
    watched.page.evaluate("document.getElementById('history-plot').data = null")
    watched.page.select_option(f'#history-choices [data-state="{key}"]', value)
    settled(watched)


def settled(watched: Watched) -> None:
    # Not wait_for_function: its polling evaluates text, which the page's policy forbids.
    for _ in range(100):
        if watched.page.evaluate("Boolean(document.getElementById('history-plot').data)"):
            return
        watched.page.wait_for_timeout(50)
    raise AssertionError("nothing was drawn")


def drawn_again(watched: Watched, act: Any) -> None:
    watched.page.evaluate("document.getElementById('history-plot').data = null")
    act()
    settled(watched)


def test_along_dates_points_stand_at_their_time(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    choose(watched, "along", "dates")

    line = traces(watched)[0]
    assert len(line["x"]) == 30
    assert {after - before for before, after in zip(line["x"], line["x"][1:], strict=False)} == {
        86_400_000
    }
    assert axis(watched, "xaxis")["type"] == "date"
    assert "along=dates" in watched.page.url
    # Choosing a point leaves the axes as they are.
    before = [axis(watched, name) for name in ("xaxis", "yaxis")]
    watched.page.evaluate("document.querySelectorAll('#history-table .pick')[9].click()")
    assert [axis(watched, name) for name in ("xaxis", "yaxis")] == before


def test_relative_values_are_multiples_of_the_median_of_the_first_commits(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    measured = traces(watched)[0]["y"]

    choose(watched, "values", "relative")

    base = sorted(measured[:20])[9]
    assert traces(watched)[0]["y"] == pytest.approx([value / base for value in measured])
    assert any("median of each line's first 20 commits" in text for text in words_in_plot(watched))
    # What was measured is said as well.
    assert "µs" in traces(watched)[0]["text"][0]
    assert "×" in watched.page.locator("#history-point b").inner_text()


def test_rates_are_direct_operations_over_time(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    seconds = [value * 1e-6 for value in traces(watched)[0]["y"]]

    choose(watched, "values", "rate")

    operations = 2 * 10 * 16 * 16 * 3 * 2 * 2
    rates = [operations / value / 1e9 for value in seconds]
    assert traces(watched)[0]["y"] == pytest.approx(rates, rel=1e-4)
    texts = words_in_plot(watched)
    assert "effective GFLOP/s: direct operations ÷ time (higher is better)" in texts
    # 20 % more time is 17 % less of them.
    assert "▼ −17 %" in texts
    cell = watched.page.locator("#history-table .pick").first.text_content()
    value, bounds = cell.split(" GFLOP/s [")
    low, high = (float(one.split()[0]) for one in bounds.split(", "))
    assert low < float(value) < high


def test_without_operations_there_are_no_rates(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['foreign']}#/history?values=rate", "history")

    options = watched.page.locator('#history-choices [data-state="values"] option')

    assert options.all_inner_texts() == ["as measured", "relative to the first"]
    assert "values" not in watched.page.url


def test_strategies_stand_over_each_other_the_fastest_and_the_chosen_one(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}&strategy=loops&by=strategy", "history")
    labels = watched.page.locator("#history-legend .series")

    # IM2COL comes first in the address: it is the strategy.
    assert watched.page.locator("#history-title").inner_text() == "question by strategy"
    shown = labels.all_inner_texts()
    assert len(shown) == 8
    assert {"im2col", "numba_direct", "tensordot", "shifted"} <= set(shown)
    assert "loops" not in shown
    note = watched.page.locator("#history-notes li").first.inner_text()
    assert note.startswith("8 of 10 are shown, the fastest by their newest values")
    loaded = watched.page.evaluate(
        "[...document.head.querySelectorAll('script')].filter(one => /data.h/.test(one.src)).length"
    )
    assert loaded == 8
    colours = watched.page.locator("#history-legend > span").evaluate_all(
        "all => all.map(one => one.className)"
    )
    assert len(set(colours)) == 8
    choose(watched, "strategy", "loops")
    assert "loops" in labels.all_inner_texts()
    assert labels.count() == 8


def test_lines_over_each_other_are_of_one_build(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}&by=strategy&blas=mkl", "history")
    newest = watched.page.locator("#history-table tbody tr").first
    mkl = newest.text_content()
    assert "mkl" in watched.page.locator("#history-detail").inner_text()

    choose(watched, "blas", "openblas")

    assert newest.text_content() != mkl
    assert "blas=openblas" in watched.page.url


def test_a_foreign_project_overlays_any_parameter(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['foreign']}#/history?by=size&machine=old-box&scale=log", "history")

    series = watched.page.locator("#history-legend .series")
    assert series.all_inner_texts() == ["100", "200", "1000"]
    assert axis(watched, "yaxis")["type"] == "log"
    title = watched.page.locator("#history-title").inner_text()
    assert title == "benchmarks.axpy.time_axpy by size"


def test_a_click_hides_a_line_and_another_isolates_it(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['foreign']}#/history?machine=all", "history")
    series = watched.page.locator("#history-legend .series")
    assert len(traces(watched)) == 3

    series.first.focus()
    drawn_again(watched, lambda: watched.page.keyboard.press("Enter"))

    assert len(traces(watched)) == 2
    assert series.first.get_attribute("aria-pressed") == "false"
    assert "hidden=arm-box" in watched.page.url
    assert watched.page.evaluate("document.activeElement.dataset.label") == "arm-box"
    drawn_again(watched, lambda: watched.page.keyboard.press("Shift+Enter"))
    assert series.evaluate_all("all => all.map(one => one.ariaPressed)") == [
        "true", "false", "false",
    ]  # fmt: skip
    # The link restores it; whoever isolates the only one has all again.
    again = watched.page.url
    watched.page.goto("about:blank")
    watched.open(again, "history")
    assert len(traces(watched)) == 1
    drawn_again(watched, lambda: series.first.click(modifiers=["Shift"]))
    assert len(traces(watched)) == 3
    assert "hidden" not in watched.page.url


def test_two_clicks_on_a_name_isolate_it(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['foreign']}#/history?machine=all", "history")

    watched.page.locator("#history-legend .series").nth(1).dblclick()

    sync_api.expect(watched.page.locator('.series[aria-pressed="true"]')).to_have_text("intel-box")
    settled(watched)


def test_a_range_is_chosen_by_keyboard_and_restored(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    first, last = (watched.page.locator("#history-brush input").nth(at) for at in (0, 1))

    first.focus()
    for _ in range(3):
        watched.page.keyboard.press("ArrowRight")
    last.focus()
    drawn_again(watched, lambda: watched.page.keyboard.press("ArrowLeft"))

    sync_api.expect(watched.page.locator("#history-range")).to_have_text(
        f"26 of 30 commits: {commit_name(3)[:8]} 2026-01-08 to {commit_name(28)[:8]} 2026-02-02"
    )
    assert f"from={commit_name(3)[:8]}&to={commit_name(28)[:8]}" in watched.page.url
    assert first.get_attribute("aria-valuetext") == f"{commit_name(3)[:8]} 2026-01-08"
    again = watched.page.url
    watched.page.goto("about:blank")
    watched.open(again, "history")
    left, right = axis(watched, "xaxis")["range"]
    assert (2 < left < 3, 28 < right < 29) == (True, True)
    assert watched.page.locator("#history-table tbody tr").count() == 26
    drawn_again(watched, lambda: watched.page.click("#history-whole-range"))
    assert "from" not in watched.page.url
    assert watched.page.locator("#history-table tbody tr").count() == 30


def test_a_stroke_over_the_strip_chooses_what_it_passes(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    strip = watched.page.locator("#history-brush svg")
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()

    def at(part: float) -> tuple[float, float]:
        return box["x"] + part * box["width"], box["y"] + box["height"] / 2

    def stroke() -> None:
        watched.page.mouse.move(*at(0.75))
        watched.page.mouse.down()
        watched.page.mouse.move(*at(0.5))
        watched.page.mouse.move(*at(0.25))
        watched.page.mouse.up()

    drawn_again(watched, stroke)

    assert f"from={commit_name(7)[:8]}&to={commit_name(22)[:8]}" in watched.page.url


def test_who_leaves_before_the_range_is_settled_is_not_called_back(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    watched.page.evaluate("""() => {
        const first = document.querySelector("#history-brush input");
        first.value = 3;
        first.dispatchEvent(new Event("input", { bubbles: true }));
        location.hash = "#/compare";
    }""")
    watched.page.wait_for_selector("html[data-view=compare] #main:not([aria-busy])")
    watched.page.wait_for_timeout(1000)  # longer than the strip waits

    assert watched.page.url.split("#")[1].startswith("/compare")
    assert watched.page.locator("h1 >> visible=true").count() == 1


def test_who_leaves_while_data_are_loaded_is_not_called_back(
    watched: Watched, sites: dict[str, str]
) -> None:
    held: list[Any] = []
    watched.page.route("**/data/h/*.js", lambda route: held.append(route))
    watched.page.goto(sites["own"])
    watched.page.evaluate("location.hash = '#/history'")
    for _ in range(200):
        if held:
            break
        watched.page.wait_for_timeout(50)
    watched.page.evaluate("location.hash = '#/compare'")
    watched.page.wait_for_selector("html[data-view=compare] #main:not([aria-busy])")

    for one in held:
        one.continue_()
    watched.page.wait_for_timeout(1000)

    assert held
    assert watched.page.url.split("#")[1].startswith("/compare")


def test_zooming_in_the_plot_is_choosing_a_range(watched: Watched, sites: dict[str, str]) -> None:
    for along in ("", "dates"):
        watched.open(f"{sites['own']}#/history?{IM2COL}&along={along}", "history")
        ends = ("'2026-01-10 00:00'", "'2026-01-21 00:00'") if along else ("4.5", "15.5")

        def zoom(ends: tuple[str, str] = ends) -> None:
            watched.page.evaluate(
                "Plotly.relayout(document.getElementById('history-plot'),"
                f"{{'xaxis.range[0]': {ends[0]}, 'xaxis.range[1]': {ends[1]}}})"
                ".then(() => true)"
            )

        drawn_again(watched, zoom)
        assert f"from={commit_name(5)[:8]}&to={commit_name(15)[:8]}" in watched.page.url


def test_a_range_that_names_nothing_is_left_out(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}&from=ffffffff&to=<img>", "history")

    assert "from" not in watched.page.url
    sync_api.expect(watched.page.locator("#history-range")).to_have_text("all 30 commits")


def test_two_points_are_told_apart_by_keyboard_and_the_link_keeps_them(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    watched.page.click('.view[data-view="history"] details.table > summary')
    picks = watched.page.locator("#history-table .pick")

    picks.nth(2 * 9).focus()  # openblas, nine commits before the newest
    watched.page.keyboard.press("Enter")
    watched.page.click("#history-second")
    picks.nth(0).focus()
    watched.page.keyboard.press("Enter")

    told = watched.page.locator("#history-pair-words p").nth(1)
    cells = watched.page.locator("#history-table td[data-value]")
    newer, older = (float(cells.nth(at).get_attribute("data-value") or 0) for at in (0, 18))
    text = told.inner_text()
    assert text.startswith(f"B is {newer / older:.3f} × A (")
    assert "9 measured commits later, 9 days later" in text
    link = told.locator("a").get_attribute("href")
    assert link.startswith(f"#/compare?base={commit_name(20)[:8]}&head={commit_name(29)[:8]}")
    assert watched.page.locator('.pick[aria-pressed="true"]').count() == 2
    again = watched.page.url
    watched.page.goto("about:blank")
    watched.open(again, "history")
    sync_api.expect(told).to_have_text(text, use_inner_text=True)
    marks = watched.page.evaluate("document.getElementById('history-plot').data.at(-1).text")
    assert marks == ["A", "B"]
    watched.page.locator("#history-pair-forget").focus()
    watched.page.keyboard.press("Escape")
    sync_api.expect(watched.page.locator("#history-pair")).to_be_hidden()
    assert "of2" not in watched.page.url


def test_shift_chooses_the_second_point(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    watched.page.click('.view[data-view="history"] details.table > summary')

    watched.page.locator("#history-table .pick").nth(1).click(modifiers=["Shift"])

    # Two builds at one commit.
    text = watched.page.locator("#history-pair-words p").nth(1).inner_text()
    assert "at the same commit" in text
    assert "less" in text
    link = watched.page.locator("#history-pair-words a").get_attribute("href")
    assert "blas=mkl" in link
    assert "base_blas=openblas" in link or "blas=openblas" in link


def test_tags_stand_at_the_foot_of_the_plot(watched: Watched, sites: dict[str, str]) -> None:
    for along in ("", "dates"):
        watched.open(f"{sites['own']}#/history?{IM2COL}&along={along}", "history")
        assert {"v1.0", "v2.0"} <= set(words_in_plot(watched))
    watched.open(f"{sites['own']}#/history?{IM2COL}&from={commit_name(10)[:8]}", "history")
    assert "v1.0" not in words_in_plot(watched)
    assert "v2.0" in words_in_plot(watched)


def test_samples_are_shown_where_there_are_some(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    button = watched.page.locator("#history-samples-button")
    box = watched.page.locator("#history-samples")

    button.click()

    sync_api.expect(box).to_contain_text("4 samples: least 10.0 µs, median ")
    sync_api.expect(box).to_contain_text("greatest 13.0 µs, 1.30 × the least")
    assert box.locator("circle").count() == 4
    assert "samples=1" in watched.page.url
    # A point without samples has no button; the next one with some shows them again.
    watched.page.evaluate("document.querySelectorAll('#history-table .pick')[1].click()")
    sync_api.expect(button).to_be_hidden()
    sync_api.expect(box).to_be_hidden()
    watched.page.evaluate("document.querySelectorAll('#history-table .pick')[0].click()")
    sync_api.expect(box).to_be_visible()


def test_events_are_linked_in_full(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    link = watched.page.locator("#history-events a")

    assert link.get_attribute("href") == "#/event?id=00000000aa"
    link.click()
    sync_api.expect(watched.page.locator(".view[data-view=event] h1")).to_be_visible()


def test_very_many_commits_are_drawn_as_fewer_without_losing_the_far_one(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['long']}#/history", "history")

    [line] = traces(watched)
    assert len(line["x"]) <= 2000
    assert 1000 in line["x"]
    note = watched.page.locator("#history-notes li").first.inner_text()
    assert note.startswith("each 4 commits are drawn as their least, middle and greatest value")
    # The table grows on demand, and is whole for whoever takes it away.
    rows = watched.page.locator("#history-table tbody tr")
    assert rows.count() == 60
    watched.page.evaluate("document.querySelector('#history-more').click()")
    assert rows.count() == LONG
    # A part of them is drawn point by point.
    ends = f"from={commit_name(900)[:8]}&to={commit_name(1400)[:8]}"
    watched.open(f"{sites['long']}#/history?{ends}", "history")
    sync_api.expect(rows).to_have_count(60)
    [line] = traces(watched)
    assert len(line["x"]) == 503


def test_a_table_is_taken_away_whole(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['long']}#/history", "history")
    watched.page.click('.view[data-view="history"] details.table > summary')

    with watched.page.expect_download() as download:
        watched.page.click('.view[data-view="history"] .csv button')

    assert len(download.value.path().read_text().splitlines()) == LONG + 1


def test_one_point_is_a_history_without_a_range(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['single']}#/history", "history")

    assert watched.page.locator("#history-brush").is_hidden()
    assert watched.page.locator("#history-second").is_hidden()
    assert len(traces(watched)) == 1


def test_the_menu_in_use_keeps_the_keyboard(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    watched.page.locator('#history-choices [data-state="scale"]').focus()
    drawn_again(watched, lambda: watched.page.keyboard.press("ArrowDown"))

    assert watched.page.evaluate("document.activeElement.dataset.state") == "scale"


def test_the_scripts_read_the_lines_that_the_files_have(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    uneven = {"x": pack_counts([0, 2, 3, 400]), "runs": pack_counts([5, 4, 4, 9])}
    values = [None, 0.123457, 0.3, 0.700001], [0.1, 0.12, None, 0.7], [0.2, 0.125, None, 9.1]
    whole = {"x": 3, "runs": 3, **pack_values([1e-12, 1e12])}

    found = watched.page.evaluate(
        "more => CB.load('h/0').then(all => [...all.flatMap(one => one.lines), ...more]"
        ".map(one => [one, CB.history.data.read(one)]))",
        [uneven | pack_values(*values), whole],
    )

    assert len(found) > 3
    for stored, read in found:
        runs = read["runs"]
        if isinstance(runs, int):
            runs = counted(runs, len(read["x"]))
        assert read | {"runs": runs} == read_line(stored)
    assert [found[-2][1][name] for name in ("y", "low", "high")] == list(values)
    assert (found[-2][1]["x"], found[-2][1]["runs"]) == ([0, 2, 3, 400], [5, 4, 4, 9])
