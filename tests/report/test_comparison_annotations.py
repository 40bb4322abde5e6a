"""GitHub's annotations of a comparison: an error per cell that closes the gate, none besides."""

import re

from hypothesis import given
from hypothesis import strategies as st
from test_comparison_text import CELLS, HOSTILE, comparison, judged

from convbench.report.comparison_annotations import MOST, as_annotations
from convbench.stats.block_comparison import Judgement, Verdict

WORKFLOW_COMMAND = re.compile(
    r"::(?P<name>\w+) (?P<properties>(?:\w+=[^,:\n]*,?)*)::(?P<message>.*)"
)


def slower(name: str, ratio: float = 1.2) -> Judgement:
    return judged(name, Verdict.SLOWER, ratio, p_confirm=1e-9)


def nowhere(_: str) -> str:
    return ""


def test_only_what_closes_the_gate_is_an_error() -> None:
    (line,) = as_annotations(comparison(*CELLS), lambda name: f"benchmarks/{name}.py").splitlines()

    assert line == (
        "::error file=benchmarks/slower.py,title=slower%3A slower::"
        "slower: slower, ×1.200 [1.188–1.212]; allowed is ×1.050"
    )


def test_an_open_gate_has_none() -> None:
    assert as_annotations(comparison(judged("same")), nowhere) == ""


def test_of_many_the_worst_are_named_and_the_rest_counted() -> None:
    """GitHub drops what comes after the tenth."""
    cells = [slower(f"cell{at}", 1.1 + at / 100) for at in range(MOST + 5)]

    lines = as_annotations(comparison(*cells), nowhere).splitlines()

    assert len(lines) == MOST
    assert "cell14" in lines[0]
    assert lines[-1].startswith("::error title=6 more cells slower::")
    assert len(as_annotations(comparison(*cells[:MOST]), nowhere).splitlines()) == MOST


@given(name=st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(HOSTILE))
def test_no_name_ends_a_line_or_begins_another_command(name: str) -> None:
    text = as_annotations(comparison(slower(name)), lambda given: f"{given}.py")

    (line,) = text.split("\n")[:-1]
    assert "\r" not in line
    found = WORKFLOW_COMMAND.fullmatch(line)
    assert found
    assert found["name"] == "error"
    names = [one.partition("=")[0] for one in found["properties"].split(",")]
    assert names == ["file", "title"]
