from typing import Any

import numpy as np
import pandas as pd
import pytest
from constructed_changes import REACH, histories, in_histories

from convbench.stats.attribution import CAUSES, Attribution, Histories, attribute
from convbench.stats.grouping import group

Frame = pd.DataFrame


def attributed(changed: Frame, every: Frame, **columns: Any) -> Attribution:
    """Attribute the one event that some histories show."""
    event = group(in_histories(changed, **columns), every)
    assert len(set(event["event"])) == 1
    return attribute(event, Histories.of(every))


def part(frame: Frame, **values: object) -> Frame:
    for name, value in values.items():
        frame = frame[frame[name] == value]
    return frame


THREE = histories(("m1", "m2", "m3"))


def test_code_is_what_two_machines_show_at_one_commit() -> None:
    im2col = part(THREE, strategy="im2col")
    cause, evidence = attributed(im2col[im2col["machine"] != "m3"].iloc[:-2], THREE)

    assert cause == "code"
    assert evidence == (
        "seen on 2 of 3 machines that measured it and on both BLAS builds; "
        "14 of 16 histories of strategy im2col"
    )


def test_code_is_what_two_builds_of_one_machine_show() -> None:
    every = histories(("m1",))

    assert attributed(part(every, strategy="im2col"), every) == (
        "code",
        "seen on both BLAS builds of m1; 8 of 8 histories of strategy im2col",
    )


def test_code_is_what_changes_everything_on_two_machines() -> None:
    every = histories()

    assert attributed(every, every) == (
        "code",
        "seen on both machines that measured it and on both BLAS builds; "
        "32 of 32 histories of any benchmark",
    )


def test_the_machine_is_what_changes_most_there_and_nothing_elsewhere() -> None:
    assert attributed(part(THREE, machine="m2"), THREE) == (
        "machine",
        "seen on m2 only, in 16 of all its 16 histories; m1 and m3 measured the same without the "
        "change; 16 of 16 histories of any benchmark",
    )


@pytest.mark.parametrize(("changed", "cause"), [(10, "machine"), (9, "code")])
def test_most_of_a_machine_is_three_fifths(changed: int, cause: str) -> None:
    # 16 histories: 10 are 62.5 %, 9 are 56 %. Of one strategy, so that they are one event anyway.
    every = histories(("m1", "m2"), strategies=["im2col"], cases=8)
    here = part(every, machine="m1").sort_values("params").iloc[:changed]

    assert attributed(here, every).cause == cause


def test_the_blas_is_what_one_build_shows_beside_others() -> None:
    every = histories(("m1",), builds=("openblas", "mkl", "blis"))
    mkl = part(every, blas="mkl", strategy="im2col")

    assert attributed(mkl, every) == (
        "BLAS",
        "seen on m1 with mkl only; blis and openblas measured the same there without the change; "
        "4 of 4 histories of strategy im2col",
    )


def test_the_blas_is_what_one_build_shows_on_every_machine() -> None:
    every = histories()

    cause, evidence = attributed(part(every, blas="mkl", strategy="im2col"), every)

    assert (cause, evidence.split(";")[0]) == ("BLAS", "seen on m1 and m2 with mkl only")


def test_a_build_that_another_machine_has_unchanged_is_no_cause_but_where_it_differs() -> None:
    every = histories()
    here = part(every, machine="m1", blas="mkl", strategy="im2col")

    assert attributed(here, every).cause == "undecided"
    cause, evidence = attributed(
        here,
        every,
        identity_before="mkl 2025.2",
        identity_after="mkl 2025.3",
        packages_changed="mkl 2025.2 → 2025.3",
    )
    assert cause == "BLAS"
    assert evidence == (
        "seen on m1 with mkl only; openblas measured the same there without the change (as did mkl "
        "on m2); 4 of 4 histories of strategy im2col; the BLAS library went from mkl 2025.2 to mkl "
        "2025.3; packages changed: mkl 2025.2 → 2025.3"
    )


def test_the_measurement_is_to_blame_where_its_run_was_disturbed() -> None:
    every = histories()

    cause, evidence = attributed(part(every, machine="m1"), every, disturbed="load 3.1")

    assert cause == "measurement"
    assert evidence.startswith(
        "seen on m1 only, where the run of the first bad commit was disturbed (load 3.1) in 16 of"
        " 16 histories; "
    )


def test_the_measurement_is_to_blame_where_the_level_came_back_at_once() -> None:
    every = histories()
    here = part(every, machine="m1", strategy="im2col")
    there = in_histories(here, recovered=True)
    back = in_histories(here, 102, kind="improvement", ratio=1 / 1.1)
    event = group(pd.concat([there, back], ignore_index=True)).query("kind == 'regression'")

    cause, evidence = attribute(event, Histories.of(every))

    assert cause == "measurement"
    assert "the old level came back within 2 commits in 8 of 8 histories" in evidence


