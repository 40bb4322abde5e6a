"""A comparison's outputs: one order, the same bytes, and names that can do no harm."""

import json
import re
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml

from convbench.report.comparison_junit import as_junit
from convbench.report.comparison_markdown import MOST_ROWS, as_markdown, code, text
from convbench.report.comparison_text import (
    Comparison,
    as_json,
    as_lines,
    factor,
    gate,
    ordered,
    probability,
)
from convbench.results.raw_files import printable
from convbench.stats.block_comparison import Judgement, Settings, Verdict

SETTINGS = Settings(threshold=1.05)

HOSTILE = (
    "a|b",
    "`code` <b>bold</b> & *stars* _lines_",
    "@team fixes #1, see https://example.org and www.example.org",
    "\x1b[31mred\x07\r\nsecond line\x00",
    "right \u202e to left",
    "]]> </testcase> \ufffe \udc80",
    "\\| back\\slash ![image](x) [link](y)",
    "",
    "ünïcode ✓ 漢字",
)


def judged(name: str, verdict: Verdict = Verdict.SAME, ratio: float = 1.0, **more) -> Judgement:
    known = {"ratio": ratio, "ratio_low": ratio * 0.99, "ratio_high": ratio * 1.01}
    known |= {"p_screen": 0.5, "p_confirm": None, "minimum_detectable_ratio": 1.03}
    return Judgement(name=name, verdict=verdict, blocks=10, **known | {"reason": "why."} | more)


def failed(name: str, reason: str) -> Judgement:
    empty = dict.fromkeys(("ratio_low", "ratio_high", "p_screen", "minimum_detectable_ratio"))
    return replace(judged(name, Verdict.FAILED, reason=reason, **empty), ratio=None)


CELLS = (
    judged("same"),
    judged("faster", Verdict.FASTER, 0.8),
    judged("a bit slower", Verdict.SLOWER, 1.04, p_confirm=0.001),
    judged("doubtful", Verdict.AMBIGUOUS, 1.01),
    failed("broken", "HEAD raised ValueError: no"),
    judged("slower", Verdict.SLOWER, 1.2, p_confirm=1e-9),
)


def comparison(*cells: Judgement, base: str = "v1", head: str = "v2", **skipped: str) -> Comparison:
    return Comparison(base, head, cells, SETTINGS, skipped)


def outputs(compared: Comparison) -> tuple[str, ...]:
    lines = "\n".join(as_lines(compared))
    return lines, as_json(compared), as_markdown(compared), as_junit(compared)


# The gate


def test_the_gate_closes_on_a_confirmed_regression_beyond_the_threshold():
    assert gate(CELLS, SETTINGS) == (
        1,
        "gate closed: slower is slower, ×1.200; allowed is ×1.050",
    )


def test_the_gate_counts_further_regressions_and_names_the_worst():
    cells = (judged("b", Verdict.SLOWER, 1.3), judged("a", Verdict.SLOWER, 1.1), CELLS[-1])

    assert gate(cells, SETTINGS)[1].startswith(
        "gate closed: b is slower, ×1.300, as are 2 other cells"
    )


@pytest.mark.parametrize("cell", CELLS[:-1], ids=lambda one: one.verdict.value)
def test_nothing_else_closes_the_gate(cell: Judgement):
    assert gate([cell], SETTINGS)[0] == 0


@pytest.mark.parametrize(("ratio", "closed"), [(1.05, 0), (1.0500001, 1)])
def test_a_ratio_at_the_threshold_is_allowed(ratio: float, closed: int):
    assert gate([judged("a", Verdict.SLOWER, ratio)], SETTINGS)[0] == closed


@pytest.mark.parametrize("verdict", [Verdict.AMBIGUOUS, Verdict.SAME, Verdict.FASTER])
def test_a_large_ratio_that_is_not_confirmed_is_no_reason(verdict: Verdict):
    cell = judged("a", verdict, 3.0)

    assert gate([cell], SETTINGS)[0] == 0
    assert "<failure" not in as_junit(comparison(cell))


def test_an_open_gate_says_what_it_does_not_rest_on():
    assert gate(CELLS[:-1], SETTINGS)[1] == (
        "gate open: no confirmed regression beyond ×1.050 in 5 cells "
        "(1 slower within it, 1 ambiguous, 1 failed)"
    )
    assert gate([], SETTINGS)[0] == 0


@given(st.text())
def test_the_reason_is_one_line_whatever_a_cell_is_called(name: str):
    reason = gate([judged(name, Verdict.SLOWER, 2.0)], SETTINGS)[1]

    assert reason.isprintable()


# Text


def test_cells_stand_by_verdict_then_size_then_name():
    names = [one.name for one in ordered(CELLS)]

    assert names == ["slower", "a bit slower", "broken", "faster", "doubtful", "same"]


