"""GitLab's files: they have the form that GitLab takes, and call the scripts that GitHub's call."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
OWN, SHARED = ROOT / ".gitlab-ci.yml", ROOT / "ci" / "bench" / "gitlab.yml"
GLOBAL = {"include", "stages", "workflow"}


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    document = yaml.safe_load(path.read_text())
    return {name: job for name, job in document.items() if name not in GLOBAL}


def real(*paths: Path) -> dict[str, dict[str, Any]]:
    """Give the jobs that run, with what they extend."""
    known = {name: job for path in paths for name, job in jobs(path).items()}
    return {
        name: known.get(job.get("extends", ""), {}) | job
        for name, job in known.items()
        if not name.startswith(".")
    }


def test_the_projects_own_file_includes_the_one_of_others() -> None:
    document = yaml.safe_load(OWN.read_text())

    assert document["include"] == [{"local": "ci/bench/gitlab.yml"}]
    assert not jobs(OWN).keys() & jobs(SHARED).keys()


def test_every_job_has_an_image_a_stage_a_time_limit_and_says_when() -> None:
    for job in real(OWN, SHARED).values():
        assert job["image"]
        assert job["stage"] in ("test", "deploy")
        assert job["timeout"]
        assert job["rules"]


def test_merge_requests_are_gated_and_nights_measured() -> None:
    found = real(SHARED)

    assert set(found) == {"benchmarks-gate", "benchmarks-measure", "pages"}
    assert found["benchmarks-gate"]["artifacts"]["reports"] == {"junit": "convbench-gate/gate.xml"}
    assert found["benchmarks-measure"]["tags"] == ["bench"]
    assert "merge_request_event" not in str(found["benchmarks-measure"]["rules"])
    assert "merge_request_event" not in str(found["pages"]["rules"])
    assert found["pages"]["artifacts"]["paths"] == ["public"]


def test_the_scripts_are_there() -> None:
    named = {
        name
        for job in real(OWN, SHARED).values()
        for line in job["script"]
        for name in re.findall(r"(?<!\S)\.?ci/[\w./]+", line)
    } - {"ci/install_matrix.sh"}

    assert "ci/bench/gate.sh" in named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", [OWN, SHARED], ids=lambda path: path.name)
def test_gitlabs_own_schema_accepts_it(path: Path, tmp_path: Path) -> None:
    """The copy of the schema that check-jsonschema brings."""
    if not shutil.which("check-jsonschema"):
        pytest.skip("check-jsonschema is not installed")
    words = ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
    words += ["--data-transform", "gitlab-ci"]
    answer = subprocess.run([*words, str(path)], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout

    broken = tmp_path / "broken.yml"
    broken.write_text(path.read_text().replace("timeout:", "time_limit:"))
    assert subprocess.run([*words, str(broken)], capture_output=True).returncode == 1
