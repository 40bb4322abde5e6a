"""Whatever else gives rows their texts may change while a file is not looked at; it shows later."""

import json
import subprocess
from pathlib import Path

import pytest
from asv_tree import benchmark, content_of, result_file, row, write_source

from convbench.results import collect, collection, load, load_table
from convbench.results.words import Words

KINDS = Words(parameters={"strategy": ("kind",)})
LONG = [[float(i) for i in range(30)]]


def one_file(commit: str = "a", **columns: object) -> str:
    day = 1_690_000_000_000 + ord(commit) * 86_400_000
    cells = row([1.0], [["'v'"]], **columns)
    return result_file({"a": cells}, commit_hash=commit * 40, date=day)


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def results(tmp_path) -> Path:
    """Two machines with a file each."""
    files = {"A/a.json": one_file(samples=LONG), "B/a.json": one_file(samples=LONG)}
    return write_source(tmp_path / "p/results", files, benchmark("a", ["kind"]))


def describe(results: Path, unit: str, *names: str) -> None:
    (results / "benchmarks.json").write_text(json.dumps(benchmark("a", list(names), unit=unit)))


def fresh(results: Path, tmp_path: Path, **asked: object) -> dict[str, bytes]:
    collect(results, tmp_path / "fresh", **asked)  # type: ignore[arg-type]
    return content_of(tmp_path / "fresh")


def test_words_that_one_machine_was_collected_with_reach_the_others(results, store, tmp_path):
    collect(results, store)
    collect(results, store, words=KINDS, only_machines="A")

    collect(results, store, words=KINDS)

    assert load(store)["strategy"].tolist() == ["v", "v"]
    collect(results, store, words=KINDS)  # what was replaced goes
    assert content_of(store) == fresh(results, tmp_path, words=KINDS)


def test_a_unit_that_one_machine_was_collected_with_reaches_the_others(results, store):
    collect(results, store)
    describe(results, "bytes", "kind")
    collect(results, store, only_machines="A")

    summary = collect(results, store)

    assert summary.files_read == 1
    assert load(store)["unit"].tolist() == ["bytes", "bytes"]
    assert collect(results, store).files_read == 0


def test_samples_that_one_machine_was_given_back_the_others_get_too(results, store):
    (results / "A/b.json").write_text(one_file("b", samples=LONG))
    collect(results, store, keep_samples=1)
    assert sorted(map(len, load(store, samples=True)["samples"].dropna())) == [30]
    collect(results, store, keep_samples=9, only_machines="A")

    collect(results, store)

    assert list(map(len, load(store, samples=True)["samples"])) == [30, 30, 30]


@pytest.mark.parametrize("change", ["words", "unit"])
def test_a_file_that_comes_back_is_read_as_files_are_now(results, store, change):
    (results / "A/b.json").write_text(one_file("b"))
    collect(results, store)
    away = (results / "A/b.json").rename(results.parent / "away.json")
    words = KINDS if change == "words" else Words()
    describe(results, "seconds" if change == "words" else "bytes", "kind")
    collect(results, store, words=words)
    away.rename(results / "A/b.json")

    collect(results, store, words=words)

    values = load(store)
    assert values["strategy"].tolist() == ["v" if change == "words" else ""] * 3
    assert values["unit"].tolist() == ["seconds" if change == "words" else "bytes"] * 3


def test_results_that_come_after_their_descriptions_have_their_labels(tmp_path, store):
    results = write_source(tmp_path / "p/results", {}, benchmark("a", ["kind"], unit="bytes"))
    (results / "A").mkdir()
    (results / "A/machine.json").write_text('{"machine": "A"}')
    collect(results, store)
    (results / "A/a.json").write_text(one_file())

    collect(results, store)

    assert load(store)["unit"].tolist() == ["bytes"]
    assert load(store)["params"].tolist() == [{"kind": "v"}]


class PowerCut(BaseException):
    pass


@pytest.mark.parametrize("project", [None, "other"])
def test_a_cut_before_the_manifest_spoils_no_label(results, store, monkeypatch, project):
    collect(results, store)
    describe(results, "bytes", "kind")

    def die(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(collection, "write_manifest", die)
        with pytest.raises(PowerCut):
            collect(results, store, project=project)

    collect(results, store)

    assert load(store)["unit"].tolist() == ["bytes", "bytes"]
    assert load_table(store, "commits")["commit"].tolist() == ["a" * 40]


def test_of_two_directories_each_describes_its_own_results(tmp_path):
    places = [
        write_source(tmp_path / name, {f"{name}/a.json": one_file()}, benchmark("a", ["k"], unit))
        for name, unit in (("old", "bytes"), ("new", "seconds"))
    ]

    for number, given in enumerate((places, places[::-1])):
        collect(given, tmp_path / f"store-{number}", project="p")

        values = load(tmp_path / f"store-{number}").set_index("machine")
        assert values["unit"].to_dict() == {"old": "bytes", "new": "seconds"}


def test_what_machine_json_says_now_stands(results, store):
    collect(results, store)
    (results / "A/machine.json").write_text('{"machine": "A", "cpu": "a cpu", "ram": "64GB"}')

    collect(results, store)

    assert load_table(store, "machines").set_index("machine").loc["A", "ram"] == "64GB"


def test_the_order_that_git_gave_stays_without_the_repository(tmp_path, store):
    repo = tmp_path / "repo"

    def git(*words: str, day: int = 1) -> str:
        identity = {
            f"GIT_{who}_{what}": "a@b"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        dates = {
            f"GIT_{who}_DATE": f"2023-08-{day:02}T00:00:00Z" for who in ("AUTHOR", "COMMITTER")
        }
        command = ["git", "-C", str(repo), *words]
        done = subprocess.run(
            command,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)} | identity | dates,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    repo.mkdir()
    git("init", "--quiet")
    commits = []
    for day in (9, 5):  # the clock of the second committer is late
        git("commit", "--quiet", "--allow-empty", "--message", f"day {day}", day=day)
        commits.append(git("rev-parse", "HEAD"))
    dates = {
        commits[0]: 1_691_539_200_000,
        commits[1]: 1_691_193_600_000,
        "f" * 40: 1_700_000_000_000,
    }
    files = {
        f"A/{commit[:8]}.json": result_file({"a": row([1.0])}, commit_hash=commit, date=date)
        for commit, date in dates.items()
    }
    late = files.popitem()
    results = write_source(tmp_path / "p", files)
    collect(results, store, repo=repo)
    (results / late[0]).write_text(late[1])

    collect(results, store)

    assert load_table(store, "commits").sort_values("position")["commit"].tolist() == [
        *commits,
        "f" * 40,
    ]
