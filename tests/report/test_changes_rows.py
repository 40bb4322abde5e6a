"""Many events: the newest stand in the document, the others in a file; sizes to choose by."""

import json
import re

import pytest
from sample_store import Store, convolution_store, event, found_change

from convbench.report.event_sizes import size_choices
from convbench.report.events import FIRST_ROWS
from convbench.report.site import site_files

EVENTS = FIRST_ROWS + 15
NAMES = re.compile(r'<tr data-event="([0-9a-f]+)"')


def store_of_events(number: int = EVENTS) -> Store:
    """Make a store with an event of ever larger size at every second commit."""
    store = convolution_store(2, strategies={"im2col": 1.0})
    store.tables["changes"], store.tables["events"] = [], []
    params = "strategy=im2col, problem=question, dtype=float32"
    for at in range(number):
        one = found_change(1, before=1e-5, after=(1.01 + 0.02 * at) * 1e-5, params=params)
        store.tables["changes"].append(one)
        store.tables["events"].extend(event(f"{at:010x}", one))
    return store


def later_rows(files: dict[str, str]) -> str:
    name, rows = re.fullmatch(r'CB\.put\("(\w+)",(.*)\);\n', files["data/changes.js"]).groups()  # type: ignore[union-attr] # it matches, or the test fails
    assert name == "changes"
    return str(json.loads(rows))


def test_every_event_stands_once_in_the_document_or_in_the_file() -> None:
    files = site_files(store_of_events().measurements())

    first, later = NAMES.findall(files["index.html"]), NAMES.findall(later_rows(files))
    assert len(first) == FIRST_ROWS
    assert sorted(first + later) == [f"{at:010x}" for at in range(EVENTS)]


def test_few_events_need_no_file() -> None:
    files = site_files(store_of_events(FIRST_ROWS).measurements())

    assert "data/changes.js" not in files
    assert 'id="changes-all"' not in files["index.html"]


def test_names_in_the_file_are_escaped() -> None:
    store = store_of_events()
    for one in store.tables["events"]:
        one["evidence"] = "<img src=x onerror=alert(1)>\u2028"

    rows = later_rows(files := site_files(store.measurements()))

    assert "<img" not in rows
    assert "&lt;img" in rows
    assert "\u2028" not in files["data/changes.js"]


@pytest.mark.parametrize(
    ("sizes", "offered"),
    [
        ([1.006, 1.03, 1.3], ["", "1.01", "1.05"]),  # 2 % leaves out what 1 % does, and so on
        ([1.5, 1.6], []),
        ([], []),
        ([1.03, 1e9], ["", "1.05"]),  # what starts to fail is larger than all
    ],
)
def test_sizes_are_offered_where_they_tell_events_apart(
    sizes: list[float], offered: list[str]
) -> None:
    assert list(size_choices(sizes)) == offered