def test_the_table_says_ratio_interval_p_and_blocks():
    lines = as_lines(comparison(*CELLS))

    assert lines[:2] == ["base v1", "head v2"]
    assert lines[4].split() == [
        *("SLOWER", "×1.200", "[1.188–1.212]", "0.5", "10", "slower"),
    ]
    assert lines[-1] == "6 cells: 2 slower, 1 failed, 1 faster, 1 ambiguous, 1 same"


def test_an_ambiguous_cell_says_what_would_have_been_detected():
    (line,) = (one for one in as_lines(comparison(*CELLS)) if one.startswith("AMBIGUOUS"))

    assert line.endswith("doubtful  (why. As many blocks again would detect ×1.030.)")


def test_what_two_blocks_leave_open_is_not_written_out():
    cell = judged("doubtful", Verdict.AMBIGUOUS, minimum_detectable_ratio=1e300)

    lines = "\n".join(as_lines(comparison(cell)))

    assert "would not detect ×10" in lines
    assert max(map(len, lines.splitlines())) < 200


def test_a_failed_cell_says_why():
    (line,) = (one for one in as_lines(comparison(*CELLS)) if one.startswith("FAILED"))

    assert line.endswith("broken  (HEAD raised ValueError: no)")


def test_columns_begin_below_their_headings():
    table = as_lines(comparison(*CELLS))[3:-2]

    assert {line.index("×1") for line in table if "×1" in line} == {table[0].index("head ÷ base")}
    starts = {line.index(name) for line, name in zip(table[1:], ("slower", "a bit"), strict=False)}
    assert starts == {table[0].index("cell")}


def test_nothing_compared_is_said():
    assert as_lines(comparison())[-1] == "no cell was compared"


@pytest.mark.parametrize(
    ("ratio", "written"),
    [
        (1e200, ">1000"),
        (1e-200, "<0.001"),
        (None, "–"),
        (1.0044, "1.004"),
        (0.5, "0.500"),
        (12.34, "12.3"),
        (0.012, "0.0120"),
    ],
)
def test_ratios_have_the_digits_a_comparison_needs(ratio, written):
    assert factor(ratio) == written


@pytest.mark.parametrize(
    ("p", "written"), [(None, "–"), (0.0, "<1e-99"), (0.0123, "0.012"), (1e-8, "1e-08")]
)
def test_p_values_have_two_digits(p, written):
    assert probability(p) == written


# JSON


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def test_json_holds_everything_and_no_nan():
    document = json.loads(as_json(comparison(*CELLS)), parse_constant=refuse)

    assert list(document) == [
        *("format", "base", "head", "commits", "link", "settings", "summary", "gate"),
        *("cells", "not_comparable"),
    ]
    assert document["summary"] == {
        **{"SLOWER": 2, "FASTER": 1, "SAME": 1, "AMBIGUOUS": 1, "FAILED": 1},
    }
    assert document["gate"]["exit_code"] == 1
    assert document["settings"]["threshold"] == 1.05
    first, broken = document["cells"][0], document["cells"][2]
    assert (first["name"], first["verdict"], first["ratio"]) == ("slower", "SLOWER", 1.2)
    assert (broken["ratio"], broken["reason"]) == (None, "HEAD raised ValueError: no")


@pytest.mark.parametrize("name", HOSTILE)
def test_json_gives_names_back_and_is_ascii(name: str):
    document = as_json(comparison(judged(name), base=name))

    assert document.isascii()
    assert json.loads(document)["cells"][0]["name"] == json.loads(document)["base"] == name


# Markdown


def test_markdown_shows_what_changed_and_folds_the_rest():
    document = as_markdown(comparison(*CELLS))

    loud, quiet = document.split("<details>")
    assert [line.split(" | ")[0] for line in loud.splitlines() if line.startswith("| ")] == [
        *("| verdict", "| SLOWER", "| SLOWER", "| FAILED", "| FASTER"),
    ]
    assert "2 cells without a confirmed difference" in quiet
    assert "| AMBIGUOUS | ×1.010" in quiet


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_one_cell_of_a_table_in_markdown(name: str):
    document = as_markdown(comparison(failed(name, name), base=name, head=name))

    (row,) = (line for line in document.splitlines() if line.startswith("| FAILED"))
    assert row.count("|") == 6
    assert not row.replace("\\", "").endswith("\\|")


@given(st.text())
def test_code_can_not_be_left_by_what_it_holds(name: str):
    written = code(name)

    inside = re.fullmatch(r"`([^`|\\]+)`|<code>([^`|\\<>*_@\[\]:!]*)</code>", written)
    assert inside, written
    shown = inside[1] if inside[1] is not None else unescape(inside[2])
    assert shown == printable(name).strip()


@given(st.text())
def test_words_read_as_they_were_and_hold_no_sign_that_acts(words: str):
    written = text(words)

    assert unescape(written) == printable(words)
    assert not re.search(r"[`|\\<>*_@\[\]:!~{}\"$]|#(?!\d+;)|&(?!#\d+;)|www\.", written, re.I)


