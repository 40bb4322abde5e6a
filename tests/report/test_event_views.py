"""The view of changes: one row per event, what it says, and where else events are told."""

import dataclasses
import html
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sample_store import MACHINE, Store, commit_name, convolution_store, event, found_change
from test_site import HOSTILE, Elements

from convbench.report.events import MOST_ROWS, OPEN, EventsView, build_events
from convbench.report.history import build_history
from convbench.report.measurements import read_measurements
from convbench.report.overview import Overview
from convbench.report.pages import build_views
from convbench.report.series import build_series
from convbench.report.site import site_files
from convbench.results import collect

IM2COL = "strategy=im2col, problem=question, dtype=float32"
FFT = "strategy=fft, problem=question, dtype=float32"
SLOWER, FASTER = "3f2a9c1b04", "0a1b2c3d4e"


@pytest.fixture
def store() -> Store:
    """A store with a regression on both builds and an improvement on one."""
    store = convolution_store(10)
    mkl = {"blas": "mkl", "environment": "virtualenv-py3.12-mkl"}
    slow = [
        found_change(6, before=10e-6, after=12e-6, params=IM2COL, strategy="im2col", **said)
        for said in ({}, mkl)
    ]
    fast = found_change(4, before=196e-6, after=98e-6, params=FFT, strategy="fft")
    store.tables["changes"] = [*slow, fast]
    store.tables["events"] = [
        *event(SLOWER, *slow),
        *event(FASTER, fast, cause="BLAS", evidence="seen with openblas only"),
    ]
    return store


def view_of(store: Store) -> EventsView:
    measurements = store.measurements()
    view = build_events(measurements, build_series(measurements), "https://example.org/repo")
    assert view is not None
    return view


def overview_of(store: Store) -> Overview:
    measurements = store.measurements()
    return build_views(measurements, build_series(measurements)).overview


def decide(store: Store, name: str, state: str, reason: str = "as planned") -> None:
    for one in store.tables["events"]:
        if one["event"] == name:
            one |= {"triage": state, "triage_reason": reason}


def test_a_row_does_not_contradict_itself(store: Store) -> None:
    """The median of many is +20 %; the history that shows it most clearly became ×3."""
    slower = next(one for one in store.tables["events"] if one["event"] == SLOWER)
    slower |= {"after": 30e-6, "subject": ""}

    row = next(row for row in view_of(store).rows if row.event == SLOWER)

    assert (row.change, row.clearest, row.levels) == ("▲ +20 %", "×3.0", "10.0 µs → 30.0 µs")
    assert row.extent.startswith("the clearest of 2 histories")


def test_each_event_is_one_row_that_says_all_of_it(store: Store) -> None:
    slower, faster = view_of(store).rows  # the newer one first

    assert (slower.event, slower.kind, slower.change) == (SLOWER, "regression", "▲ +20 %")
    assert (slower.interval, slower.levels) == ("+16 % to +24 %", "10.0 µs → 12.0 µs")
    assert (slower.commit, slower.between) == (commit_name(6)[:8], "")
    assert slower.commit_url == f"https://example.org/repo/commit/{commit_name(6)}"
    assert (slower.name, slower.extent) == ("im2col", "2 histories, 1 machine, 2 builds")
    assert slower.evidence == "seen on both BLAS builds of made-up-machine"
    assert (slower.triage, slower.recovered) == (OPEN, False)
    assert [one.text.split()[1] for one in slower.commands] == ["reproduce", "bisect"]
    assert slower.unrepeatable == ""
    assert (faster.change, faster.cause) == ("▼ −50 %", "BLAS")


def test_overview_says_how_sure_a_change_is_and_how_to_measure_it_again(store: Store) -> None:
    view, document = view_of(store), site_files(store.measurements())["index.html"]
    overview = document[: document.index('data-view="changes"')]

    for row, shown in zip(view.rows, overview_of(store).changes, strict=True):
        assert (row.event, row.interval) == (shown.event, shown.interval)
        assert f"<small>{row.interval}</small>" in overview.replace("\u00a0", " ")
        assert f"<code>{view.reproduce[row.event]}</code>" in html.unescape(overview)


def test_a_row_leads_to_the_history_of_its_clearest_change(store: Store) -> None:
    measurements = store.measurements()
    series = build_series(measurements)
    links = [row.link for row in view_of(store).rows]

    for link, params in zip(links, (IM2COL, FFT), strict=True):
        assert link.startswith("#/history?measure=")
        for name, value in (pair.split("=") for pair in params.split(", ")):
            assert f"{name}={value}" in link
        assert f"machine={MACHINE}" in link
    assert {one.label for one in series} > {IM2COL, FFT}


def test_counts_say_what_is_to_be_told_and_why(store: Store) -> None:
    view = view_of(store)

    assert view.title == "1 regression and 1 improvement"
    assert view.lede == "By cause: code 1, BLAS 1."
    assert (view.kinds, view.states) == (("regression", "improvement"), (OPEN,))


