import numpy as np
import pandas as pd
import pytest
from constructed_changes import change, changes, commit, histories, in_histories
from hypothesis import given, settings
from hypothesis import strategies as st

from convbench.stats.causes import most_supported
from convbench.stats.changes import KINDS
from convbench.stats.grouping import event_id, group, known_as


def events(*rows: dict[str, object]) -> list[int]:
    """Number the event of each change, by its first row."""
    ids = list(group(changes(*rows))["event"])
    return [ids.index(one) for one in ids]


PLACES = [
    {"machine": machine, "blas": blas, "params": params}
    for machine in ("m1", "m2")
    for blas in ("openblas", "mkl")
    for params in ("case 1", "case 2")
]


def test_one_cause_seen_in_many_histories_is_one_event() -> None:
    assert events(*(change(**place) for place in PLACES)) == [0] * len(PLACES)


@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2])
def test_two_commits_apart_is_still_one_cause(off: int) -> None:
    assert events(change(100), change(100 + off, params="case 2")) == [0, 0]


@pytest.mark.parametrize("off", [-3, 3, 10])
def test_three_commits_apart_is_another_cause(off: int) -> None:
    assert events(change(100), change(100 + off, params="case 2")) == [0, 1]


def test_ranges_that_overlap_are_one_cause_however_far_the_commits() -> None:
    far = change(120, range=(99, 120), params="case 2")

    assert events(change(100), far) == [0, 0]
    assert events(change(97), far) == [0, 1]


def test_changes_at_every_second_commit_are_no_chain() -> None:
    row = group(changes(*(change(at, params=f"case {at}") for at in range(100, 140, 2))))

    widths = row.groupby("event")["position"].agg(lambda one: one.max() - one.min())
    assert widths.max() <= 2


def test_a_change_that_could_be_of_two_events_goes_to_the_nearer() -> None:
    crowd = [change(100, params=f"case {case}") for case in range(5)]
    few = [change(110, params=f"case {case}") for case in range(2)]
    between = change(108, range=(99, 111), params="case 9")

    assert events(*crowd, *few, between) == [0] * 5 + [5] * 3


OTHERS = [
    {"strategy": "fft"},
    {"project": "q"},
    {"kind": "improvement", "ratio": 1 / 1.1, "ratio_low": 1 / 1.11, "ratio_high": 1 / 1.09},
    {"kind": "starts failing", "ratio": np.nan, "ratio_low": np.nan, "ratio_high": np.nan},
    {"ratio": 1.5, "ratio_low": 1.45, "ratio_high": 1.55},
]


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_another_strategy_project_direction_or_size_is_another_cause(
    other: dict[str, object],
) -> None:
    assert events(change(), change(params="case 2", **other)) == [0, 1]


def test_sizes_within_a_factor_of_two_or_overlapping_intervals_are_similar() -> None:
    low, high = {"ratio": np.exp(0.1)}, {"ratio": np.exp(0.199)}
    sharp = {"ratio_low": np.nan, "ratio_high": np.nan}
    assert events(change(**low, **sharp), change(**high, **sharp, params="b")) == [0, 0]

    high = {"ratio": np.exp(0.201)}
    assert events(change(**low, **sharp), change(**high, **sharp, params="b")) == [0, 1]

    vague = {"ratio_low": 1.1, "ratio_high": 1.4}
    assert events(change(**low, **sharp), change(**high, **vague, params="b")) == [0, 0]


def test_a_rate_that_falls_and_a_time_that_grows_are_one_cause() -> None:
    rate = {"unit": "GFLOP/s", "ratio": 1 / 1.1, "ratio_low": 1 / 1.11, "ratio_high": 1 / 1.09}

    assert events(change(), change(params="case 2", **rate)) == [0, 0]


def test_failures_have_no_size() -> None:
    failing = {"kind": "starts failing", "ratio": np.nan, "ratio_low": np.nan, "ratio_high": np.nan}

    assert events(change(**failing), change(**failing, params="case 2")) == [0, 0]


def test_without_strategies_the_class_is_the_subject() -> None:
    names = ["linalg.Eig.time_a", "linalg.Eig.time_b", "linalg.Svd.time_a", "core.time_a", "alone"]
    rows = [
        change(benchmark=name, strategy=none)
        for name, none in zip(names, ["", None, "", None, ""], strict=True)
    ]

    grouped = group(changes(*rows))

    assert list(grouped["subject"]) == ["linalg.Eig", "linalg.Eig", "linalg.Svd", "core", "alone"]
    assert grouped["event"].nunique() == 4


def wide(share: float, *, machine: str = "m1", strategies: int = 5) -> pd.DataFrame:
    """Group a change of the first part of a machine's histories."""
    every = histories(("m1", "m2"), strategies=[f"s{one}" for one in range(strategies)])
    here = every[every["machine"] == machine].sort_values(["params", "blas"])
    return group(in_histories(here.iloc[: round(share * len(here))]), every)


