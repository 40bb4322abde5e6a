"""The check of the run on conda-forge: whole results of every build pass, and nothing less."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "ci" / "conda_forge_check.py"


def write(folder: Path, build: str, values: list[float | None] | None, libblas: str = "") -> None:
    document = {
        "env_vars": {"CONVBENCH_BLAS": build},
        "requirements": {"libblas": libblas or f"*=*{build}"},
        "result_columns": ["result", "params"],
        "results": {"run.Float32.time_run": [values, [["'im2col'"]]]},
    }
    (folder / "box").mkdir(exist_ok=True)
    (folder / "box" / f"abcd-rattler-{build}.json").write_text(json.dumps(document))


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(SCRIPT), str(folder), "openblas", "mkl"]
    return subprocess.run(words, capture_output=True, text=True)


def test_whole_results_of_both_builds_pass(tmp_path: Path) -> None:
    write(tmp_path, "openblas", [0.1])
    write(tmp_path, "mkl", [0.1])

    answer = checked(tmp_path)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines() == ["mkl: 1 values, 0 failed", "openblas: 1 values, 0 failed"]


@pytest.mark.parametrize("values", [[None], None, [0.1, None]])
def test_what_the_guard_refused_is_no_pass(
    tmp_path: Path, values: list[float | None] | None
) -> None:
    write(tmp_path, "openblas", [0.1])
    write(tmp_path, "mkl", values)

    assert checked(tmp_path).returncode == 1


def test_a_build_of_another_provider_is_none_of_conda_forge(tmp_path: Path) -> None:
    write(tmp_path, "openblas", [0.1])
    write(tmp_path, "mkl", [0.1], libblas="other")

    answer = checked(tmp_path)

    assert (answer.returncode, answer.stderr) == (1, "mkl: not measured\n")
