"""A comparison as JUnit XML, so that a CI server lists cells as it lists tests.

A cell is a failure exactly when it closes the gate, so that the file and the exit code agree. What
has no verdict is skipped with its reason: AMBIGUOUS, FAILED and what is not comparable are no
regressions.
"""

from xml.etree import ElementTree

from convbench.report.comparison_text import (
    Comparison,
    is_beyond,
    ordered,
    probability,
    remark,
    with_interval,
)
from convbench.results.raw_files import printable
from convbench.stats.block_comparison import Judgement, Settings, Verdict


def as_junit(comparison: Comparison) -> str:
    """Write one suite with a test per cell.

    Raises nothing for odd names: what XML can't hold (control characters, lone surrogates) is
    escaped as on a terminal, what it can is quoted by the library.
    """
    title = printable(f"{comparison.base} → {comparison.head}")
    suite = ElementTree.Element("testsuite", name=title)
    for one in ordered(comparison.judgements):
        _describe(_case(suite, one.name), one, comparison.settings)
    for name, reason in sorted(comparison.skipped.items()):
        ElementTree.SubElement(
            _case(suite, name), "skipped", message=f"not comparable: {printable(reason)}"
        )
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _case(suite: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname="convbench", name=printable(name))


def _describe(case: ElementTree.Element, judgement: Judgement, settings: Settings) -> None:
    measured = (
        f"{judgement.verdict.value} {with_interval(judgement)}, "
        f"p {probability(judgement.p_screen)}, blocks {judgement.blocks}"
    )
    if is_beyond(judgement, settings):
        failure = ElementTree.SubElement(case, "failure", type="regression", message=measured)
        failure.text = printable(judgement.reason)
    elif judgement.verdict in (Verdict.AMBIGUOUS, Verdict.FAILED):
        message = f"{judgement.verdict.value}: {remark(judgement)}"
        ElementTree.SubElement(case, "skipped", message=message)
    ElementTree.SubElement(case, "system-out").text = measured
