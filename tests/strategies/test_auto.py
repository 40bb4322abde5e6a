import json
import threading
import timeit
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from generators import PROBLEM_KINDS, problems
from hypothesis import given

from convbench import STRATEGIES, ConvProblem, threads
from convbench.problem import LAYOUTS
from convbench.strategies import _model, auto
from convbench.strategies._strategy import Strategy
from convbench.workloads import WORKLOADS

QUESTION = ConvProblem(**WORKLOADS["question"])
VGG = ConvProblem(**WORKLOADS["vgg16_conv3_2"])

MAX_ADDED_SECONDS = 3e-6
"""What `auto` may add to a call of the strategy that it chose."""


@pytest.fixture(autouse=True)
def committed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Without the calibration that this user may have; gives where one would lie."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for cached in (_model.calibration, auto._ranked):
        cached.cache_clear()
    yield _model.calibration_file()
    for cached in (_model.calibration, auto._ranked):
        cached.cache_clear()


@given(problem=problems())
def test_auto_never_chooses_what_is_unsupported(problem: ConvProblem) -> None:
    chosen = auto.choose(problem)

    assert chosen.unsupported(problem) is None
    assert chosen in auto.CANDIDATES


@pytest.mark.parametrize("name", WORKLOADS)
def test_auto_always_works_on_named_problems(name: str) -> None:
    problem = ConvProblem(**WORKLOADS[name])

    assert auto.choose(problem).unsupported(problem) is None
    assert STRATEGIES["auto"].unsupported(problem) is None


def test_problems_without_images_and_huge_ones_have_a_choice() -> None:
    for problem in (replace(VGG, batch=0), replace(VGG, batch=512)):
        assert auto.choose(problem).unsupported(problem) is None


def test_one_candidate_refuses_nothing() -> None:
    kinds = [ConvProblem(**kind) for kind in PROBLEM_KINDS.values()]
    everything = [*kinds, *(ConvProblem(**arguments) for arguments in WORKLOADS.values())]

    assert any(
        all(each.unsupported(problem) is None for problem in everything) for each in auto.CANDIDATES
    )


def test_candidates_have_rows_and_stand_in_the_table() -> None:
    names = [each.name for each in auto.CANDIDATES]

    assert set(_model.COMMITTED.rows) == set(LAYOUTS)
    assert all(set(names) == set(rows) for rows in _model.COMMITTED.rows.values())
    assert len(names) == len(set(names))
    assert all(STRATEGIES[each.name] is each for each in auto.CANDIDATES)
    assert not any(each.external for each in auto.CANDIDATES)


def test_the_ranking_is_sorted_and_begins_with_the_choice() -> None:
    ranking = auto.ranking(VGG)
    predicted = [seconds for _, seconds in ranking]

    assert predicted == sorted(predicted)
    assert all(seconds > 0 for seconds in predicted)
    assert ranking[0][0] == auto.choose(VGG).name


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("gray_blur31", {"fft"}),  # fewest operations
        ("vgg16_conv3_2", {"winograd"}),  # fewer operations, and many of them
        ("resnet50_conv2_1x1", {"gemm"}),  # nothing to save
        ("mobilenetv2_dw3", {"direct"}),  # nothing to multiply matrices of
        ("question", {"gemm"}),  # little overhead
    ],
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_choice_suits_the_problem(name: str, families: set[str], layout: str) -> None:
    problem = ConvProblem(**WORKLOADS[name], layout=layout)

    with threads.limit(1):
        assert auto.choose(problem).family in families


SMALL = {
    "3x3": ConvProblem(
        in_channels=4, height=12, width=12, out_channels=4, kernel_height=3, kernel_width=3
    ),
    "1x1": ConvProblem(
        in_channels=4, height=12, width=12, out_channels=4, kernel_height=1, kernel_width=1
    ),
    "5x5": ConvProblem(
        in_channels=4, height=12, width=12, out_channels=4, kernel_height=5, kernel_width=5
    ),
}
SMALL["strided"] = replace(SMALL["3x3"], stride=(2, 2))
SMALL["depthwise"] = replace(SMALL["3x3"], groups=4)


@pytest.mark.parametrize("candidate", auto.CANDIDATES, ids=lambda candidate: candidate.name)
def test_more_images_are_never_predicted_to_be_faster(candidate: Strategy) -> None:
    supported = [one for one in SMALL.values() if candidate.unsupported(one) is None]

    assert supported
    for problem in supported:
        times = [
            _model.predicted(_model.COMMITTED, candidate, replace(problem, batch=number), 1)
            for number in (1, 64, 4096)
        ]
        assert 0 < times[0] <= times[1] <= times[2]


