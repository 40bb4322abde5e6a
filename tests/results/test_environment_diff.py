"""Two environments are compared fact by fact, whatever they are called by."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from asv_tree import COMMIT, facts_2, host, result_file, row, write_source
from hypothesis import given
from hypothesis import strategies as st

from convbench.errors import BadResults, BadUsage
from convbench.results import collect
from convbench.results.environment_diff import Environment, compare, environment_diff, find

LIBRARY = facts_2()["environments"]["py"]["libraries"][0]


def add_run(
    top: Path,
    run: str,
    *,
    machine: str = "m",
    commit: str = COMMIT,
    started: str = "2026-11-22T10:00:00Z",
    cpu: str = "EPYC",
    project: str = "convbench",
    **environments: dict[str, Any],
) -> None:
    """Write a measuring run with environments that are changed from the usual one as told."""
    usual = facts_2()["environments"]["py"]
    files = {
        f"{machine}/{name}.json": result_file(
            {"a": row([1.0])}, env_name=name, commit_hash=commit, params={"machine": machine}
        )
        for name in environments
    }
    facts = facts_2(
        run=run,
        machine=machine,
        commit=commit,
        started_at=started,
        project=project,
        host=host(cpu=cpu),
        environments={name: usual | changes for name, changes in environments.items()},
    )
    write_source(top / "runs" / run / machine, files, facts=facts, machine={"cpu": cpu})


def store_of(top: Path) -> Path:
    collect(top / "runs", top / "store")
    return top / "store"


def differing(facts: pd.DataFrame) -> dict[str, tuple[str | None, str | None]]:
    """The facts that differ: what they are in A and in B."""
    found = facts[~facts["same"]]
    return dict(zip(found["fact"], zip(found["a"], found["b"], strict=True), strict=True))


TEXTS = st.dictionaries(st.sampled_from("abcde"), st.text(max_size=2))


def environment(facts: dict[str, str], machine: str = "m") -> Environment:
    return Environment(
        **dict.fromkeys(("project", "environment", "run", "commit"), "x"),
        machine=machine,
        runs=1,
        facts=facts,
        machine_facts={"machine cpu": machine},
    )


@given(a=TEXTS, b=TEXTS)
def test_each_fact_of_either_is_compared_once(a, b):
    found = compare(environment(a), environment(b)).set_index("fact")

    assert set(found.index) == set(a) | set(b)
    assert found.index.is_unique
    assert {name: text for name, text in found["a"].items() if text is not None} == a
    assert {name: text for name, text in found["b"].items() if text is not None} == b
    assert set(found.index[found["same"]]) == {name for name, _ in a.items() & b.items()}


@given(a=TEXTS, b=TEXTS)
def test_turning_the_question_round_turns_the_answer_round(a, b):
    there = differing(compare(environment(a), environment(b, machine="n")))
    back = differing(compare(environment(b, machine="n"), environment(a)))

    assert back == {name: (new, old) for name, (old, new) in there.items()}


def test_everything_that_a_run_recorded_of_an_environment_is_a_fact(tmp_path):
    other = {
        "blas": "mkl",
        "threads": 4,
        "guard": "skipped",
        "lapack": "LAPACK 3.12",
        "threads_claimed": "4",
        "cpus": [1],
        "packages": {"numpy": "2.5", "scipy": ""},
        "libraries": [{"family": "mkl", "version": "2026.2", "sha256": "e" * 64}],
    }
    add_run(tmp_path, "run-1", py={}, other=other)

    found = differing(environment_diff(store_of(tmp_path), "py", "other"))

    assert found == {
        "blas": ("openblas", "mkl"),
        "identity": ("OpenBLAS 0.3.31 Haswell", "MKL 2026.2"),
        "lapack": ("LAPACK 3.11.0 netlib", "LAPACK 3.12"),
        "threads": ("1", "4"),
        "threads_claimed": ("all", "4"),
        "cpus": ("0,2", "1"),
        "guard": ("ok", "skipped"),
        "library openblas architecture": ("Haswell", None),
        "library openblas file": ("libopenblas.so", None),
        "library openblas sha256": (LIBRARY["sha256"], None),
        "library openblas version": ("0.3.31", None),
        "library mkl version": (None, "2026.2"),
        "library mkl sha256": (None, "e" * 64),
        "package numpy": ("2.4.6", "2.5"),
        "package scipy": (None, ""),
    }


def test_a_rebuilt_library_differs_by_its_hash_alone(tmp_path):
    add_run(tmp_path, "run-1", py={})
    add_run(tmp_path, "run-2", py={"libraries": [LIBRARY | {"sha256": "f" * 64}]})

    found = differing(environment_diff(store_of(tmp_path), "run-1/py", "run-2/py"))

    assert found == {"library openblas sha256": (LIBRARY["sha256"], "f" * 64)}


def test_two_libraries_of_one_family_are_told_apart_in_any_order(tmp_path):
    second = LIBRARY | {"version": "0.3.99"}
    add_run(tmp_path, "run-1", py={"libraries": [LIBRARY, second]})
    add_run(tmp_path, "run-2", py={"libraries": [second, LIBRARY]})
    add_run(tmp_path, "run-3", py={"libraries": [LIBRARY]})
    store = store_of(tmp_path)

    assert differing(environment_diff(store, "run-1/py", "run-2/py")) == {}
    assert "library openblas 2 version" in differing(
        environment_diff(store, "run-1/py", "run-3/py")
    )


def test_machines_are_compared_when_they_are_two(tmp_path):
    add_run(tmp_path, "run-1", py={}, twin={})
    add_run(tmp_path, "run-2", machine="n", cpu="Xeon", py={})
    store = store_of(tmp_path)

    here = environment_diff(store, "m/py", "twin")
    across = environment_diff(store, "m/py", "n/py")

    assert differing(here) == {}
    assert not here["fact"].str.startswith("machine").any()
    assert differing(across) == {"machine cpu": ("EPYC", "Xeon")}
    assert {"machine ram_bytes", "machine kernel", "machine virtualised"} <= set(across["fact"])


def test_the_load_of_a_moment_is_no_fact_of_a_machine(tmp_path):
    add_run(tmp_path, "run-1", py={})
    add_run(tmp_path, "run-2", machine="n", py={})

    found = environment_diff(store_of(tmp_path), "m/py", "n/py")

    assert not found["fact"].str.contains("load").any()


def test_a_name_that_leaves_several_runs_means_the_newest(tmp_path):
    add_run(tmp_path, "run-9", started="2026-11-20T10:00:00Z", py={"threads": 9})
    add_run(tmp_path, "run-1", started="2026-11-22T10:00:00Z", py={"threads": 1})
    add_run(tmp_path, "run-5", started="2026-11-21T10:00:00Z", py={"threads": 5})
    store = store_of(tmp_path)

    assert [found.run for found in find(store, ("py", "m/py", "run-5/py"))] == [
        "run-1",
        "run-1",
        "run-5",
    ]
    assert [found.runs for found in find(store, ("py", "run-5/py"))] == [3, 1]
    assert differing(environment_diff(store, "run-9/py", "py")) == {"threads": ("9", "1")}


def test_a_commit_says_how_the_environments_were_then(tmp_path):
    add_run(tmp_path, "run-1", started="2026-11-20T10:00:00Z", commit="b" * 40, py={"threads": 9})
    add_run(tmp_path, "run-2", py={})
    store = store_of(tmp_path)

    (then,) = find(store, ("py",), commit="bbbb")

    assert (then.run, then.facts["threads"]) == ("run-1", "9")
    with pytest.raises(BadUsage, match="--commit cccc: no environment"):
        environment_diff(store, "py", "py", commit="cccc")


def test_an_environment_of_other_commits_is_not_called_unknown(tmp_path):
    add_run(tmp_path, "run-1", commit="b" * 40, py={}, pypy={})
    add_run(tmp_path, "run-2", commit="c" * 40, py={})
    store = store_of(tmp_path)

    with pytest.raises(
        BadUsage,
        match=r"environment m/pypy was not measured at commit cccc; it was at: bbbbbbbb$",
    ):
        environment_diff(store, "py", "m/pypy", commit="cccc")
    with pytest.raises(BadUsage, match="the store knows no environment absent"):
        environment_diff(store, "py", "absent", commit="cccc")


def test_a_commit_may_decide_between_environments_of_one_name(tmp_path):
    add_run(tmp_path, "run-1", commit="b" * 40, py={})
    add_run(tmp_path, "run-2", commit="c" * 40, machine="n", py={})

    (found,) = find(store_of(tmp_path), ("py",), commit="c")

    assert found.machine == "n"


def test_results_without_runs_are_compared_by_what_asv_wrote(tmp_path):
    for day, numpy in enumerate(["2.1", "2.0", "2.2"]):
        files = {
            f"m/{day}-{name}.json": result_file(
                {"a": row([1.0])},
                env_name=name,
                requirements={"numpy": version},
                commit_hash=f"{9 - day}" * 40,
                date=1_690_000_000_000 + day * 86_400_000,
            )
            for name, version in (("py", numpy), ("old", "1.26"))
        }
        write_source(tmp_path / "runs", files)
    store = store_of(tmp_path)

    found = environment_diff(store, "py", "old")

    assert differing(found) == {"package numpy": ("2.2", "1.26")}, "of the newest commit"
    assert "python" in set(found["fact"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("py", r"environment py could be several; say: m/py, n/py"),
        ("pyt", r"no environment pyt; near: .*py"),
        ("k/py", r"no environment k/py; near: .*m/py"),
        ("", r"no environment ''; near: "),
        ("\x1b[31mpy", r"no environment \\x1b\[31mpy; near: "),
    ],
)
def test_a_name_that_fits_none_or_several_is_refused_with_the_choices(tmp_path, name, message):
    add_run(tmp_path, "run-1", py={})
    add_run(tmp_path, "run-2", machine="n", py={})
    store = store_of(tmp_path)

    with pytest.raises(BadUsage, match=message) as caught:
        environment_diff(store, name, "m/py")

    assert str(caught.value).isprintable()


def test_every_choice_that_is_offered_is_taken(tmp_path):
    add_run(tmp_path, "run-1", project="one", py={})
    add_run(tmp_path, "run-2", project="two", py={})
    store = store_of(tmp_path)

    with pytest.raises(BadUsage, match="could be several; say: run-1/py, run-2/py"):
        find(store, ("m/py",))

    assert [found.project for found in find(store, ("run-1/py", "run-2/py"))] == ["one", "two"]


def test_a_store_is_needed(tmp_path):
    with pytest.raises(BadResults, match="no convbench store"):
        environment_diff(tmp_path, "a", "b")
