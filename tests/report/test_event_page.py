"""Everything on one event: its histories, commits and environments, and the file that has it."""

import json
from typing import Any

import pytest
from sample_store import Store, commit_name, convolution_store, event, found_change
from test_site import HOSTILE, Elements

from convbench.report.event_figure import AROUND, LARGE, SMALL
from convbench.report.event_files import event_files
from convbench.report.event_page import MOST_HISTORIES, EventPage, build_event_pages
from convbench.report.event_surroundings import MOST_COMMITS
from convbench.report.events import event_rows
from convbench.report.series import build_series
from convbench.report.site import site_files

IM2COL = "strategy=im2col, problem=question, dtype=float32"
FFT = "strategy=fft, problem=question, dtype=float32"
SLOWER, FASTER = "3f2a9c1b04", "0a1b2c3d4e"
MKL = {"blas": "mkl", "environment": "virtualenv-py3.12-mkl"}
AT = 9


@pytest.fixture
def store() -> Store:
    """A store in which im2col became 20 % slower on both builds, and fft faster on one."""
    store = convolution_store(14)
    for made in store.rows:
        if made["strategy"] == "im2col" and made["commit"] >= commit_name(AT):
            made |= {name: 1.2 * made[name] for name in ("value", "ci_low", "ci_high")}
    slow = [
        found_change(AT, before=11e-6, after=13.2e-6, params=IM2COL, strategy="im2col", **said)
        for said in ({}, {"p_adjusted": 1e-9, **MKL})
    ]
    fast = found_change(AT, before=196e-6, after=98e-6, params=FFT, strategy="fft")
    store.tables["changes"] = [*slow, fast]
    store.tables["events"] = [*event(SLOWER, *slow), *event(FASTER, fast)]
    return store


def pages_of(store: Store, repo_url: str = "https://example.org/repo") -> dict[str, EventPage]:
    measurements = store.measurements()
    series = build_series(measurements)
    rows = event_rows(measurements, series, repo_url)
    pages = build_event_pages(measurements, series, rows, repo_url)
    return {page.row.event: page for page in pages}


def files_of(store: Store) -> dict[str, Any]:
    files = event_files(list(pages_of(store).values()))
    return {path: json.loads(text.split(",", 1)[1][: -len(");\n")]) for path, text in files.items()}


def test_the_title_is_what_happened(store: Store) -> None:
    pages = pages_of(store)

    at = commit_name(AT)[:8]
    assert pages[SLOWER].title == f"im2col became 20 % slower at {at}"
    assert pages[FASTER].title == f"fft became 2.0 times faster at {at}"


@pytest.mark.parametrize(
    ("ratio", "unit", "words"),
    [
        (1.2, "bytes", "rose by 20 %"),
        (0.8, "GFLOP/s", "fell by 20 %"),
        (4.0, "bytes", "rose to 4.0 times its level"),
        (0.25, "bytes", "fell to 1/4.0 of its level"),
        (float("inf"), "seconds", "rose from 0"),
        (0.0, "seconds", "fell to 0"),
        (3.0, "seconds", "became 3.0 times slower"),
    ],
)
def test_what_is_no_time_rises_or_falls(store: Store, ratio: float, unit: str, words: str) -> None:
    store.tables["events"][0] |= {"ratio": ratio, "unit": unit}

    assert f"im2col {words} at" in pages_of(store)[SLOWER].title


@pytest.mark.parametrize(
    ("kind", "words"), [("starts failing", "began to fail"), ("works again", "works again")]
)
def test_a_failure_has_no_levels(store: Store, kind: str, words: str) -> None:
    nothing = dict.fromkeys(("ratio", "ratio_low", "ratio_high", "before", "after"), float("nan"))
    for row in (store.tables["changes"][2], store.tables["events"][1]):
        row |= nothing | {"kind": kind, "p_adjusted": float("nan")}

    page = pages_of(store)[FASTER]

    assert page.title.startswith(f"fft {words} at")
    (one,) = page.histories
    assert (one.before, one.after, one.interval, one.p) == ("", "", "", "")
    assert page.picture is not None
    assert page.picture.levels == ()


def test_an_event_of_several_benchmarks_is_named_by_what_they_share(store: Store) -> None:
    store.tables["events"][0] |= {"benchmarks": 3, "subject": "run.Float32"}
    store.tables["events"][1] |= {"benchmarks": 12, "subject": ""}
    pages = pages_of(store)

    assert pages[SLOWER].title.startswith("run.Float32 became")
    assert pages[FASTER].title.startswith("12 benchmarks became")


