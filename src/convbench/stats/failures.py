"""When a benchmark starts failing, and when it works again.

A failure is a fact, not a number, so it takes no statistics, only patience: one failed run may be
a full disk or a killed process. A change of state is believed when `LASTING` measurements in
succession say so, and dated at the first of them. Skipped and missing commits say nothing of
whether the benchmark works: they are passed over, and neither begin nor interrupt a state.
"""

from collections.abc import Sequence

from convbench.stats.changes import STARTS_FAILING, WORKS_AGAIN

OK, FAILED = "ok", "failed"

LASTING = 2
"""Measurements in succession that make a state, also at the newest end."""


def find_failures(status: Sequence[object]) -> list[tuple[int, str]]:
    """Find the commits at which one benchmark starts failing or works again, oldest first.

    Parameters
    ----------
    status : sequence of length n
        Per commit, oldest first, ``"ok"`` or ``"failed"``; anything else, such as ``"skipped"`` or
        None, is a commit that says nothing.

    Returns
    -------
    list of (int, str)
        Index of the first commit of the new state, and ``"starts failing"`` or ``"works again"``,
        which alternate. A history that only ever failed did not start to.
    """
    if FAILED not in status:  # as most histories
        return []
    told = [(index, one) for index, one in enumerate(status) if one in (OK, FAILED)]
    states = [one for _, one in told]
    # A single failure at the oldest end is as little a state as anywhere else.
    state = FAILED if states[:LASTING] == [FAILED] * LASTING else OK
    found = []
    for place, (index, one) in enumerate(told):
        if one != state and states[place : place + LASTING] == [one] * LASTING:
            state = str(one)
            found.append((index, STARTS_FAILING if state == FAILED else WORKS_AGAIN))
    return found
