"""pytest-benchmark's files: by hand, and real ones against its own table and git."""

import csv
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from foreign_files import COMMIT, OF_COMMIT, Row, pytest_entry, pytest_file, rows_of

from convbench.results.adapters import Origin, read_foreign
from convbench.results.result_file import ResultFile

TESTS = """
import pytest

@pytest.mark.parametrize("n", [3, 9])
@pytest.mark.parametrize("word", ["a-b", "c"])
def test_sum(benchmark, word, n):
    benchmark(sum, range(n))

class TestGroup:
    def test_fixed(self, benchmark):
        benchmark.pedantic(sum, args=(range(5),), rounds=4, iterations=3)

@pytest.mark.parametrize("function", [min, max])
def test_function(benchmark, function):
    benchmark.pedantic(function, args=(range(5),), rounds=1)

def test_broken(benchmark):
    benchmark(lambda: 1 / 0)
"""


def read(data: Any, origin: Origin = OF_COMMIT) -> ResultFile:
    return read_foreign(json.dumps(data).encode(), origin)


def test_median_and_quartiles_are_the_tools() -> None:
    row = rows_of(read(pytest_file(pytest_entry("t.py::b", 2.5, rounds=7, iterations=3))))

    wanted = {"value": 2.5, "q25": 1.0, "q75": 3.0, "repeat": 7, "number": 3, "unit": "seconds"}
    assert wanted.items() <= row["t.py::b"].items()
    assert row["t.py::b"]["samples"] is None


def test_one_round_has_no_quartiles() -> None:
    row = rows_of(read(pytest_file(pytest_entry("b", 2.0, q1=2.0, q3=2.0, rounds=1))))["b"]

    assert (row["value"], row["q25"], row["q75"]) == (2.0, None, None)


def test_parameters_leave_the_name() -> None:
    entry = pytest_entry("t.py::b[a-b-3]", params={"word": "a-b", "n": 3}, param="a-b-3")

    assert list(rows_of(read(pytest_file(entry)))) == ["t.py::b(word=a-b, n=3)"]


@pytest.mark.parametrize("text", ["'quoted'", '"', "", "3", "[1, 2]", "é☃"])
def test_a_parameters_text_arrives_as_it_is(text: str) -> None:
    entry = pytest_entry("b[x]", params={"p": text}, param="x")

    assert list(rows_of(read(pytest_file(entry)))) == [f"b(p={text})"]


def test_what_has_no_text_keeps_pytests_identifier() -> None:
    params = {"f": "UNSERIALIZABLE[<function f at 0x7f00>]"}
    entry = pytest_entry("b[f0]", params=params, param="f0")

    assert list(rows_of(read(pytest_file(entry)))) == ["b[f0]"]


def test_combinations_of_one_text_keep_their_identifiers() -> None:
    one = pytest_entry("b[1]", 1.0, params={"p": 1}, param="1")
    other = pytest_entry("b[one]", 2.0, params={"p": "1"}, param="one")

    assert {name: row["value"] for name, row in rows_of(read(pytest_file(one, other))).items()} == {
        "b[1]": 1.0,
        "b[one]": 2.0,
    }


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="2 results called b"):
        read(pytest_file(pytest_entry("b"), pytest_entry("b")))


@pytest.mark.parametrize("commit", ["unversioned", "unknown", "", None])
def test_no_commit_is_none(commit: str | None) -> None:
    data = pytest_file(pytest_entry("b"), commit_info={"id": commit, "time": None})

    with pytest.raises(ValueError, match="give --commit HASH"):
        read(data, Origin())


def test_the_commits_date_is_told_in_any_zone() -> None:
    head = read(pytest_file(), Origin()).head

    assert (head.commit, head.commit_date_ms) == (COMMIT, 1_714_557_600_000)  # 10:00 UTC


def test_another_commit_has_the_date_of_the_file() -> None:
    head = read(pytest_file(), Origin(commit="f" * 40)).head

    assert head.commit_date_ms == 1_714_644_000_000  # a day later


