"""The view Coverage and A/A: which cells are measured, which are missing, and why."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from sample_store import (
    DISTURBED,
    MACHINE,
    Store,
    control_row,
    convolution_store,
    foreign_store,
    row,
    trusted_store,
)

from convbench.report.coverage import MOST_COLUMNS, MOST_HOLES, MOST_ROWS, Coverage, build_coverage
from convbench.report.coverage_strip import MOST_COMMITS, share_of
from convbench.report.disturbed_runs import disturbed_runs
from convbench.report.holes import Hole
from convbench.report.newest import MOST_CELLS
from convbench.report.null_picture import FEW, MANY, USUAL, null_picture
from convbench.report.outcomes import RETIRED_AFTER, find_outcomes
from convbench.report.overview import build_overview
from convbench.report.provenance import run_rows
from convbench.report.series import build_series
from convbench.report.site import site_files
from convbench.report.winners import find_wins, group_timings
from convbench.stats.null_p_values import PValues, binned, null_p_values


def coverage_of(store: Store) -> Coverage:
    measurements = store.measurements()
    coverage = build_coverage(
        measurements, find_outcomes(measurements, build_series(measurements)), None
    )
    assert coverage is not None
    return coverage


def bench(index: int, name: str = "a", status: str = "ok", machine: str = MACHINE, size: str = "1"):
    """Make a row of a project without strategies."""
    made = row(index, 1.0, benchmark=f"b.{name}", params={"size": size}, blas="", status=status)
    return made | {"machine": machine}


def strategy(index: int, name: str, status: str = "ok", blas: str = "openblas"):
    params = {"strategy": name, "problem": "question", "dtype": "float32"}
    return row(index, 1.0, params=params, blas=blas, status=status)


def known(name: str, unsupported: str | None = None) -> dict[str, object]:
    """Make a row of the table that says what a strategy can do."""
    names = {"strategy": name, "problem": "question", "dtype": "float32", "machine": MACHINE}
    return {"project": "convbench", **names, "unsupported": unsupported}


def hole(coverage: Coverage, state: str) -> Hole:
    (found,) = [one for one in coverage.holes if one.state == state]
    return found


@pytest.mark.parametrize("make", [convolution_store, trusted_store, foreign_store])
def test_the_counts_of_each_line_add_up(make) -> None:
    coverage = coverage_of(make())

    for place in coverage.places:
        assert sum(place.counts.values()) == place.total
    for state, number in coverage.counts.items():
        assert sum(place.counts[state] for place in coverage.places) == number


def left_out_store() -> Store:
    """Make one cell of each outcome: failed and measured before a run that left both out, ..."""
    store = Store(rows=[bench(n) for n in range(RETIRED_AFTER + 2)])
    store.rows += [bench(0, "retired"), bench(0, "gone", machine="gone")]
    store.rows += [bench(n, machine="gone", status="skipped") for n in range(RETIRED_AFTER + 2)]
    for name, status in (("late", "ok"), ("broken", "failed")):
        store.rows += [bench(RETIRED_AFTER, name, status)]
        store.rows += [bench(RETIRED_AFTER + 1, name, "skipped")]
    return store


@pytest.mark.parametrize(
    "make", [convolution_store, trusted_store, foreign_store, left_out_store, Store]
)
def test_the_overview_counts_the_histories_of_coverage(make) -> None:
    measurements = make().measurements()
    series = build_series(measurements)
    overview = build_overview(measurements, series, ())
    coverage = build_coverage(measurements, overview.outcomes, None)

    tiles = {tile.state: tile.number for tile in overview.tiles}
    counts = dict(coverage.counts) if coverage else {}

    assert sum(tiles.values()) == overview.total
    assert overview.total == sum(counts.get(one, 0) for one in ("ok", "stale", "failed", "skipped"))
    for state in ("failed", "skipped"):
        assert tiles[state] == counts.get(state, 0)
    assert len(overview.failures) == tiles["failed"]


def test_what_a_run_left_out_keeps_its_outcome_on_the_overview() -> None:
    measurements = left_out_store().measurements()
    overview = build_overview(measurements, build_series(measurements), ())

    tiles = {tile.state: tile.number for tile in overview.tiles}

    assert (overview.total, tiles["failed"], tiles["skipped"]) == (3, 1, 0)
    assert "1 retired history" in overview.uncounted
    assert "the histories of 1 retired line" in overview.uncounted
    (failure,) = overview.failures
    assert failure.name == "b.broken"


def test_stale_is_told_by_the_commits_of_the_same_machine() -> None:
    # The busy machine measured four commits after the quiet one's last.
    store = Store(rows=[bench(n, machine="busy") for n in range(6)])
    store.rows += [bench(n, machine="quiet") for n in range(2)]
    store.rows += [bench(n, "b", machine="busy") for n in range(3)]

    busy, quiet = coverage_of(store).places

    assert (busy.counts["ok"], busy.counts["stale"], busy.oldest, busy.behind) == (1, 1, 3, 0)
    assert (quiet.counts["ok"], quiet.counts["stale"], quiet.behind) == (1, 0, 0)


def test_commits_that_a_machine_did_not_measure_do_not_count() -> None:
    store = Store(rows=[bench(n, machine="daily") for n in range(9)])
    store.rows += [bench(n, name, machine="weekly") for n, name in ((0, "b"), (0, "a"), (7, "a"))]

    found = hole(coverage_of(store), "stale")

    assert (found.name, found.behind) == ("b.b", 1)


def test_what_a_newer_run_did_not_select_is_stale_and_no_skip() -> None:
    store = Store(rows=[bench(0), bench(0, "b"), bench(1, status="skipped"), bench(1, "b")])

    coverage = coverage_of(store)

    assert (coverage.counts["stale"], coverage.counts["skipped"]) == (1, 0)
    assert hole(coverage, "stale").behind == 1


def test_what_a_strategy_cannot_do_is_skipped_with_its_reason() -> None:
    store = Store(rows=[strategy(0, "fft"), strategy(1, "fft", "skipped"), strategy(1, "loops")])
    store.tables["cells"] = [known("fft", "needs more memory"), known("loops")]

    found = hole(coverage_of(store), "skipped")

    assert found.reason == "needs more memory"


def test_what_a_strategy_can_do_and_no_run_selected_was_never_measured() -> None:
    store = Store(rows=[strategy(0, "fft", "skipped"), strategy(0, "loops")])
    store.tables["cells"] = [known("fft"), known("loops")]

    found = hole(coverage_of(store), "never")

    assert (found.name, found.reason) == ("fft", "no run selected it yet")


def test_a_line_of_which_nothing_was_measured_yet_is_told() -> None:
    store = Store(rows=[strategy(0, "loops"), strategy(1, "loops"), strategy(0, "fft", "skipped")])
    store.rows += [strategy(1, "fft", "skipped", blas="mkl")]
    store.tables["cells"] = [known("fft"), known("loops")]

    openblas, mkl = coverage_of(store).places

    assert (mkl.counts["never"], mkl.total, mkl.commit) == (2, 2, "000000a2")
    assert (openblas.counts["ok"], openblas.counts["never"]) == (1, 1)


def test_a_line_stands_with_its_own_newest_commit() -> None:
    store = Store(rows=[strategy(n, "fft") for n in range(3)] + [strategy(1, "fft", blas="mkl")])

    openblas, mkl = coverage_of(store).places

    assert (openblas.commit, openblas.behind) == ("000000a3", 0)
    assert (mkl.commit, mkl.behind) == ("000000a2", 1)


def test_what_another_line_measures_was_never_measured_here() -> None:
    store = Store(rows=[strategy(0, "fft"), strategy(0, "loops")])
    store.rows += [strategy(0, "loops", blas="mkl")]

    found = hole(coverage_of(store), "never")

    assert (found.where, found.reason) == ("mkl", "measured on openblas")
    assert "machine=" not in found.link  # its history is elsewhere


def test_the_lines_of_one_machine_stand_together() -> None:
    builds = [(machine, blas) for machine in ("two", "one") for blas in ("mkl", "openblas")]
    store = Store([strategy(0, "fft", blas=blas) | {"machine": box} for box, blas in builds])
    measurements = store.measurements()

    outcomes = find_outcomes(measurements, build_series(measurements))

    assert list(outcomes.places) == [
        (machine, blas) for machine in ("one", "two") for blas in ("openblas", "mkl")
    ]


def test_a_failure_is_an_outcome_of_its_line_as_a_value_is() -> None:
    store = Store(rows=[strategy(0, "fft"), strategy(1, "loops", "failed")])
    store.rows += [strategy(1, "fft", blas="mkl")]

    places = {place.where: place for place in coverage_of(store).places}

    assert (places["openblas"].commit, places["openblas"].behind) == ("000000a2", 0)
    assert places["openblas"].counts["failed"] == 1
    # What was tried on one line, and failed, was not tried on the other.
    assert places["mkl"].counts["never"] == 1


def test_what_no_line_measures_any_more_is_missing_on_none() -> None:
    store = Store(rows=[bench(n, machine="one") for n in range(RETIRED_AFTER + 2)])
    store.rows += [bench(n, machine="other") for n in range(2)]
    store.rows += [bench(0, "old", machine="one")]

    coverage = coverage_of(store)

    assert (coverage.counts["retired"], coverage.counts["never"]) == (1, 0)


@pytest.mark.parametrize(
    ("missed", "state"), [(RETIRED_AFTER, "stale"), (RETIRED_AFTER + 1, "retired")]
)
def test_a_cell_is_retired_after_so_many_commits(missed: int, state: str) -> None:
    store = Store(rows=[bench(n) for n in range(missed + 1)])
    store.rows += [bench(0, "b")]

    coverage = coverage_of(store)

    assert hole(coverage, state).behind == missed
    assert (state == "stale") == bool(coverage.listed)


def test_a_line_that_misses_as_many_commits_as_a_cell_may_is_stale_and_no_more() -> None:
    store = Store(rows=[strategy(n, "fft") for n in range(RETIRED_AFTER + 1)])
    store.rows += [strategy(0, "fft", blas="mkl")]

    coverage = coverage_of(store)

    assert [(place.where, place.behind) for place in coverage.places] == [
        ("openblas", 0),
        ("mkl", RETIRED_AFTER),
    ]
    assert (coverage.counts["stale"], coverage.retired) == (1, ())


def test_a_retired_line_is_left_out_and_named() -> None:
    store = Store(rows=[strategy(n, "fft") for n in range(RETIRED_AFTER + 2)])
    store.rows += [strategy(0, "fft", blas="mkl")]

    coverage = coverage_of(store)

    assert [place.where for place in coverage.places] == ["openblas"]
    assert [(one.where, one.behind) for one in coverage.retired] == [("mkl", RETIRED_AFTER + 1)]
    assert "1 line that the machine measures no more is left out" in coverage.lede


def test_a_line_that_the_newest_commit_left_out_is_one_hole() -> None:
    names = [f"s{n}" for n in range(9)]
    store = Store(rows=[strategy(1, name) for name in names])
    store.rows += [strategy(0, name, blas="mkl") for name in names]

    coverage = coverage_of(store)

    found = hole(coverage, "stale")
    assert (found.name, found.number, found.behind) == ("the whole line", 9, 1)
    assert coverage.title == "9 stale of 18 histories"
    assert "9 are stale because the newest commit measured nothing of 1 line" in coverage.lede
    assert coverage.heat is None  # what is as new as its line is no hole of its own


def test_failures_stand_first_and_the_guard_tells_why() -> None:
    store = convolution_store(2)
    store.rows = [made for made in store.rows if made["strategy"] in ("fft", "im2col")]
    refused = "openblas was claimed, mkl was mapped"
    store.tables["environments"][-1]["guard"] = refused

    coverage = coverage_of(store)

    assert coverage.holes[0].state == "failed"
    assert coverage.holes[0].reason == refused


def test_equal_holes_share_a_row() -> None:
    store = Store(rows=[bench(n, size=str(s)) for n in (0, 1) for s in range(5)])
    store.rows += [bench(0, "b", size=str(s)) for s in range(5)]

    found = hole(coverage_of(store), "stale")

    assert (found.number, found.detail) == (5, "0, 1, 2 and 2 more")


def test_the_newest_run_says_what_it_left_out() -> None:
    store = Store(rows=[bench(0), bench(0, "b"), bench(1)])
    run = {
        "project": "convbench",
        "machine": MACHINE,
        "started_at": pd.Timestamp("2026-01-06", tz="UTC"),
    }
    store.tables["runs"] = [run | {"run": "run-1", "bench": "a$"}]

    assert "only benchmarks like a$" in hole(coverage_of(store), "stale").reason


def many_holes() -> Store:
    """Make a store of more benchmarks, lines and holes than are shown."""
    store = Store()
    for machine in range(MOST_COLUMNS + 2):
        for number in range(MOST_ROWS + 5):
            size = number + 1
            for at in range(size if machine else 1):
                store.rows += [bench(0, f"n{number}", machine=f"m{machine}", size=str(at))]
        store.rows += [bench(1, "whole", machine=f"m{machine}")]
    return store


def test_of_many_holes_the_worst_are_shown_and_the_others_counted() -> None:
    coverage = coverage_of(many_holes())

    heat = coverage.heat
    assert heat is not None
    assert (len(heat.columns), heat.hidden_columns) == (MOST_COLUMNS, 2)
    assert (len(heat.rows), heat.more, heat.whole) == (MOST_ROWS, 5, 1)
    worst = heat.rows[0]
    assert worst.name == f"b.n{MOST_ROWS + 4}"
    assert worst.cells[1] is not None
    assert (worst.cells[1].ok, worst.cells[1].shade) == (0, 5)
    assert len(coverage.listed) == MOST_HOLES < len(coverage.holes)


def test_the_data_file_has_every_hole() -> None:
    store = many_holes()
    text = site_files(store.measurements())["data/holes.js"]

    data = json.loads(text[len('CB.put("holes",') : -len(");\n")])

    assert data["all"] == len(data["state"]) == len(coverage_of(store).holes)
    assert {data["texts"][number] for number in data["state"]} == {"stale", "never"}


def test_the_strip_counts_each_commit() -> None:
    store = Store(rows=[bench(n) for n in range(3)])
    store.rows += [bench(0, "b"), bench(1, "b", "failed"), bench(2, "b", "skipped")]

    (strip,) = coverage_of(store).strips

    assert [(one.ok, one.failed, one.total) for one in strip.commits] == [
        (2, 0, 2),
        (1, 1, 2),
        (1, 0, 2),
    ]
    assert strip.failed.count("M") == 1
    # On top of the one of two that was measured: from half the height to all of it.
    assert re.fullmatch(r"M[\d.]+ 61\.0h[\d.]+V8\.0h-[\d.]+z", strip.failed)
    assert "the newest commit measured 50 %" in strip.words


def test_the_strip_is_of_the_newest_commits() -> None:
    strips = coverage_of(Store(rows=[bench(n) for n in range(MOST_COMMITS + 5)])).strips

    assert len(strips[0].commits) == MOST_COMMITS
    assert len(strips[0].x_ticks) <= 8


def test_one_commit_needs_no_strip() -> None:
    coverage = coverage_of(Store(rows=[bench(0)]))

    assert coverage.strips == ()
    assert coverage.title == "The one history was measured at the newest commit"


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 0, "0 %"), (0, 9, "0 %"), (9, 9, "100 %"), (9999, 10000, "over 99.9 %"), (1, 3, "33 %")],
)
def test_a_share_is_never_rounded_to_all(part: int, whole: int, words: str) -> None:
    assert share_of(part, whole) == words


def test_an_empty_store_has_no_coverage() -> None:
    nothing = Store().measurements()

    assert build_coverage(nothing, find_outcomes(nothing, ()), None) is None
    assert "#/coverage" not in site_files(Store().measurements())["index.html"]


def test_uniform_p_values_are_as_chance_has_them() -> None:
    picture = null_picture(PValues(tuple((np.arange(400) + 0.5) / 400), 400))

    assert picture is not None
    assert {bar.verdict for bar in picture.bars} == {USUAL}
    assert picture.expected == "40"


@pytest.mark.parametrize(("power", "first", "last"), [(3.0, MANY, FEW), (1 / 3, FEW, MANY)])
def test_p_values_that_chance_does_not_explain_are_told(
    power: float, first: str, last: str
) -> None:
    values = tuple(((np.arange(400) + 0.5) / 400) ** power)

    picture = null_picture(PValues(values, 0))

    assert picture is not None
    assert (picture.bars[0].verdict, picture.bars[-1].verdict) == (first, last)
    assert ("more often" in picture.title) == (first == MANY)
    assert "99 % intervals" in picture.method


def test_few_pairs_are_not_drawn() -> None:
    assert null_picture(PValues((0.5,) * 19, 19)) is None


@pytest.mark.parametrize("number", [30, 200, 500, 2000])
def test_all_bins_of_chance_lie_within_the_band(number: int) -> None:
    rng = np.random.default_rng(number)

    inside = 0
    for _ in range(400):
        bins = binned(rng.random(number))
        inside += all(bins.low <= count <= bins.high for count in bins.counts)

    # At least 95 % by design; of 400 fewer than 368 in one of a thousand.
    assert inside >= 368


def test_samples_are_tested_where_there_are_some() -> None:
    rows = pd.DataFrame([control_row(0, arm, case, 1.0) for case in "cd" for arm in "ab"])
    rows["samples"] = [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], None, None]

    found = null_p_values(rows)

    # 2 of the 252 orders of five and five are as extreme.
    assert found.each == pytest.approx((2 / 252, 1.0))
    assert found.sampled == 1


def test_intervals_stand_in_for_samples() -> None:
    rows = pd.DataFrame(
        [control_row(0, arm, "c", value) for arm, value in (("a", 1.0), ("b", 1.02))]
    )

    (found,) = null_p_values(rows).each

    # A 99 % interval of ±2 % is a standard error of 0.78 %: 2 % apart are 1.8 of the difference's.
    assert found == pytest.approx(0.07, abs=0.005)


def test_runs_of_which_it_is_not_known_are_not_called_quiet() -> None:
    store = trusted_store(4)
    store.tables["runs"][0]["disturbed"] = None
    measurements = store.measurements()

    found = disturbed_runs(measurements, run_rows(measurements, ""))

    assert found is not None
    assert (found.recorded, len(found.runs), found.share) == (3, 1, "33 %")


def wins_of(width: float, disturbed: bool):
    store = Store(rows=[strategy(0, "a"), strategy(0, "b")])
    for made in store.rows:
        made |= {"ci_low": 1 / width, "ci_high": width}
    measurements = store.measurements()
    (found,) = group_timings(build_series(measurements)).values()
    runs = {(MACHINE, "run-0"): DISTURBED} if disturbed else {}
    return find_wins(found, runs)["question"]


@pytest.mark.parametrize(
    ("width", "disturbed", "tied", "unclear"),
    [
        (1.1, False, ("b",), ()),
        (1.41, False, ("b",), ()),
        (1.42, False, (), ("b",)),  # spans more than a factor of 2
        (1.1, True, (), ("b",)),
    ],
)
def test_no_tie_is_claimed_of_what_is_hardly_known(
    width: float, disturbed: bool, tied: tuple[str, ...], unclear: tuple[str, ...]
) -> None:
    win = wins_of(width, disturbed)

    assert (win.tied, win.unclear) == (tied, unclear)


@pytest.mark.parametrize("disturbed", ["run-0", "run-1"])
def test_no_tie_is_claimed_where_either_run_was_disturbed(disturbed: str) -> None:
    store = Store(rows=[strategy(0, "a"), strategy(0, "b") | {"run": "run-1"}])
    (found,) = group_timings(build_series(store.measurements())).values()

    win = find_wins(found, {(MACHINE, disturbed)})["question"]

    assert (win.strategy, win.tied, win.unclear) == ("a", (), ("b",))


def big_store(series: int) -> Store:
    return Store(
        rows=[
            bench(n, f"n{one // 10}", size=str(one % 10)) for one in range(series) for n in (0, 1)
        ]
        + [bench(0, "gone", size=str(size)) for size in range(50)]
    )


def test_of_many_series_the_document_holds_few_and_a_file_the_rest() -> None:
    files = site_files(big_store(2000).measurements())

    sections = re.findall(
        r'<section class="view" id="/(overview|coverage)".*?</section>', files["index.html"], re.S
    )
    assert sections == ["overview", "coverage"]
    for name in sections:
        (html,) = re.findall(
            rf'<section class="view" id="/{name}".*?</section>', files["index.html"], re.S
        )
        assert len(re.findall(r"<[a-z]", html)) < 900
    text = files["data/newest.js"]
    data = json.loads(text[len('CB.put("newest",') : -len(");\n")])
    assert len(data["rows"]) == 2050
    assert sorted(one[0] for one in data["rows"]) == list(range(2050))
    assert len(text) < 150_000


def test_small_sites_need_no_data_file_of_newest_values() -> None:
    overview = build_overview(
        foreign_store().measurements(), build_series(foreign_store().measurements()), ()
    )

    assert overview.newest.more == 0
    assert "data/newest.js" not in site_files(foreign_store().measurements())
    assert MOST_CELLS >= 9


def test_what_no_run_measured_takes_no_room_among_the_newest_values() -> None:
    store = Store(rows=[strategy(0, "a", "skipped"), strategy(0, "b"), strategy(0, "c", "failed")])
    measurements = store.measurements()

    (group,) = build_overview(measurements, build_series(measurements), ()).newest.groups

    assert [each.label for each in group.rows] == ["b", "c", "a"]
    assert group.shown == 2


def test_a_value_that_a_newer_run_left_as_it_was_is_shown_with_its_commit() -> None:
    store = Store(rows=[bench(0), bench(0, "b"), bench(1, status="skipped"), bench(1, "b")])
    measurements = store.measurements()

    groups = build_overview(measurements, build_series(measurements), ()).newest.groups

    cells = {group.title: group.rows[0].cells[0] for group in groups}
    assert (cells["b.a"].text, cells["b.a"].commit) == ("1.00 s", "000000a1")
    assert cells["b.b"].commit == ""


def test_the_overview_tells_what_was_not_measured_lately() -> None:
    store = Store(rows=[bench(0), bench(0, "b"), bench(1)])

    html = site_files(store.measurements())["index.html"]

    overview = html.split('data-view="overview"')[1].split("</section>")[0]
    assert "Not measured lately" in overview
    assert 'href="#/coverage?part=holes"' in overview
    assert (
        "Not measured lately" not in site_files(Store(rows=[bench(0)]).measurements())["index.html"]
    )


def test_the_address_of_the_former_view_leads_to_its_part() -> None:
    html = site_files(trusted_store().measurements())["index.html"]

    assert 'data-also="trust"' in html
    assert 'data-part="trust"' in html
    for part in re.findall(r"#/coverage\?part=(\w+)", html):
        assert f'data-part="{part}"' in html
