"""What asv's result files of format 2 say, and what the exact reader makes of them."""

import json
import math

import numpy as np
import pytest
from asv_tree import COMMIT, INFINITY, NAN, benchmark, result_file, row
from hypothesis import given
from hypothesis import strategies as st

from convbench.results import exact_reader, raw_files
from convbench.results import result_file as results
from convbench.results.descriptions import parse_benchmarks, parse_machine
from convbench.results.exact_reader import read_exact
from convbench.results.grids import Grids, axis_names, axis_texts, unquote
from convbench.results.part_building import DAMAGE
from convbench.results.raw_files import loads_bounded
from convbench.results.result_file import NO_COUNT, NO_TIME, Rows, undescribed

STATUS = {results.OK: "ok", results.FAILED: "failed", results.SKIPPED: "skipped"}


def read(text: str) -> Rows:
    return read_exact(text.encode()).rows


def outcomes(rows: Rows) -> list[tuple[str, float | None]]:
    """Status and value of each row, None where there is no number."""
    values = [None if math.isnan(value) else value for value in rows.value.tolist()]
    return list(zip([STATUS[code] for code in rows.status.tolist()], values, strict=True))


def sample_lists(rows: Rows) -> list[list[float] | None]:
    said = rows.samples
    assert said is not None
    cells = np.split(said.values, said.offsets[1:-1])
    return [
        cell.tolist() if told else None for cell, told in zip(cells, said.recorded, strict=True)
    ]


def combinations(text: str, benchmarks: dict | None = None) -> list[dict[str, str]]:
    """The parameters of each row, named as ``benchmarks.json`` says."""
    known, grids, rows = (
        parse_benchmarks(json.dumps(benchmarks or {}).encode()),
        Grids(),
        read(text),
    )
    found = []
    for name, axes in zip(rows.benchmarks, rows.axes, strict=True):
        names = known[name].param_names if name in known else ()
        found += [dict(grids.combinations[code]) for code in grids.codes(names, axes)]
    return found


def test_null_is_failed_and_nan_is_skipped():
    rows = read(result_file({"a": row([1.5, None, NAN], [["1", "2", "3"]])}))

    assert outcomes(rows) == [("ok", 1.5), ("failed", None), ("skipped", None)]


def test_a_benchmark_without_any_result_failed_in_every_combination():
    rows = read(result_file({"a": row(None, [["1", "2"], ["x"]])}))

    assert outcomes(rows) == [("failed", None)] * 2


def test_a_cut_row_lacks_its_statistics_and_nothing_else():
    rows = read(result_file({"a": row([2.0])[:3]}))

    assert (rows.value.tolist(), rows.versions) == ([2.0], ("1",))
    assert (rows.started_at_ms.tolist(), rows.samples) == ([NO_TIME], None)
    assert {name: column.tolist() for name, column in rows.counts.items()} == {
        "number": [NO_COUNT],
        "repeat": [NO_COUNT],
    }
    assert all(np.isnan(column).all() for column in (*rows.intervals.values(), rows.duration))


def test_an_infinite_interval_stays_infinite_and_nan_in_statistics_is_no_number():
    cells = row(
        [1.0, 2.0], [["1", "2"]], stats_ci_99_a=[-INFINITY, NAN], stats_ci_99_b=[INFINITY, 3]
    )

    intervals = read(result_file({"a": cells})).intervals

    np.testing.assert_array_equal(intervals["ci_low"], [-INFINITY, NAN])
    np.testing.assert_array_equal(intervals["ci_high"], [INFINITY, 3.0])


def test_an_infinite_result_is_ok():
    assert outcomes(read(result_file({"a": row([INFINITY])}))) == [("ok", INFINITY)]


def test_samples_and_counts_are_read_per_combination():
    cells = row(
        [1.0, None, 2.0],
        [["1", "2", "3"]],
        stats_number=[7, None, NAN],
        stats_repeat=[10.0, None, 0],
        samples=[[1, 2.5], None, []],
    )

    rows = read(result_file({"a": cells}))

    assert rows.counts["number"].tolist() == [7, NO_COUNT, NO_COUNT]
    assert rows.counts["repeat"].tolist() == [10, NO_COUNT, 0]
    assert sample_lists(rows) == [[1.0, 2.5], None, []]


def test_a_result_that_is_no_number_is_ok_without_a_value():
    cells = ["text", [1], {"x": 1}, True, 3, NAN, None]

    found = outcomes(read(result_file({"a": row(cells, [list("abcdefg")])})))

    assert [status for status, _ in found] == ["ok"] * 5 + ["skipped", "failed"]
    assert [value for _, value in found] == [None, None, None, 1.0, 3.0, None, None]


