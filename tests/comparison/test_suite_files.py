"""The file of a cell's benchmark, found by asv's name of it."""

from pathlib import Path

import pytest

from convbench.comparison.suite_files import suite_files


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A project whose configuration and suite lie below the repository's top."""
    folder = tmp_path / "project" / "perf"
    suite = folder / "suite"
    (suite / "linalg").mkdir(parents=True)
    for name in ("run.py", "linalg/__init__.py", "linalg/norms.py"):
        (suite / name).touch()
    (tmp_path / "project" / ".git").mkdir()
    (tmp_path / "outside.py").touch()
    (suite / "linked.py").symlink_to(tmp_path / "outside.py")
    (folder / "asv.conf.json").write_text('{"benchmark_dir": "suite", /* as asv allows */}')
    return folder / "asv.conf.json"


@pytest.mark.parametrize(
    ("cell", "file"),
    [
        ("run.Float32.time_run('im2col', 'a.b')", "perf/suite/run.py"),
        ("run.time_it", "perf/suite/run.py"),
        ("linalg.norms.time_l2(1)", "perf/suite/linalg/norms.py"),
        ("linalg.Other.time_it", "perf/suite/linalg/__init__.py"),
        ("gone.time_it", ""),
        ("linked.time_it", ""),  # leads out of the repository
        ("../outside.time_it", ""),
        ("", ""),
        ("::error::x", ""),
    ],
)
def test_the_longest_module_name_decides(config: Path, cell: str, file: str) -> None:
    assert suite_files(config)(cell) == file


def test_without_a_configuration_no_cell_has_a_file(tmp_path: Path) -> None:
    assert suite_files(tmp_path / "asv.conf.json")("run.time_it") == ""
