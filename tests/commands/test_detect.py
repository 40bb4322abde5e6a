import argparse
import json
import math
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from convbench.commands import detect
from convbench.errors import BadResults, BadUsage
from convbench.results import collect, load, load_table, write_table
from convbench.results.points import find, parse
from convbench.results.schema import DETECTED, SCHEMAS
from convbench.stats import MIN_COMMITS

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

    exit_code = detect.run(parser.parse_args([*options, "--", str(store)]), lines.append)

    assert exit_code == 0
    return lines


def steady(count: int, level: float = 1e-3) -> list[float]:
    return list(level * np.exp(0.01 * np.random.default_rng(5).standard_normal(count)))


def with_step(ratio: float, at: int = 6, count: int = 14) -> list[list[float]]:
    """Histories of two strategies, of which the first one moves."""
    moving = steady(count)
    moving[at:] = [value * ratio for value in moving[at:]]
    return [list(pair) for pair in zip(moving, steady(count), strict=True)]


def test_a_step_becomes_one_change_and_one_event_at_its_first_commit(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(2.0))

    lines = detect_in(store)

    (change,) = load_table(store, "changes").to_dict("records")
    (event,) = load_table(store, "events").to_dict("records")
    for one in (change, event):
        assert (one["commit"], one["previous_commit"]) == (commit(6), commit(5))
        assert one["position"] == 6
        assert one["kind"] == "regression"
        assert one["ratio"] == pytest.approx(2.0, rel=0.03)
        assert one["ratio_low"] < one["ratio"] < one["ratio_high"]
        assert one["params"] == "strategy=im2col, problem=question"
        assert (one["strategy"], one["problem"]) == ("im2col", "question")
        assert (one["blas"], one["threads"], one["unit"]) == ("mkl", "1", "seconds")
        assert one["recovered"] is False
    assert change["points"] == 14
    assert change["event"] == event["event"]
    assert (event["changes"], event["machines"], event["builds"]) == (1, 1, 1)
    assert event["cause"] == "undecided"  # there is one machine and one build
    assert lines[0] == f"2 histories, 2 with the {MIN_COMMITS} commits that a verdict needs"
    assert lines[1] == "1 change of 1 event found: 1 regression, 0 improvements"
    assert lines[2].split()[:2] == [event["event"], "regression"]
    assert lines[2].endswith("im2col  1 history, 1 machine, 1 build")


def test_a_commit_has_its_place_in_its_own_project(tmp_path: Path) -> None:
    """Two projects of one repository: the second began to measure later."""
    for project, begins in (("first", 0), ("second", 8)):
        results = write_results(tmp_path / project, with_step(2.0), "seconds", "1" * 14)
        for number in range(begins):
            (results / "m" / f"{commit(number)[:8]}-py.json").unlink()
        collect([results], tmp_path / "store", project=project, say=lambda _: None)

    detect_in(tmp_path / "store")

    (change,) = load_table(tmp_path / "store", "changes").to_dict("records")
    assert (change["project"], change["commit"], change["position"]) == ("first", commit(6), 6)
    assert change["points"] == 14


@pytest.mark.parametrize(
    ("unit", "kind"),
    [("seconds", "improvement"), ("bytes", "improvement"), ("GFLOP/s", "regression")],
)
def test_less_is_better_unless_the_unit_is_a_rate(tmp_path: Path, unit: str, kind: str) -> None:
    store = make_store(tmp_path, with_step(0.5), unit)

    detect_in(store)

    assert load_table(store, "changes")["kind"].tolist() == [kind]
    assert load_table(store, "events")["kind"].tolist() == [kind]


def test_with_too_few_commits_there_is_no_verdict(tmp_path: Path) -> None:
    store = make_store(tmp_path, [[1.0, 1.0], [1.0, FAILED], [50.0, 50.0]])

    lines = detect_in(store)

    assert lines == [
        f"2 histories, 0 with the {MIN_COMMITS} commits that a verdict needs",
        f"3 of {MIN_COMMITS} commits: no verdict yet",
    ]
    assert load_table(store, "events").empty


def test_failed_and_skipped_commits_are_no_values(tmp_path: Path) -> None:
    points = with_step(2.0)
    points[5], points[6] = [FAILED, 1e-3], [SKIPPED, 1e-3]
    store = make_store(tmp_path, points)

    detect_in(store)

    (change,) = load_table(store, "changes").to_dict("records")
    assert (change["previous_commit"], change["commit"]) == (commit(4), commit(7))
    assert (change["points"], change["position"]) == (12, 7)
    # Of the two commits without a value either may be the first bad one.
    assert change["range_first_position"] <= 5
    assert change["range_last_position"] >= 7


