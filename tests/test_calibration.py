import ast
import json
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from test_ceilings import LIMITS

from convbench import STRATEGIES, ConvProblem, calibration
from convbench.calibration import Samples
from convbench.ceilings import Ceilings
from convbench.problem import LAYOUTS
from convbench.strategies import _model, auto
from convbench.strategies._model import Calibration, Row
from convbench.strategies._strategy import Strategy
from convbench.workloads import WORKLOADS

CEILINGS = {"float32": LIMITS, "float64": replace(LIMITS, flops_per_second=5e10)}
Rows = dict[str, dict[str, Row]]
TRUTH: Rows = {
    layout: {
        each.name: Row(
            call=float(index), arithmetic=1.0 + index / 10, images=2.0, fork=20.0, alone=0.3
        )
        for index, each in enumerate(auto.CANDIDATES, start=first)
    }
    for first, layout in enumerate(LAYOUTS, start=5)
}


def samples_of(rows: Rows) -> Samples:
    """Times as these rows predict them."""
    truth = Calibration(rows, CEILINGS)
    named = [
        ConvProblem(**arguments, layout=layout)
        for arguments in WORKLOADS.values()
        for layout in LAYOUTS
    ]
    return {
        (problem, number): {
            each.name: _model.predicted(truth, each, problem, number)
            for each in auto.CANDIDATES
            if each.unsupported(problem) is None
        }
        for problem in named
        for number in (1, 2)
    }


def test_fitting_finds_the_rows_that_the_times_were_made_of() -> None:
    samples = samples_of(TRUTH)

    fitted = Calibration(calibration.fit(samples, CEILINGS), CEILINGS)

    for (problem, number), times in samples.items():
        for each in auto.CANDIDATES:
            if each.name in times:
                predicted = _model.predicted(fitted, each, problem, number)
                # Coefficients are kept to three digits.
                assert predicted == pytest.approx(times[each.name], rel=0.01)


def test_no_coefficient_is_negative() -> None:
    rows = calibration.fit(samples_of(TRUTH), CEILINGS)

    for row in (row for by_name in rows.values() for row in by_name.values()):
        assert all(coefficient >= 0 for coefficient in astuple(row))


def test_a_slow_candidate_that_was_disturbed_changes_its_row_little() -> None:
    samples = samples_of(TRUTH)
    question = ConvProblem(**WORKLOADS["question"])
    samples[question, 1]["shifted"] *= 100

    disturbed = Calibration(calibration.fit(samples, CEILINGS), CEILINGS)

    cell = (ConvProblem(**WORKLOADS["vgg16_conv3_2"]), 1)
    predicted = _model.predicted(disturbed, STRATEGIES["shifted"], *cell)
    assert predicted == pytest.approx(samples[cell]["shifted"], rel=0.25)


def test_who_predicts_well_regrets_nothing() -> None:
    regret = calibration.regret(samples_of(TRUTH), Calibration(TRUTH, CEILINGS))

    assert regret.mean == regret.worst == 1.0


def test_a_wrong_choice_is_regretted() -> None:
    last = auto.CANDIDATES[-1].name
    wrong = {
        layout: dict.fromkeys(rows, Row(call=1.0)) | {last: Row()} for layout, rows in TRUTH.items()
    }

    regret = calibration.regret(samples_of(TRUTH), Calibration(wrong, CEILINGS))

    assert regret.worst > regret.mean > 1.0


def test_problems_are_distinct_and_the_same_in_every_run() -> None:
    problems = calibration.problems()

    assert problems == calibration.problems()
    assert len(set(problems)) > 100
    assert {problem.layout for problem in problems} == {"NCHW", "NHWC"}
    assert {problem.dtype for problem in problems} == {"float32", "float64"}


@pytest.mark.parametrize("candidate", auto.CANDIDATES, ids=lambda candidate: candidate.name)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_candidate_is_measured_on_more_problems_than_a_row_has_coefficients(
    candidate: Strategy, layout: str
) -> None:
    supported = [
        problem
        for problem in calibration.problems()
        if problem.layout == layout and candidate.unsupported(problem) is None
    ]

    most = max(
        sum(coefficient > 0 for coefficient in _model.values(row))
        for rows in _model.COMMITTED.rows.values()
        for name, row in rows.items()
        if name == candidate.name
    )
    assert len(supported) > most


def test_measuring_times_every_candidate_that_can() -> None:
    question = ConvProblem(**WORKLOADS["question"])
    said: list[str] = []

    samples = calibration.measure(1, [question], seconds=0.001, say=said.append)

    assert set(samples[question, 1]) == {
        each.name for each in auto.CANDIDATES if each.unsupported(question) is None
    }
    assert said == ["1 of 1 problems measured, threads: 1"]


def test_what_is_kept_is_found_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept = Calibration(TRUTH, CEILINGS)
    _model.calibration_file().parent.mkdir()
    _model.calibration_file().write_text(json.dumps({"another machine": {}}))

    calibration.save(kept)
    _model.calibration.cache_clear()

    assert _model.calibration() == kept
    assert "another machine" in json.loads(_model.calibration_file().read_text())
    _model.calibration.cache_clear()


def test_the_literal_is_python_that_says_the_same() -> None:
    text = "\n".join(calibration.literal(Calibration(TRUTH, CEILINGS)))
    names: dict[str, object] = {"Calibration": Calibration, "Row": Row, "Ceilings": Ceilings}

    ast.parse(text)
    exec(text, names)

    assert names["COMMITTED"] == Calibration(TRUTH, CEILINGS)
