import pytest

from convbench.report.roofs import Roof
from convbench.report.why import Explanation, Question, Timing, explain

QUESTION = Question(problem="question", flops=61_440, outputs=2_560, taps=12)
DENSE = Timing(name="np.dot 500×3072", seconds=0.11e-3, flops=3_072_000)
LOOPS = Timing(name="loops", seconds=13.8e-3, flops=61_440)
SCIPY = Timing(name="scipy_correlate2d", seconds=0.75e-3)
IM2COL = Timing(name="im2col", seconds=11e-6)
NUMBA = Timing(name="numba_direct", seconds=5e-6)


def explained(*strategies: Timing, dense: Timing = DENSE) -> Explanation:
    return explain(QUESTION, strategies, dense)


def test_the_title_states_the_paradox() -> None:
    assert explained(LOOPS, IM2COL).title == "50× fewer operations, yet 125× slower"


def test_the_title_claims_no_paradox_where_there_is_none() -> None:
    fast = Timing(name="loops", seconds=10e-6)

    assert explained(fast).title == "50× fewer operations, and 11× faster"


def test_every_sentence_is_made_from_the_numbers() -> None:
    sentences = explained(LOOPS, SCIPY, IM2COL, NUMBA).sentences

    assert "13.8 ms for 61,440 operations" in sentences[0]
    assert "0.00445 against 27.9 GFLOP/s, a factor of 6,270" in sentences[0]
    assert "2,560 outputs" in sentences[1]
    assert "12 products, cost 5.39 µs apiece" in sentences[1]
    assert "750 µs: 18× faster than loops, and 6.8× slower than np.dot" in sentences[2]
    assert "11.0 µs: 1,250× faster than loops, and 10× faster than np.dot" in sentences[3]
    assert "numba_direct: 5.00 µs, 12.3 GFLOP/s" in sentences[4]


def test_what_was_not_measured_is_not_mentioned() -> None:
    text = " ".join(explained(LOOPS, NUMBA).sentences)

    assert "advice" not in text
    assert "matrix product" not in text


def test_without_the_asked_code_the_slowest_stands_for_it() -> None:
    explanation = explained(SCIPY, IM2COL)

    assert explanation.title == "50× fewer operations, yet 6.8× slower"
    assert explanation.sentences[0].startswith("scipy_correlate2d needs 750 µs")
    assert not any("interpreter" in sentence for sentence in explanation.sentences)


def test_rows_stand_fastest_first_whatever_the_order_given() -> None:
    rows = explained(LOOPS, NUMBA, IM2COL).rows

    assert [row.name for row in rows] == ["numba_direct", "im2col", "loops"]
    assert rows == explained(IM2COL, LOOPS, NUMBA).rows


def test_rows_relate_to_the_product_and_to_the_fastest() -> None:
    row = explained(LOOPS, IM2COL).rows[1]

    assert row.times_dense == pytest.approx(13.8e-3 / 0.11e-3)
    assert row.times_fastest == pytest.approx(13.8e-3 / 11e-6)
    assert row.gflops_per_second == pytest.approx(61_440 / 13.8e-3 / 1e9)


def test_one_strategy_is_enough() -> None:
    assert explained(IM2COL).rows[0].times_fastest == 1.0


def test_the_fastest_is_compared_with_the_highest_peak_that_was_measured() -> None:
    roofs = [
        Roof("GEMM", 80e9, "flop/s"),
        Roof("FMA", 100e9, "flop/s"),
        Roof("L1", 9e11, "byte/s"),
    ]

    sentences = explain(QUESTION, [LOOPS, IM2COL], DENSE, roofs).sentences

    assert sentences[-1] == (
        "At the highest rate measured here, FMA 100 GFLOP/s, the 61,440 operations would take "
        "614 ns: im2col takes 18× that."
    )


@pytest.mark.parametrize("roofs", [[], [Roof("L1", 9e11, "byte/s")]])
def test_without_a_measured_peak_nothing_is_said_of_one(roofs: list[Roof]) -> None:
    assert explain(QUESTION, [LOOPS, IM2COL], DENSE, roofs) == explained(LOOPS, IM2COL)
