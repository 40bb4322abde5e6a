"""The newest commits at a glance: what is shaded, marked, left out and put first."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sample_store import convolution_store, foreign_store

from convbench.report.measurements import Commit
from convbench.report.movement import (
    BASE,
    LEAST_COMMITS,
    MOST_COMMITS,
    MOST_ROWS,
    Movement,
    Row,
    build_movement,
)
from convbench.report.pages import build_views
from convbench.report.series import Change, Line, Point, Series, build_series, columns_of
from convbench.report.site import site_files

COMMITS = 20


class Commits:
    """As much of the measurements as the picture asks for."""

    def __init__(self, count: int) -> None:
        self.commits = [Commit(n, f"{n:08x}" * 5, "2026-01-01", "") for n in range(count)]


def line(values: Sequence[float | None], *changes: Change) -> Line:
    points = tuple(
        Point(n, value, None, None, "failed" if value is None else "ok", "env", "run")
        for n, value in enumerate(values)
    )
    return Line("box", "openblas", "", columns_of(points), changes, len(points))


def series(name: str, *lines: Line, **said: Any) -> Series:
    one = Series(name, f"suite.{name}", (), "", "", "", "seconds", lines)
    return replace(one, **said)


def step(at: int = 10, ratio: float = 1.3, count: int = COMMITS, **said: Any) -> Line:
    kind = "regression" if ratio > 1 else "improvement"
    change = Change(at, 1.0, ratio, ratio, kind, event=f"{at}", **said)
    return line([1.0] * at + [ratio] * (count - at), change)


def built(*ones: Series, count: int = COMMITS) -> Movement | None:
    return build_movement(Commits(count), ones)  # type: ignore[arg-type] # stands in for more


def only(*ones: Series, count: int = COMMITS) -> Row:
    movement = built(*ones, count=count)
    assert movement is not None
    (row,) = movement.rows
    return row


def test_a_step_is_a_shade_that_stays_and_a_mark_where_it_began() -> None:
    row = only(series("a.b.time_c", step(ratio=1.3)))

    assert [(one.level, one.path) for one in row.shades] == [(3, "M10 0h10v1h-10z")]
    assert [(mark.at, mark.kind) for mark in row.marks] == [(52.5, "regression")]
    assert (row.now, row.said, row.event) == ("+30 %", "▲ +30 %", "10")


def test_faster_has_the_same_shade_downwards() -> None:
    row = only(series("a", step(ratio=1 / 1.3)))

    assert [one.level for one in row.shades] == [-3]
    assert row.said.startswith("▼")


def test_what_recovered_is_an_island() -> None:
    row = only(series("a", line([1.0] * 8 + [2.5] * 4 + [1.0] * 8)))

    assert [(one.level, one.path) for one in row.shades] == [(5, "M8 0h4v1h-4z")]
    assert (row.now, row.marks, row.said) == ("±0 %", (), "")


def test_noise_has_no_shade() -> None:
    """It moves by 8 % from commit to commit: 20 % is not much of it."""
    noisy = [1.0, 1.08] * 10
    noisy[15] = 1.2

    assert built(series("a", line(noisy))) is None
    quiet = [1.0] * 20
    quiet[15] = 1.2
    assert [one.level for one in only(series("a", line(quiet))).shades] == [2]


def test_what_was_not_measured_is_a_gap_and_no_level() -> None:
    values = [1.0] * 8 + [None, None] + [1.4] * 10

    row = only(series("a", line(values)))

    assert row.gaps == "M8 0h2v1h-2z"
    assert [one.path for one in row.shades] == ["M10 0h10v1h-10z"]


def test_a_row_is_the_median_of_its_histories() -> None:
    """One of three steps: the row as a whole did not, but a mark says that one did."""
    row = only(series("a", step(), line([1.0] * 20), line([2.0] * 20)))

    assert (row.shades, len(row.marks), row.histories) == ((), 1, 3)


def test_of_very_many_commits_the_newest_are_shown() -> None:
    count = MOST_COMMITS + 30
    early = series("early", step(at=20, ratio=2.0, count=count))
    late = series("late", step(at=count - 5, ratio=2.0, count=count))

    movement = built(early, late, count=count)

    assert movement is not None
    assert (movement.commits, movement.first.position) == (MOST_COMMITS, 30)
    assert [row.name for row in movement.rows] == ["late"]
    assert movement.others == 1


def test_few_commits_or_nothing_that_moved_have_no_picture() -> None:
    assert built(series("a", step(at=6, count=7)), count=LEAST_COMMITS - 1) is None
    assert built(series("a", line([1.0] * 20))) is None
    assert built() is None
    # A history needs more than the commits that it is compared with.
    assert built(series("a", line([1.0] * (BASE - 1) + [3.0]))) is None


def test_what_was_found_stands_first_and_the_others_are_counted() -> None:
    moved = [series(f"moved{n}", line([1.0] * 10 + [9.0] * 10)) for n in range(MOST_ROWS)]

    movement = built(*moved, series("found", step(ratio=1.06)), series("quiet", line([1.0] * 20)))

    assert movement is not None
    assert [row.name for row in movement.rows][:2] == ["found", "moved0"]
    assert (len(movement.rows), movement.others) == (MOST_ROWS, 2)


def test_decided_changes_are_no_news() -> None:
    assert only(series("a", step(triage="expected"))).marks == ()


def test_names_lose_modules_unless_they_are_then_alike() -> None:
    ones = [series(f"{name}.Fit.time_x", step()) for name in ("one", "two")]

    movement = built(*ones, series("pack.three.Other.time_y", step()))

    assert movement is not None
    assert {row.name: row.short for row in movement.rows} == {
        "one.Fit.time_x": "one.Fit.time_x",
        "two.Fit.time_x": "two.Fit.time_x",
        "pack.three.Other.time_y": "Other.time_y",
    }


def test_of_a_strategy_the_time_alone_counts() -> None:
    time = series("time_run", line([1.0] * 20), strategy="fft")
    memory = series("peakmem_run", step(ratio=3.0), strategy="fft", unit="bytes")

    assert built(time, memory) is None
    assert built(series("peakmem", step(ratio=3.0), unit="bytes")) is not None


@pytest.mark.parametrize("store", [convolution_store(2), foreign_store(8)])
def test_it_is_no_view_of_its_own(store: Any) -> None:
    measurements = store.measurements()
    views = build_views(measurements, build_series(measurements))

    assert views.events is None
    assert not re.search(r'class="[^"]*movement', site_files(measurements)["index.html"])