def test_a_change_that_took_longer_to_recover_was_none_of_the_measurement() -> None:
    every = histories()
    here = part(every, machine="m1", strategy="im2col")
    rows = [in_histories(here, recovered=True), in_histories(here, 103, kind="improvement")]
    event = group(pd.concat(rows, ignore_index=True)).query("kind == 'regression'")

    assert attribute(event, Histories.of(every)).cause == "code"


def test_two_machines_are_not_disturbed_alike() -> None:
    every = histories()

    assert attributed(part(every, strategy="im2col"), every, disturbed="load").cause == "code"


def test_half_of_the_histories_disturbed_decide_nothing() -> None:
    every = histories(("m1",))
    changed = part(every, strategy="im2col")
    event = group(in_histories(changed), every)
    event["disturbed"] = ["load"] * 4 + [""] * 4

    assert attribute(event, Histories.of(every)).cause == "code"


def test_a_failure_that_lasts_is_no_disturbance() -> None:
    every = histories()
    failing = {"kind": "starts failing", "ratio": np.nan, "disturbed": "load"}

    assert attributed(part(every, machine="m1"), every, **failing).cause == "machine"


def test_one_machine_with_one_build_decides_nothing() -> None:
    every = histories(("m1",), builds=("openblas",))

    assert attributed(part(every, strategy="im2col"), every) == (
        "undecided",
        "seen on m1 with openblas, and no other machine or build measured the same; "
        "4 of 4 histories of strategy im2col",
    )


def test_everything_on_the_only_machine_may_be_code_or_machine() -> None:
    every = histories(("m1",))

    assert attributed(every, every) == (
        "undecided",
        "seen in benchmarks of all sorts on m1, the only machine that measured it; "
        "16 of 16 histories of any benchmark",
    )


def test_a_part_of_one_machine_with_one_build_decides_nothing() -> None:
    every = histories(builds=("",))
    here = part(every, machine="m1", strategy="im2col").iloc[:2]

    assert attributed(here, every) == (
        "undecided",
        "seen on m1 with e, while m2 measured the same without the change; "
        "2 of 4 histories of strategy im2col",
    )


def in_environments(*names: str) -> Frame:
    """Histories of a project without BLAS builds."""
    every = [histories(("m1",), builds=("",)).assign(environment=name) for name in names]
    return pd.concat(every, ignore_index=True)


def test_without_builds_environments_are_what_is_compared() -> None:
    every = in_environments("py3.12", "py3.13", "py3.14")
    im2col = part(every, strategy="im2col")

    assert attributed(im2col[im2col["environment"] != "py3.14"], every) == (
        "code",
        "seen on 2 of 3 environments of m1; 8 of 8 histories of strategy im2col",
    )
    assert attributed(part(im2col, environment="py3.12"), every) == (
        "environment",
        "seen on m1 with py3.12 only; py3.13 and py3.14 measured the same there without the "
        "change; 4 of 4 histories of strategy im2col",
    )
    assert attributed(part(im2col, environment="py3.12"), in_environments("py3.12")) == (
        "undecided",
        "seen on m1 with py3.12, and no other machine or environment measured the same; "
        "4 of 4 histories of strategy im2col",
    )


@pytest.mark.parametrize(
    "unmeasured", [{"first_position": 100}, {"last_position": 99}], ids=["began", "ended"]
)
def test_who_did_not_measure_it_on_both_sides_is_no_witness(unmeasured: dict[str, int]) -> None:
    every = histories()
    other = (every["machine"] == "m2").to_numpy()
    for name, position in unmeasured.items():
        every[name] = np.where(other, position, every[name])

    # As if m2 were not there: undecided, no longer the machine.
    assert attributed(part(every, machine="m1"), every).cause == "undecided"


@pytest.mark.parametrize(
    "unmeasured", [{"first_position": 99}, {"last_position": 100}], ids=["began", "ended"]
)
def test_one_commit_on_either_side_makes_a_witness(unmeasured: dict[str, int]) -> None:
    every = histories()
    other = (every["machine"] == "m2").to_numpy()
    for name, position in unmeasured.items():
        every[name] = np.where(other, position, every[name])

    assert attributed(part(every, machine="m1"), every).cause == "machine"


def test_a_witness_measures_the_same_case() -> None:
    every = histories()
    only_fft = every[(every["machine"] == "m1") | (every["strategy"] == "fft")]

    cause = attributed(part(only_fft, machine="m1", strategy="im2col"), only_fft).cause

    assert cause == "code"  # by the two builds: nobody else measured im2col


def test_other_projects_say_nothing() -> None:
    every = histories(("m1",))
    foreign = histories(("m2",)).assign(project="q")

    assert attributed(every, pd.concat([every, foreign])).cause == "undecided"