def test_what_most_of_a_machine_shows_is_one_event() -> None:
    assert len(set(wide(1.0)["event"])) == 1
    assert len(set(wide(0.6)["event"])) == 1
    assert set(wide(0.6)["subject"]) == {""}
    # 57.5 % of 40 histories: three strategies, the last in part.
    assert wide(0.575)["event"].nunique() == 3


def test_one_strategy_alone_is_never_a_whole_machine() -> None:
    assert set(wide(1.0, strategies=1)["subject"]) == {"s0"}


def test_without_the_histories_no_machine_is_whole() -> None:
    assert group(wide(1.0)[list(change())])["event"].nunique() == 5


def test_what_most_of_an_environment_shows_is_one_event() -> None:
    """Python was updated there, say: other environments of the machine measured on."""
    every = histories(("m1",), strategies=["a", "b", "c"])
    every["environment"] = every["blas"]
    here = every[every["blas"] == "mkl"]

    assert set(group(in_histories(here.iloc[:8]), every)["subject"]) == {""}  # 8 of 12, or of 24
    assert "" not in set(group(in_histories(here.iloc[:7]), every)["subject"])


def alike(subjects: int, measured: int, **columns: object) -> pd.DataFrame:
    """Group a change in one history of each of some strategies, of all that are measured."""
    every = histories(("m1", "m2"), strategies=[f"s{one:02}" for one in range(measured)])
    return group(in_histories(every.drop_duplicates("strategy").iloc[:subjects], **columns), every)


def test_many_subjects_that_change_alike_are_one_event() -> None:
    assert set(alike(5, 20)["subject"]) == {""}
    assert len(set(alike(5, 20)["event"])) == 1
    assert alike(4, 20)["event"].nunique() == 4  # too few to be sure
    assert alike(5, 26)["event"].nunique() == 5  # less than a fifth of all
    assert set(alike(5, 20, ratio=np.nan, kind="starts failing")["subject"]) == {""}


def test_many_subjects_that_change_by_other_sizes_are_many_events() -> None:
    every = histories(("m1",), strategies=[f"s{one}" for one in range(5)])
    rows = [
        in_histories(one, ratio=size, ratio_low=size / 1.01, ratio_high=size * 1.01)
        for (_, one), size in zip(
            every.drop_duplicates("strategy").groupby("strategy"),
            [1.05, 1.2, 1.7, 4.0, 20.0],
            strict=True,
        )
    ]

    assert group(pd.concat(rows, ignore_index=True), every)["event"].nunique() == 5


def test_where_much_changes_all_the_time_many_changes_at_one_commit_are_many_events() -> None:
    """Each of 30 strategies at every sixth commit: five or so at each, and none has to do with
    another."""
    every = histories(("m1",), strategies=[f"s{one:02}" for one in range(30)])
    once = every.drop_duplicates("strategy")
    rows = [
        in_histories(once.iloc[[number]], position=at)
        for number in range(len(once))
        for at in range(number % 6 + 1, 500, 6)
    ]

    grouped = group(pd.concat(rows, ignore_index=True), every)

    assert "" not in set(grouped["subject"])


def test_histories_that_ended_before_do_not_count_for_a_machine() -> None:
    every = histories(("m1",), strategies=["a", "b", "c"])
    gone = every.assign(last_position=np.where(every["strategy"] == "c", 50, 500))
    changed = in_histories(every[every["strategy"] != "c"].iloc[:10])

    assert set(group(changed, every)["subject"]) != {""}  # 10 of 24
    assert set(group(changed, gone)["subject"]) == {""}  # 10 of 16


def test_what_fails_for_good_counts_for_its_machine() -> None:
    """10 of 24 histories fail from commit 100 on: their last values lie before it."""
    every = histories(("m1",), strategies=["a", "b", "c"])
    fails = every[every["strategy"] != "c"].iloc[:10]
    every.loc[fails.index, "last_position"] = 99

    changed = in_histories(fails, kind="starts failing", ratio=np.nan, p_value=np.nan)

    assert "" not in set(group(changed, every)["subject"])


@st.composite
def many(draw: st.DrawFn, least: int = 0) -> pd.DataFrame:
    """Changes of a few histories, anywhere, with ranges and sizes of every kind."""
    count = draw(st.integers(least, 12))
    rows = []
    for number in range(count):
        at = draw(st.integers(100, 112))
        strategy = draw(st.sampled_from(["im2col", "fft"]))
        size = draw(st.sampled_from([1.02, 1.1, 1.3, 2.0, np.inf]))
        rows.append(
            change(
                at,
                range=(at - draw(st.integers(0, 4)), at + draw(st.integers(0, 4))),
                params=f"{strategy}, case {number % 7}",
                machine=draw(st.sampled_from(["m1", "m2"])),
                strategy=strategy,
                kind=draw(st.sampled_from(KINDS[:2])),
                ratio=size,
                ratio_low=size / 1.01,
                ratio_high=size * 1.01,
                p_value=draw(st.sampled_from([1e-9, 1e-6, 1e-3])),
            )
        )
    return changes(*rows).drop_duplicates(["machine", "params", "position"])