def test_every_history_is_told_the_events_own_first(store: Store) -> None:
    own, other = pages_of(store)[SLOWER].histories

    assert own.detail == "time_run · question · float32 · openblas"
    assert other.detail == "time_run · question · float32 · mkl"  # though the surer one
    assert (own.before, own.after) == ("11.0 µs", "13.2 µs")
    assert (own.change, own.interval, own.p) == ("▲ +20 %", "+16 % to +24 %", "1.0e-5")
    assert own.link.startswith("#/history?measure=time_run")
    assert (own.commit, own.notes) == ("", "")


def test_what_a_reader_of_one_history_must_know_is_noted(store: Store) -> None:
    store.tables["changes"][1] |= {
        "commit": commit_name(AT + 1), "recovered": True, "disturbed": "load 3",
    }  # fmt: skip

    _, other = pages_of(store)[SLOWER].histories

    assert other.commit == commit_name(AT + 1)[:8]
    assert other.notes == "recovered; ⚠ disturbed run: load 3"


def test_a_history_of_an_older_version_is_told_and_not_drawn(store: Store) -> None:
    store.tables["changes"][2] |= {"commit": commit_name(2)}
    for made in store.rows:
        if made["strategy"] == "fft" and made["commit"] < commit_name(4):
            made["version"] = "0"

    page = pages_of(store)[FASTER]

    assert page.picture is None
    assert page.histories[0].picture is None
    assert page.histories[0].notes == "older version of the benchmark, not drawn"


def test_of_very_many_histories_the_clearest_are_told_and_the_rest_counted(store: Store) -> None:
    many = [
        found_change(AT, before=1.0, after=2.0, params=f"{IM2COL}, n={n}", p_adjusted=1e-3 * n)
        for n in range(1, MOST_HISTORIES + 6)
    ]
    store.tables["changes"] = many[::-1]
    store.tables["events"] = event(SLOWER, *many)

    page = pages_of(store)[SLOWER]

    assert (len(page.histories), page.more_histories) == (MOST_HISTORIES, 5)
    assert [one.p for one in page.histories[:2]] == ["0.0010", "0.0020"]


def test_the_picture_shows_the_step_with_both_levels(store: Store) -> None:
    picture = pages_of(store)[SLOWER].picture

    assert picture is not None
    (start, end, before, old), (again, last, after, new) = picture.levels
    assert (old, new) == ("11.0 µs", "13.2 µs")
    assert start < end == again == picture.mark < last
    assert LARGE.top <= after < before <= LARGE.bottom  # slower is higher
    assert len(picture.dots) == 14
    for _, y, _, _ in picture.dots:
        assert LARGE.top < y < LARGE.bottom  # neither side is an outlier to the other
    assert picture.doubt is None


def test_a_small_step_fills_the_picture_and_an_outlier_does_not_spoil_it() -> None:
    store = convolution_store(40, strategies={"im2col": 11e-6})
    for made in store.rows:
        if made["commit"] >= commit_name(20):
            made |= {name: 1.1 * made[name] for name in ("value", "ci_low", "ci_high")}
        if made["commit"] == commit_name(3):
            made["value"] *= 50
    change = found_change(20, before=11e-6, after=12.1e-6, params=IM2COL, strategy="im2col")
    store.tables["changes"] = [change]
    store.tables["events"] = event(SLOWER, change)

    picture = pages_of(store)[SLOWER].picture

    assert picture is not None
    before, after = (level[2] for level in picture.levels)
    assert before - after > (LARGE.bottom - LARGE.top) / 4
    assert picture.dots[3][1] == LARGE.top  # at the edge


def test_what_may_be_the_first_commit_is_shaded(store: Store) -> None:
    store.tables["changes"][0] |= {
        "range_first": commit_name(8), "range_last": commit_name(11),
    }  # fmt: skip

    page = pages_of(store)[SLOWER]

    assert page.picture is not None
    assert page.picture.doubt is not None
    xs = [x for x, *_ in page.picture.dots]
    # From the last value of the old level, which is not in doubt, to the last one that may be.
    assert page.picture.doubt == (xs[7], xs[11])


