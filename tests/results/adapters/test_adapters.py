"""What holds for the files of every tool."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from foreign_files import (
    COMMIT,
    OF_COMMIT,
    google_entry,
    google_file,
    pyperf_file,
    pyperf_run,
    pytest_entry,
    pytest_file,
    rows_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from convbench.results.adapters import ADAPTERS, Origin, adapter_of, read_foreign

DAMAGE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError),
    *(OverflowError, RecursionError),
)
FILES = {
    "pyperf": pyperf_file({"b": [pyperf_run([1.0, 2.0, 3.0])]}, hostname="host"),
    "pytest-benchmark": pytest_file(pytest_entry("t.py::b[4]", params={"n": 4}, param="4")),
    "Google Benchmark": google_file(google_entry("b/4/threads:2")),
}
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


def raw(data: object) -> bytes:
    return json.dumps(data).encode()


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in keys:
        yield data, key
        yield from places(data[key])


def test_every_tool_has_an_example_here() -> None:
    assert [adapter.name for adapter in ADAPTERS] == list(FILES)


@pytest.mark.parametrize("tool", FILES)
def test_a_file_is_known_by_its_own_keys(tool: str) -> None:
    recognising = [adapter.name for adapter in ADAPTERS if adapter.recognises(FILES[tool])]

    assert recognising == [tool]


@pytest.mark.parametrize(
    "data",
    [
        *(None, 3, "text", [], {}, {"version": 2, "results": {}, "result_columns": []}),
        *({"benchmarks": []}, {"version": "1.0", "benchmarks": [3]}, {"benchmarks": {"runs": 1}}),
    ],
)
def test_other_json_is_no_tools_file(data: object) -> None:
    assert adapter_of(data) is None
    with pytest.raises(ValueError, match="only files of pyperf, pytest-benchmark, Google"):
        read_foreign(raw(data), OF_COMMIT)


def test_a_refusal_says_what_was_found() -> None:
    with pytest.raises(ValueError, match="a JSON object with the keys version, results"):
        read_foreign(raw({"version": 2, "results": {}}), OF_COMMIT)


def test_a_compressed_file_is_named_as_such() -> None:
    with pytest.raises(ValueError, match="gzip"):
        read_foreign(b"\x1f\x8b\x08rest", OF_COMMIT)


@pytest.mark.parametrize("tool", ["pyperf", "Google Benchmark"])
def test_a_file_without_a_commit_asks_for_one(tool: str) -> None:
    with pytest.raises(ValueError, match="no commit in the file; give --commit HASH"):
        read_foreign(raw(FILES[tool]), Origin())


@pytest.mark.parametrize("tool", FILES)
def test_what_the_user_says_wins(tool: str) -> None:
    origin = Origin(commit="f" * 40, commit_date_ms=1234, machine="mine")

    head = read_foreign(raw(FILES[tool]), origin).head

    assert (head.commit, head.commit_date_ms, head.machine) == ("f" * 40, 1234, "mine")


@pytest.mark.parametrize("tool", FILES)
def test_the_file_names_its_machine(tool: str) -> None:
    assert read_foreign(raw(FILES[tool]), OF_COMMIT).head.machine == "host"


@pytest.mark.parametrize("tool", FILES)
def test_a_file_of_no_date_asks_for_one(tool: str) -> None:
    data = copy.deepcopy(FILES[tool])
    for container, key in list(places(data)):
        if key in ("date", "datetime", "time"):
            container[key] = None

    with pytest.raises(ValueError, match="give --commit-date"):
        read_foreign(raw(data), OF_COMMIT)
    assert read_foreign(raw(data), Origin(COMMIT, 5)).head.commit_date_ms == 5


@pytest.mark.parametrize("tool", FILES)
def test_no_tool_states_an_interval_of_the_median(tool: str) -> None:
    (row,) = rows_of(read_foreign(raw(FILES[tool]), OF_COMMIT)).values()

    assert (row["ci_low"], row["ci_high"]) == (None, None)


def test_a_file_of_no_results_has_no_rows() -> None:
    assert rows_of(read_foreign(raw(google_file()), OF_COMMIT)) == {}
    assert rows_of(read_foreign(raw(pytest_file()), OF_COMMIT)) == {}


def test_more_rows_than_any_real_file_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convbench.results.adapters.reading.MAX_ROWS", 2)

    with pytest.raises(ValueError, match="3 results in one file; at most 2"):
        read_foreign(raw(google_file(*map(google_entry, "abc"))), OF_COMMIT)


@pytest.mark.parametrize("tool", FILES)
@settings(max_examples=200)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_never_a_crash(tool: str, data: st.DataObject) -> None:
    document = copy.deepcopy(FILES[tool])
    container, key = data.draw(st.sampled_from(list(places(document))))
    container[key] = data.draw(JSON)

    try:
        result = read_foreign(raw(document), OF_COMMIT)
    except DAMAGE:
        return
    rows_of(result)


@pytest.mark.parametrize("tool", FILES)
@pytest.mark.parametrize("count", [-1, 1.5, True, "3", [1], 10**30])
def test_a_count_is_a_whole_number_from_0_on(tool: str, count: object) -> None:
    data = copy.deepcopy(FILES[tool])
    counts = {"pyperf": "loops", "pytest-benchmark": "rounds", "Google Benchmark": "iterations"}
    holder = next(holder for holder, key in places(data) if key == counts[tool])
    holder[counts[tool]] = count

    with pytest.raises((ValueError, OverflowError)):
        read_foreign(raw(data), OF_COMMIT)


VALUES: dict[str, Callable[[Any], Any]] = {
    "pyperf": lambda value: pyperf_file({"b": [pyperf_run([value])]}),
    "pytest-benchmark": lambda value: pytest_file(pytest_entry("b", value, data=[value])),
    "Google Benchmark": lambda value: google_file(google_entry("b", value, time_unit="s")),
}


@pytest.mark.parametrize("tool", VALUES)
@pytest.mark.parametrize("value", [None, float("nan")])
def test_no_number_is_a_failure(tool: str, value: object) -> None:
    row = rows_of(read_foreign(raw(VALUES[tool](value)), OF_COMMIT))["b"]

    assert (row["status"], row["value"], row["samples"]) == ("failed", None, None)


@pytest.mark.parametrize(
    "data",
    [
        pyperf_file({"b": [pyperf_run([float("nan"), 1.0, 3.0])]}),
        google_file(*(google_entry("b", value) for value in (float("nan"), 1.0, 3.0))),
    ],
)
def test_a_sample_that_is_no_number_leaves_no_median(data: object) -> None:
    row = rows_of(read_foreign(raw(data), OF_COMMIT))["b"]

    assert (row["status"], row["value"], row["samples"]) == ("failed", None, None)


@pytest.mark.parametrize("tool", VALUES)
def test_infinity_stays(tool: str) -> None:
    row = rows_of(read_foreign(raw(VALUES[tool](float("inf"))), OF_COMMIT))["b"]

    assert (row["status"], row["value"]) == ("ok", float("inf"))


@pytest.mark.parametrize("tool", VALUES)
@pytest.mark.parametrize("value", ["1.0", True, [1.0]])
def test_a_value_that_is_no_number_is_refused(tool: str, value: object) -> None:
    with pytest.raises(ValueError, match="expected a number"):
        read_foreign(raw(VALUES[tool](value)), OF_COMMIT)
