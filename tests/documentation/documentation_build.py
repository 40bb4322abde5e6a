"""Builds the documentation as `make docs` does."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from markdown_blocks import ROOT


@dataclass(frozen=True)
class Built:
    """A build of the documentation: where it lies, and what Sphinx said."""

    folder: Path
    code: int
    said: str

    @property
    def pages(self) -> list[Path]:
        """All pages of ours."""
        found = sorted(self.folder.rglob("*.html"))
        return [page for page in found if "_static" not in page.relative_to(self.folder).parts]


def build(sources: Path, folder: Path) -> Built:
    """Build as `make docs` does."""
    strict = ["--quiet", "--fail-on-warning", "--nitpicky", "--keep-going", "--fresh-env"]
    answer = subprocess.run(
        [sys.executable, "-m", "sphinx", *strict, str(sources), str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    return Built(folder, answer.returncode, answer.stdout + answer.stderr)