def test_a_picture_shows_the_points_next_to_the_change_only() -> None:
    store = convolution_store(3 * AROUND, strategies={"im2col": 11e-6})
    near, far = 40, 41
    changes = [
        found_change(at, before=11e-6, after=12e-6, params=IM2COL, strategy="im2col")
        for at in (near, far)
    ]
    store.tables["changes"] = changes
    store.tables["events"] = event(SLOWER, changes[0]) + event(FASTER, changes[1])

    picture = pages_of(store)[SLOWER].picture

    assert picture is not None
    assert len(picture.dots) == 2 * AROUND
    assert len(picture.others) == 1  # the other event's, marked as such
    assert picture.levels[1][1] == picture.others[0][0]  # where the level ends
    assert len(picture.x_ticks) <= 8


def test_where_the_same_did_not_change_stands_behind_the_step(store: Store) -> None:
    pages = pages_of(store)
    slower, faster = pages[SLOWER].picture, pages[FASTER].picture
    assert slower is not None
    assert faster is not None

    assert slower.witnesses == ()  # both builds changed
    ((path, name),) = faster.witnesses
    assert name == "mkl"
    # On the level before, all the way.
    heights = [float(spot.split(" ")[1]) for spot in path[1:].split("L")]
    assert len(heights) == 14
    assert max(abs(height - faster.levels[0][2]) for height in heights) < 10


def test_a_history_that_began_with_the_change_is_no_witness(store: Store) -> None:
    store.rows = [
        made
        for made in store.rows
        if made["blas"] == "openblas" or made["commit"] >= commit_name(8)
    ]

    picture = pages_of(store)[FASTER].picture

    assert picture is not None
    assert picture.witnesses == ()


def test_what_changed_there_by_another_event_is_no_witness(store: Store) -> None:
    also = found_change(AT, before=1e-4, after=3e-4, params=FFT, strategy="fft", **MKL)
    store.tables["changes"].append(also)
    store.tables["events"] += event("00ff", also)

    picture = pages_of(store)[FASTER].picture

    assert picture is not None
    assert picture.witnesses == ()


def test_small_pictures_have_no_words(store: Store) -> None:
    picture = pages_of(store)[SLOWER].histories[0].picture

    assert picture is not None
    assert picture.frame == SMALL
    assert (picture.dots, picture.x_ticks, picture.y_ticks, picture.band) == ((), (), (), "")


def test_the_commits_of_the_range_are_listed_also_those_not_measured(store: Store) -> None:
    unmeasured = dict(store.tables["commits"][8])
    unmeasured |= {"commit": "f" * 40, "position": 8.5, "subject": "Never measured", "author": "A"}
    for one in store.tables["commits"]:
        one["position"] *= 2
    unmeasured["position"] = 17
    store.tables["commits"].append(unmeasured)
    store.tables["events"][0] |= {"range_first": "f" * 40, "range_last": commit_name(10)}

    page = pages_of(store)[SLOWER]

    assert [one.commit for one in page.commits] == ["f" * 8, "000000aa", "000000ab"]
    assert [one.measured for one in page.commits] == [False, True, True]
    assert [one.likeliest for one in page.commits] == [False, True, False]
    assert page.commits[0].subject == "Never measured"
    assert page.commits[0].author == "A"
    assert page.commits[1].url == f"https://example.org/repo/commit/{commit_name(AT)}"
    assert page.more_commits == 0


