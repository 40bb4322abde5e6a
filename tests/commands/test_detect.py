import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from convbench.commands import detect
from convbench.errors import BadResults, BadUsage
from convbench.results import collect, load, load_table

FAILED, SKIPPED = None, float("nan")  # as asv writes them
PARAMS = [["'im2col'", "'fft'"], ["'question'"]]
DAY = 86_400_000
Cells = Sequence[float | None]


def commit(number: int) -> str:
    # Dates give the order; names that sort otherwise prove it.
    return f"{999 - number:03d}".ljust(40, "e")


def write_results(folder: Path, points: Sequence[Cells], unit: str, versions: str) -> Path:
    """Write an asv results directory: one commit per point, its cells in the order of PARAMS."""
    (folder / "m").mkdir(parents=True, exist_ok=True)
    benchmark = {"name": "run.time_run", "param_names": ["strategy", "problem"], "unit": unit}
    benchmark |= {"params": PARAMS, "type": "time", "version": "1", "code": ""}
    (folder / "benchmarks.json").write_text(json.dumps({"run.time_run": benchmark, "version": 2}))
    (folder / "m" / "machine.json").write_text(json.dumps({"machine": "m", "version": 1}))
    for number, (cells, version) in enumerate(zip(points, versions, strict=True)):
        result = {
            "commit_hash": commit(number),
            "env_name": "py",
            "date": 1_690_000_000_000 + number * DAY,
            "params": {"machine": "m"},
            "python": "3.12",
            "requirements": {},
            "env_vars": {"CONVBENCH_BLAS": "mkl", "CONVBENCH_THREADS": "1"},
            "result_columns": ["result", "params", "version", "started_at", "duration"],
            "results": {"run.time_run": [list(cells), PARAMS, version, 1_700_000_000_000, 1.0]},
            "durations": {},
            "version": 2,
        }
        path = folder / "m" / f"{commit(number)[:8]}-py.json"
        path.write_text(json.dumps(result))
    return folder


def make_store(
    tmp_path: Path, points: Sequence[Cells], unit: str = "seconds", versions: str = ""
) -> Path:
    """Collect a store; `versions` holds one digit per point, the benchmark's version."""
    versions = versions or "1" * len(points)
    results = write_results(tmp_path / "results", points, unit, versions)
    collect([results], tmp_path / "store", say=lambda _: None)
    return tmp_path / "store"


def detect_in(store: Path, *options: str) -> list[str]:
    parser = argparse.ArgumentParser()
    detect.add_arguments(parser)
    lines: list[str] = []

    exit_code = detect.run(parser.parse_args([str(store), *options]), lines.append)

    assert exit_code == 0
    return lines


def steady(count: int, level: float = 1e-3) -> list[float]:
    return list(level * np.exp(0.01 * np.random.default_rng(5).standard_normal(count)))


def with_step(ratio: float, at: int = 6, count: int = 14) -> list[list[float]]:
    """Histories of two strategies, of which the first one moves."""
    moving = steady(count)
    moving[at:] = [value * ratio for value in moving[at:]]
    return [list(pair) for pair in zip(moving, steady(count), strict=True)]


def test_a_step_becomes_one_event_at_its_first_commit(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(2.0))

    lines = detect_in(store)

    (event,) = load_table(store, "events").to_dict("records")
    assert event["commit"] == commit(6)
    assert event["previous_commit"] == commit(5)
    assert event["position"] == 6
    assert event["points"] == 14
    assert event["kind"] == "regression"
    assert event["ratio"] == pytest.approx(2.0, rel=0.03)
    assert event["params"] == "strategy=im2col, problem=question"
    assert (event["strategy"], event["problem"]) == ("im2col", "question")
    assert (event["blas"], event["threads"], event["unit"]) == ("mkl", "1", "seconds")
    assert lines[0] == "2 histories, 2 with the 6 commits that a verdict needs"
    assert lines[1] == "1 change found: 1 regression, 0 improvements"
    assert "run.time_run(strategy=im2col, problem=question)" in lines[2]


@pytest.mark.parametrize(
    ("unit", "kind"),
    [("seconds", "improvement"), ("bytes", "improvement"), ("GFLOP/s", "regression")],
)
def test_less_is_better_unless_the_unit_is_a_rate(tmp_path: Path, unit: str, kind: str) -> None:
    store = make_store(tmp_path, with_step(0.5), unit)

    detect_in(store)

    assert load_table(store, "events")["kind"].tolist() == [kind]


