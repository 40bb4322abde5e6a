"""What the view History loads: tags, dates, sizes, samples; and the picture of many commits."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from asv_tree import result_file, write_source
from asv_tree import row as asv_row
from sample_store import MACHINE, START, Store, commit_name, convolution_store, row

from convbench.report.data_files import data_files
from convbench.report.figures import history_picture
from convbench.report.history import MOST_ROWS, build_history
from convbench.report.links import parameter_key
from convbench.report.measurements import Commit, Measurements, prepare, read_measurements
from convbench.report.sample_files import MOST_SAMPLES, STEP
from convbench.report.samples import NEWEST_COMMITS, read_samples
from convbench.report.series import Change, Line, Point, build_series, columns_of
from convbench.report.tags import find_tags
from convbench.report.thinning import thinned
from convbench.results import collect

PARAMS = {"strategy": "im2col", "problem": "question", "dtype": "float32"}


def files_of(measurements: Measurements) -> dict[str, Any]:
    """Give the data of the files, by their name without folder and ending."""
    made = data_files(measurements, build_series(measurements), (), ())
    return {
        path.removeprefix("data/").removesuffix(".js"): json.loads(text[text.index(",") + 1 : -3])
        for path, text in made.items()
    }


def one_series(commits: int, **extra: Any) -> Store:
    store = Store()
    store.rows = [row(at, 1e-3 * (1 + at % 7), params=PARAMS) | extra for at in range(commits)]
    store.tables["commits"] = [
        {
            "project": "convbench",
            "commit": commit_name(at),
            "position": at,
            "commit_date": START + pd.Timedelta(hours=at),
            "parents": [],
            "subject": f"Change number {at}",
            "author": "",
            "tags": [],
            "branches": [],
        }
        for at in range(commits)
    ]
    return store


def tagged(measured: list[int], tags: dict[int, list[str]]) -> list[tuple[int, str, bool]]:
    """Find the tags of a repository of ten commits, some of which were measured."""
    store = one_series(10)
    store.rows = [made for at, made in enumerate(store.rows) if at in measured]
    for at, names in tags.items():
        store.tables["commits"][at]["tags"] = names
    return find_tags(store.measurements())


def test_a_tag_stands_at_its_commit_else_at_the_first_measured_after_it() -> None:
    found = tagged([2, 5, 8], {2: ["v1"], 3: ["v2", "v2.0.1"], 8: ["v3"]})

    assert found == [(0, "v1", True), (1, "v2", False), (1, "v2.0.1", False), (2, "v3", True)]


def test_tags_older_or_newer_than_all_measured_commits_are_left_out() -> None:
    assert tagged([2, 5], {0: ["old"], 9: ["new"], 5: ["within"]}) == [(1, "within", True)]


def test_a_repository_without_commits_has_no_tags() -> None:
    store = one_series(3)
    store.tables["commits"] = []

    assert find_tags(store.measurements()) == []


def test_dates_are_minutes_since_the_commit_before() -> None:
    store = one_series(3)
    for at, made in enumerate(store.rows):
        made["commit_date"] = START + pd.Timedelta(minutes=(0, 61, 50)[at])

    files = files_of(store.measurements())

    assert files["meta"]["dated"] is True
    assert files["times"] == [int(START.timestamp() // 60), 61, -11]


def test_without_the_date_of_one_commit_there_are_no_dates() -> None:
    store = one_series(3)
    store.rows[1]["commit_date"] = pd.NaT

    files = files_of(store.measurements())

    assert files["meta"]["dated"] is False
    assert "times" not in files


def test_sizes_tell_the_fastest_before_their_values_are_loaded() -> None:
    measurements = convolution_store(2).measurements()
    sizes = files_of(measurements)["sizes"]
    series = build_series(measurements)

    newest = [one.lines[0].measured[-1][1] if one.lines[0].measured else None for one in series]

    known = [(value, size) for value, size in zip(newest, sizes, strict=True) if value]
    assert len(known) > 20
    for value, size in known:
        assert 10 ** (size / 100) == pytest.approx(value, rel=0.012)


def test_operations_of_the_problems_are_known_for_rates() -> None:
    rates = files_of(convolution_store(1).measurements())["meta"]["rates"]

    assert rates["measure"] == "time_run"
    assert ["question", 2 * 10 * 16 * 16 * 3 * 2 * 2] in rates["flops"]


def with_samples(store: Store, samples: dict[int, list[float]]) -> Measurements:
    """Give some commits of a store of one series their samples."""
    kept = {
        (
            MACHINE,
            "virtualenv-py3.12-openblas",
            f"run-{at}",
            commit_name(at),
            "run.Float32.time_run",
            tuple(PARAMS.items()),
        ): found
        for at, found in samples.items()
    }
    made = store.measurements()
    return prepare("convbench", made.newest, made.tables["commits"], made.tables, samples=kept)


def test_samples_are_steps_from_their_value_in_order() -> None:
    measurements = with_samples(one_series(4), {2: [3.03e-3, 3e-3, 2.97e-3], 3: [4e-3]})

    files = files_of(measurements)

    assert files["h/0"][0]["lines"][0]["samples"] == 2
    assert files["s/0"] == [[[[2, 3, [-100, 0, 100]], [3, 1, [0]]]]]
    assert files["meta"]["sampleStep"] == STEP


def test_points_with_samples_between_others_are_listed() -> None:
    files = files_of(with_samples(one_series(4), {1: [2e-3]}))

    assert files["h/0"][0]["lines"][0]["samples"] == [1]


def test_of_very_many_samples_some_are_written_with_both_ends() -> None:
    many = [1e-3 * (1 + at / 1000) for at in range(1000)]

    [[at, count, steps]] = files_of(with_samples(one_series(1), {0: many}))["s/0"][0][0]

    assert (at, count, len(steps)) == (0, 1000, MOST_SAMPLES)
    assert (steps[0], steps[-1]) == (0, 9990)
    assert steps == sorted(steps)


def test_without_samples_nothing_is_written_of_them() -> None:
    files = files_of(one_series(2).measurements())

    assert not [name for name in files if name.startswith("s/")]
    assert "samples" not in files["h/0"][0]["lines"][0]


def test_samples_of_the_newest_commits_alone_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}

    def load(store: Path, **query: Any) -> pd.DataFrame:
        asked.update(query, store=store)
        made = {name: ["x"] for name in ("machine", "environment", "run", "commit", "benchmark")}
        return pd.DataFrame({**made, "params": [PARAMS], "samples": [[1.0, 2.0]]})

    monkeypatch.setattr("convbench.report.samples.load", load)
    dates = pd.Series([START + pd.Timedelta(days=at) for at in range(30)] * 2)

    found = read_samples(tmp_path, "mine", dates)

    assert asked["project"] == "mine"
    assert asked["since"] == START + pd.Timedelta(days=30 - NEWEST_COMMITS)
    assert found == {("x", "x", "x", "x", "x", tuple(PARAMS.items())): [1.0, 2.0]}


def test_samples_of_an_asv_file_reach_the_site(tmp_path: Path) -> None:
    text = result_file({"bench.time_it": asv_row([2.0], samples=[[2.2, 1.8, 2.0]])})
    collect(
        write_source(tmp_path / "p", {"m/a.json": text}), tmp_path / "store", say=lambda _: None
    )

    files = files_of(read_measurements(tmp_path / "store", project=None))

    assert files["s/0"] == [[[[0, 3, [-1000, 0, 1000]]]]]


def long_line(count: int, changes: tuple[Change, ...] = ()) -> Line:
    values = [1 + (at % 10) / 100 + (5 if at == 777 else 0) for at in range(count)]
    points = [Point(at, value, None, None, "ok", "env", "r") for at, value in enumerate(values)]
    points[500] = Point(500, None, None, None, "failed", "env", "r")
    return Line("m", "openblas", "", columns_of(points), changes, count)


def test_thinning_keeps_ends_of_buckets_changes_and_failures() -> None:
    line = long_line(2000, (Change(1234, 1.0, 1.1, 1.1, "regression"),))

    kept = {point.position for point in thinned(line, 300).points}

    assert len(kept) <= 300 + 3
    assert {500, 777, 1233, 1234} <= kept
    assert max(point.value or 0 for point in thinned(line, 300).points) == pytest.approx(6.07)


def test_a_line_that_fits_is_not_thinned() -> None:
    line = long_line(1000)

    assert thinned(line, 1000) is line


def test_a_picture_of_very_many_commits_is_small() -> None:
    commits = [Commit(n, f"{n:040x}", "2026-01-01", "") for n in range(5000)]
    picture = history_picture("t", [("openblas", long_line(5000))], "seconds", commits)

    assert len(picture.curves[0].path) < 6000


def test_the_document_holds_the_newest_rows_and_counts_the_others() -> None:
    measurements = one_series(MOST_ROWS + 5).measurements()

    history = build_history(measurements, build_series(measurements), ())

    assert history is not None
    assert (len(history.rows), history.more_rows) == (MOST_ROWS, 5)
    assert history.rows[0].commit == commit_name(MOST_ROWS + 4)[:8]


@pytest.mark.parametrize("name", ["by", "values", "from", "to", "hidden", "line2", "blas"])
def test_a_parameter_never_takes_a_key_of_the_view(name: str) -> None:
    assert parameter_key(name) == f"param.{name}"