def test_of_a_long_range_the_commits_around_the_likeliest_are_listed() -> None:
    store = convolution_store(MOST_COMMITS + 40, strategies={"im2col": 11e-6})
    change = found_change(50, before=11e-6, after=12e-6, params=IM2COL, strategy="im2col")
    change |= {"range_first": commit_name(2), "range_last": commit_name(MOST_COMMITS + 30)}
    store.tables["changes"] = [change]
    store.tables["events"] = event(SLOWER, change)

    page = pages_of(store)[SLOWER]

    assert len(page.commits) == MOST_COMMITS
    assert page.more_commits == 29
    assert page.commits[MOST_COMMITS // 2].likeliest


def test_a_project_without_known_commits_has_no_range(store: Store) -> None:
    store.tables["commits"] = []

    assert pages_of(store)[SLOWER].commits == ()


def test_packages_and_blas_are_compared(store: Store) -> None:
    for one in store.tables["environments"]:
        if one["commit"] >= commit_name(AT):
            one["packages"] = {"numpy": "2.5.0", "scipy": "1.17.1", "mkl": ""}
    store.tables["changes"][0] |= {"identity_before": "OpenBLAS 0.3.30",
                                   "identity_after": "OpenBLAS 0.3.31"}  # fmt: skip

    own, other = pages_of(store)[SLOWER].environments

    assert own.difference.rows == (
        ("BLAS", "OpenBLAS 0.3.30", "OpenBLAS 0.3.31"),
        ("numpy", "2.4.6", "2.5.0"),
        ("mkl", "–", "unpinned"),
    )
    assert own.difference.same == "threads, scipy"
    assert own.where == "made-up-machine · virtualenv-py3.12-openblas"
    assert [name for name, _, _ in other.difference.rows] == ["numpy", "mkl"]
    assert other.difference.same == "BLAS, threads, scipy"


def test_environments_that_differ_alike_are_told_together(store: Store) -> None:
    (both,) = pages_of(store)[SLOWER].environments

    assert both.histories == "2 histories"
    assert both.where.count("made-up-machine · virtualenv") == 2
    assert both.difference.rows == ()
    assert both.difference.same == "BLAS, threads, numpy, scipy"


def test_what_is_not_known_of_environments_is_no_sameness(store: Store) -> None:
    store.tables["environments"] = []

    (both,) = pages_of(store)[SLOWER].environments

    assert (both.difference.rows, both.difference.same) == ((), "")


def test_commands_reproduce_bisect_and_decide(store: Store) -> None:
    commands = [one.text for one in pages_of(store)[SLOWER].commands]

    assert commands[-2:] == [
        f"convbench bisect {SLOWER} --store store",
        f"convbench triage {SLOWER} --acknowledged --reason 'WHY' --store store",
    ]
    assert commands[0].startswith("convbench reproduce")


def test_events_of_the_same_commit_are_named(store: Store) -> None:
    pages = pages_of(store)

    assert [one.event for one in pages[SLOWER].others] == [FASTER]
    assert [one.event for one in pages[FASTER].others] == [SLOWER]


def test_each_event_has_a_file_and_is_found_by_its_older_names(store: Store) -> None:
    store.tables["events"][0]["known_as"] = f"{SLOWER} 00aa {FASTER} ../../x"
    files = files_of(store)

    assert sorted(files) == sorted(f"data/events/{name}.js" for name in (SLOWER, FASTER, "00aa"))
    assert files["data/events/00aa.js"] == {"now": SLOWER}
    shown = files[f"data/events/{SLOWER}.js"]
    assert f"{shown['what']} {shown['happened']}" == pages_of(store)[SLOWER].title
    assert shown["subject"] == "Change number 9"  # of the commit


def test_tables_are_columns_without_those_that_are_empty(store: Store) -> None:
    data = files_of(store)[f"data/events/{SLOWER}.js"]

    assert data["histories"]["before"] == ["11.0 µs", "11.0 µs"]
    assert "notes" not in data["histories"]
    assert len(data["histories"]["picture"]) == 2
    assert data["commits"]["likeliest"] == [True]


def test_an_event_whose_id_could_name_another_file_has_none(store: Store) -> None:
    for row in (*store.tables["changes"], *store.tables["events"]):
        if row["event"] == SLOWER:
            row["event"] = "../../index"

    assert list(files_of(store)) == [f"data/events/{FASTER}.js"]


def test_the_site_has_the_view_where_there_are_events(store: Store) -> None:
    files = site_files(store.measurements())
    elements = Elements(files["index.html"]).elements

    assert f"data/events/{SLOWER}.js" in files
    assert [a for _, a in elements if a.get("data-view") == "event"]
    links = [a["href"] for tag, a in elements if tag == "a" and a.get("href")]
    # From the row's change, from its words, from the newest commits, and from the overview.
    assert links.count(f"#/event?id={SLOWER}") == 4
    without = site_files(convolution_store(3).measurements())
    assert not [path for path in without if "events/" in path]
    assert "#/event" not in without["index.html"]


def test_no_text_of_an_event_leaves_its_string(store: Store) -> None:
    columns = ("evidence", "triage_reason", "reproduce", "bisect", "cause", "subject")
    store.tables["events"][0] |= dict(zip(columns, HOSTILE, strict=False))
    store.tables["commits"][AT]["subject"] = HOSTILE[1]

    text = site_files(store.measurements())[f"data/events/{SLOWER}.js"]

    assert "<" not in text
    assert "\u2028" not in text
    assert files_of(store)[f"data/events/{SLOWER}.js"]["evidence"] == HOSTILE[0]
