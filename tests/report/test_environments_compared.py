"""Environments of one machine against the one that was measured last."""

import pytest
from sample_store import convolution_store, foreign_store

from convbench.report.environments_compared import (
    MOST_MACHINES,
    MOST_NAMES,
    compare_environments,
)
from convbench.report.pages import build_views
from convbench.report.series import Line, Point, Series, build_series, columns_of
from convbench.report.site import site_files


def line(
    environment: str, *values: float | None, machine: str = "box", width: float = 0.01
) -> Line:
    points = tuple(
        Point(n, value, value * (1 - width), value * (1 + width), "ok", environment, "run")
        for n, value in enumerate(values)
        if value is not None
    )
    return Line(machine, environment, "", columns_of(points), (), len(points))


def series(number: int, *lines: Line, unit: str = "seconds", strategy: str = "") -> Series:
    name = f"suite.time_{number}"
    problem = "question" if strategy else ""
    return Series("time_run" if strategy else name, name, (), strategy, problem, "", unit, lines)


def test_the_one_measured_last_stands_at_one_and_others_against_it() -> None:
    ones = [
        series(n, line("py3.12", 2.0, 2.0, None), line("py3.13", None, 1.0, 1.0)) for n in (1, 2)
    ]

    (one,) = compare_environments(ones)

    assert one.comparison.machine == "py3.13"
    (row,) = one.comparison.rows
    assert (row.machine, row.cells, row.slower, row.other_commits) == ("py3.12", 2, 2, 0)
    assert row.ratio.words == "▲ ×2.0 slower"
    assert one.title == "py3.12 is ×2.0 slower than py3.13, over 2 common cells"


def test_of_several_common_commits_the_newest_counts() -> None:
    ones = [series(1, line("old", 1.0, 3.0, 2.0, None), line("new", 1.0, None, 1.0, 1.0))]

    (one,) = compare_environments(ones)

    assert one.comparison.rows[0].ratio.words == "▲ ×2.0 slower"


def test_without_a_common_commit_each_stands_with_its_newest() -> None:
    (one,) = compare_environments([series(1, line("old", 3.0, None), line("new", None, 1.0))])

    assert one.comparison.rows[0].other_commits == 1


def test_touching_intervals_are_about_as_fast() -> None:
    lines = line("a", 1.0, width=0.1), line("b", 1.05, width=0.1)

    (one,) = compare_environments([series(1, *lines)])

    assert one.title == "b is about as fast as a, over 1 common cell"


def test_of_one_commit_the_environment_with_more_cells_is_the_base() -> None:
    both = series(1, line("few", 1.0), line("many", 1.0))

    (one,) = compare_environments([both, series(2, line("many", 1.0))])

    assert one.comparison.machine == "many"


def test_who_measured_the_newest_commit_is_the_base_however_little_it_measured() -> None:
    stays, goes = line("stays", None, None, 2.0), line("goes", None, 1.0)
    ones = [series(1, stays, goes), series(2, line("stays", 1.0), goes), series(3, goes)]

    (one,) = compare_environments(ones)

    assert one.comparison.machine == "stays"


def test_the_title_tells_of_the_environment_that_differs_most_whichever_way() -> None:
    lines = line("fast", 0.25, None), line("slow", 2.0, None), line("today", 1.0, 1.0)

    (one,) = compare_environments([series(1, *lines)])

    assert one.title == "fast is ×4.0 faster than today, over 1 common cell"


def test_of_very_many_machines_those_with_the_most_cells_are_drawn() -> None:
    boxes = [f"box{n}" for n in range(MOST_MACHINES + 2)]
    ones = [
        series(n, *(line(name, 1.0, machine=box) for box in boxes[n:] for name in ("a", "b")))
        for n in range(len(boxes))
    ]

    found = compare_environments(ones)

    assert [one.machine for one in found] == boxes[:1:-1]


def test_machines_are_told_apart() -> None:
    lines = [line(name, 1.0, machine=box) for box in ("box", "shed") for name in ("a", "b")]

    ones = compare_environments([series(1, *lines), series(2, *lines[2:])])

    assert [(one.machine, one.comparison.rows[0].cells) for one in ones] == [
        ("shed", 2),
        ("box", 1),
    ]


@pytest.mark.parametrize(
    "ones",
    [
        [],
        [series(1, line("a", 1.0))],  # one environment
        [series(1, line("a", 1.0)), series(2, line("b", 1.0))],  # nothing in common
        [series(1, line("a", 1.0), line("b", 1.0), unit="bytes")],
        [series(1, line("a", 1.0), line("b", 1.0), strategy="fft")],  # told by BLAS
        [series(1, line("a", 1.0, machine="x"), line("b", 1.0, machine="y"))],
    ],
)
def test_what_cannot_be_compared_is_left_out(ones: list[Series]) -> None:
    assert compare_environments(ones) == ()


def test_benchmarks_that_are_not_drawn_are_counted() -> None:
    ones = [series(n, line("a", 1.0), line("b", 1.0 + n)) for n in range(MOST_NAMES + 60)]

    (one,) = compare_environments(ones)

    assert one.others == 60


def test_the_page_shows_them_of_projects_without_strategies_alone() -> None:
    store = foreign_store()
    for made in store.rows[::2]:
        made["environment"] = "virtualenv-py3.13"
    page = site_files(store.measurements())["index.html"]
    own = convolution_store(2).measurements()

    assert "measured last, stands at ×1" in page
    assert 'data-csv="environments-arm-box"' in page
    views = build_views(own, build_series(own))
    assert views.machines is not None
    assert views.machines.environments == ()