def test_with_too_few_commits_there_is_no_verdict(tmp_path: Path) -> None:
    store = make_store(tmp_path, [[1.0, 1.0], [1.0, FAILED], [50.0, 50.0]])

    lines = detect_in(store)

    assert lines == [
        "2 histories, 0 with the 6 commits that a verdict needs",
        "3 of 6 commits: no verdict yet",
    ]
    assert load_table(store, "events").empty


def test_failed_and_skipped_commits_are_no_values(tmp_path: Path) -> None:
    points = with_step(2.0)
    points[5], points[6] = [FAILED, 1e-3], [SKIPPED, 1e-3]
    store = make_store(tmp_path, points)

    detect_in(store)

    (event,) = load_table(store, "events").to_dict("records")
    assert (event["previous_commit"], event["commit"]) == (commit(4), commit(7))
    assert (event["points"], event["position"]) == (12, 7)


def test_a_cell_that_was_always_skipped_is_no_history(tmp_path: Path) -> None:
    store = make_store(tmp_path, [[value, SKIPPED] for value in steady(8)])

    assert detect_in(store)[0].startswith("1 history, 1 with")


def test_changes_below_the_least_ratio_are_left_out_in_both_directions(tmp_path: Path) -> None:
    up = make_store(tmp_path / "up", with_step(1.5))
    down = make_store(tmp_path / "down", with_step(1 / 1.5))

    kept = [detect_in(store, "--min-ratio", "1.4")[1] for store in (up, down)]
    detect_in(up, "--min-ratio", "1.6")
    detect_in(down, "--min-ratio", "1.6")

    assert [line.split(" found")[0] for line in kept] == ["1 change", "1 change"]
    assert load_table(up, "events").empty
    assert load_table(down, "events").empty


@pytest.mark.parametrize("ratio", ["0.5", "nan", "-1"])
def test_a_least_ratio_below_one_is_refused(tmp_path: Path, ratio: str) -> None:
    with pytest.raises(BadUsage, match=f"--min-ratio must be at least 1; got {ratio}"):
        detect_in(tmp_path, f"--min-ratio={ratio}")


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadResults, match="is no convbench store"):
        detect_in(tmp_path)


def test_the_document_holds_the_counts_and_every_event(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(2.0))

    (line,) = detect_in(store, "--json")

    document = json.loads(line)
    assert (document["histories"], document["histories_with_enough_commits"]) == (2, 2)
    assert (document["regressions"], document["improvements"]) == (1, 0)
    assert [event["commit"] for event in document["events"]] == [commit(6)]


def test_a_step_from_zero_is_valid_json(tmp_path: Path) -> None:
    store = make_store(tmp_path, [[0.0 if number < 6 else 5.0, 1.0] for number in range(14)])

    (line,) = detect_in(store, "--json")

    (event,) = json.loads(line)["events"]
    assert (event["before"], event["after"], event["ratio"]) == (0.0, 5.0, None)


def test_detecting_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(2.0))

    first = (detect_in(store), (store / "events.parquet").read_bytes())
    second = (detect_in(store), (store / "events.parquet").read_bytes())

    assert first == second


def test_versions_of_a_benchmark_are_never_compared(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(2.0), versions="1" * 6 + "2" * 8)

    lines = detect_in(store)

    assert lines[0].startswith("4 histories, 4 with")
    assert load_table(store, "events").empty


def test_of_two_blas_identities_at_one_commit_the_newer_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path, with_step(2.0))
    measured = load(store)
    moved = measured["value"].where(measured["strategy"] != "im2col", 1e-3)
    again = measured.assign(
        blas_identity="another build",
        started_at=measured["started_at"] + pd.Timedelta(days=1),
        value=moved,
    )
    monkeypatch.setattr(detect, "load", lambda _: pd.concat([again, measured], ignore_index=True))

    lines = detect_in(store)

    assert lines[0].startswith("2 histories, 2 with")
    assert load_table(store, "events").empty


def test_a_store_without_rows_has_no_histories(tmp_path: Path) -> None:
    store = make_store(tmp_path, [])

    lines = detect_in(store)

    assert lines == [
        "0 histories, 0 with the 6 commits that a verdict needs",
        "0 of 6 commits: no verdict yet",
    ]
    assert load_table(store, "events").empty


@pytest.mark.parametrize(("before", "after"), [(-5.0, 10.0), (5.0, math.inf), (math.inf, 5.0)])
def test_values_that_no_ratio_describes_are_no_crash(
    tmp_path: Path, before: float, after: float
) -> None:
    store = make_store(tmp_path, [[before if n < 6 else after, 1.0] for n in range(14)])

    (line,) = detect_in(store, "--json")

    assert json.loads(line)["histories"] == 2
    assert detect_in(store)