def test_integers_beyond_a_double_are_rounded_or_infinite():
    found = outcomes(
        read(result_file({"a": row([2**63 + 1, 10**400, -(10**400)], [["1", "2", "3"]])}))
    )

    assert [value for _, value in found] == [float(2**63), INFINITY, -INFINITY]


def test_params_are_unquoted_in_product_order_and_named():
    text = result_file({"a": row([1, 2, 3, 4], [["'im2col'", "'fft'"], ["'question'", "None"]])})

    found = combinations(text, benchmark("a", ["strategy", "problem"]))

    assert found == [
        {"strategy": strategy, "problem": problem}
        for strategy in ("im2col", "fft")
        for problem in ("question", "None")
    ]


def test_a_benchmark_gone_from_the_suite_has_numbered_parameters():
    text = result_file({"gone": row([1], [["5"], ["'x'"]])})

    assert combinations(text) == [{"param1": "5", "param2": "x"}]


def test_an_unparametrised_benchmark_has_one_row_without_params():
    text = result_file({"a": row([1])})

    assert (read(text).sizes, combinations(text)) == ([1], [{}])


def test_an_axis_without_values_has_no_rows():
    assert read(result_file({"a": row([], [[]]), "b": row([1.0])})).sizes == [0, 1]


def test_axis_names_are_unique_and_complete():
    assert axis_names(["a", "a"], 3) == ("a", "a_2", "param3")
    assert axis_names(["a", "b", "c"], 1) == ("a",)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("'a'", "a"),
        ('"it\'s"', "it's"),
        (r"'tab\t'", "tab\t"),
        ("5", "5"),
        ("<function f at 0x7f>", "<function f at 0x7f>"),
        ("'unfinished", "'unfinished"),
        (r"'\d'", r"'\d'"),
        ("'a' + 'b'", "'a' + 'b'"),
        ("b'x'", "b'x'"),
        (r"'\ud800'", r"\ud800"),
        ("\ud800", r"\ud800"),
        ("", ""),
    ],
)
def test_unquote_undoes_repr_and_leaves_the_rest(text, plain):
    assert unquote(text) == plain


@given(st.text())
def test_unquote_inverts_repr(text):
    assert unquote(repr(text)) == text


def test_the_head_has_commit_environment_and_what_it_was_made_of():
    head = read_exact(
        result_file(
            {},
            commit_hash="c" * 40,
            date=1_690_000_000_000.0,
            env_name="e",
            requirements={"numpy": "2.0", "six": None},
            env_vars={"X": "\ud800"},
            python=None,
        ).encode()
    ).head

    assert (head.commit, head.commit_date_ms, head.environment) == ("c" * 40, 1690000000000, "e")
    assert (head.requirements, head.variables) == ({"numpy": "2.0", "six": ""}, {"X": r"\ud800"})
    assert head.python == ""


def test_environment_variables_and_requirements_may_be_missing():
    data = json.loads(result_file({}))
    del data["env_vars"], data["requirements"], data["python"]

    head = read_exact(json.dumps(data).encode()).head

    assert (head.commit, head.requirements, head.variables) == (COMMIT, {}, {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "[" * 100_000,
        result_file({"a": row([1.0])})[:-30],
        result_file({"a": row([1.0, 2.0])}),
        result_file({"a": row([1.0], [["1", "2"]])}),
        result_file({"a": row([1.0], stats_q_25=[10**400])}),
        result_file({"a": row([1.0], started_at=2**70)}),
        result_file({"a": row([1.0], started_at=NAN)}),
        result_file({"a": row([1.0], stats_ci_99_a=["x"])}),
        result_file({"a": row([1.0], stats_ci_99_a=[True])}),
        result_file({"a": row([1.0], samples=[5])}),
        result_file({"a": row([1.0], samples=[["x"]])}),
        result_file({"a": row([1.0], samples=[{"x": 1}])}),
        result_file({"a": row(None, [["1"] * 2000] * 3)}),
        result_file({"a": row([1.0], ["12"])}),  # type: ignore[list-item]
        result_file({"a": 5}),  # type: ignore[dict-item]
        result_file({}, result_columns=["result", 5]),
        result_file({}).replace('"results": {}', '"results": []'),
        result_file({}, date=10**18),
        result_file({}, date=True),
        result_file({}, date=1.5),
        result_file({}, env_name=""),
        result_file({}, commit_hash=None),
        result_file({}, requirements=["numpy"]),
        result_file({}, version=3),
        result_file({}, version="2"),
        '{"version": 2, "commit_hash": "x", "date": 1' + "0" * 5000 + "}",
    ],
)
def test_damage_raises_what_the_collector_catches(text):
    with pytest.raises(DAMAGE):
        read_exact(text.encode())


