import argparse
import json
import re
from dataclasses import replace

import pytest

from convbench import ConvProblem, threads
from convbench.ceilings import Roofs
from convbench.commands import explain
from convbench.errors import BadProblem, BadUsage
from convbench.question import DENSE
from convbench.strategies import STRATEGIES
from convbench.workloads import WORKLOADS

QUESTION = ("--input", "32x32x3", "--filters", "10x2x2", "--stride", "2")
QUICK = ("--seconds", "0.001")


def explain_lines(*options: str) -> list[str]:
    parser = argparse.ArgumentParser()
    explain.add_arguments(parser)
    lines: list[str] = []

    exit_code = explain.run(parser.parse_args(options), lines.append)

    assert exit_code == 0
    return lines


@pytest.fixture(scope="module")
def question() -> list[str]:
    return explain_lines(*QUESTION, *QUICK)


@pytest.fixture(scope="module")
def document() -> dict[str, object]:
    (line,) = explain_lines(*QUESTION, *QUICK, "--json")
    return json.loads(line)


def table_of(lines: list[str]) -> list[str]:
    start = lines.index("") + 1
    return lines[start : lines.index("", start)]


def test_every_strategy_but_auto_stands_in_the_table_beside_np_dot(question: list[str]) -> None:
    _, *rows = table_of(question)

    names = [row.split()[0] for row in rows]
    skipped = [line.split()[1].rstrip(":") for line in question if line.startswith("skipped ")]
    own = {name for name, strategy in STRATEGIES.items() if not strategy.external}
    assert sorted((*names, *skipped)) == sorted({*own, DENSE} - {"auto"})
    assert any(line.startswith("auto chooses ") for line in question)


def test_the_table_is_aligned(question: list[str]) -> None:
    heading, *rows = table_of(question)
    reason = heading.index("why")

    assert all(row[reason - 2 : reason] == "  " and row[reason] != " " for row in rows)
    assert all(row[heading.index("error") + 4] != " " for row in rows)


def test_every_way_has_a_prediction_rates_and_a_reason(
    document: dict[str, list[dict[str, float]]],
) -> None:
    for way in (document["dense"], *document["strategies"]):
        assert way["predicted_seconds"] > 0
        assert way["executed_gflops_per_second"] == pytest.approx(
            way["flops"] / way["seconds"] / 1e9
        )
        assert way["fraction_of_peak"] > 0
        assert way["why"]


def test_the_loops_are_explained_by_the_calls_they_make(
    document: dict[str, list[dict[str, object]]],
) -> None:
    loops = next(way for way in document["strategies"] if way["name"] == "loops")

    assert loops["interpreted"]["frequent"] == "np.sum"
    assert loops["interpreted"]["frequent_calls"] == 2560


def test_errors_are_measured_against_the_float64_reference(
    document: dict[str, list[dict[str, float]]],
) -> None:
    assert document["dense"]["error"] is None
    assert all(0 <= way["error"] < 1e-13 for way in document["strategies"])


def test_operations_bytes_and_the_ceilings_come_first(question: list[str]) -> None:
    assert question[2].startswith("61,440 operations on 46.0 kB, 1.34 a byte: at most ")
    assert ", set by memory, " in question[2] or ", set by arithmetic" in question[2]
    number = r"[\d.,]+"
    assert re.fullmatch(
        rf"ceiling {number} GFLOP/s by GEMM, {number} by FMA; {number} [MGT]B/s by triad in "
        rf"(L1|L2|L3|DRAM), where the operands fit; NumPy copies {number} [MGT]B/s, "
        rf"a call takes {number} (ns|µs)",
        question[3],
    )


def test_the_lowest_roof_above_the_problem_is_named() -> None:
    problem = ConvProblem(**WORKLOADS["question"], dtype="float64")
    roofs = Roofs(
        gemm_flops_per_second=8e10,
        fma_flops_per_second=1e11,
        level="L2",
        triad_bytes_per_second=1e10,
    )

    by_memory = explain.asked_line(problem, roofs)
    by_arithmetic = explain.asked_line(problem, replace(roofs, triad_bytes_per_second=1e12))

    assert by_memory.endswith(": at most 13.4 GFLOP/s, set by memory, L2")
    assert by_arithmetic.endswith(": at most 100 GFLOP/s, set by arithmetic")


def test_the_document_has_the_roofs(document: dict[str, dict[str, float]]) -> None:
    roofs, problem = document["roofs"], document["problem"]

    peak = max(roofs["gemm_flops_per_second"], roofs["fma_flops_per_second"])
    by_memory = problem["arithmetic_intensity"] * roofs["triad_bytes_per_second"]
    assert problem["attainable_flops_per_second"] == pytest.approx(min(peak, by_memory))


def test_auto_is_explained_by_its_predictions(question: list[str]) -> None:
    (line,) = (line for line in question if line.startswith("auto chooses "))

    assert ": predicts " in line
    assert "; others: " in line


