"""The view History in a real browser from disk: axes, values, lines, range, two points, samples."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs

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


def spoilt_store() -> Store:
    """Make a history with a failure, a skipped commit and two disturbed runs."""
    store = convolution_store(8)
    for made in store.rows:
        status = {commit_name(3): "failed", commit_name(5): "skipped"}.get(made["commit"])
        if status and made["strategy"] == "im2col":
            made |= {"value": np.nan, "ci_low": np.nan, "ci_high": np.nan, "status": status}
    for run in store.tables["runs"]:
        disturbed = {"run-2": "the clock was stepped", "run-6": "another user was there"}
        run["disturbed"] = disturbed.get(run["run"], "")
    store.tables["commits"][4]["subject"] = "Use <b> & more"
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
    single.rows[0] |= {"ci_low": 0.9e-3, "ci_high": 1.3e-3}
    made = {
        "own": sampled(own_store()),
        "foreign": foreign_store(12).measurements(),
        "long": long_store().measurements(),
        "spoilt": spoilt_store().measurements(),
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


def open_table(watched: Watched, sites: dict[str, str]) -> Any:
    """Open a history with its values as a table; give what chooses a point in it, newest first."""
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    watched.page.click('.view[data-view="history"] details.table > summary')
    return watched.page.locator("#history-table .pick")


def drawn_again(watched: Watched, act: Any) -> None:
    watched.page.evaluate("document.getElementById('history-plot').data = null")
    act()
    settled(watched)


def marks(watched: Watched, symbol: str) -> dict[int, float]:
    """Give where marks of a kind stand in the plot: the height at each commit."""
    spots: list[list[Any]] = watched.page.evaluate(
        "symbol => document.getElementById('history-plot').data"
        ".filter(one => one.marker?.symbol === symbol).map(({x, y}) => [x, y])",
        symbol,
    )
    return {at: height for xs, ys in spots for at, height in zip(xs, ys, strict=True)}


def rings(watched: Watched) -> dict[str, Any]:
    """Give the last lines of the plot: where the chosen points have their rings."""
    made: dict[str, Any] = watched.page.evaluate(
        "(({x, y, text}) => ({x, y, text}))(document.getElementById('history-plot').data.at(-1))"
    )
    return made


def arriving(watched: Watched, address: str, without: str) -> list[Any]:
    """Go to a view and keep back the first file of a pattern, for the test to let go."""
    held: list[Any] = []
    index, view = address.split("#")
    watched.page.route(
        f"**/{without}", lambda route: route.continue_() if held else held.append(route)
    )
    watched.page.goto(f"{index}#/about")
    watched.page.evaluate("view => { location.hash = view; }", view)
    wait_for(watched, lambda: bool(held))
    return held


def wait_for(watched: Watched, is_so: Callable[[], bool]) -> None:
    for _ in range(200):
        if is_so():
            return
        watched.page.wait_for_timeout(50)
    raise AssertionError("it did not come about")


def leave_for(watched: Watched, view: str) -> None:
    watched.page.evaluate(f"location.hash = '#/{view}'")
    watched.page.wait_for_selector(f"html[data-view={view}] #main:not([aria-busy])")


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
    # 3 % more or less of the change in time are a little less of it the other way round.
    event = watched.page.locator("#history-events li").text_content()
    assert event.startswith(f"▼ −17 % (−19 % to −14 %) at {commit_name(20)[:8]}")
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


def test_names_at_the_ends_of_lines_do_not_cover_each_other(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}&by=strategy&scale=zero", "history")

    spots = watched.page.locator("#history-plot .annotation").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(({left, top}) => [left, top])"
    )

    right = max(left for left, _ in spots)
    tops = sorted(top for left, top in spots if left > right - 100)
    assert len(tops) == 8
    assert min(b - a for a, b in pairwise(tops)) > 12


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
    # The plot may be drawn after each key: the address is that of the last one in the end.
    chosen = f"from={commit_name(3)[:8]}&to={commit_name(28)[:8]}"
    sync_api.expect(watched.page).to_have_url(re.compile(re.escape(chosen)))
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
    held = arriving(watched, f"{sites['own']}#/history", without="data/h/*.js")
    leave_for(watched, "compare")

    held[0].continue_()
    watched.page.wait_for_timeout(1000)

    assert watched.page.url.split("#")[1].startswith("/compare")


@pytest.mark.parametrize(
    ("view", "data"),
    [("history", "h/*"), ("event?id=00000000aa", "events/*"), ("compare", "c/*")],
)
def test_who_leaves_while_data_are_loaded_keeps_the_title_of_where_they_are(
    watched: Watched, sites: dict[str, str], view: str, data: str
) -> None:
    held = arriving(watched, f"{sites['own']}#/{view}", without=f"data/{data}.js")
    leave_for(watched, "about")

    held[0].continue_()
    watched.page.wait_for_timeout(1000)

    assert watched.page.title().startswith(watched.page.inner_text("h1 >> visible=true"))


def test_a_point_chosen_while_plotly_is_loaded_has_the_ring(
    watched: Watched, sites: dict[str, str]
) -> None:
    held = arriving(watched, f"{sites['own']}#/history?{IM2COL}", without="plotly.min.js")

    watched.page.evaluate("document.querySelectorAll('#history-table .pick')[2 * 9].click()")
    held[0].continue_()
    settled(watched)

    assert f"of={commit_name(20)[:8]}" in watched.page.url
    wait_for(watched, lambda: [round(x) for x in rings(watched)["x"]] == [20])


def test_a_plot_drawn_after_its_reader_left_fits_when_they_are_back(
    watched: Watched, sites: dict[str, str]
) -> None:
    width = "document.querySelector('#history-plot .main-svg').getBoundingClientRect().width"
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    wanted = watched.page.evaluate(width)
    watched.page.goto("about:blank")
    held = arriving(watched, f"{sites['own']}#/history?{IM2COL}", without="plotly.min.js")
    leave_for(watched, "about")

    held[0].continue_()
    settled(watched)
    watched.page.go_back()
    watched.page.wait_for_selector("html[data-view=history] #main:not([aria-busy])")

    assert watched.page.evaluate(width) == wanted


def test_dates_that_could_not_be_loaded_are_asked_for_again(
    watched: Watched, sites: dict[str, str]
) -> None:
    page = watched.page
    page.route("**/data/times.js", lambda route: route.abort())
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    page.evaluate(f"location.hash = '#/history?{IM2COL}&along=dates'")
    trouble = page.locator(".view[data-view=history] .trouble")
    sync_api.expect(trouble).to_contain_text("cannot load data/times.js")
    watched.errors.clear()  # the browser says so as well

    page.unroute("**/data/times.js")
    page.go_back()
    sync_api.expect(trouble).to_have_count(0)
    drawn_again(watched, page.go_forward)

    sync_api.expect(trouble).to_have_count(0)
    assert axis(watched, "xaxis")["type"] == "date"


def test_who_asks_for_another_history_while_one_is_drawn_gets_the_one_asked_for_last(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    other = IM2COL.replace("im2col", "fft")

    # With the colours all is drawn again, which writes the address: here after it has changed,
    # and before the page is told so.
    watched.page.evaluate(
        "hash => { document.getElementById('theme').click(); location.hash = hash; }",
        f"#/history?{other}",
    )

    sync_api.expect(watched.page.locator("#history-title")).to_have_text("fft on question")
    assert "strategy=fft" in watched.page.url


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


@pytest.mark.parametrize(
    "act",
    [
        "plot => { plot.emit('plotly_doubleclick'); }",
        "plot => Plotly.relayout(plot, { 'xaxis.autorange': true }).then(() => true)",
    ],
)
def test_all_commits_are_back_after_a_double_click_or_where_the_plot_is_made_whole(
    watched: Watched, sites: dict[str, str], act: str
) -> None:
    ends = f"from={commit_name(5)[:8]}&to={commit_name(15)[:8]}"
    watched.open(f"{sites['own']}#/history?{IM2COL}&{ends}", "history")

    watched.page.locator("#history-plot").evaluate(act)

    sync_api.expect(watched.page.locator("#history-range")).to_have_text("all 30 commits")
    assert "from" not in watched.page.url


def test_a_range_may_name_its_newer_end_first_and_its_newest_point_is_chosen(
    watched: Watched, sites: dict[str, str]
) -> None:
    ends = f"from={commit_name(14)[:8]}&to={commit_name(5)[:8]}"
    watched.open(f"{sites['own']}#/history?{IM2COL}&{ends}", "history")

    sync_api.expect(watched.page.locator("#history-range")).to_contain_text("10 of 30 commits")
    chosen = watched.page.locator("#history-point p code").first
    assert chosen.inner_text() == commit_name(14)[:8]


def test_the_strip_has_the_lines_that_are_shown_and_shades_what_is_outside(
    watched: Watched, sites: dict[str, str]
) -> None:
    ends = f"from={commit_name(5)[:8]}&to={commit_name(14)[:8]}"
    watched.open(f"{sites['own']}#/history?{IM2COL}&hidden=mkl&{ends}", "history")
    strip = watched.page.locator("#history-brush svg")

    [path] = strip.locator("path").evaluate_all("all => all.map(one => one.getAttribute('d'))")
    heights = [float(spot.split()[1]) for spot in path.removeprefix("M").split("L")]
    # The ten newest commits are slower: higher, where down is more.
    assert max(heights[20:]) < min(heights[:20])
    shades = strip.locator("rect").evaluate_all(
        "all => all.flatMap(one => [one.x.baseVal.value, one.width.baseVal.value])"
    )
    begin, end = 1000 * 5 / 29, 1000 * 14 / 29
    assert shades == pytest.approx([0, begin, end, 1000 - end], abs=0.01)


def test_a_point_of_a_hidden_line_is_not_the_first_one(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}&hidden=openblas", "history")
    assert "mkl" in watched.page.inner_text("#history-point p >> nth=0")

    watched.open(f"{sites['own']}#/history?{IM2COL}&hidden=openblas&hidden=mkl", "history")
    sync_api.expect(watched.page.locator("#history-plot")).to_contain_text("all lines are hidden")


def test_a_range_that_names_nothing_is_left_out(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}&from=ffffffff&to=<img>", "history")

    assert "from" not in watched.page.url
    sync_api.expect(watched.page.locator("#history-range")).to_have_text("all 30 commits")


def test_two_points_are_told_apart_by_keyboard_and_the_link_keeps_them(
    watched: Watched, sites: dict[str, str]
) -> None:
    picks = open_table(watched, sites)

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
    picks = open_table(watched, sites)

    picks.nth(1).click(modifiers=["Shift"])

    # Two builds at one commit.
    text = watched.page.locator("#history-pair-words p").nth(1).inner_text()
    assert "at the same commit" in text
    assert "less" in text
    link = watched.page.locator("#history-pair-words a").get_attribute("href")
    assert "blas=mkl" in link
    assert "base_blas=openblas" in link or "blas=openblas" in link


def test_who_compares_with_an_older_point_has_both_in_the_link(
    watched: Watched, sites: dict[str, str]
) -> None:
    picks = open_table(watched, sites)

    picks.nth(2 * 9).click(modifiers=["Shift"])

    told = watched.page.locator("#history-pair-words p").nth(1)
    assert "9 measured commits earlier, 9 days earlier" in told.inner_text()
    # Whichever was chosen first: what is compared with is the older one.
    link = told.locator("a").get_attribute("href")
    assert link.startswith(f"#/compare?base={commit_name(20)[:8]}&head={commit_name(29)[:8]}")
    chosen = parse_qs(watched.page.url.split("?")[1])
    assert (chosen["line"], chosen["of"]) == (["openblas"], [commit_name(29)[:8]])
    assert (chosen["line2"], chosen["of2"]) == (["openblas"], [commit_name(20)[:8]])
    # Another first point is compared with the same second one.
    picks.nth(2 * 4).click()
    sync_api.expect(told).to_contain_text("5 measured commits earlier")
    assert [round(x) for x in rings(watched)["x"]] == [25, 20]


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
    button.click()
    sync_api.expect(box).to_be_hidden()
    assert "samples" not in watched.page.url
    button.click()
    # A point without samples has no button; the next one with some shows them again.
    watched.page.evaluate("document.querySelectorAll('#history-table .pick')[1].click()")
    sync_api.expect(button).to_be_hidden()
    sync_api.expect(box).to_be_hidden()
    watched.page.evaluate("document.querySelectorAll('#history-table .pick')[0].click()")
    sync_api.expect(box).to_be_visible()


def test_a_band_holds_the_values_of_its_line(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}&hidden=mkl", "history")

    xs, ys = watched.page.evaluate(
        "(({x, y}) => [x, y])"
        "(document.getElementById('history-plot').data.find(one => one.fill === 'toself'))"
    )

    [line] = traces(watched)
    for at, value in zip(line["x"], line["y"], strict=True):
        low, high = sorted(y for x, y in zip(xs, ys, strict=True) if x == at)
        assert (low, high) == pytest.approx((0.98 * value, 1.02 * value), rel=1e-3)


def test_a_level_after_a_change_is_no_outlier(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    low, high = watched.page.evaluate("""() => {
        const x = Array.from({ length: 1000 }, (_, i) => i);
        const y = x.map((i) => (i < 960 ? 1 : 2) + (i % 3) * 0.001);
        const line = { x, commits: x, y, changes: [[960, 1, 2, 2, "regression"]] };
        return CB.history.axes.limits({ scale: "", range: null, overlaid: false }, [line]);
    }""")

    assert (low < 1, high > 2) == (True, True)


def test_of_rates_more_is_better_and_of_times_less(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    titles = watched.page.evaluate(
        "['flop/s', 'seconds', 'bytes'].map(unit =>"
        " CB.history.axes.title({ values: '', unit, rawUnit: unit }, unit))"
    )

    assert titles == ["flop/s (higher is better)", "seconds (lower is better)", "bytes"]


def test_builds_are_told_apart_by_colour_and_machines_by_dash(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    made = watched.page.evaluate("""() => {
        const meta = { lines: ["mkl", "openblas 1"], machines: ["old", "new"] };
        const line = (machine, name, like) => ({ machine, name, like, x: [0] });
        return CB.history.data.labelled(meta, [line("old", "mkl"), line("new", "mkl"),
          line("new", "openblas", "openblas 1")]).map((one) => [one.label, one.colour, one.dash]);
    }""")

    assert made == [
        ["old · mkl", 0, "solid"], ["new · mkl", 0, "dash"], ["new · openblas", 1, "dash"],
    ]  # fmt: skip


def test_a_slower_commit_is_marked_as_worse(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    lines = watched.page.evaluate(
        "document.getElementById('history-plot').layout.shapes"
        ".filter(one => one.line.dash === 'dash').map(one => [one.x0, one.line.color])"
    )

    assert lines == [[20, watched.page.evaluate("CB.plot.colour('worse')")]]
    assert "▲ +20 %" in words_in_plot(watched)


def test_of_tags_that_stand_close_the_newest_keeps_its_words(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    texts = watched.page.evaluate("""() => {
        const figure = { shapes: [], annotations: [] };
        const meta = { tags: [[1, "older"], [3, "old"], [4, "new"]] };
        const shown = { positions: [0, 9], range: null, xOf: (x) => x, along: "" };
        CB.history.axes.tags(meta, shown, figure, 30);
        return [figure.shapes.length, figure.annotations.map((one) => one.text)];
    }""")

    assert texts == [3, ["new", "older"]]


def test_where_points_are_left_out_those_at_changes_stay(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    kept = watched.page.evaluate("""() => {
        const x = Array.from({ length: 9000 }, (_, i) => i);
        const line = { x, commits: x, y: x.map(() => 1), changes: [[4321, 1, 1, 1, "regression"]] };
        return CB.history.thin.indices(line, null, 300);
    }""")

    assert len(kept) < 400
    assert {4320, 4321} <= set(kept)


def test_commits_of_several_versions_are_offered_newest_first(
    watched: Watched, sites: dict[str, str]
) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    shared = watched.page.evaluate(
        "CB.history.data.sharedCommits([[{ x: [1, 5, 9], identity: 'a' },"
        " { x: [5, 9, 12], identity: 'b' }, { x: [12], identity: 'b' }]])"
    )

    assert shared == [9, 5]


def test_of_rates_the_greatest_are_the_fastest(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")

    sizes, chosen, of_times, of_rates = watched.page.evaluate("""async () => {
        const { overlays, fastest } = CB.history.data;
        const [meta, sizes] = await Promise.all([CB.load("meta"), CB.load("sizes")]);
        const rates = { ...meta, measures: meta.measures.map(([name]) => [name, "flop/s"]) };
        const { members } = overlays(meta, meta.first).find(({ key }) => key === "strategy");
        return [members.map((one) => [one, sizes[one]]), meta.first,
          await fastest(meta, members, meta.first), await fastest(rates, members, meta.first)];
    }""")

    ordered = [one for one, size in sorted(sizes, key=lambda one: one[1]) if one != chosen]
    assert len(ordered) > 7
    assert set(of_times) == {chosen, *ordered[:7]}
    assert set(of_rates) == {chosen, *ordered[-7:]}


def test_failures_and_disturbed_runs_are_marked(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['spoilt']}#/history?{IM2COL}", "history")

    assert set(marks(watched, "x-thin-open")) == {3}
    cells = watched.page.locator("#history-table tbody tr td:nth-child(4)").all_text_contents()
    assert [cells[7 - at] for at in (3, 5)] == ["failed", "skipped"]
    note = watched.page.locator("#history-notes li").last.inner_text()
    assert note.endswith("ringed values of disturbed runs; the newest: another user was there")
    # Plotly would take a subject's signs for its own.
    assert any("Use &lt;b&gt; &amp; more" in text for text in traces(watched)[0]["text"])


def test_axes_begin_at_zero_or_hold_all_values(watched: Watched, sites: dict[str, str]) -> None:
    watched.open(f"{sites['own']}#/history?{IM2COL}", "history")
    values = [value for line in traces(watched) for value in line["y"]]
    assert axis(watched, "yaxis")["range"][0] > 0

    choose(watched, "scale", "zero")
    assert axis(watched, "yaxis")["range"][0] == 0
    assert axis(watched, "yaxis")["range"][1] > max(values)

    choose(watched, "scale", "log")
    low, high = (10**end for end in axis(watched, "yaxis")["range"])
    assert 0.8 * min(values) < low < min(values)
    assert max(values) < high < 1.25 * max(values)


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
    # The others have the room; it is marked at the edge.
    top = axis(watched, "yaxis")["range"][1]
    assert max(line["y"]) > 2 * top
    assert marks(watched, "triangle-up") == {1000: top}
    assert marks(watched, "triangle-down") == {}
    path = watched.page.locator("#history-brush path").get_attribute("d")
    heights = [float(spot.split()[1]) for spot in path.removeprefix("M").split("L")]
    assert np.quantile(heights, 0.9) - np.quantile(heights, 0.1) > 10
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
    bars = watched.page.evaluate(
        "(({array, arrayminus}) => [...array, ...arrayminus])"
        "(document.getElementById('history-plot').data.find(one => one.error_y).error_y)"
    )
    assert bars == pytest.approx([0.3, 0.1], rel=1e-3)  # milliseconds above and below


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
