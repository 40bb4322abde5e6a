"""SECURITY.md names modules and tests: a claim whose proof is gone must not stand."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "SECURITY.md").read_text()
TESTS = {path.name: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
CODE = re.findall(r"`([^`]+)`", TEXT)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\btest_\w+\b(?!\.py)", TEXT))))
def test_the_tests_that_it_names_are_there(name: str) -> None:
    assert any(f"def {name}(" in text for text in TESTS.values())


@pytest.mark.parametrize(
    "path", sorted({one.split("::")[0] for one in CODE if re.fullmatch(r"[\w/]+\.py(::\w+)?", one)})
)
def test_the_files_that_it_names_are_there(path: str) -> None:
    places = (ROOT / path, ROOT / "src" / "convbench" / path)

    if path not in TESTS and not any(place.parent.is_dir() for place in places):
        pytest.skip(f"{Path(path).parent} is not in this tree")
    assert path in TESTS or any(place.is_file() for place in places)


def test_it_says_what_nothing_prevents() -> None:
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    kinds = [
        one for one in sections if one.startswith(("Hostile", "`convbench", "Contin", "A shared"))
    ]

    assert len(kinds) == 5
    assert all("Not covered:" in one for one in kinds)


def test_no_address_is_invented() -> None:
    assert re.findall(r"https?://|[\w.]+@[\w.]+", TEXT) == []