@pytest.mark.parametrize("candidate", auto.CANDIDATES, ids=lambda candidate: candidate.name)
def test_threads_are_predicted_to_help_with_large_problems_only(candidate: Strategy) -> None:
    for small in SMALL.values():
        if candidate.unsupported(small) is None:
            one, two = (
                _model.predicted(_model.COMMITTED, candidate, small, number) for number in (1, 2)
            )
            assert one == two
            large = replace(small, batch=2**16)
            one, two = (
                _model.predicted(_model.COMMITTED, candidate, large, number) for number in (1, 2)
            )
            assert one / 2 <= two <= one


def test_a_choice_is_made_once_for_a_problem_and_a_number_of_threads() -> None:
    for number in (1, 2, 1, 2):
        with threads.limit(number):
            auto.choose(QUESTION)
            auto.choose(replace(QUESTION))

    assert auto._ranked.cache_info().misses == 2


def test_costs_are_those_of_the_choice() -> None:
    chosen, strategy = auto.choose(QUESTION), STRATEGIES["auto"]

    assert strategy.flops(QUESTION) == chosen.flops(QUESTION)
    assert strategy.workspace_bytes(QUESTION) == chosen.workspace_bytes(QUESTION)


def test_another_number_of_threads_does_not_change_what_was_prepared() -> None:
    small = replace(VGG, in_channels=8, out_channels=8)
    x, weights = small.random_operands()
    with threads.limit(1):
        prepared = auto.prepare(weights, small)
        expected = auto.run(x, prepared, small)

    with threads.limit(2):
        output = auto.run(x, prepared, small)

    np.testing.assert_array_equal(output, expected)


def test_threads_that_choose_at_once_agree() -> None:
    chosen: list[str] = []
    workers = [
        threading.Thread(target=lambda: chosen.append(auto.choose(QUESTION).name)) for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(chosen) == 8
    assert len(set(chosen)) == 1


def test_auto_adds_little_to_the_call_of_its_choice() -> None:
    x, weights = QUESTION.random_operands()
    prepared = auto.prepare(weights, QUESTION)
    inert = replace(prepared.chosen, run=lambda *operands: operands[0])
    bound = auto.Prepared(inert, prepared.filters)

    # The choice itself is taken out of both sides: what remains is what `auto` adds.
    added, alone = (
        min(timeit.repeat(call, number=1000, repeat=20)) / 1000
        for call in (
            lambda: auto.run(x, bound, QUESTION),
            lambda: inert.run(x, prepared.filters, QUESTION),
        )
    )

    assert added - alone <= MAX_ADDED_SECONDS


def test_a_choice_that_was_made_is_looked_up_quickly() -> None:
    auto.choose(QUESTION)

    # Another object each time, as in `conv2d`: hashed and compared by value.
    equal = replace(QUESTION)
    lookup = min(timeit.repeat(lambda: auto.choose(equal), number=1000, repeat=20)) / 1000

    assert lookup <= MAX_ADDED_SECONDS


def calibration_that_prefers(name: str) -> _model.Calibration:
    rows = {
        each.name: _model.Row(call=1.0 if each.name == name else 1e6) for each in auto.CANDIDATES
    }
    return replace(_model.COMMITTED, rows=dict.fromkeys(LAYOUTS, rows))


def test_a_calibration_of_this_machine_is_used(committed: Path) -> None:
    committed.parent.mkdir()
    calibration = asdict(calibration_that_prefers("shifted"))
    committed.write_text(json.dumps({_model.machine(): calibration}))

    assert auto.choose(QUESTION).name == "shifted"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_calibration_that_lacks_a_candidate_counts_as_none(committed: Path, layout: str) -> None:
    calibration = asdict(calibration_that_prefers("shifted"))
    del calibration["rows"][layout]["pointwise"]
    committed.parent.mkdir()
    committed.write_text(json.dumps({_model.machine(): calibration}))

    assert _model.calibration() == _model.COMMITTED


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"another CPU / openblas": {}}', '{"MACHINE": {"rows": {}}}'],
)
def test_a_calibration_that_is_damaged_or_of_another_machine_counts_as_none(
    committed: Path, text: str
) -> None:
    expected = auto.ranking(QUESTION)
    for cached in (_model.calibration, auto._ranked):
        cached.cache_clear()
    committed.parent.mkdir()
    committed.write_text(text.replace("MACHINE", _model.machine()))

    assert auto.ranking(QUESTION) == expected