@dataclass(frozen=True)
class Session:
    """A real session: its file as rows, the tool's table of it, and the folder's git."""

    folder: Path
    result: ResultFile
    table: dict[str, dict[str, str]]

    def row(self, name: str) -> Row:
        return rows_of(self.result)[name]

    def git(self, *arguments: str) -> str:
        return _run(["git", *arguments], self.folder).strip()


def _run(command: list[str], folder: Path) -> str:
    # Without what a pytest around this one says of itself: under xdist the tool measures nothing.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "GIT"))}
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    environment |= dict.fromkeys(names, "somebody")
    done = subprocess.run(
        command, cwd=folder, env=environment, timeout=120, capture_output=True, text=True
    )
    assert done.returncode == 0 or "--benchmark-json=out.json" in command, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    if importlib.util.find_spec("pytest_benchmark") is None:
        pytest.skip("pytest-benchmark is not installed (extra `test`)")
    folder = tmp_path_factory.mktemp("session")
    (folder / "test_it.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    for arguments in (["init", "-q"], ["add", "test_it.py"], ["commit", "-q", "-m", "tests"]):
        _run(["git", *arguments], folder)
    fast = ["--benchmark-max-time=0.001", "--benchmark-min-rounds=3", "-p", "no:cacheprovider"]
    pytest_ = [sys.executable, "-m", "pytest", "-q", *fast]
    _run([*pytest_, "--benchmark-json=out.json", "--benchmark-save-data"], folder)
    compare = [sys.executable, "-m", "pytest_benchmark", "compare", "out.json"]
    _run([*compare, "--csv=table.csv", "--columns=median,iqr,rounds,iterations"], folder)
    with (folder / "table.csv").open() as lines:
        table = {line["name"]: line for line in csv.DictReader(lines)}
    result = read_foreign((folder / "out.json").read_bytes(), Origin())
    return Session(folder, result, table)


ROWS = {
    "test_it.py::test_sum(word=a-b, n=3)": "test_it.py::test_sum[a-b-3]",
    "test_it.py::test_sum(word=a-b, n=9)": "test_it.py::test_sum[a-b-9]",
    "test_it.py::test_sum(word=c, n=3)": "test_it.py::test_sum[c-3]",
    "test_it.py::test_sum(word=c, n=9)": "test_it.py::test_sum[c-9]",
    "test_it.py::TestGroup::test_fixed": "test_it.py::TestGroup::test_fixed",
    "test_it.py::test_function[min]": "test_it.py::test_function[min]",
    "test_it.py::test_function[max]": "test_it.py::test_function[max]",
}


def test_the_rows_are_those_of_the_tools_table(session: Session) -> None:
    assert set(rows_of(session.result)) == set(ROWS)
    assert set(session.table) == set(ROWS.values())


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_what_the_tools_table_says(session: Session, name: str) -> None:
    line, row = session.table[ROWS[name]], session.row(name)

    assert row["value"] == float(line["median"])
    assert row["repeat"] == int(line["rounds"])
    assert row["number"] == int(line["iterations"])
    assert (row["q75"] or 0) - (row["q25"] or 0) == float(line["iqr"])


@pytest.mark.parametrize("name", ROWS)
def test_the_value_is_the_median_of_the_samples(session: Session, name: str) -> None:
    row = session.row(name)

    assert len(row["samples"]) == row["repeat"]
    assert statistics.median(row["samples"]) == row["value"]


def test_parameters_are_those_of_the_tools_table(session: Session) -> None:
    line = session.table["test_it.py::test_sum[a-b-3]"]

    name = f"test_it.py::test_sum(word={line['param:word']}, n={line['param:n']})"
    assert name in rows_of(session.result)


def test_commit_and_date_are_those_of_git(session: Session) -> None:
    head = session.result.head

    assert head.commit == session.git("rev-parse", "HEAD")
    assert head.commit_date_ms == int(session.git("show", "-s", "--format=%ct")) * 1000


def test_the_head_is_what_python_says_of_the_machine(session: Session) -> None:
    head = session.result.head

    assert head.machine == platform.node()
    assert head.facts["os"] == f"{platform.system()} {platform.release()}"
    assert head.facts["arch"] == platform.machine()
    assert head.environment.endswith(f"CPython-{sys.version_info.major}.{sys.version_info.minor}")
