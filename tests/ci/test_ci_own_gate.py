"""The gate's script on this very project: a strategy that became slower closes it, by its name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pipeline_project import call, copy

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.pipeline]

STRATEGY = "src/convbench/strategies/im2col.py"
FAST = "    columns = _columns(x, problem).reshape("
SLOW = f"    _columns(x, problem)\n    _columns(x, problem)\n{FAST}"

BENCH = r"^run\.Float32\.time_run\('(im2col|einsum)', 'cifar_resnet20_3x3', "


def commit(root: Path, message: str) -> None:
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org")
    call(root, *git, "add", ".")
    call(root, *git, "commit", "-q", "-m", message)


def gated(root: Path, base: str, head: str) -> tuple[int, dict[str, str], str]:
    """Call the script; gives its exit code, the verdicts by strategy, and what it said."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    words = ["ci/bench/gate.sh", base, head, "--budget-minutes", "10", "--bench", BENCH]
    answer = subprocess.run(
        words, cwd=root, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    document = root / "convbench-gate" / "gate.json"
    assert document.exists(), answer.stderr
    cells = json.loads(document.read_text())["cells"]
    return answer.returncode, {one["name"]: one["verdict"] for one in cells}, answer.stdout


def test_a_strategy_that_became_slower_closes_the_gate_by_its_name(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    copy(root)
    call(root, "git", "init", "-q", "-b", "main")
    commit(root, "as it is")
    text = (root / STRATEGY).read_text()
    assert FAST in text
    (root / STRATEGY).write_text(text.replace(FAST, SLOW))
    commit(root, "columns are copied three times")

    code, verdicts, said = gated(root, "HEAD~1", "HEAD")

    im2col, einsum = sorted(verdicts, key=lambda name: "einsum" in name)
    assert (code, verdicts[im2col]) == (1, "SLOWER"), said
    assert verdicts[einsum] != "SLOWER"
    assert "gate closed: run.Float32.time_run('im2col', 'cifar_resnet20_3x3'" in said

    (root / STRATEGY).write_text(text + "# the same\n")
    commit(root, "as it was")
    call(root, "git", "checkout", "-q", "-b", "change", "HEAD~2")
    (root / STRATEGY).write_text(text + "# nothing but this line\n")
    commit(root, "nothing but a comment")

    code, verdicts, said = gated(root, "main", "change")

    assert code == 0, said
    assert "SLOWER" not in verdicts.values()