def test_rows_are_sorted_by_time_and_the_loops_are_the_slow_end(
    document: dict[str, list[dict[str, float]]],
) -> None:
    times = [row["seconds"] for row in document["strategies"]]

    assert times == sorted(times)
    slow_end = [one["name"] for one in document["strategies"][len(times) // 2 :]]
    assert "loops" in slow_end
    assert all(one["q25"] <= one["seconds"] <= one["q75"] for one in document["strategies"])


def test_the_document_states_problem_threads_and_the_loaded_blas(document: dict[str, dict]) -> None:
    assert document["problem"]["flops"] == 61_440
    assert document["dense"]["flops"] == 3_072_000
    assert document["threads"] == 1
    assert [library["threads"] for library in document["blas"]]
    assert {library["threads"] for library in document["blas"]} == {1}


def test_the_answer_names_the_loaded_blas_and_explains(question: list[str]) -> None:
    assert question[0] == (
        "measuring 32×32×3 image, 10 filters of 2×2×3, stride 2, float64, on one BLAS thread"
    )
    assert question[1].startswith("50× fewer operations, ")
    assert any(line.startswith("BLAS: ") and line.endswith("one thread") for line in question)
    assert question[-1].endswith(".")


def test_a_strategy_that_cannot_do_the_problem_is_skipped_with_its_reason() -> None:
    lines = explain_lines("--input", "64x64x8", "--filters", "64x1x1", *QUICK)

    assert any(line.startswith("skipped toeplitz: ") for line in lines)
    assert not any(row.startswith("toeplitz") for row in table_of(lines))


def test_a_named_problem_in_another_layout_on_two_threads() -> None:
    (line,) = explain_lines(
        *("--problem", "question", "--dtype", "float32", "--layout", "NHWC"),
        *("--threads", "all", "--batch", "2", *QUICK, "--json"),
    )
    document = json.loads(line)

    assert document["threads"] == threads.count()
    assert document["problem"]["layout"] == "NHWC"
    assert document["problem"]["batch"] == 2
    assert all(way["error"] < 1e-5 for way in document["strategies"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give a shape by --input HxWxC and --filters OxKHxKW, or --problem NAME"),
        (("--input", "8x8x1"), "give a shape by --input"),
        (("--problem", "lenet"), "unknown problem 'lenet'; choose one of: question, "),
        (("--problem", "question", "--stride", "2"), "names a whole shape; leave out --stride"),
        (("--problem", "question", "--threads", "0"), '--threads takes 1 to .*, or "all"; got'),
        (("--problem", "question", "--threads", "many"), '--threads takes 1 to .*, or "all"'),
        (("--problem", "question", "--batch", "0"), "--batch must be at least 1"),
        (("--problem", "question", "--batch", "x"), "--batch takes an integer, as 2; got 'x'"),
    ],
)
def test_options_that_name_no_problem_are_refused(options: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadUsage, match=message):
        explain_lines(*options)


@pytest.mark.parametrize("text", ["32x32", "32x32x3x1", "ax2x3", "-1x2x3", "", "32 32 3", "²x2x2"])
def test_bad_sizes_are_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(BadUsage, match=r"--input takes HxWxC, as 32x32x3; got"):
        explain_lines(f"--input={text}", "--filters", "10x2x2")
    with pytest.raises(BadUsage, match=r"--filters takes OxKHxKW, as 10x2x2; got"):
        explain_lines("--input", "32x32x3", f"--filters={text}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--stride", "-1"), "stride must be at least 1; got -1"),
        (("--padding", "-2"), "padding must be at least 0; got -2"),
        (("--groups", "2"), "groups must divide both channel counts"),
        (("--dtype", "float16"), "dtype must be one of float32, float64; got 'float16'"),
        (("--dilation", "40"), "the filter must fit into the padded input"),
    ],
)
def test_numbers_that_make_no_convolution_are_refused(
    options: tuple[str, str], message: str
) -> None:
    with pytest.raises(BadProblem, match=message):
        explain_lines("--input", "32x32x3", "--filters", "10x2x2", *options)


@pytest.mark.parametrize("option", ["--stride", "--padding", "--dilation", "--groups"])
def test_text_instead_of_a_number_is_refused(option: str) -> None:
    with pytest.raises(BadUsage, match=f"{option} takes an integer, as 2; got 'two'"):
        explain_lines("--input", "32x32x3", "--filters", "10x2x2", option, "two")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_a_time_that_is_none_is_refused(seconds: str) -> None:
    with pytest.raises(BadUsage, match="--seconds must be a positive number of seconds"):
        explain_lines(*QUESTION, f"--seconds={seconds}")


def test_operands_that_outgrow_memory_are_refused() -> None:
    with pytest.raises(BadUsage, match=r"output take 7,?\d+ GB; explain measures up to 1.00 GB"):
        explain_lines("--input", "999999x99999x9", "--filters", "1x99999x99999")
