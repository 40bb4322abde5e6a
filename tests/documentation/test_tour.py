"""docs/tour.md: its commands lead from an empty folder to a site that shows the change."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_blocks import DOCS, ROOT, blocks

WHO = ("AUTHOR", "COMMITTER")
pytest.importorskip("asv", reason="asv measures; it comes with convbench[measure]")


def test_from_an_empty_folder_to_a_site_with_the_regression(tmp_path: Path) -> None:
    commands = [one.text for one in blocks(DOCS / "tour.md") if one.language == "bash"]
    folder, home = tmp_path / "empty", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    variables = {
        # The interpreter of this test is the one that a reader has installed convbench into.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "HOME": str(home),
        **{f"GIT_{who}_NAME": "A Person" for who in WHO},
        **{f"GIT_{who}_EMAIL": "a@example.org" for who in WHO},
    }

    answer = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 0, (answer.stdout + answer.stderr)[-3000:]
    summary = json.loads((folder / "words/site/summary.json").read_text())
    assert summary["events"]["of_concern_by_kind"]["regression"] == 1
    subject = "Leave out punctuation"
    assert subject in (folder / "words/site/index.html").read_text()
    assert "2 histories, 2 with the 5 commits" in answer.stdout
