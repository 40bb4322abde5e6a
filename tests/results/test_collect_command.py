"""`convbench collect` as the command line calls it."""

import argparse
import json
from pathlib import Path

import pytest
from asv_tree import result_file, row, write_source

from convbench.commands import collect as command
from convbench.errors import BadResults


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
