"""`convbench collect` as the command line calls it."""

import argparse
import json
from pathlib import Path

import pytest
from asv_tree import result_file, row, write_source

from convbench.commands import collect as command
from convbench.errors import BadResults, BadUsage
from convbench.results import load


@pytest.fixture
def results(tmp_path) -> Path:
    text = result_file({"a": row([1.0, None], [["1", "2"]])})
    return write_source(tmp_path / "p", {"m/a.json": text, "m/bad.json": "{"})


def run(*words: str | Path) -> tuple[int, list[str]]:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    said: list[str] = []
    return command.run(parser.parse_args([str(word) for word in words]), said.append), said


def test_it_names_the_damage_and_sums_up(results, tmp_path):
    exit_code, said = run(results, "--store", tmp_path / "store")

    assert exit_code == 0
    assert said[0].startswith(f"{results}/m/bad.json: skipped, no complete JSON")
    assert said[1:] == [
        "sources: 1 read, 0 unchanged; files: 1 read, 0 unchanged, 1 damaged; "
        "rows: 1 ok, 1 failed, 0 skipped"
    ]


def test_strict_ends_with_2_and_still_sums_up(results, tmp_path):
    exit_code, said = run(results, "--store", tmp_path / "store", "--strict")

    assert (exit_code, len(said)) == (2, 2)


def test_json_is_one_object(results, tmp_path):
    _, said = run(results, "--store", tmp_path / "store", "--json", "--project", "q")

    (line,) = said
    assert json.loads(line)["ok"] == 1
    assert len(json.loads(line)["damaged"]) == 1


def test_a_wrong_path_is_left_to_the_command_line(tmp_path):
    with pytest.raises(BadResults, match="does not exist"):
        run(tmp_path / "absent", "--store", tmp_path / "store")


@pytest.mark.parametrize("given", [True, False], ids=["given", "in this folder"])
def test_the_config_says_the_words(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    text = result_file({"a": row([1.0])}, env_vars={"SHAPE": "x"})
    results = write_source(tmp_path / "p", {"m/a.json": text})
    config = tmp_path / ("words.toml" if given else "convbench.toml")
    config.write_text('[environment]\nproblem = "SHAPE"\n')

    run(results, "--store", "store", *(["--config", config] if given else []))

    assert load("store")["problem"].tolist() == ["x"]


def test_a_config_that_is_not_there_is_refused_before_anything_is_written(results, tmp_path):
    with pytest.raises(BadUsage, match="there is no such file"):
        run(results, "--store", tmp_path / "store", "--config", tmp_path / "absent.toml")

    assert not (tmp_path / "store").exists()


def test_samples_to_keep_and_processes_are_handed_on(results, tmp_path):
    run(results, "--store", tmp_path / "store", "--keep-samples", "7", "--jobs", "1")

    manifest = json.loads((tmp_path / "store/manifest.json").read_text())
    assert manifest["keep_samples"] == 7


@pytest.mark.parametrize("option", ["--keep-samples", "--jobs"])
@pytest.mark.parametrize("count", ["0", "-1", "many", "1.5", "9" * 30])
def test_a_count_that_is_none_is_wrong_usage(results, tmp_path, capsys, option, count):
    with pytest.raises(SystemExit):
        run(results, "--store", tmp_path / "store", f"{option}={count}")

    assert f"expected a number from 1 on, got {count!r}" in capsys.readouterr().err


def test_a_refused_machine_is_one_line_and_strict_ends_with_2(tmp_path):
    text = {"m/a.json": result_file({"a": row([1.0])})}
    for name, cpu in (("one", "EPYC"), ("two", "Xeon")):
        write_source(tmp_path / "p" / name, text, machine={"cpu": cpu})
    words = [tmp_path / "p", "--store", tmp_path / "store", "--project", "p", "--strict"]

    exit_code, said = run(*words)
    again = run(*words)

    assert exit_code == again[0] == 2
    assert said[0] == again[1][0]
    assert "machine m is EPYC in the store but Xeon here; measure with --machine OTHER" in said[0]
    assert len(said) == 2


@pytest.mark.parametrize("option", ["--commit", "--commit-date", "--machine"])
def test_an_origin_without_a_file_of_another_tool_is_refused(results, tmp_path, option):
    with pytest.raises(BadUsage, match=r"--commit, --commit-date and --machine.*leave them out"):
        run(results, "--store", tmp_path / "store", option, "2026-03-01")

    assert not (tmp_path / "store").exists()


def test_an_origin_beside_a_file_of_another_tool_is_its(results, tmp_path):
    run_of_b = {"values": [1.0, 2.0, 3.0], "metadata": {"date": "2024-05-01 10:00:00"}}
    suite = {"version": "1.0", "metadata": {"name": "b", "unit": "second", "loops": 1}}
    (tmp_path / "b.json").write_text(json.dumps(suite | {"benchmarks": [{"runs": [run_of_b]}]}))

    origin = ("--commit", "f" * 40, "--commit-date", "2026-03-01T01:00+01:00", "--machine", "n")
    run(results, tmp_path / "b.json", "--store", tmp_path / "store", *origin)

    of_n = load(tmp_path / "store", machine="n")
    assert of_n["commit"].unique().tolist() == ["f" * 40]
    assert of_n["commit_date"].astype(str).unique().tolist() == ["2026-03-01 00:00:00+00:00"]


@pytest.mark.parametrize("date", ["", "yesterday", "0001-01-01T00:00+14:00"])
def test_a_date_that_is_none_is_wrong_usage(results, tmp_path, date):
    with pytest.raises(BadUsage, match="--commit-date: expected a date like 2026-03-01, got"):
        run(results, "--store", tmp_path / "store", "--commit-date", date)


def test_machines_are_chosen_one_option_each_also_before_the_results(tmp_path):
    text = result_file({"a": row([1.0])})
    results = write_source(tmp_path / "p", {f"{name}/a.json": text for name in "abc"})
    store = ("--store", tmp_path / "store")

    run(*store, "--only-machine", "a", "--only-machine", "c", results)

    assert set(load(tmp_path / "store")["machine"]) == {"a", "c"}