@pytest.mark.parametrize("count", [-1, 2.5, INFINITY, 2**53])
@pytest.mark.parametrize("column", ["number", "repeat"])
def test_counts_are_whole_numbers_from_0_on(column, count):
    text = result_file({"a": row([1.0], **{f"stats_{column}": [count]})})

    with pytest.raises(ValueError, match=f"{column}: expected whole numbers from 0 on"):
        read(text)


@pytest.mark.parametrize("date", [-1, results.LAST_DATE_MS + 1])
def test_dates_outside_1970_to_9999_are_refused_as_commit_and_as_start(date):
    with pytest.raises(ValueError, match="before 1970 or after the year 9999"):
        read(result_file({}, date=date))
    with pytest.raises(ValueError, match="before 1970 or after the year 9999"):
        read(result_file({"a": row([1.0], started_at=date)}))


def test_the_first_and_last_date_are_read():
    assert read_exact(result_file({}, date=0).encode()).head.commit_date_ms == 0
    last = read_exact(result_file({}, date=results.LAST_DATE_MS).encode()).head
    assert last.commit_date_ms == 253_402_300_799_999


def test_a_file_may_claim_so_many_rows_and_none_more(monkeypatch):
    monkeypatch.setattr(exact_reader, "MAX_ROWS", 6)

    assert len(read(result_file({"a": row(None, [["1"] * 3, ["2"] * 2])})).value) == 6
    for benchmarks in ({"a": row(None, [["1"] * 7])}, dict.fromkeys("abcdefg", row(None))):
        with pytest.raises(ValueError, match="7 results in one file; at most 6 are read"):
            read(result_file(benchmarks))


@pytest.mark.parametrize(
    ("objects", "items", "text"), [(3, 9, "[[], {}]"), (3, 2, "[1, 2, 3]"), (2, 9, '["a"]')]
)
def test_json_of_too_many_objects_is_refused_before_it_is_parsed(monkeypatch, objects, items, text):
    monkeypatch.setattr(raw_files, "MAX_OBJECTS", objects)
    monkeypatch.setattr(raw_files, "MAX_ITEMS", items)
    assert loads_bounded(text.encode()) is not None

    monkeypatch.setattr(raw_files, "MAX_OBJECTS", objects - (text != "[1, 2, 3]"))
    monkeypatch.setattr(raw_files, "MAX_ITEMS", items - (text == "[1, 2, 3]"))

    with pytest.raises(ValueError, match="at most"):
        loads_bounded(text.encode())


def test_machine_facts_are_text():
    assert parse_machine(b'{"ram": 5, "cpu": null}')["ram"] == "5"
    assert parse_machine(b'{"ram": 5, "cpu": null}')["cpu"] == ""


NUMBERS = st.floats(allow_nan=True, allow_infinity=True) | st.none() | st.integers()


@given(st.dictionaries(st.text(max_size=5), st.lists(NUMBERS, min_size=1, max_size=4), max_size=4))
def test_what_asv_writes_is_what_is_read(written):
    text = result_file(
        {name: row(v, [[str(i) for i in range(len(v))]]) for name, v in written.items()}
    )

    rows = read(text)

    assert rows.benchmarks == tuple(written)
    assert rows.sizes == [len(cells) for cells in written.values()]
    assert outcomes(rows) == [
        ("failed", None)
        if value is None
        else ("skipped", None)
        if math.isnan(value)
        else ("ok", float(value))
        for values in written.values()
        for value in values
    ]


def test_columns_have_the_declared_types_whatever_a_file_says():
    for cells in (row(None), row([1]), row([1.0], stats_number=[1.0], stats_q_25=[2])):
        rows = read(result_file({"a": cells}))

        floats = (rows.value, rows.duration, *rows.intervals.values())
        assert {column.dtype for column in floats} == {np.dtype(np.float64)}
        whole = (rows.started_at_ms, *rows.counts.values())
        assert {column.dtype for column in whole} == {np.dtype(np.int64)}


@pytest.mark.parametrize(
    ("axis", "texts"),
    [
        (["'a'", "b"], ["a", "b"]),
        (["'1'", "1", "2"], ["'1'", "1", "2"]),
        (["None", "'None'", "'x'"], ["None", "'None'", "x"]),
        (["1", "1"], ["1", "1 (2)"]),
    ],
)
def test_two_values_of_an_axis_never_have_one_text(axis, texts):
    assert axis_texts(axis) == texts


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("suite.time_x", "seconds"),
        ("suite.TimeXy", "seconds"),
        ("suite.Class.timeraw_x", "seconds"),
        ("suite.mem_x", "bytes"),
        ("suite.peakmem_x", "bytes"),
        ("suite.PeakMemXy", "bytes"),
        ("suite.track_x", ""),
        ("time_suite.other", ""),
        ("suite.timer", ""),
        ("suite.time_", ""),
    ],
)
def test_what_asv_forgot_has_the_unit_of_its_type(name, unit):
    assert undescribed(name).unit == unit
