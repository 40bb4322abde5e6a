import argparse
import json

import pytest

from convbench.commands import explain
from convbench.errors import BadProblem, BadUsage
from convbench.question import DENSE
from convbench.strategies import STRATEGIES

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
    assert sorted(names) == sorted({*STRATEGIES, DENSE} - {"auto"})
    assert any(line.startswith("auto chooses ") for line in question)


def test_the_table_is_aligned(question: list[str]) -> None:
    assert len({len(row) for row in table_of(question)}) == 1


def test_rows_are_sorted_by_time_and_the_loops_are_the_slow_end(
    document: dict[str, list[dict[str, float]]],
) -> None:
    times = [row["seconds"] for row in document["strategies"]]

    assert times == sorted(times)
    assert document["strategies"][-1]["name"] == "loops"
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
