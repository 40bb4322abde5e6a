"""Real bisections of a small repository: found, skipped, interrupted, gone on with, refused."""

import argparse
import contextlib
import json
import random
import subprocess
from pathlib import Path

import pytest
from toy_repository import PACKAGE, commit, git, repository

from convbench.commands import bisect, detect
from convbench.comparison.ancestry import Repository
from convbench.comparison.ancestry import repository as history_of
from convbench.comparison.bisection import Record, TimeTrials, open_record
from convbench.errors import BadUsage, MeasureFailed
from convbench.results import collect, load_table

STEPS, SLOWER = 40_000, 48_000
"""Of the loop: by a fifth."""

BROKEN = "raise ImportError('half done')\n"

CELL = r"time_work\(1\)"


def hashes(folder: Path) -> list[str]:
    """All commits along first parents, oldest first."""
    words = ["git", "-C", str(folder), "rev-list", "--first-parent", "--reverse", "HEAD"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()


def history(folder: Path, count: int, slow_at: int, broken_at: int = -1) -> list[str]:
    """Make `count` commits, slower from `slow_at` on; one can't be imported. Give their hashes."""
    repository(folder)
    for number in range(count):
        steps = SLOWER if number >= slow_at else STEPS
        package = BROKEN if number == broken_at else PACKAGE.format(steps=steps)
        commit(folder, f"{package}# {number}\n")
    return hashes(folder)[-count:]


def called(folder: Path, *words: str) -> tuple[int, list[str]]:
    parser = argparse.ArgumentParser()
    bisect.add_arguments(parser)
    said: list[str] = []
    config = ["--config", str(folder / "asv.conf.json")]
    code = bisect.run(parser.parse_args([*words, *config]), said.append)
    return code, said


def document(folder: Path, *words: str) -> dict:
    code, said = called(folder, "--json", *words)
    (text,) = said
    return json.loads(text) | {"exit_code": code}


@pytest.mark.alone
@pytest.mark.slow
def test_the_commit_that_slowed_a_function_is_found_past_one_that_can_not_be_imported(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "toy"
    commits = history(folder, 9, slow_at=6, broken_at=4)

    found = document(folder, "--between", commits[0], commits[-1], "--bench", CELL)

    assert (found["exit_code"], found["outcome"]) == (0, "found")
    assert found["first_bad"]["commit"] == commits[6]
    assert found["first_bad"]["subject"] == "another one"
    # A fifth, ± what a busy machine does to CPU time within a few blocks.
    assert 1.1 < found["ratio"] < 1.3
    assert found["ratio_low"] < found["ratio"] < found["ratio_high"]
    steps = {step["commit"]: step for step in found["steps"]}
    assert steps[commits[4]]["verdict"] == "skipped"
    assert "half done" in steps[commits[4]]["reason"]
    assert steps[commits[4]]["blocks"] == 0
    assert found["blocks"] == found["ends"]["blocks"] + sum(s["blocks"] for s in found["steps"])
    assert found["reason"].startswith(f"found: {commits[6][:8]} is the first bad commit")


@pytest.mark.alone
@pytest.mark.slow
def test_an_interrupted_bisection_goes_on_and_measures_no_block_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "toy"
    commits = history(folder, 8, slow_at=3)
    asked = ["--between", commits[0], commits[-1], "--bench", CELL]
    measured: list[str] = []
    block = TimeTrials.block

    def counting(self: TimeTrials, commit: str, number: int) -> float | str:
        measured.append(commit)
        if len(measured) == 8:
            raise KeyboardInterrupt
        return block(self, commit, number)

    monkeypatch.setattr(TimeTrials, "block", counting)
    with contextlib.suppress(KeyboardInterrupt):
        called(folder, *asked)
    (kept,) = (folder / ".asv" / "compare").glob("bisect-*.json")
    before = json.loads(kept.read_text())["values"]
    assert sum(map(len, before.values())) == 7

    found = document(folder, *asked)

    assert found["first_bad"]["commit"] == commits[3]
    after = json.loads(kept.read_text())["values"]
    assert {name: after[name][: len(values)] for name, values in before.items()} == before
    # One of the calls was the interrupted one.
    assert sum(map(len, after.values())) == found["blocks"] == len(measured) - 1


@pytest.mark.alone
@pytest.mark.slow
def test_ends_without_a_difference_are_not_reproduced(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    commits = history(folder, 3, slow_at=99)

    code, said = called(folder, *event_of(tmp_path, commits, 1.5, at=2))

    assert code == 1
    assert said[-1].startswith(f"not reproduced here: {commits[2][:8]} is at the level of")
    assert "maybe another machine" in said[-1]


def event_of(tmp_path: Path, commits: list[str], ratio: float, *, at: int) -> list[str]:
    """Store measurements of which the value jumps at a commit; give what names that event.

    Commits that nobody has stand around the given ones, so that there are enough for a verdict.
    """
    earlier, later = ([f"{n:08x}{'e' * 32}" for n in range(s, s + 8)] for s in (0, 100))
    at, commits = at + len(earlier), [*earlier, *commits, *later]
    draw = random.Random(1)
    values = [0.001 * draw.gauss(1, 0.002) * (ratio if n >= at else 1) for n in range(len(commits))]
    results = tmp_path / "results"
    (results / "m").mkdir(parents=True)
    params = [["1", "2"]]
    name = "work.Work.time_work"
    benchmark = {"name": name, "param_names": ["size"], "unit": "seconds", "params": params}
    benchmark |= {"type": "time", "version": "1", "code": ""}
    (results / "benchmarks.json").write_text(json.dumps({name: benchmark, "version": 2}))
    (results / "m" / "machine.json").write_text(json.dumps({"machine": "m", "version": 1}))
    for number, (each, value) in enumerate(zip(commits, values, strict=True)):
        result = {
            "commit_hash": each,
            "env_name": "existing-py",
            "date": 1_690_000_000_000 + number * 86_400_000,
            "params": {"machine": "m"},
            "python": "3.12",
            "requirements": {},
            "env_vars": {},
            "result_columns": ["result", "params", "version", "started_at", "duration"],
            "results": {name: [[value, 0.002], params, "1", 1_700_000_000_000, 1.0]},
            "durations": {},
            "version": 2,
        }
        (results / "m" / f"{each[:8]}-py.json").write_text(json.dumps(result))
    store = tmp_path / "store"
    collect([results], store, say=lambda _: None)
    parser = argparse.ArgumentParser()
    detect.add_arguments(parser)
    detect.run(parser.parse_args([str(store)]), lambda _: None)
    (event,) = load_table(store, "events")["event"]
    return [str(event)[:6], "--store", str(store)]


@pytest.mark.alone
@pytest.mark.slow
def test_an_event_is_bisected_on_its_cell_through_commits_that_were_not_measured(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "toy"
    commits = history(folder, 20, slow_at=13)
    # Every second commit was measured: the change lies between 12 and 14.
    asked = event_of(tmp_path, commits[::2], 1.2, at=7)

    code, said = called(folder, *asked)

    assert code == 0
    assert said[-1].startswith(f"found: {commits[13][:8]} is the first bad commit (×1.")
    assert f"first bad commit: {commits[13]}" in said
    assert any(line.startswith("work.Work.time_work(1) in ") for line in said)
    # The range of the event may begin one measured commit earlier.
    ends = [f"good {commits[n][:8]}, bad {commits[14][:8]}" for n in (10, 12)]
    assert any(line.startswith(tuple(ends)) for line in said)


def test_a_function_that_starts_to_fail_is_bisected_without_times(tmp_path: Path) -> None:
    folder = repository(tmp_path / "toy")
    for number in range(5):
        body = "raise ValueError" if number >= 3 else "pass"
        commit(folder, f'"""A toy."""\ndef work(size):\n    {body}\n# {number}\n')
    commits = hashes(folder)[-5:]
    wanted = bisect.Wanted(
        event="abc123",
        good=commits[0],
        bad=commits[-1],
        benchmark="work.Work.time_work",
        params="size=1",
        expected=1.0,
        has_times=False,
    )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bisect, "find_event", lambda *_: wanted)
        found = document(folder, "abc")

    assert found["first_bad"]["commit"] == commits[3]
    assert (found["ratio"], found["fixed_blocks"]) == (None, None)


def test_a_bad_end_that_can_not_be_measured_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    commits = history(folder, 3, slow_at=1, broken_at=2)

    with pytest.raises(MeasureFailed, match=r"the two ends can't be compared: .*half done"):
        called(folder, "--between", commits[0], commits[2], "--bench", CELL)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--between", "HEAD", "HEAD~1", "--bench", CELL], "is no ancestor of"),
        (["--between", "HEAD", "HEAD", "--bench", CELL], "are one commit"),
        (["--between", "no-such", "HEAD", "--bench", CELL], "'no-such' names no commit"),
        (["--between", "--all", "HEAD", "--bench", CELL], None),
        (["--between", "HEAD~1", "HEAD"], "needs --bench"),
        (["--between", "HEAD~1", "HEAD", "--bench", "("], "is no regular expression"),
        (["--between", "HEAD~1", "HEAD", "--bench", "x"], "no timed cell of this suite"),
        (["--between", "HEAD~1", "HEAD", "--bench", "work"], "is 2 cells of this suite: work."),
        (["--between", "HEAD~1", "HEAD", "--bench", CELL, "--error", "0.7"], "the error is 0.7"),
        (["--between", "HEAD~1", "HEAD", "--bench", CELL, "--budget-minutes", "0"], "positive"),
        ([], "give EVENT, or --between"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(
    tmp_path: Path, words: list[str], message: str | None
) -> None:
    folder = repository(tmp_path / "toy")

    if message is None:  # argparse's own refusal
        with pytest.raises(SystemExit, match="2"):
            called(folder, *words)
        return
    with pytest.raises(BadUsage) as refused:
        called(folder, *words)

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_shallow_clone_says_how_to_get_the_commits(tmp_path: Path) -> None:
    commits = history(tmp_path / "toy", 3, slow_at=1)
    folder = tmp_path / "shallow"
    source = f"file://{tmp_path / 'toy'}"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", source, str(folder)], check=True)

    with pytest.raises(BadUsage, match=r"shallow clone: run git fetch --unshallow$"):
        called(folder, "--between", commits[0], "HEAD", "--bench", CELL)


@pytest.mark.parametrize("revision", ["a\0b", "\x1b[2J", "a" * 100_000])
def test_a_commit_of_a_hostile_store_is_one_line(tmp_path: Path, revision: str) -> None:
    history = Repository(tmp_path, tmp_path, {"repo": "."})

    with pytest.raises(BadUsage, match=r"names no commit; give a hash, branch or tag$") as refused:
        history.commits(revision, "main")

    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400


def test_candidates_follow_first_parents_and_a_merge_says_so(tmp_path: Path) -> None:
    folder = repository(tmp_path / "toy")
    start = hashes(folder)[-1]
    git(folder, "checkout", "--quiet", "-b", "side")
    commit(folder, "# side\n")
    side = hashes(folder)[-1]
    git(folder, "checkout", "--quiet", "-")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "main")
    git(folder, "merge", "--quiet", "--no-ff", "--message", "merge of side", "side")
    merged = hashes(folder)
    repo: Repository = history_of(folder, {"repo": "."})

    listed = repo.commits(start, "HEAD")

    assert listed == tuple(merged[merged.index(start) :])
    assert side not in listed
    last = repo.description(listed[-1])
    assert (last.is_merge, last.subject, last.author) == (True, "merge of side", "somebody")
    assert not repo.description(listed[-2]).is_merge


def test_a_record_goes_on_only_with_the_same_question(tmp_path: Path) -> None:
    asked = {"commits": ["a", "b"], "error": 0.05, "expected": 0.1 + 0.2}
    record = open_record(tmp_path, "abc", asked)
    record.add("b", 0.125)
    record.add("b", -0.25)
    record.add("a", "can't be built")

    again = open_record(tmp_path, "abc", dict(asked))
    other = open_record(tmp_path, "abc", asked | {"error": 0.01})

    assert (again.values, again.skipped) == ({"b": [0.125, -0.25]}, {"a": "can't be built"})
    assert (other.values, other.skipped) == ({}, {})
    again.finish()
    assert open_record(tmp_path, "abc", asked).values == {}
    assert [path.name for path in tmp_path.iterdir()] == ["bisect-abc.json"]


@pytest.mark.parametrize("name", ["../../x", "", "a/b", "Ω", "-rf"])
def test_a_strange_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    record = open_record(tmp_path / "in", name, {})
    record.write()

    assert record.path.parent == tmp_path / "in"
    assert len(list((tmp_path / "in").iterdir())) == 1


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": 1}', '{"format": 1, "asked": {}, "finished": false}', "[" * 9999],
)
def test_a_record_that_was_damaged_is_begun_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "bisect-abc.json").write_text(text)

    assert open_record(tmp_path, "abc", {}) == Record(tmp_path / "bisect-abc.json", {})


def test_a_value_that_is_no_number_is_not_taken_over(tmp_path: Path) -> None:
    record = open_record(tmp_path, "abc", {})
    record.add("b", 0.5)
    text = record.path.read_text()
    record.path.write_text(text.replace("0.5", "NaN"))

    assert open_record(tmp_path, "abc", {}).values == {}
