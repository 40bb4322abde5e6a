"""facts.json becomes tables; the identity of the BLAS becomes a column of every value."""

import json
import math

import pandas as pd
import pytest
from asv_tree import (
    COMMIT,
    UNITS,
    content_of,
    facts,
    facts_2,
    host,
    result_file,
    row,
    write_source,
)

from convbench.results import collect, load, load_table
from convbench.results.facts import blas_identity, blas_sha256


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


@pytest.fixture
def store_2(tmp_path):
    write_source(tmp_path / "run-2", {"m/a.json": result_file({"a": row([1.0])})}, facts=facts_2())
    collect(tmp_path / "run-2", tmp_path / "store-2")
    return tmp_path / "store-2"


def test_runs_of_format_2_carry_provenance_budget_and_disturbance(store_2):
    (run,) = load_table(store_2, "runs").to_dict("records")

    assert (run["quick"], run["dirty"], run["bench"]) == (False, True, "time_run")
    assert (run["command"], run["environment_type"]) == ("convbench measure HEAD", "virtualenv")
    assert (run["lock_sha256"], run["environments_sha256"]) == ("a" * 64, "b" * 64)
    assert (run["seed"], run["python"], run["asv_version"]) == (0, "3.11.7", "0.6.6")
    assert math.isnan(run["budget_minutes"])
    assert (run["measured_minutes"], run["rounds"], run["cells_left_out"]) == (10.5, 2, 3)
    assert run["disturbed"].startswith("1 of 2 units")
    assert json.loads(run["units_json"]) == UNITS


def test_environments_of_format_2_carry_lapack_cpus_and_the_claimed_threads(store_2):
    (environment,) = load_table(store_2, "environments").to_dict("records")

    assert environment["lapack"] == "LAPACK 3.11.0 netlib"
    assert (environment["cpus"], environment["threads"]) == ("0,2", "1")
    assert environment["threads_claimed"] == "all"
    assert environment["blas_sha256"] == "0123456789ab"


def test_machines_carry_the_host_of_a_run_of_format_2(store_2):
    (machine,) = load_table(store_2, "machines").to_dict("records")

    assert (machine["cpu"], machine["num_cpu"]) == ("a cpu", "4")  # asv's words first
    assert (machine["cores"], machine["ram_bytes"]) == (2, 16_000_000_000)
    assert machine["virtualised"] == "kvm"
    assert pd.isna(machine["governor"])
    assert json.loads(machine["host_json"]) == host()


def test_what_format_1_does_not_say_is_null(store):
    (run,) = load_table(store, "runs").to_dict("records")
    (machine,) = load_table(store, "machines").to_dict("records")
    (environment,) = load_table(store, "environments").to_dict("records")

    said = {"project", "run", "machine", "commit", "started_at", "finished_at", "asv_exit_code"}
    said |= {"dropped_variables", "load_before", "load_after", "asv_version"}
    assert {name for name, value in run.items() if not pd.isna(value)} == said
    assert pd.isna([machine[name] for name in ("cores", "ram_bytes", "host_json")]).all()
    assert pd.isna([environment[name] for name in ("lapack", "cpus", "threads_claimed")]).all()


def test_types_of_runs_do_not_depend_on_what_is_known(store, store_2):
    old, new = load_table(store, "runs"), load_table(store_2, "runs")

    assert old.dtypes.equals(new.dtypes)


@pytest.mark.parametrize("newest_last", [True, False])
def test_a_machine_is_what_its_newest_run_says(tmp_path, newest_last):
    runs = {"a": 4, "b": 5}
    for name, day in runs.items():
        said = facts_2(
            run=name,
            started_at=f"2026-11-0{day if newest_last else 9 - day}T10:00:00Z",
            host=host(kernel=f"kernel of {name}"),
        )
        write_source(tmp_path / name, {"m/x.json": result_file({"a": row([1.0])})}, facts=said)
        collect(tmp_path / name, tmp_path / "store")
    plain = write_source(
        tmp_path / "plain", {"m/x.json": result_file({})}, machine={"os": "somebody else's"}
    )
    collect(plain, tmp_path / "store", project="convbench")

    (machine,) = load_table(tmp_path / "store", "machines").to_dict("records")

    newest = "b" if newest_last else "a"
    assert json.loads(machine["host_json"])["kernel"] == f"kernel of {newest}"
    assert machine["os"] == ""


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


