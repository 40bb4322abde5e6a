"""docs/results.md: what its examples print is what they print here."""

import doctest
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs/results.md"
RESULTS = Path(__file__).parents[3] / "shared/data/asv-numpy-bench/results"


def test_the_examples_print_what_the_document_says(tmp_path, monkeypatch):
    if not RESULTS.is_dir():
        pytest.skip(f"needs the shared data: {RESULTS} is not there")
    (tmp_path / "results").symlink_to(RESULTS)
    monkeypatch.chdir(tmp_path)

    failed, tried = doctest.testfile(
        str(DOCUMENT),
        module_relative=False,
        encoding="utf-8",
        optionflags=doctest.NORMALIZE_WHITESPACE,
    )

    assert tried >= 15
    assert failed == 0