def test_a_long_comparison_fits_into_a_comment():
    cells = [judged(f"suite.Class.time_something({i}, 'float32')") for i in range(MOST_ROWS + 300)]

    document = as_markdown(comparison(*cells))

    assert len(document) < 65_536
    assert document.count("| SAME |") == MOST_ROWS
    assert "and 300 more cells, in the JSON document" in document


# JUnit


def test_only_what_closes_the_gate_is_a_failure():
    suite = ElementTree.fromstring(as_junit(comparison(*CELLS))).find("testsuite")

    assert {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        **{"tests": "6", "failures": "1", "errors": "0", "skipped": "2"},
    }
    outcome = {case.get("name"): case for case in suite}
    assert outcome["slower"].find("failure").get("message").startswith("SLOWER ×1.200")
    assert outcome["a bit slower"].find("failure") is None
    assert outcome["broken"].find("skipped").get("message") == "FAILED: HEAD raised ValueError: no"
    assert "would detect ×1.030" in outcome["doubtful"].find("skipped").get("message")


@given(st.lists(st.sampled_from(CELLS), unique_by=lambda one: one.name))
def test_junit_fails_exactly_when_the_gate_closes(cells: list[Judgement]):
    suite = ElementTree.fromstring(as_junit(comparison(*cells))).find("testsuite")

    assert (suite.get("failures") != "0") == (gate(cells, SETTINGS)[0] == 1)


@given(st.text() | st.sampled_from(HOSTILE))
def test_names_survive_xml(name: str):
    document = as_junit(comparison(failed(name, name), base=name))

    case = ElementTree.fromstring(document.encode()).find("testsuite/testcase")
    assert case.get("name") == printable(name)
    assert case.find("skipped").get("message") == f"FAILED: {printable(name)}"


@given(st.text() | st.sampled_from(HOSTILE))
def test_an_independent_reader_finds_the_same_in_junit(name: str):
    cells = (judged(name, Verdict.SLOWER, 1.2, p_confirm=1e-9), failed(f"{name}2", name))

    (suite,) = JUnitXml.fromstring(as_junit(comparison(*cells)).encode())

    assert (suite.tests, suite.failures, suite.skipped, suite.errors) == (2, 1, 1, 0)
    slower, broken = suite
    assert (slower.name, slower.is_failure) == (printable(name), True)
    assert (broken.name, broken.is_skipped) == (printable(f"{name}2"), True)


# What an arm does not implement


def test_cells_that_are_not_comparable_stand_in_every_output():
    lines, document, markdown, junit = outputs(comparison(*CELLS, b="HEAD: b|c", a="BASE: no"))

    assert lines.endswith("\nnot comparable: 2 cells; a: BASE: no")
    assert json.loads(document)["not_comparable"] == [
        {"name": "a", "reason": "BASE: no"},
        {"name": "b", "reason": "HEAD: b|c"},
    ]
    assert "2 cells not comparable</summary>" in markdown
    assert "\n| `a` | BASE&#58; no |\n| `b` | HEAD&#58; b&#124;c |\n" in markdown
    suite = ElementTree.fromstring(junit).find("testsuite")
    assert (suite.get("tests"), suite.get("skipped")) == ("8", "4")
    assert [case.find("skipped").get("message") for case in suite[-2:]] == [
        *("not comparable: BASE: no", "not comparable: HEAD: b|c")
    ]


def test_a_long_list_of_them_fits_into_a_comment_too():
    reasons = {f"cell {i}": "BASE (v1): " + "no such strategy " * 5 for i in range(MOST_ROWS + 300)}

    document = as_markdown(comparison(*CELLS, **reasons))

    assert len(document) < 65_536
    assert "and 306 more cells, in the JSON document" in document


@given(st.permutations(["a", "b", "c"]))
def test_their_order_changes_no_byte(names: list[str]):
    assert outputs(comparison(**dict.fromkeys(names, "no"))) == outputs(
        comparison(a="no", b="no", c="no")
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_their_names_can_do_no_harm(name: str):
    skipped = Comparison("v1", "v2", [], SETTINGS, {name: name})

    for output in outputs(skipped):
        assert output.replace("\n", "").isprintable()
    case = ElementTree.fromstring(as_junit(skipped)).find("testsuite/testcase")
    assert case.get("name") == printable(name)
    (row,) = [line for line in as_markdown(skipped).splitlines() if line.startswith("| ")][1:]
    assert row.count("|") == 3


# All


@given(st.permutations(CELLS))
def test_the_order_of_measurement_changes_no_byte(cells: list[Judgement]):
    assert outputs(comparison(*cells)) == outputs(comparison(*CELLS))


@pytest.mark.parametrize("name", HOSTILE)
def test_no_output_holds_what_a_terminal_acts_on(name: str):
    compared = comparison(judged(name), failed(f"{name}2", name), base=name, head=name)

    for output in outputs(compared):
        assert output.replace("\n", "").isprintable()