@pytest.mark.parametrize("state", ["expected", "ignored"])
def test_what_is_no_concern_is_listed_last_and_told_nowhere_else(store: Store, state: str) -> None:
    decide(store, SLOWER, state)
    view, overview = view_of(store), overview_of(store)

    assert [row.event for row in view.rows] == [FASTER, SLOWER]
    assert view.rows[1].reason == "as planned"
    assert view.title == "1 improvement"
    assert f"Decided: {state} 1." in view.lede
    assert [row.event for row in overview.changes] == [FASTER]
    assert overview.title == "1 improvement in 10 commits"
    counts = {tile.state: tile.number for tile in overview.tiles}
    assert (counts["regressed"], counts["improved"]) == (0, 1)


def test_what_is_acknowledged_is_told(store: Store) -> None:
    decide(store, SLOWER, "acknowledged")

    assert [row.triage for row in view_of(store).rows] == ["acknowledged", OPEN]
    assert [row.event for row in overview_of(store).changes] == [SLOWER, FASTER]


def test_the_overview_shows_an_event_once_and_counts_all(store: Store) -> None:
    overview = overview_of(store)

    slower, faster = overview.changes
    assert (slower.event, slower.cause, len(slower.others)) == (SLOWER, "code", 1)
    assert (faster.event, faster.cause, len(faster.others)) == (FASTER, "BLAS", 0)
    assert overview.events == "2 events: by cause: code 1, BLAS 1."


OLDER = "00000000dd"


@pytest.fixture
def older(store: Store) -> Store:
    """The same store with a regression at commit 2, before fft had its version of today."""
    for made in store.rows:
        if made["strategy"] == "fft" and made["commit"] < commit_name(3):
            made["version"] = "0"
    change = found_change(2, before=1e-6, after=9e-6, params=FFT, strategy="fft")
    store.tables["changes"].append(change)
    store.tables["events"] += event(OLDER, change)
    return store


def test_both_pages_count_an_event_of_an_older_version_and_say_where_it_is_told(
    older: Store,
) -> None:
    view, overview = view_of(older), overview_of(older)

    assert view.title == "2 regressions and 1 improvement"
    assert overview.title == f"{view.title} in 10 commits"
    assert [row.event for row in overview.changes] == [SLOWER, FASTER]
    assert overview.undrawn == 1
    assert "The largest that is drawn: fft" in overview.lede[0]
    text = Elements(site_files(older.measurements())["index.html"]).text
    assert "1 event is counted as well, but told on Changes only: of older versions" in text


def test_an_event_of_an_older_version_is_not_shown_by_the_history_of_todays(older: Store) -> None:
    rows = {row.event: row for row in view_of(older).rows}

    assert [rows[name].of_older_version for name in (SLOWER, FASTER, OLDER)] == [False, False, True]
    assert rows[OLDER].sparkline is None
    assert rows[FASTER].sparkline is not None
    assert rows[OLDER].detail == rows[FASTER].detail  # where it was, all the same
    text = Elements(site_files(older.measurements())["index.html"]).text
    assert text.count("older version of the benchmark, not drawn") == 1


@pytest.mark.parametrize("state", ["expected", "ignored"])
def test_an_older_event_of_no_concern_is_counted_nowhere(older: Store, state: str) -> None:
    decide(older, OLDER, state)

    assert view_of(older).title == "1 regression and 1 improvement"
    assert overview_of(older).title == "1 regression and 1 improvement in 10 commits"
    assert overview_of(older).undrawn == 0


def test_where_only_older_versions_had_events_the_title_still_counts_them(older: Store) -> None:
    older.tables["changes"] = older.tables["changes"][-1:]
    older.tables["events"] = older.tables["events"][-1:]

    overview = overview_of(older)

    assert overview.title == "1 regression in 10 commits"
    assert (overview.changes, overview.undrawn) == ((), 1)
    text = Elements(site_files(older.measurements())["index.html"]).text
    assert "No change found" not in text.split("Who wins where")[0]
    assert "1 event is counted as well, but told on Changes only" in text


def test_all_events_are_counted_also_where_the_worst_alone_are_listed(store: Store) -> None:
    changes = [
        found_change(5, before=1e-6, after=2e-6, params=f"{IM2COL}, of=an older project")
        for _ in range(MOST_ROWS + 20)
    ]
    store.tables["events"] += [
        row for number, one in enumerate(changes) for row in event(f"{number:010x}", one)
    ]

    assert overview_of(store).title.startswith(f"{MOST_ROWS + 21} regressions and 1 improvement")


def test_a_history_names_the_events_of_its_lines(store: Store) -> None:
    measurements = store.measurements()
    history = build_history(measurements, build_series(measurements), ())

    assert history is not None
    (note,) = history.events  # of both lines
    assert note.link == f"#/event?id={SLOWER}"
    assert note.words == f"▲ +20 % (+16 % to +24 %) at {commit_name(6)[:8]}"
    assert note.known == "code"


