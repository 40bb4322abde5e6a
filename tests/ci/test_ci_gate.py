"""The gate's script, on a small project with real commits, as a job for a pull request calls it."""

import json
from pathlib import Path

import junitparser
import pytest
from ci_project import branch, project, script
from toy_repository import PACKAGE, PYPROJECT, git

QUICK = ("--blocks", "6", "--bench", r"\(1\)")


def documents(folder: Path) -> set[str]:
    return {path.name for path in (folder / "convbench-gate").glob("*")}


@pytest.mark.alone
def test_a_planted_regression_closes_it_and_the_summary_names_the_benchmark(
    tmp_path: Path,
) -> None:
    folder = project(tmp_path / "toy")
    git(folder, "branch", "target", "HEAD~1")
    summary = tmp_path / "summary.md"

    answer = script(
        folder,
        *("gate.sh", "target", "HEAD", *QUICK),
        **{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)},
    )

    assert answer.returncode == 1, answer.stderr
    assert "gate closed: work.Work.time_work(1) is slower" in answer.stdout
    assert "| SLOWER | ×" in summary.read_text()
    assert "`work.Work.time_work(1)`" in summary.read_text()
    (error,) = (line for line in answer.stdout.splitlines() if line.startswith("::error"))
    assert error.startswith("::error file=benchmarks/work.py,title=slower%3A work.Work.time_work")
    gate = json.loads((folder / "convbench-gate" / "gate.json").read_text())
    assert (gate["gate"]["exit_code"], gate["cells"][0]["verdict"]) == (1, "SLOWER")
    (suite,) = junitparser.JUnitXml.fromfile(str(folder / "convbench-gate" / "gate.xml"))
    assert (suite.tests, suite.failures, suite.errors) == (1, 1, 0)
    (case,) = suite
    assert case.name == "work.Work.time_work(1)"
    assert case.is_failure


@pytest.mark.alone
def test_a_change_that_costs_nothing_leaves_it_open(tmp_path: Path) -> None:
    """The target's branch became slower meanwhile: that is not this change's."""
    folder = project(tmp_path / "toy")
    git(folder, "branch", "target")
    branch(folder, "change", "HEAD~1", PACKAGE.format(steps=2000) + "NEW = 1\n")

    answer = script(folder, "gate.sh", "target", "change", *QUICK)

    assert answer.returncode == 0, answer.stderr
    assert "gate open" in answer.stdout
    assert "::error" not in answer.stdout
    gate = json.loads((folder / "convbench-gate" / "gate.json").read_text())
    assert {one["verdict"] for one in gate["cells"]} <= {"SAME", "AMBIGUOUS"}


def test_a_change_that_can_not_be_built_is_no_answer_and_no_alarm(tmp_path: Path) -> None:
    folder = project(tmp_path / "toy")
    (folder / "convbench-gate").mkdir()
    (folder / "convbench-gate" / "gate.json").write_text("of an earlier job")
    git(folder, "branch", "target")
    (folder / "pyproject.toml").write_text("[build-system")
    git(folder, "commit", "--quiet", "--all", "--message", "broken")
    (folder / "pyproject.toml").write_text(PYPROJECT)  # which asv reads
    summary = tmp_path / "summary.md"

    answer = script(folder, "gate.sh", "target", "HEAD", GITHUB_STEP_SUMMARY=str(summary))

    assert answer.returncode == 2
    assert "can't be built" in answer.stderr
    assert summary.read_text().startswith("No answer (exit code 2)")
    assert documents(folder) == set()


def test_nothing_new_is_nothing_to_compare(tmp_path: Path) -> None:
    folder = project(tmp_path / "toy")

    answer = script(folder, "gate.sh", "HEAD", "HEAD~1")

    assert answer.returncode == 0
    assert "nothing to compare" in answer.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give BASE and HEAD"),
        (("no-such", "HEAD"), "have no common commit here; fetch the whole history"),
        (("HEAD~1", "no-such"), "fatal: Needed a single revision"),
        (("HEAD~1", "--all"), "fatal:"),
    ],
)
def test_what_can_not_be_compared_is_said_in_a_line(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    folder = project(tmp_path / "toy")

    answer = script(folder, "gate.sh", *words)

    assert answer.returncode == 2
    assert message in answer.stderr
