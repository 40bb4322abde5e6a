"""`convbench inventory` for people and for programs."""

import argparse
import json
from pathlib import Path

import pytest
from asv_tree import result_file, row, write_source

from convbench.commands import inventory
from convbench.errors import BadUsage
from convbench.results import collect

DAY = 86_400_000


def store_of(tmp_path: Path, measured: dict[str, list[int]], environment: str = "py") -> Path:
    """A store in which each machine has a failing and a fine benchmark at some commits."""
    files = {
        f"{machine}/{number}.json": result_file(
            {"fine": row([1.0]), f"broken_{machine}": row([None])},
            commit_hash=f"{number:02d}".ljust(40, "c"),
            date=1_690_000_000_000 + number * DAY,
            env_name=environment,
        )
        for machine, numbers in measured.items()
        for number in numbers
    }
    collect(write_source(tmp_path / "proj", files), tmp_path / "store")
    return tmp_path / "store"


def run(*words: str | Path) -> list[str]:
    parser = argparse.ArgumentParser()
    inventory.add_arguments(parser)
    said: list[str] = []
    assert inventory.run(parser.parse_args(list(map(str, words))), said.append) == 0
    return said


def test_people_read_what_is_there_and_what_is_not(tmp_path):
    assert run(store_of(tmp_path, {"m": [*range(20)], "n": [0, 4, 7, 9, 11, 13]})) == [
        "proj: 20 commits known (positions 0 to 19), 20 measured in 2 places",
        "  m, py",
        "    measured:       20 of 20 commits, 2023-07-22 to 2023-08-10",
        "    newest:         19cccccc: 1 ok, 1 failed, 0 skipped",
        "    never measured: broken_n",
        "    failing:        broken_m",
        "  n, py",
        "    measured:       6 of 20 commits, 2023-07-22 to 2023-08-04",
        "    newest:         13cccccc: 1 ok, 1 failed, 0 skipped",
        "    missing:        14 commits: 01cccccc…03cccccc (3), 05cccccc…06cccccc (2), 08cccccc, "
        "10cccccc, 7 more",
        "    never measured: broken_m",
        "    failing:        broken_n",
    ]


def test_json_has_all_that_the_text_shortens(tmp_path):
    (line,) = run(store_of(tmp_path, {"m": [*range(20)], "n": [0, 4, 7, 9, 11, 13]}), "--json")

    (project,) = json.loads(line)["projects"]
    place = project["places"][1]
    assert (project["project"], project["known"], place["machine"]) == ("proj", 20, "n")
    assert len(place["commits"]) == 6
    assert sum(map(len, place["missing"])) == 14
    assert (place["first"], place["last"]) == ("2023-07-22", "2023-08-04")
    assert place["failing"] == ["broken_n"]


def test_names_of_results_have_no_power_over_the_terminal(tmp_path):
    store = store_of(tmp_path, {"m": [1]}, environment="\x1b]0;owned\x07\n\u202e")

    said = run(store)

    assert all(line.isprintable() for line in said)
    assert any(r"\x1b]0;owned" in line for line in said)


def test_another_project_is_refused(tmp_path):
    store = store_of(tmp_path, {"m": [1]})

    assert run(store, "--project", "proj") == run(store)
    with pytest.raises(BadUsage, match="no project absent; near: proj"):
        run(store, "--project", "absent")