def test_a_failure_has_no_number_and_no_value_to_reproduce(store: Store) -> None:
    nothing = dict.fromkeys(("ratio", "ratio_low", "ratio_high", "before", "after"), float("nan"))
    failure = found_change(8, before=1.0, after=1.0, params=IM2COL) | nothing
    failure["kind"] = "starts failing"
    store.tables["changes"].append(failure)
    store.tables["events"] += event("00000000ff", failure, reproduce="", cause="undecided")

    row = view_of(store).rows[0]

    assert (row.event, row.change, row.interval, row.levels) == (
        *("00000000ff", "✕ starts failing"), *("", ""),
    )  # fmt: skip
    assert [one.text.split()[1] for one in row.commands] == ["bisect"]
    assert row.unrepeatable.startswith("The first changed point failed: ")
    assert row.unrepeatable in Elements(site_files(store.measurements())["index.html"]).text
    # The picture shows failures as such; they are no levels.
    assert (row.sparkline is None, row.of_older_version) == (False, False)
    overview = overview_of(store)
    assert (len(overview.changes), overview.undrawn) == (2, 0)
    assert overview.title == "1 regression and 1 improvement in 10 commits"


def test_a_level_that_was_zero_has_no_percentage(store: Store) -> None:
    store.tables["events"][0] |= {"ratio": float("inf"), "before": 0.0, "ratio_low": float("nan")}

    row = next(row for row in view_of(store).rows if row.event == SLOWER)

    assert (row.change, row.interval) == ("▲ from 0", "")


def test_without_events_there_is_no_view() -> None:
    measurements = convolution_store(3).measurements()
    index = site_files(measurements)["index.html"]

    assert build_events(measurements, build_series(measurements)) is None
    assert "#/changes" not in index


def test_of_very_many_events_the_worst_are_listed_and_the_rest_counted(store: Store) -> None:
    changes = [
        found_change(5, before=1e-6, after=(2 + number) * 1e-6, params=IM2COL)
        for number in range(MOST_ROWS + 20)
    ]
    store.tables["changes"] = changes
    store.tables["events"] = [
        row for number, one in enumerate(changes) for row in event(f"{number:010x}", one)
    ]

    view = view_of(store)

    assert (len(view.rows), view.hidden) == (MOST_ROWS, 20)
    assert {int(row.event, 16) for row in view.rows} == set(range(20, MOST_ROWS + 20))
    assert view.title == f"{MOST_ROWS + 20} regressions"


def test_what_can_be_chosen_is_what_is_listed(store: Store) -> None:
    worse = [found_change(5, before=1e-6, after=2e-6, params=IM2COL) for _ in range(MOST_ROWS)]
    store.tables["events"] += [
        row for number, one in enumerate(worse) for row in event(f"{number:010x}", one)
    ]
    decide(store, FASTER, "ignored", "of no interest")

    view = view_of(store)

    # The improvement on one build is the least of all, and not listed.
    assert (view.kinds, view.causes, view.states) == (("regression",), ("code",), (OPEN,))
    assert view.lede == f"By cause: code {MOST_ROWS + 1}, BLAS 1. Decided: ignored 1."


def test_no_text_of_an_event_becomes_an_element(store: Store) -> None:
    plain = Elements(site_files(store.measurements())["index.html"])
    columns = ("evidence", "triage_reason", "reproduce", "bisect", "cause", "triage", "subject")
    for one, hostile in zip(store.tables["events"], HOSTILE, strict=False):
        one |= dict.fromkeys(columns, hostile)

    harmful = Elements(site_files(store.measurements())["index.html"])

    # A decision that none has yields a choice more; a reason yields a line.
    added = {tag for tag, _ in harmful.elements} - {tag for tag, _ in plain.elements}
    assert added == set()
    assert not [tag for tag, _ in harmful.elements if tag in ("img", "iframe")]
    assert HOSTILE[0] in harmful.text


def test_the_data_of_a_history_carry_its_events(store: Store) -> None:
    files = site_files(store.measurements())
    groups = [
        json.loads(text.removeprefix("CB.put(").rstrip().removesuffix(");").split(",", 1)[1])
        for path, text in files.items()
        if path.startswith("data/h/")
    ]
    changes = [
        change
        for group in groups
        for one in group
        for line in one["lines"]
        for change in line.get("changes", [])
    ]

    assert sorted(change[7] for change in changes) == sorted([FASTER, SLOWER, SLOWER])
    assert {len(change) for change in changes} == {10}


def test_the_same_events_give_the_same_bytes(store: Store) -> None:
    assert site_files(store.measurements()) == site_files(store.measurements())


def test_events_of_an_older_convbench_ask_for_another_search(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results/benchmarks.json").write_text('{"version": 2}')
    collect([tmp_path / "results"], tmp_path / "store", say=lambda _: None)
    pq.write_table(pa.table({"project": ["p"], "commit": ["a"]}), tmp_path / "store/events.parquet")

    measurements = read_measurements(tmp_path / "store", project=None)

    assert not measurements.detected
    assert measurements.unsearched == "an older convbench searched, run convbench detect again"


def test_the_page_says_that_another_search_is_needed() -> None:
    measurements = dataclasses.replace(
        convolution_store(8).measurements(), detected=False, detected_before=True
    )
    text = Elements(site_files(measurements)["index.html"]).text

    assert "an older convbench searched, run convbench detect again: no verdict yet" in text