def test_a_cell_that_was_always_skipped_is_no_history(tmp_path: Path) -> None:
    store = make_store(tmp_path, [[value, SKIPPED] for value in steady(8)])

    assert detect_in(store)[0].startswith("1 history, 1 with")


def test_changes_below_the_least_ratio_are_left_out_in_both_directions(tmp_path: Path) -> None:
    up = make_store(tmp_path / "up", with_step(1.5))
    down = make_store(tmp_path / "down", with_step(1 / 1.5))

    kept = [detect_in(store, "--min-ratio", "1.4")[1] for store in (up, down)]
    detect_in(up, "--min-ratio", "1.6")
    detect_in(down, "--min-ratio", "1.6")

    assert [line.split(" found")[0] for line in kept] == ["1 change of 1 event"] * 2
    for store in (up, down):
        assert load_table(store, "events").empty
        assert load_table(store, "changes").empty


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
    assert document["changes"] == 1


def test_a_step_from_zero_is_valid_json(tmp_path: Path) -> None:
    store = make_store(tmp_path, [[0.0 if number < 6 else 5.0, 1.0] for number in range(14)])

    (line,) = detect_in(store, "--json")

    (event,) = json.loads(line)["events"]
    assert (event["before"], event["after"], event["ratio"]) == (0.0, 5.0, None)


def test_detecting_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(2.0))

    def once() -> tuple[list[str], bytes, bytes]:
        lines = detect_in(store)
        return lines, *((store / f"{name}.parquet").read_bytes() for name in DETECTED)

    assert once() == once()


def test_versions_of_a_benchmark_are_never_compared(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(2.0), versions="1" * 6 + "2" * 8)

    lines = detect_in(store)

    assert lines[0].startswith("4 histories, 4 with")
    assert load_table(store, "events").empty


