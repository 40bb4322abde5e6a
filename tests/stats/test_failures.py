import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convbench.stats.failures import LASTING, find_failures

STATUS = {"o": "ok", "f": "failed", "s": "skipped", ".": None}
HISTORIES = st.text("ofs.", max_size=30)


def failures(history: str) -> list[tuple[int, str]]:
    return find_failures([STATUS[letter] for letter in history])


@pytest.mark.parametrize(
    ("history", "found"),
    [
        ("ooofff", [(3, "starts failing")]),
        ("ooofffoo", [(3, "starts failing"), (6, "works again")]),
        ("ffffoo", [(4, "works again")]),
        ("off", [(1, "starts failing")]),
        ("oooff", [(3, "starts failing")]),
        ("ooof", []),  # one failure at the newest end may be a mishap
        ("oofooo", []),
        ("foooo", []),
        ("ffofff", []),
        ("ooofffo", [(3, "starts failing")]),
        ("ffff", []),
        ("oooo", []),
        ("", []),
        ("oosss", []),
        ("oo...", []),
        ("oof.sf", [(2, "starts failing")]),
        ("oo.s.ff", [(5, "starts failing")]),
    ],
)
def test_a_state_that_lasts_is_a_change_dated_at_its_first_commit(
    history: str, found: list[tuple[int, str]]
) -> None:
    assert failures(history) == found


@given(HISTORIES)
def test_kinds_alternate_and_each_begins_a_stretch_that_lasts(history: str) -> None:
    found = failures(history)

    kinds = [kind for _, kind in found]
    assert all(one != other for one, other in itertools.pairwise(kinds))
    for index, kind in found:
        letter = "f" if kind == "starts failing" else "o"
        told = [one for one in history[index:] if one in "of"]
        assert history[index] == letter
        assert told[:LASTING] == [letter] * LASTING


@given(HISTORIES, st.integers(0, 30), st.sampled_from("s."))
def test_a_commit_that_says_nothing_only_moves_what_follows(
    history: str, at: int, nothing: str
) -> None:
    at = min(at, len(history))

    moved = [(index + (index >= at), kind) for index, kind in failures(history)]

    assert failures(history[:at] + nothing + history[at:]) == moved


@given(HISTORIES)
def test_what_was_found_stays_while_a_history_grows(history: str) -> None:
    for length in range(len(history)):
        earlier = failures(history[:length])
        assert failures(history)[: len(earlier)] == earlier
