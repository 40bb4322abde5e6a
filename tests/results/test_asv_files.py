"""What a result file of format 2 says, and what it becomes."""

import json
import math

import pyarrow as pa
import pytest
from asv_tree import INFINITY, NAN, benchmark, result_file, row
from hypothesis import given, settings
from hypothesis import strategies as st

from convbench.results.asv_files import DAMAGE, parse_benchmarks, parse_machine, parse_result
from convbench.results.grids import Grids, axis_names, unquote


def read(text: str, benchmarks: dict | None = None) -> list[dict]:
    """Rows of a file, with `params` and the axis columns."""
    grids = Grids()
    known = parse_benchmarks(json.dumps(benchmarks or {}).encode())
    rows = parse_result(text.encode(), known, grids).rows
    for name, column in grids.columns(rows["combination"].combine_chunks()).items():
        rows = rows.append_column(name, column)
    return rows.to_pylist(maps_as_pydicts="strict")


def test_null_is_failed_and_nan_is_skipped():
    rows = read(result_file({"a": row([1.5, None, NAN], [["1", "2", "3"]])}))

    assert [(r["status"], r["value"]) for r in rows] == [
        ("ok", 1.5),
        ("failed", None),
        ("skipped", None),
    ]


def test_a_benchmark_without_any_result_failed_in_every_combination():
    rows = read(result_file({"a": row(None, [["1", "2"], ["x"]])}))

    assert [r["status"] for r in rows] == ["failed", "failed"]


def test_a_cut_row_lacks_its_statistics_and_nothing_else():
    cut = row([2.0])[:3]

    (only,) = read(result_file({"a": cut}))

    assert (only["value"], only["version"], only["started_at"]) == (2.0, "1", None)
    assert only["ci_low"] is None
    assert only["repeat"] is None


def test_an_infinite_interval_stays_infinite_and_nan_in_statistics_is_null():
    cells = row(
        [1.0, 2.0], [["1", "2"]], stats_ci_99_a=[-INFINITY, NAN], stats_ci_99_b=[INFINITY, 3]
    )

    first, second = read(result_file({"a": cells}))

    assert (first["ci_low"], first["ci_high"]) == (-INFINITY, INFINITY)
    assert (second["ci_low"], second["ci_high"]) == (None, 3.0)


def test_samples_and_counts_are_read_per_combination():
    cells = row(
        [1.0, None],
        [["1", "2"]],
        stats_number=[7, None],
        stats_repeat=[10.0, None],
        samples=[[1, 2.5], None],
    )

    first, second = read(result_file({"a": cells}))

    assert (first["number"], first["repeat"], first["samples"]) == (7, 10, [1.0, 2.5])
    assert (second["number"], second["repeat"], second["samples"]) == (None, None, None)


def test_a_result_that_is_no_number_is_ok_without_a_value():
    rows = read(
        result_file({"a": row(["text", [1], {"x": 1}, True, 3, NAN, None], [list("abcdefg")])})
    )

    assert [r["status"] for r in rows] == ["ok"] * 5 + ["skipped", "failed"]
    assert [r["value"] for r in rows] == [None, None, None, 1.0, 3.0, None, None]


def test_integers_beyond_a_double_are_rounded():
    (only,) = read(result_file({"a": row([2**63 + 1])}))

    assert only["value"] == float(2**63)


def test_params_are_unquoted_in_product_order_and_named():
    cells = row([1, 2, 3, 4], [["'im2col'", "'fft'"], ["'question'", "None"]])
    known = benchmark("a", ["strategy", "problem"])

    rows = read(result_file({"a": cells}), known)

    assert [(r["strategy"], r["problem"]) for r in rows] == [
        ("im2col", "question"),
        ("im2col", "None"),
        ("fft", "question"),
        ("fft", "None"),
    ]
    assert rows[0]["params"] == {"strategy": "im2col", "problem": "question"}
    assert {r["unit"] for r in rows} == {"seconds"}


def test_a_benchmark_gone_from_the_suite_has_numbered_parameters_and_no_unit():
    (only,) = read(result_file({"gone": row([1], [["5"], ["'x'"]])}))

    assert only["params"] == {"param1": "5", "param2": "x"}
    assert (only["unit"], only["strategy"]) == ("", "")


def test_an_unparametrised_benchmark_has_one_row_without_params():
    (only,) = read(result_file({"a": row([1])}))

    assert only["params"] == {}


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


@pytest.mark.parametrize(
    ("environment", "blas", "threads"),
    [
        ({}, "", ""),
        ({"requirements": {"libblas": "*=*mkl", "numpy": ""}}, "mkl", ""),
        ({"requirements": {"libblas[build=*openblas]": ""}}, "openblas", ""),
        ({"requirements": {"libblas": None}}, "", ""),
        ({"env_vars": {"CONVBENCH_BLAS": "blis", "CONVBENCH_THREADS": "all"}}, "blis", "all"),
        ({"requirements": {"libblas": "*=*mkl"}, "env_vars": {"CONVBENCH_BLAS": "x"}}, "x", ""),
    ],
)
def test_blas_and_threads_come_from_the_environment(environment, blas, threads):
    result = parse_result(result_file({}, **environment).encode(), {}, Grids())

    assert (result.blas, result.threads) == (blas, threads)


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
        result_file({"a": row([10**400])}),
        result_file({"a": row([1.0], started_at=2**70)}),
        result_file({"a": row([1.0], stats_ci_99_a=["x"])}),
        result_file({"a": row(None, [["1"] * 2000] * 3)}),
        result_file({"a": 5}),
        result_file({"a\ud800": row([1.0])}),
        result_file({}, date=10**18),
        result_file({}, commit_hash=None),
        result_file({}, version=3),
        '{"version": 2, "commit_hash": "x", "date": 1' + "0" * 5000 + "}",
    ],
)
def test_damage_raises_what_the_collector_catches(text):
    with pytest.raises(DAMAGE):
        parse_result(text.encode(), {}, Grids())


def test_format_1_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"format 1.*asv update"):
        parse_result(b'{"results": {}, "commit_hash": "x"}', {}, Grids())


def test_machine_facts_are_text():
    assert parse_machine(b'{"ram": 5, "cpu": null}')["ram"] == "5"
    assert parse_machine(b'{"ram": 5, "cpu": null}')["cpu"] == ""


NUMBERS = st.floats(allow_nan=True, allow_infinity=True) | st.none() | st.integers()


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), st.lists(NUMBERS, min_size=1, max_size=4), max_size=4))
def test_what_asv_writes_is_what_is_read(results):
    text = result_file(
        {name: row(v, [[str(i) for i in range(len(v))]]) for name, v in results.items()}
    )

    rows = read(text)

    assert [r["benchmark"] for r in rows] == [n for n, v in results.items() for _ in v]
    assert [(r["status"], r["value"]) for r in rows] == [
        ("failed", None)
        if value is None
        else ("skipped", None)
        if math.isnan(value)
        else ("ok", float(value))
        for values in results.values()
        for value in values
    ]


def test_rows_hold_the_declared_types():
    rows = parse_result(result_file({"a": row(None)}).encode(), {}, Grids()).rows

    assert rows.schema.field("value").type == pa.float64()
    assert rows.schema.field("number").type == pa.int64()