def test_a_store_without_rows_has_no_histories(tmp_path: Path) -> None:
    store = make_store(tmp_path, [])

    lines = detect_in(store)

    assert lines == [
        f"0 histories, 0 with the {MIN_COMMITS} commits that a verdict needs",
        f"0 of {MIN_COMMITS} commits: no verdict yet",
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


def test_the_commands_of_an_event_name_its_store_and_a_value_that_is_there(tmp_path: Path) -> None:
    store = make_store(tmp_path / "with space", with_step(2.0))
    detect_in(store)

    (event,) = load_table(store, "events").to_dict("records")
    program, verb, point, option, given = shlex.split(event["reproduce"])

    assert (program, verb, option, given) == ("convbench", "reproduce", "--store", str(store))
    row = find(load(store), parse(point))
    assert (row["commit"], row["params"]["strategy"]) == (commit(6), "im2col")
    assert shlex.split(event["bisect"]) == [
        *("convbench", "bisect", event["event"]), *("--store", str(store)),
    ]  # fmt: skip


def test_a_store_that_looks_like_an_option_stays_a_folder_in_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_store(tmp_path, with_step(2.0)).rename(tmp_path / "-all")
    monkeypatch.chdir(tmp_path)

    detect_in(Path("-all"))

    (event,) = load_table("-all", "events").to_dict("records")
    for command in (event["reproduce"], event["bisect"]):
        assert shlex.split(command)[-2:] == ["--store", "./-all"]


def test_a_benchmark_that_starts_failing_is_an_event_without_numbers(tmp_path: Path) -> None:
    fails = [FAILED if number >= 10 else 1.0 for number in range(14)]
    store = make_store(tmp_path, [list(pair) for pair in zip(fails, steady(14), strict=True)])

    lines = detect_in(store)
    (line,) = detect_in(store, "--json")

    (event,) = json.loads(line)["events"]
    assert (event["kind"], event["commit"]) == ("starts failing", commit(10))
    assert (event["ratio"], event["before"], event["p_value"]) == (None, None, 0.0)
    assert event["reproduce"] == ""  # there is no value to compare with
    assert lines[1].endswith(": 0 regressions, 0 improvements, 1 starting to fail")


def test_a_skipped_commit_is_no_failure(tmp_path: Path) -> None:
    skips = [SKIPPED if number >= 10 else 1.0 for number in range(14)]
    store = make_store(tmp_path, [list(pair) for pair in zip(skips, steady(14), strict=True)])

    detect_in(store)

    assert load_table(store, "events").empty


def test_a_step_that_all_cells_share_is_one_event(tmp_path: Path) -> None:
    moving = [value * (1 if number < 7 else 1.5) for number, value in enumerate(steady(14))]
    store = make_store(tmp_path, [[value, value * 1.001] for value in moving])

    detect_in(store)

    changes = load_table(store, "changes")
    assert len(changes) == 2
    (event,) = load_table(store, "events").to_dict("records")
    assert set(changes["event"]) == {event["event"]}
    assert event["changes"] == 2


def write_triage(folder: Path, event: str, state: str, **said: str) -> Path:
    entry = {"id": event, "state": state, "reason": "as planned", **said}
    lines = ["[[event]]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())]
    path = folder / "triage.toml"
    path.write_text("\n".join(lines))
    return path


def only_event(store: Path) -> str:
    (event,) = load_table(store, "events")["event"]
    return str(event)


@pytest.mark.parametrize(
    ("state", "listed"), [("acknowledged", 1), ("expected", 0), ("ignored", 0)]
)
def test_what_was_decided_is_stored_and_what_is_no_concern_is_counted_only(
    tmp_path: Path, state: str, listed: int
) -> None:
    store = make_store(tmp_path, with_step(2.0))
    detect_in(store)
    name = only_event(store)
    triage = write_triage(tmp_path, name, state)

    lines = detect_in(store, "--triage", str(triage))
    every = detect_in(store, "--triage", str(triage), "--all")

    (event,) = load_table(store, "events").to_dict("records")
    assert (event["triage"], event["triage_reason"]) == (state, "as planned")
    assert sum(name in line for line in lines) == listed
    assert sum(name in line for line in every) == 1
    assert any("1 event expected or ignored" in line for line in lines) == (not listed)


def test_the_triage_file_of_the_folder_is_read_without_being_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path, with_step(2.0))
    detect_in(store)
    write_triage(tmp_path, only_event(store), "expected")
    monkeypatch.chdir(tmp_path)

    detect_in(store)

    assert load_table(store, "events")["triage"].tolist() == ["expected"]


def test_an_entry_for_no_event_is_a_note_not_an_error(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(2.0))
    triage = write_triage(tmp_path, "0123456789", "ignored")

    lines = detect_in(store, "--triage", str(triage))

    assert any(line.startswith("note: event 0123456789 is not among") for line in lines)


@pytest.mark.parametrize("q", ["0", "1", "nan", "-0.5"])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, q: str) -> None:
    with pytest.raises(BadUsage, match="--q must lie between 0 and 1; got"):
        detect_in(tmp_path, f"--q={q}")


def test_a_store_that_an_older_convbench_searched_is_searched_again(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(2.0))
    old = {"project": ["p"], "commit": [commit(6)], "before": [1.0], "after": [2.0]}
    pq.write_table(pa.table(old), store / "events.parquet")

    detect_in(store)

    assert load_table(store, "events")["commit"].tolist() == [commit(6)]
    assert len(load_table(store, "changes")) == 1


def test_a_stricter_rate_keeps_fewer_changes(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(1.1))
    detect_in(store)
    (p_value,) = load_table(store, "changes")["p_adjusted"]

    detect_in(store, "--q", str(p_value * 1.01))
    kept = len(load_table(store, "changes"))
    detect_in(store, "--q", str(p_value * 0.99))

    assert (kept, len(load_table(store, "changes"))) == (1, 0)


def test_what_differs_between_the_two_points_is_told(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(2.0))
    environments = load_table(store, "environments")
    newer = environments["commit"].isin({commit(number) for number in range(6, 14)})
    environments["packages"] = [{"numpy": "2.2.0" if new else "2.1.0"} for new in newer]
    write_table(store, "environments", environments)

    detect_in(store)

    (change,) = load_table(store, "changes").to_dict("records")
    assert change["packages_changed"] == "numpy 2.1.0 → 2.2.0"
    assert "numpy 2.1.0 → 2.2.0" in load_table(store, "events")["evidence"].iloc[0]