def test_a_change_of_a_history_that_was_not_searched_is_refused() -> None:
    event = group(in_histories(THREE.iloc[:1]))

    with pytest.raises(ValueError, match=r"'m1', .* is none that was searched"):
        attribute(event, Histories.of(THREE.iloc[1:]))


def test_another_version_of_a_benchmark_is_no_witness() -> None:
    """Both versions were measured around the commit; one name is one history for all counts."""
    every = histories(("m1", "m2"))
    versions = pd.concat([every, part(every, machine="m1")])

    answer = attributed(part(every, machine="m1"), versions)

    assert answer.cause == "machine"
    assert "in 16 of all its 16 histories" in answer.evidence


def test_rows_may_come_in_any_order() -> None:
    changed = part(THREE, strategy="im2col").iloc[3:-1]

    answers = {
        attributed(
            changed.sample(frac=1, random_state=seed), THREE.sample(frac=1, random_state=seed)
        )
        for seed in range(5)
    }

    assert len(answers) == 1


def test_each_cause_is_named_here() -> None:
    assert CAUSES == ("code", "machine", "BLAS", "environment", "measurement", "undecided")
    assert REACH > 100


def test_who_scatters_too_much_is_no_witness() -> None:
    """The change is one of 10 %; m2 would hardly show it."""
    every = histories(("m1", "m2"), builds=("openblas",))
    noisy = every.assign(noise=np.where(every["machine"] == "m2", 0.2, 0.001))
    here = part(every, machine="m1")

    assert attributed(here, every).cause == "machine"
    assert attributed(here, noisy) == (
        "undecided",
        "seen on m1 with openblas, and no other machine or build measured the same; 8 more "
        "histories of the same may have it: too noisy to tell, or moved there too; "
        "8 of 8 histories of any benchmark",
    )


def on_m2(every: Frame, name: str, value: object) -> Frame:
    """Say something else of the histories of the second machine."""
    here = zip(every["machine"], every[name], strict=True)
    other = [value if machine == "m2" else old for machine, old in here]
    return every.assign(**{name: pd.Series(other, index=every.index, dtype=object)})


def test_few_values_are_no_witness_either() -> None:
    every = histories(("m1", "m2"), builds=("openblas",)).assign(noise=0.02)
    few = on_m2(every, "positions", np.arange(98, 104))
    here = part(every, machine="m1")

    assert attributed(here, every).cause == "machine"
    assert attributed(here, few).cause == "undecided"


def moving(by: float) -> np.ndarray[Any, Any]:
    """Moves of a history that moves at commit 100."""
    moves = np.zeros(REACH + 1, dtype=np.float32)
    moves[100] = by
    return moves


@pytest.mark.parametrize(
    ("move", "cause"), [(0.04, "machine"), (0.06, "undecided"), (-0.5, "machine")]
)
def test_who_moves_the_same_way_is_no_witness_that_nothing_changed(move: float, cause: str) -> None:
    """The change is 10 %; the other machine's move of 6 % was found by no detector."""
    every = histories(("m1", "m2"), builds=("openblas",))

    assert attributed(part(every, machine="m1"), on_m2(every, "moves", moving(move))).cause == cause


def test_a_rate_moves_the_other_way() -> None:
    every = histories(("m1", "m2"), builds=("openblas",))
    slower = on_m2(every, "moves", moving(-0.06))
    rate = {"unit": "GFLOP/s", "ratio": 1 / 1.1, "ratio_low": 1 / 1.11, "ratio_high": 1 / 1.09}

    assert attributed(part(every, machine="m1"), slower, **rate).cause == "undecided"
    assert attributed(part(every, machine="m1"), slower).cause == "machine"


def test_a_build_is_not_blamed_because_another_scatters() -> None:
    every = histories(("m1",), strategies=["im2col"])
    noisy = every.assign(noise=np.where(every["blas"] == "openblas", 0.2, 0.001))
    here = part(every, blas="mkl")

    assert attributed(here, every).cause == "BLAS"
    assert attributed(here, noisy).cause == "undecided"


def test_a_failure_is_no_matter_of_scatter() -> None:
    every = histories(("m1", "m2"), builds=("openblas",)).assign(noise=0.5)
    fails = {"kind": "starts failing", "ratio": np.nan, "p_value": np.nan}

    assert attributed(part(every, machine="m1"), every, **fails).cause == "machine"


def test_many_subjects_alike_on_the_only_machine_are_undecided() -> None:
    """A fifth of all strategies on both builds: code that they share, or the machine."""
    every = histories(("m1",), strategies=[f"s{one:02}" for one in range(25)])
    here = every[every["strategy"] < "s05"]

    assert attributed(here, every) == (
        "undecided",
        "seen in benchmarks of all sorts on m1, the only machine that measured it; "
        "40 of 200 histories of any benchmark",
    )
