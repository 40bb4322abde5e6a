"""docs/adding.md: who does what it says has a strategy that passes the tests."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from markdown_blocks import DOCS, ROOT, blocks

COPIED = ("src", "tests", "benchmarks", "pyproject.toml")
PYTEST = (sys.executable, "-m", "pytest", "-q", "-o", "addopts=-p no:cacheprovider")
TESTS = ("tests/strategies", "tests/benchmarks/test_benchmarks.py")


def test_the_example_becomes_a_strategy_by_one_file_and_one_row(tmp_path: Path) -> None:
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    example, _ = (one.text for one in blocks(DOCS / "adding.md") if one.language == "python")
    folder = tmp_path / "src/convbench/strategies"
    (folder / "row_by_row.py").write_text(example)
    table = (folder / "__init__.py").read_text()
    table = table.replace("import (\n", "import (\n    row_by_row,\n", 1)
    row = '    "row_by_row": row_by_row.STRATEGY,\n    "auto": '
    (folder / "__init__.py").write_text(table.replace('    "auto": ', row, 1))

    answer = subprocess.run(
        [*PYTEST, "-k", "row_by_row or every_strategy", *TESTS],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 0, answer.stdout[-3000:]
    passed = re.search(r"(\d+) passed", answer.stdout)
    assert passed is not None
    assert int(passed[1]) > 60
