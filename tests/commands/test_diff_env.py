"""`convbench diff-env` for people and for programs."""

import argparse
import json
from pathlib import Path

import pytest
from asv_tree import facts_2, result_file, row, write_source

from convbench.commands import diff_env
from convbench.errors import BadUsage
from convbench.results import collect

ODD = "\x1b[31mpy"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """One run with two environments that differ in a package and in their threads."""
    top = tmp_path_factory.mktemp("diff")
    usual = facts_2()["environments"]["py"]
    other = usual | {"threads": 4, "packages": {"numpy": "2.4.6", "bad\x1b]0;owned\x07": "1"}}
    files = {
        f"m/{number}.json": result_file({"a": row([1.0])}, env_name=name)
        for number, name in enumerate(("py", ODD))
    }
    write_source(top / "p", files, facts=facts_2(environments={"py": usual, ODD: other}))
    collect(top / "p", top / "store")
    return top / "store"


def run(*words: str | Path) -> list[str]:
    parser = argparse.ArgumentParser()
    diff_env.add_arguments(parser)
    said: list[str] = []
    assert diff_env.run(parser.parse_args(list(map(str, words))), said.append) == 0
    return said


def test_people_read_the_differences_and_how_many_there_are(store):
    first, second, *facts, sum_up = run(store, "py", ODD)

    assert first == "A: m/py, run run-1, commit aaaaaaaa"
    assert second == r"B: m/\x1b[31mpy, run run-1, commit aaaaaaaa"
    assert [line.split() for line in facts] == [
        ["threads", "1", "4"],
        ["package", r"bad\x1b]0;owned\x07", "–", "1"],
    ]
    assert facts[0].rindex("4") == facts[1].rindex("1"), "columns stand below each other"
    assert sum_up == "2 of 17 known facts differ"


def test_all_lists_what_is_the_same_too(store):
    said = run(store, "py", ODD, "--all")

    assert len(said) == 17 + 3
    assert any(line.split() == ["package", "numpy", "2.4.6", "2.4.6"] for line in said)


def test_an_environment_does_not_differ_from_itself(store):
    assert run(store, "py", "m/py")[2:] == ["0 of 16 known facts differ"]


def test_json_names_both_and_lists_the_facts(store):
    (line,) = run(store, "py", ODD, "--json")
    (whole,) = run(store, "py", ODD, "--json", "--all")

    answer = json.loads(line)
    assert answer["b"]["environment"] == ODD
    assert answer["facts"][0] == {"fact": "threads", "a": "1", "b": "4", "same": False}
    assert len(answer["facts"]) == 2
    assert len(json.loads(whole)["facts"]) == 17


def test_names_of_results_have_no_power_over_the_terminal(store):
    assert all(line.isprintable() for line in run(store, "py", ODD, "--all"))


def test_what_can_not_be_found_is_left_to_the_command_line(store):
    with pytest.raises(BadUsage, match="no environment absent"):
        run(store, "absent", "py")
    with pytest.raises(BadUsage, match="--commit 123"):
        run(store, "py", "py", "--commit", "123")


def test_the_verb_agrees_with_the_number(tmp_path):
    names = ("py", "pypy")
    files = {
        f"m/{name}.json": result_file({"a": row([1.0])}, env_name=name, python=version)
        for name, version in zip(names, ("3.12", "3.13"), strict=True)
    }
    write_source(tmp_path / "p", files)
    collect(tmp_path / "p", tmp_path / "store")

    assert run(tmp_path / "store", "py", "py")[-1] == "0 of 1 known fact differs"
    assert run(tmp_path / "store", *names)[-1] == "1 of 1 known fact differs"


def test_hashes_are_short_for_people_and_whole_for_programs(store):
    text = run(store, "py", ODD, "--all")
    (document,) = run(store, "py", ODD, "--all", "--json")

    hashes = {
        fact["fact"]: fact["a"]
        for fact in json.loads(document)["facts"]
        if fact["fact"].endswith("sha256")
    }
    assert len(hashes) == 3
    for name, whole in hashes.items():
        (line,) = [line for line in text if line.strip().startswith(name)]
        assert len(whole) == 64
        assert line.split()[-2:] == [whole[:12]] * 2


def test_a_package_that_nobody_pinned_differs_from_none(tmp_path):
    files = {
        f"m/{name}.json": result_file({"a": row([1.0])}, env_name=name, requirements=packages)
        for name, packages in (("py", {"numpy": ""}), ("pypy", {}))
    }
    write_source(tmp_path / "p", files)
    collect(tmp_path / "p", tmp_path / "store")

    assert ["package", "numpy", "''", "–"] in map(str.split, run(tmp_path / "store", "py", "pypy"))