def test_the_hash_is_that_of_the_file_that_the_identity_names():
    entry = {"family": "mkl", "version": "2026.2", "sha256": "e" * 64}
    kernel = {"family": "mkl", "version": "", "sha256": "f" * 64}
    other = {"family": "openblas", "version": "0.3.31", "sha256": "a" * 64}

    assert blas_sha256("mkl", [kernel, entry, other]) == "e" * 12
    assert blas_sha256("mkl", [kernel]) == "f" * 12
    assert blas_sha256("mkl", [{"family": "mkl", "version": "2026.2"}]) == ""


def test_two_files_of_one_blas_have_one_hash_whatever_their_order():
    numpy_s = {"family": "openblas", "version": "0.3.31", "sha256": "a" * 64}
    scipy_s = {"family": "openblas", "version": "0.3.30", "sha256": "b" * 64}
    rebuilt = scipy_s | {"sha256": "c" * 64}

    both = blas_sha256("openblas", [numpy_s, scipy_s])

    assert both == blas_sha256("openblas", [scipy_s, numpy_s]) != "a" * 12
    assert both != blas_sha256("openblas", [numpy_s, rebuilt])


NAMELESS = {"strategy": None, "family": "f", "problem": "question", "dtype": "float32"}
ENVIRONMENT_2 = facts_2()["environments"]["py"]
NAMELESS_CELL = {"py": facts()["environments"]["py"] | {"cells": [NAMELESS]}}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        json.dumps(facts(format=3)),
        json.dumps(facts_2())[:-200],
        json.dumps(facts_2(host=["AMD"])),
        json.dumps(facts_2(host=host(cores="two"))),
        json.dumps(facts_2(host=host(cores=True))),
        json.dumps(facts_2(host=host(ram_bytes=10**30))),
        json.dumps(facts_2(host=host(governor={"cpu0": "performance"}))),
        json.dumps(facts_2(host=host(load_average=[math.nan]))),
        json.dumps(facts_2(host=host())).replace("0.1,", "1e999,"),
        json.dumps(facts_2(provenance="none")),
        json.dumps(facts_2(provenance={"dirty": "yes"})),
        json.dumps(facts_2(provenance={"seed": 2.5})),
        json.dumps(facts_2(provenance={"command": ["measure"]})),
        json.dumps(facts_2(provenance={"seed": 2**64})),
        json.dumps(facts_2(budget={"minutes": "12"})),
        json.dumps(facts_2(budget={"minutes": 10**400})),
        json.dumps(facts_2(budget={"rounds": math.inf})),
        json.dumps(facts_2(units={"round": 1})),
        json.dumps(facts_2(units=[1])),
        json.dumps(facts_2(disturbed=5)),
        json.dumps(facts_2(started_at="yesterday")),
        json.dumps(facts_2(environments={"py": ENVIRONMENT_2 | {"cpus": 3}})),
        json.dumps(facts_2(environments={"py": ENVIRONMENT_2 | {"libraries": [{}]}})),
        json.dumps(facts_2(environments={"py": ENVIRONMENT_2 | {"lapack": ["x"]}})),
        json.dumps(facts_2(host="DEEP")).replace('"DEEP"', '{"a":' * 10_000 + "1" + "}" * 10_000),
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
    assert said[0].isprintable()  # on one line
    assert len(said[0]) < 500
    assert content_of(store) == before


def test_changed_facts_change_the_identity_of_the_rows(store, tmp_path):
    newer = facts()
    newer["environments"]["py"]["libraries"][0]["version"] = "0.4"
    (tmp_path / "run-1/facts.json").write_text(json.dumps(newer))

    collect(tmp_path / "run-1", store)

    assert load(store)["blas_identity"].tolist() == ["OpenBLAS 0.4 Haswell"]
