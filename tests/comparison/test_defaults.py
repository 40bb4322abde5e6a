"""What a project's file may say of its comparisons."""

from pathlib import Path

import pytest

from convbench.comparison.defaults import Defaults, read_defaults
from convbench.errors import BadUsage


def test_without_a_file_there_are_no_defaults(tmp_path: Path) -> None:
    assert read_defaults(tmp_path) == Defaults({}, ("strategy",))


def test_the_tables_are_read(tmp_path: Path) -> None:
    (tmp_path / "convbench.toml").write_text(
        '[parameters]\nstrategy = ["method", "how"]\n'
        '[compare]\nmargin = "1%"\nblocks = 20\nbudget_minutes = 2.5\n'
    )

    assert read_defaults(tmp_path) == Defaults(
        {"margin": "1%", "blocks": 20, "budget_minutes": 2.5}, ("method", "how")
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[compare", "expected TOML"),
        ("compare = 3", "must be a table"),
        ("[compare]\nmargins = '2%'", "no key 'margins'; there are margin, threshold"),
        ("[compare]\nmargin = 2", "margin = 2: give text in quotes"),
        ("[compare]\nblocks = '20'", "blocks = '20': give a number"),
        ("[compare]\nblocks = true", "blocks = True: give a number"),
        ("[compare]\nblocks = 2.5", "blocks = 2.5: give a number"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "convbench.toml").write_text(text)

    with pytest.raises(BadUsage, match=r"convbench\.toml") as refused:
        read_defaults(tmp_path)

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