@settings(max_examples=40)
@given(many(), st.integers(0, 1000))
def test_the_order_of_rows_is_of_no_consequence(found: pd.DataFrame, seed: int) -> None:
    found.index = np.arange(len(found)) * 3 + 7  # labels are none of our business
    every = histories()
    shuffled = found.sample(frac=1, random_state=seed)

    grouped = group(found, every)

    assert list(grouped.index) == list(found.index)
    pd.testing.assert_frame_equal(group(shuffled, every).loc[grouped.index], grouped)


@settings(max_examples=40)
@given(many(least=1))
def test_every_event_has_one_cause(found: pd.DataFrame) -> None:
    for _, event in group(found).groupby("event"):
        assert event[["project", "kind", "subject"]].drop_duplicates().shape[0] == 1
        # All may lie at one commit: ranges, widened by a commit on both sides, have one in common.
        first = np.minimum(event["range_first_position"], event["position"] - 1)
        last = np.maximum(event["range_last_position"], event["position"] + 1)
        assert first.max() <= last.min()
        assert most_supported(event) in set(event["position"])


@settings(max_examples=40)
@given(many(least=1), st.integers(0, 11), st.floats(0, 1))
def test_one_more_history_at_the_supported_commit_leaves_it_the_supported(
    found: pd.DataFrame, which: int, p: float
) -> None:
    # The ranges of all changes here, as if they were one event.
    at = most_supported(found)
    more = change(at, range=(at - which % 3, at + which % 4), p_value=p)

    assert most_supported(pd.concat([found, changes(more)])) == at


def test_a_history_that_joins_at_the_commit_never_changes_the_id() -> None:
    rows = [change(100, params="a"), change(101, params="b", range=(100, 101))]
    (before,) = set(group(changes(*rows))["event"])

    for number in range(5):
        rows.append(change(100, params=f"new {number}", p_value=0.1**number))
        assert set(group(changes(*rows))["event"]) == {before}


def test_where_the_supported_commit_moves_the_old_id_is_still_known() -> None:
    old = group(changes(change(100, params="a")))["event"].iloc[0]
    moved = group(changes(change(100, params="a"), *(change(101, params=p) for p in "bcd")))

    assert set(moved["event"]) == {event_id("p", "regression", "im2col", commit(101))}
    assert known_as(moved) == sorted({old, moved["event"].iloc[0]})


def test_of_two_sizes_at_one_commit_the_one_with_more_histories_has_the_plain_id() -> None:
    small = [change(params=f"case {case}") for case in range(2)]
    large = change(params="large", ratio=3.0, ratio_low=2.9, ratio_high=3.1)

    grouped = group(changes(large, *small))

    assert grouped["event"].iloc[1] == event_id("p", "regression", "im2col", commit(100))
    assert grouped["event"].nunique() == 2


@pytest.mark.parametrize(
    ("rows", "at"),
    [
        ([(100, 100, 100, 1e-3), (101, 98, 104, 1e-9), (101, 98, 104, 1e-9)], 100),  # in all ranges
        ([(100, 99, 101, 1e-9), (101, 99, 101, 1e-3), (101, 99, 101, 1e-3)], 101),  # most found it
        ([(100, 99, 101, 1e-3), (101, 99, 101, 1e-9)], 101),  # the most significant
        ([(100, 99, 101, 1e-3), (101, 99, 101, 1e-3)], 100),  # the oldest
    ],
)
def test_the_first_bad_commit_is_the_most_supported(
    rows: list[tuple[int, int, int, float]], at: int
) -> None:
    made = [change(one, range=(first, last), p_value=p) for one, first, last, p in rows]

    assert most_supported(changes(*made)) == at
    assert most_supported(changes(*made[::-1])) == at


def test_ids_differ_with_every_part_of_the_cause() -> None:
    given = ("p", "regression", "im2col", "c")
    others = [(*given[:place], "x", *given[place + 1 :]) for place in range(4)]
    ids = {event_id(*given), event_id(*given, rank=1), *(event_id(*other) for other in others)}

    assert len(ids) == 6
    assert all(len(one) == 10 and int(one, 16) >= 0 for one in ids)
    # Parts can't run into each other.
    assert event_id("a", "b", "c", "d") != event_id("a", "bc", "", "d")


def test_a_change_lasts_until_the_next_of_its_history() -> None:
    rows = [change(90), change(50), change(95, params="case 2"), change(91)]

    assert group(changes(*rows))["lasted"].tolist()[:2] == [1.0, 40.0]
    assert group(changes(*rows))["lasted"].isna().tolist() == [False, False, True, True]


def test_nothing_groups_into_nothing() -> None:
    grouped = group(changes(), histories())

    assert len(grouped) == 0
    assert {"event", "subject", "lasted"} <= set(grouped)
