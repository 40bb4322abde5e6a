"""facts.json becomes tables; the identity of the BLAS becomes a column of every value."""

import json

import pytest
from asv_tree import COMMIT, content_of, facts, result_file, row, write_source

from convbench.results import collect, load, load_table
from convbench.results.facts import blas_identity


@pytest.fixture
def store(tmp_path):
    text = result_file({"a": row([1.0])}, env_vars={"CONVBENCH_THREADS": "1"})
    write_source(tmp_path / "run-1", {"m/a.json": text}, facts=facts())
    collect(tmp_path / "run-1", tmp_path / "store")
    return tmp_path / "store"


def test_problems_carry_their_sizes(store):
    (problem,) = load_table(store, "problems").to_dict("records")

    assert (problem["project"], problem["problem"]) == ("convbench", "question")
    assert (problem["stride_h"], problem["stride_w"], problem["padding_w"]) == (2, 3, 1)
    assert (problem["flops"], problem["batch"]) == (2, 1)


def test_cells_carry_their_work_or_why_there_is_none(store):
    cells = load_table(store, "cells").set_index("strategy")

    assert cells.loc["im2col", ["blas", "flops", "workspace_bytes"]].tolist() == [
        "openblas",
        122880,
        9,
    ]
    assert cells.loc["fft", "unsupported"] == "needs gigabytes"
    assert cells.loc["fft", ["flops", "workspace_bytes"]].isna().all()


def test_environments_carry_the_loaded_libraries(store):
    (environment,) = load_table(store, "environments").to_dict("records")

    assert environment["identity"] == "OpenBLAS 0.3.31 Haswell"
    assert (environment["guard"], environment["threads"]) == ("ok", "1")
    assert environment["packages"] == {"numpy": "2.4.6"}
    assert len(json.loads(environment["libraries_json"])) == 2


def test_runs_carry_times_exit_code_and_load(store):
    (run,) = load_table(store, "runs").to_dict("records")

    assert (run["run"], run["machine"], run["commit"], run["asv_exit_code"]) == (
        "run-1",
        "m",
        COMMIT,
        2,
    )
    assert str(run["finished_at"] - run["started_at"]) == "0 days 00:05:00"
    assert (run["load_before"], run["load_after"]) == (0.5, 1.5)
    assert run["dropped_variables"] == {"OMP_NUM_THREADS": "4"}


def test_values_carry_run_and_identity(store):
    (value,) = load(store).to_dict("records")

    assert (value["run"], value["blas_identity"]) == ("run-1", "OpenBLAS 0.3.31 Haswell")
    assert value["threads"] == "1"


@pytest.mark.parametrize(
    ("blas", "families", "text"),
    [
        ("mkl", ["mkl", "openmp"], "MKL 1.0 Zen"),
        ("openblas", ["openblas", "openblas"], "OpenBLAS 1.0 Zen"),
        ("mkl", ["openblas"], "OpenBLAS 1.0 Zen"),
        ("", ["openblas", "mkl"], "MKL 1.0 Zen + OpenBLAS 1.0 Zen"),
        ("mkl", [], ""),
    ],
)
def test_identity_names_the_loaded_libraries_of_the_claimed_family(blas, families, text):
    libraries = [{"family": f, "version": "1.0", "architecture": "Zen"} for f in families]

    assert blas_identity(blas, libraries) == text


def test_files_of_a_library_that_tell_no_version_add_nothing_to_its_identity():
    entry = {"family": "mkl", "version": "2026.2-Product", "architecture": "avx2"}
    kernel = {"family": "mkl", "version": "", "architecture": ""}

    assert blas_identity("mkl", [kernel, entry, kernel]) == "MKL 2026.2 avx2"
    assert blas_identity("mkl", [kernel]) == "MKL"


NAMELESS = {"strategy": None, "family": "f", "problem": "question", "dtype": "float32"}
NAMELESS_CELL = {"py": facts()["environments"]["py"] | {"cells": [NAMELESS]}}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        json.dumps(facts(format=2)),
        json.dumps(facts(problems={"q": {}})),
        json.dumps(facts(run="\ud800")),
        json.dumps(facts(asv_exit_code="two")),
        json.dumps(facts(environments=NAMELESS_CELL)),
    ],
)
def test_damaged_facts_skip_the_run_and_say_so(store, tmp_path, content):
    before = content_of(store)
    write_source(tmp_path / "run-2", {"m/a.json": result_file({"a": row([5.0])})})
    (tmp_path / "run-2/facts.json").write_text(content)
    said = []

    collect([tmp_path / "run-1", tmp_path / "run-2"], store, say=said.append)

    assert len(said) == 1
    assert "run-2/facts.json: skipped" in said[0]
    assert content_of(store) == before


def test_changed_facts_change_the_identity_of_the_rows(store, tmp_path):
    newer = facts()
    newer["environments"]["py"]["libraries"][0]["version"] = "0.4"
    (tmp_path / "run-1/facts.json").write_text(json.dumps(newer))

    collect(tmp_path / "run-1", store)

    assert load(store)["blas_identity"].tolist() == ["OpenBLAS 0.4 Haswell"]