def test_what_two_machines_show_at_one_commit_is_the_code_s(tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", with_step(1.5), "seconds", "1" * 14)
    shutil.copytree(results / "m", results / "n")
    for path in (results / "n").glob("*.json"):
        path.write_text(path.read_text().replace('"machine": "m"', '"machine": "n"'))
    collect([results], tmp_path / "store", say=lambda _: None)

    detect_in(tmp_path / "store")

    (event,) = load_table(tmp_path / "store", "events").to_dict("records")
    assert (event["cause"], event["changes"], event["machines"]) == ("code", 2, 2)
    assert "both machines" in event["evidence"]


def test_what_most_of_one_machine_shows_and_another_does_not_is_the_machine_s(
    tmp_path: Path,
) -> None:
    calm, moved = steady(14), steady(14)
    moved[6:] = [1.5 * value for value in moved[6:]]
    results = tmp_path / "results"
    write_results(results, [[value, value] for value in moved], "seconds", "1" * 14)
    (results / "m").rename(results / "n")
    for path in (results / "n").glob("*.json"):
        path.write_text(path.read_text().replace('"machine": "m"', '"machine": "n"'))
    write_results(results, [[value, value] for value in calm], "seconds", "1" * 14)
    collect([results], tmp_path / "store", say=lambda _: None)

    detect_in(tmp_path / "store")

    (event,) = load_table(tmp_path / "store", "events").to_dict("records")
    assert (event["cause"], event["machine"], event["changes"]) == ("machine", "n", 2)


def test_what_one_build_shows_and_another_of_the_machine_does_not_is_the_blas_s(
    tmp_path: Path,
) -> None:
    results = write_results(tmp_path / "results", with_step(1.5), "seconds", "1" * 14)
    for path in sorted((results / "m").glob("*-py.json")):
        data = json.loads(path.read_text())
        _, calm = data["results"]["run.time_run"][0]
        data |= {"env_name": "other", "env_vars": {"CONVBENCH_BLAS": "openblas"}}
        data["results"]["run.time_run"][0] = [calm, calm]
        path.with_name(path.name.replace("-py", "-other")).write_text(json.dumps(data))
    collect([results], tmp_path / "store", say=lambda _: None)

    detect_in(tmp_path / "store")

    (event,) = load_table(tmp_path / "store", "events").to_dict("records")
    assert (event["cause"], event["blas"], event["changes"]) == ("BLAS", "mkl", 1)
    assert "openblas measured the same there without the change" in event["evidence"]


def test_a_disturbed_run_is_blamed_for_what_it_measured(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(1.5))
    (project,) = set(load(store)["project"])
    reason = "other processes used 0.9 CPUs"
    run = {"project": project, "machine": "m", "run": "", "disturbed": reason}
    nothing = dict.fromkeys(SCHEMAS["runs"].names) | {"dropped_variables": {}}
    write_table(store, "runs", pd.DataFrame([nothing | run]))

    detect_in(store)

    (change,) = load_table(store, "changes").to_dict("records")
    (event,) = load_table(store, "events").to_dict("records")
    assert change["disturbed"] == reason
    assert event["cause"] == "measurement"
    assert reason in event["evidence"]


def test_a_level_that_comes_back_is_recovered(tmp_path: Path) -> None:
    levels = [1.0] * 10 + [1.5] * 12 + [1.0] * 10
    moving = [level * value for level, value in zip(levels, steady(32), strict=True)]
    store = make_store(tmp_path, [list(pair) for pair in zip(moving, steady(32), strict=True)])

    detect_in(store)

    changes = load_table(store, "changes").sort_values("position")
    assert changes["kind"].tolist() == ["regression", "improvement"]
    assert changes["recovered"].tolist() == [True, False]


def test_no_name_acts_on_a_terminal_or_fills_it(tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", with_step(2.0), "seconds", "1" * 14)
    name = "\x1b[2J\n\N{RIGHT-TO-LEFT OVERRIDE}" + "x" * 1000
    for path in [results / "benchmarks.json", *(results / "m").glob("*-py.json")]:
        path.write_text(path.read_text().replace("'im2col'", json.dumps(repr(name))[1:-1]))
    collect([results], tmp_path / "store", say=lambda _: None)

    lines = detect_in(tmp_path / "store")

    assert load_table(tmp_path / "store", "events")["strategy"].tolist() == [name]
    assert all(line.isprintable() and len(line) < 250 for line in lines)


def test_events_of_several_projects_name_theirs(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("old", "new")]
    for folder in folders:
        write_results(folder, with_step(2.0), "seconds", "1" * 14)
    collect(folders, tmp_path / "store", say=lambda _: None)

    lines = detect_in(tmp_path / "store")

    assert sorted(line.split("  ")[-2].strip() for line in lines[2:]) == [
        "new: im2col", "old: im2col",
    ]  # fmt: skip
