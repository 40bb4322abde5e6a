"""Kept block values come back as they were; anything else is refused in one line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convbench.comparison import kept
from convbench.comparison.blocks import Values
from convbench.comparison.kept import Kept
from convbench.errors import BadResults

KEPT = Kept(
    base="old",
    head="new",
    margin=1.02,
    threshold=1.05,
    blocks=10,
    measured_at="2026-01-01T00:00:00Z",
    seconds=1.5,
    values={"a": Values([0.1, -0.2], [0.3]), "b": Values(failed="HEAD (new): no")},
)

finite = st.floats(allow_nan=False, allow_infinity=False)
# Names are anybody's; a byte that is no UTF-8 is a lone surrogate.
text = st.text(st.characters(exclude_categories=["Cs"]) | st.just("\udc80"))


@given(
    values=st.dictionaries(
        text, st.builds(Values, st.lists(finite), st.lists(finite), failed=text, skipped=text)
    ),
    label=text,
)
def test_what_is_kept_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Values], label: str
) -> None:
    path = tmp_path_factory.mktemp("kept") / "kept.json"
    data = replace(KEPT, values=values, base=label)

    kept.write(path, data)

    assert kept.read(path) == data


def changed(**fields: Any) -> str:
    document = {
        "format": 1,
        **{name: getattr(KEPT, name) for name in ("base", "head", "margin", "threshold")},
        **{"blocks": 10, "measured_at": "", "seconds": 0.0},
        "values": {"a": {"screen": [0.1], "confirm": [], "failed": "", "skipped": ""}},
    }
    return json.dumps(document | fields)


def test_the_document_that_is_changed_below_is_a_good_one(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text(changed())

    assert kept.read(tmp_path / "kept.json").values["a"] == Values([0.1])


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{}",
        '"text"',
        "[" * 100_000,
        changed(format=2),
        changed(base=3),
        changed(blocks="many"),
        changed(blocks=0),
        changed(blocks=1),
        changed(blocks=True),
        changed(margin=1.0),
        changed(margin=10**400),
        changed(threshold=True),
        changed(seconds="1"),
        changed(measured_at=None),
        changed(margin=float("nan")),
        changed(margin="2%"),
        changed(other=1),
        changed(values=[]),
        changed(values={"a": [0.1]}),
        changed(values={"a": {"screen": [float("inf")]}}),
        changed(values={"a": {"screen": ["x"]}}),
        changed(values={"a": {"screen": 1}}),
        changed(values={"a": {"screen": ["0.1"]}}),
        changed(values={"a": {"screen": {"0.1": 1}}}),
        changed(values={"a": {"screen": [True]}}),
        changed(values={"a": {"screen": [10**400]}}),
        changed(values={"a": {"failed": 1}}),
        changed(values={"a": {"unknown": 1}}),
    ],
)
def test_another_file_is_refused(tmp_path: Path, document: str) -> None:
    path = tmp_path / "kept.json"
    path.write_text(document)

    with pytest.raises(BadResults, match=str(path)) as refused:
        kept.read(path)

    assert "\n" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadResults, match="there is no such file"):
        kept.read(tmp_path / "nothing")
