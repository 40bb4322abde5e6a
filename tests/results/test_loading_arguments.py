"""What `load` and `scan` are asked: each wrong argument is one line that says what is accepted."""

from pathlib import Path
from typing import Any

import pytest
from asv_tree import result_file, row, write_source

from convbench.errors import BadResults, BadUsage
from convbench.results import collect, load, loading, schema


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("arguments")
    files = {"m/a.json": result_file({"a": row([1.0])})}
    collect(write_source(top / "p", files), top / "store")
    return top / "store"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"columns": ["value", "value"]}, "column 'value' is asked for twice; name each once"),
        ({"columns": []}, "no columns; the columns are project, "),
        ({"columns": ["vlaue"]}, "no column 'vlaue'; the columns are project, "),
        ({"columns": [None]}, "no column None; the columns are project, "),
        ({"strategy": None}, "filter strategy: expected a text or several, got None"),
        ({"strategy": ["fft", None]}, "filter strategy: expected a text or several, got None"),
        ({"threads": 1}, "filter threads: expected a text or several, got 1"),
        ({"threads": [1, 2]}, "filter threads: expected a text or several, got 1"),
        ({"value": "1"}, "no filter 'value'; the columns are project, "),
        ({"since": ""}, "since: expected a date like 2026-03-01, got ''"),
        ({"until": "0001-01-01T00:00+14:00"}, "until: expected a date like 2026-03-01"),
    ],
)
def test_wrong_arguments_are_refused(store: Path, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(BadUsage, match=message):
        load(store, **asked)
    with pytest.raises(BadUsage, match=message):
        list(loading.scan(store, **asked))


@pytest.mark.parametrize("name", schema.SCHEMAS["values"].names)
def test_a_column_that_is_asked_for_is_what_comes(store: Path, name: str) -> None:
    expected = load(store)[[name]]

    assert load(store, columns=[name]).equals(expected)
    assert load(store, columns=iter([name])).equals(expected)


def test_no_choice_of_a_filter_is_no_row(store: Path) -> None:
    assert load(store, strategy=[]).empty


@pytest.mark.parametrize("damaged", [True, False], ids=["damaged", "missing"])
def test_a_part_that_can_not_be_read_is_collected_into_a_new_folder(
    tmp_path: Path, damaged: bool
) -> None:
    files = {"m/a.json": result_file({"a": row([1.0])})}
    source, store = write_source(tmp_path / "p", files), tmp_path / "store"
    collect(source, store)
    (part,) = store.glob("values/*/*/*")
    if damaged:
        part.write_bytes(b"no parquet")
    else:
        part.unlink()

    collect(source, store)  # nothing changed: it is no way out
    with pytest.raises(BadResults, match="into a new folder"):
        load(store)
