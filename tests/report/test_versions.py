"""BLAS versions as an axis, and the names of single points."""

import itertools
import json
import random
import shlex
from typing import Any
from urllib.parse import unquote

import pytest
from history_lines import read_line
from sample_store import (
    BUILDS,
    VERSIONS,
    Store,
    convolution_store,
    foreign_store,
    row,
    trusted_store,
    versions_store,
)
from test_site import HOSTILE, hostile_store

from convbench.report.data_files import data_files
from convbench.report.history import build_history
from convbench.report.points import command, run_name
from convbench.report.series import build_series
from convbench.report.versions import families, natural, version_order
from convbench.results.points import point_of

CELL = {"strategy": "a", "problem": "p", "dtype": "f"}


def site_data(store: Store) -> dict[str, Any]:
    """Read what the scripts read."""
    measurements = store.measurements()
    files = data_files(measurements, build_series(measurements), (), ())
    return {
        path.removeprefix("data/").removesuffix(".js"): json.loads(text[text.index(",") + 1 : -3])
        for path, text in files.items()
    }


def names_in(data: dict[str, Any]) -> set[str]:
    """Put the names of all points together as the page does."""
    names = set()
    meta = data["meta"]
    for _, file, at, *_ in meta["series"]:
        for line in map(read_line, data[f"h/{file}"][at]["lines"]):
            for number, x in zip(line["runs"], line["x"], strict=True):
                run = meta["runs"][number][0]
                commit = meta["commits"][x][0][:8]
                names.add(run + line["ofRun"] if run else commit.join(line["ofCommit"]))
    return names


@pytest.mark.parametrize(
    "store", [convolution_store, trusted_store, versions_store, foreign_store, hostile_store]
)
def test_the_page_names_every_point_as_reproduce_reads_it(store: Any) -> None:
    made = store()

    assert names_in(site_data(made)) == {
        str(point_of(one)) for one in made.frame("values").to_dict("records")
    }


def test_values_without_a_run_are_named_by_their_commit() -> None:
    store = foreign_store(2)
    for made in store.rows:
        made["run"] = ""

    names = names_in(site_data(store))

    assert names == {str(point_of(one)) for one in store.rows}
    assert all(name.startswith("convbench/") for name in names)


def test_runs_of_a_history_that_skips_commits_are_listed() -> None:
    store = convolution_store(4)
    store.rows = [
        made for made in store.rows if made["run"] != "run-1" or made["strategy"] != "im2col"
    ]

    data = site_data(store)

    lines = [
        line for name in data if name[:2] == "h/" for one in data[name] for line in one["lines"]
    ]
    assert {str(read_line(line)["runs"]) for line in lines} == {"[0, 1, 2, 3]", "[0, 2, 3]"}
    assert names_in(data) == {str(point_of(one)) for one in store.rows}


@pytest.mark.parametrize("name", [*HOSTILE, "$(rm -rf ~)", "`id`", 'a"b', "a\\b", "hey!", "it's"])
def test_a_command_survives_the_shell(name: str) -> None:
    point = f"run/mkl/1/run.time_run({name!r}, 'question')"

    assert shlex.split(command(point)) == ["convbench", "reproduce", point]


def test_a_point_that_begins_like_an_option_is_none():
    assert shlex.split(command("-x/mkl/1/a()")) == ["convbench", "reproduce", "--", "-x/mkl/1/a()"]


def test_a_usual_command_is_read_as_it_is() -> None:
    point = "run-1/mkl/1/run.Float32.time_run('im2col', 'question', 'float32')"

    assert command(point) == f'convbench reproduce "{point}"'


def test_a_run_is_written_as_in_its_points() -> None:
    assert unquote(run_name("ci 20260105/x")) == "ci 20260105/x"
    assert "/" not in run_name("ci 20260105/x")
    assert run_name("") == ""


def test_the_history_starts_with_the_newest_point_of_its_first_line() -> None:
    measurements = trusted_store().measurements()
    series = build_series(measurements)

    history = build_history(measurements, series, ())

    assert history is not None
    assert history.point is not None
    assert history.point.run == "run-3"
    (point,) = shlex.split(history.point.command)[2:]
    assert point in {str(point_of(one)) for one in trusted_store().rows}
    assert point.startswith("run-3/openblas/1/")


def test_no_value_no_point() -> None:
    measurements = Store(rows=[row(0, None, params=CELL, status="failed")]).measurements()

    history = build_history(measurements, build_series(measurements), ())

    assert history is not None
    assert history.point is None


def test_numbers_in_versions_are_numbers() -> None:
    versions = ["OpenBLAS 0.3.9", "OpenBLAS 0.3.30", "OpenBLAS 0.3.31", "OpenBLAS 0.10.0"]

    for shuffled in itertools.permutations(versions):
        assert sorted(shuffled, key=natural) == versions


def test_versions_stand_in_order_within_their_family_openblas_first() -> None:
    store = versions_store()
    random.Random(0).shuffle(store.rows)

    assert version_order(store.measurements()) == [*VERSIONS["openblas"], *VERSIONS["mkl"]]


def test_versions_of_one_build_are_one_family() -> None:
    found = families(versions_store().measurements())

    assert sorted(found.values()) == ["mkl"] * 2 + ["openblas"] * 3


def test_thread_counts_are_families_of_their_own() -> None:
    store = versions_store()
    store.rows += [
        made | {"threads": "4", "environment": f"{made['environment']}-4"} for made in store.rows
    ]

    found = set(families(store.measurements()).values())

    assert found == {
        "openblas · 1 thread", "openblas · 4 threads", "mkl · 1 thread", "mkl · 4 threads",
    }  # fmt: skip


def test_what_has_no_known_version_has_no_family() -> None:
    assert set(families(foreign_store().measurements()).values()) == {""}
    assert version_order(foreign_store().measurements()) == []
    assert version_order(convolution_store(1).measurements()) == list(BUILDS.values())
