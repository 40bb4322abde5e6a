"""The made-up stores behind the documentation's pictures; their numbers are invented.

In one every view has something to show, the other is that of the tour. A store of real results
would make other pictures on each machine; these make the same everywhere.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from sample_store import (
    BUILDS,
    MACHINE,
    PROBLEMS,
    START,
    STRATEGIES,
    Store,
    commit_name,
    event,
    flops,
    found_change,
    row,
    trusted_store,
)
from test_roofs import add_ceilings

COMMITS = 24
SLOWER_AT, FASTER_AT, DISTURBED_AT = 9, 16, 20
OTHER_MACHINE = "made-up-notebook"
SUBJECTS = (
    *("Take the border out of the inner loop", "Say what the axis means", "Raise NumPy to 2.4"),
    *("Copy patches in one call", "Fix the sign of zero", "Split a long function in two"),
)
WITHOUT_BLAS = ("loops", "scipy_correlate2d", "einsum", "fft", "numba_direct")
ERRORS = {"loops": 3e-8, "im2col": 1.1e-7, "shifted": 9e-8, "numba_direct": 6e-8, "fft": 4e-7}


def made_up_store() -> Store:
    """Make a store of two machines, two BLAS builds and some changes."""
    store = trusted_store(COMMITS)
    for number, commit in enumerate(store.tables["commits"]):
        commit["subject"] = SUBJECTS[number % len(SUBJECTS)]
    store.tables["commits"][12]["tags"] = ["v1.0"]
    for index in range(COMMITS):
        for blas in BUILDS:
            add_ceilings(store, index, blas=blas)
    _measure_errors(store)
    _mend(store)
    _change(store, "im2col", at=SLOWER_AT, ratio=1.3, until=FASTER_AT)
    _change(store, "tensordot", at=FASTER_AT, ratio=0.7)
    _change(store, "shifted", at=FASTER_AT + 3, ratio=1.12)
    _add_other_machine(store)
    _add_events(store)
    return store


def _measure_errors(store: Store) -> None:
    for strategy, error in ERRORS.items():
        params = {"strategy": strategy, "problem": "question", "dtype": "float32"}
        names = {"benchmark": "accuracy.Accuracy.track_error", "unit": "relative error"}
        for blas in BUILDS:
            store.rows.append(row(COMMITS - 1, error, params=params, blas=blas, **names))


def _mend(store: Store) -> None:
    """Make credible: bytes of problems, rates below the peak, what a BLAS moves, one bad run."""
    for problem in store.tables["problems"]:
        channels, height, width, filters, kernel, stride, groups = PROBLEMS[problem["problem"]]
        outputs = filters * (height // stride) * (width // stride)
        weights = filters * channels // groups * kernel * kernel
        elements = channels * height * width + weights + outputs
        problem |= {"bytes_float32": 4 * elements, "bytes_float64": 8 * elements}
    for one in store.rows:
        if one["blas"] == "mkl" and one["strategy"] in WITHOUT_BLAS:
            one |= _times(one, 1 / 0.9)
        if STRATEGIES.get(one["strategy"], 1) < 20e-6:
            one |= _times(one, (flops(one["problem"]) / flops("question")) ** 0.25)
    bad, newest = store.tables["runs"][DISTURBED_AT], store.tables["runs"][-1]
    bad |= {"disturbed": newest["disturbed"]}
    newest |= {"disturbed": "", "dirty": False}


def _change(store: Store, strategy: str, *, at: int, ratio: float, until: int = COMMITS) -> None:
    """Multiply the times of a strategy from one commit on, to before another."""
    changed = {commit_name(index) for index in range(at, until)}
    for one in store.rows:
        if (one["strategy"], one["unit"]) == (strategy, "seconds") and one["commit"] in changed:
            one |= _times(one, ratio)


def _add_other_machine(store: Store) -> None:
    generator = np.random.default_rng(3)
    factors = {strategy: generator.uniform(1.1, 1.9) for strategy in STRATEGIES}
    other = {"machine": OTHER_MACHINE}
    store.rows += [
        made | other | _times(made, factors.get(made["strategy"], 1.5) * generator.normal(1, 0.02))
        for made in store.rows
        if not made["benchmark"].startswith(("control", "ceilings", "accuracy"))
    ]
    for table in ("machines", "environments", "cells"):
        store.tables[table] += [made | other for made in store.tables[table]]
    runs = [made | other | {"disturbed": ""} for made in store.tables["runs"]]
    store.tables["runs"] += runs
    store.tables["machines"][-1]["cpu"] = "Made-up mobile CPU @ 1.6 GHz"


def _times(made: dict[str, Any], factor: float) -> dict[str, Any]:
    if made["unit"] != "seconds":
        return {}
    return {name: factor * made[name] for name in ("value", "ci_low", "ci_high", "q25", "q75")}


def _add_events(store: Store) -> None:
    store.tables["changes"], store.tables["events"] = [], []
    for number, (strategy, at, ratio, triage) in enumerate(
        (
            ("im2col", SLOWER_AT, 1.3, "acknowledged"),
            ("im2col", FASTER_AT, 1 / 1.3, ""),
            ("tensordot", FASTER_AT, 0.7, ""),
            ("shifted", FASTER_AT + 3, 1.12, ""),
        )
    ):
        changes = [
            found_change(
                at,
                before=before,
                after=ratio * before,
                params=f"strategy={strategy}, problem={problem}, dtype=float32",
                strategy=strategy,
                problem=problem,
                dtype="float32",
            )
            for problem in PROBLEMS
            for before in [_level(store, strategy, problem, at)]
        ]
        reason = "known: the copy is needed for #12" if triage else ""
        said = {"triage": triage, "triage_reason": reason}
        store.tables["changes"] += changes
        store.tables["events"] += event(f"{number + 0xE7:010x}", *changes, **said)


def _level(store: Store, strategy: str, problem: str, at: int) -> float:
    """Give the median of the five values before a commit."""
    before = {commit_name(index) for index in range(at - 5, at)}
    values = [
        one["value"]
        for one in store.rows
        if (one["strategy"], one["problem"], one["dtype"]) == (strategy, problem, "float32")
        and (one["machine"], one["blas"]) == (MACHINE, "openblas")
        and one["benchmark"] == "run.Float32.time_run"
        and one["commit"] in before
    ]
    return float(np.median(values))


def tour_store() -> Store:
    """Make what docs/tour.md measures: two histories of twelve commits, slower at the sixth."""
    at, commits, benchmark = 5, 12, "counting.Count.time_count"
    store, noise = Store(), np.random.default_rng(1)
    machine = {"machine": "your-machine", "project": "words"}
    for index in range(commits):
        subject = {0: "Count words", at: "Leave out punctuation"}.get(index, f"Change {index + 1}")
        commit = {"commit": commit_name(index), "position": index, "subject": subject}
        store.tables.setdefault("commits", []).append(
            commit | {"project": "words", "commit_date": START, "parents": [], "tags": []}
        )
        for letters in ("lower", "upper"):
            value = (1e-3 if index >= at else 1.45e-4) * noise.normal(1, 0.015)
            params = {"letters": letters}
            made = row(index, value, benchmark=benchmark, params=params, blas="")
            store.rows.append(made | machine | {"commit_date": START, "environment": "existing"})
    names = machine | {"benchmark": benchmark, "blas": "", "threads": "", "environment": "existing"}
    changes = [
        found_change(at, before=1.45e-4, after=1e-3, params=f"letters={letters}", **names)
        for letters in ("lower", "upper")
    ]
    said = {"subject": "counting.Count", "cause": "undecided", "evidence": "only one machine"}
    store.tables |= {"changes": changes, "events": event("1302e0b154", *changes, **said)}
    return store
