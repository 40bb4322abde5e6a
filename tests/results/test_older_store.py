"""A store of schema version 1: readable as it is, brought up to date by collecting, never lost."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from asv_tree import content_of, facts_2, host, result_file, row, write_source

from convbench.results import collect, load, load_table, newest, schema

VALUE = {"m/a.json": result_file({"a": row([1.0])})}

ADDED_IN_2 = {
    "values": {"blas_sha256"},
    "environments": {"blas_sha256", "lapack", "cpus", "threads_claimed"},
    "machines": {"cores", "ram_bytes", "governor", "virtualised", "host_json"},
    "runs": {"environment_type", "asv_version", "quick", "bench", "dirty", "command", "lock_sha256"}
    | {"environments_sha256", "seed", "python", "budget_minutes", "measured_minutes", "rounds"}
    | {"cells_left_out", "disturbed", "units_json"},
}


def age(store: Path) -> None:
    """Make a store what version 1 would have written."""
    for path in store.rglob("*.parquet"):
        name = path.relative_to(store).parts[0].removesuffix(".parquet")
        table = pq.read_table(path, partitioning=None)
        kept = [c for c in table.column_names if c not in ADDED_IN_2.get(name, ())]
        pq.write_table(table.select(kept), path)
    manifest = json.loads((store / "manifest.json").read_text())
    for source in manifest["sources"].values():
        for part in source["machines"].values():
            del part["processor"]
            # A part is named after its bytes.
            name = part["values"].replace(".parquet", "0.parquet")
            (store / part["values"]).rename(store / name)
            part["values"] = name
    (store / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 1}))


@pytest.fixture
def runs(tmp_path) -> Path:
    for name in ("run-1", "run-2"):
        files = VALUE | {"m/b.json": result_file({"a": row([2.0])}, commit_hash="b" * 40)}
        write_source(tmp_path / "runs" / name, files, facts=facts_2(run=name))
    return tmp_path / "runs"


@pytest.fixture
def store(tmp_path, runs) -> Path:
    collect(runs, tmp_path / "store")
    age(tmp_path / "store")
    return tmp_path / "store"


def test_it_is_read_with_nulls_for_what_it_does_not_know(store):
    values, runs_table = load(store, samples=True), load_table(store, "runs")

    assert values.columns.tolist() == [*schema.SCHEMAS["values"].names, "samples"]
    assert values["value"].tolist() == [1.0, 2.0] * 2
    assert values["blas_sha256"].isna().all()
    assert len(newest(values)) == 2
    assert runs_table["run"].tolist() == ["run-1", "run-2"]
    for table, added in ADDED_IN_2.items():
        if table != "values":
            assert load_table(store, table)[sorted(added)].isna().all(axis=None)


def test_collecting_the_same_sources_gives_a_fresh_store_and_says_so(store, runs, tmp_path):
    said = []

    summary = collect(runs, store, say=said.append)
    collect(runs, store)  # removes what was replaced
    collect(runs, tmp_path / "fresh")

    assert said == [
        f"{store} has schema version 1 and becomes 2: given sources are read again, "
        "rows of others stay as they are"
    ]
    assert (summary.files_read, summary.damaged) == (4, ())
    assert content_of(store) == content_of(tmp_path / "fresh")


def test_it_says_so_once(store, runs):
    collect(runs, store)
    said = []

    summary = collect(runs, store, say=said.append)

    assert (said, summary.files_read) == ([], 0)


def test_rows_of_vanished_sources_and_files_stay_with_nulls(store, runs):
    shutil.rmtree(runs / "run-1")
    (runs / "run-2/m/a.json").unlink()

    collect(runs, store)

    values = load(store)
    assert values["value"].tolist() == [1.0, 2.0] * 2
    assert values["blas_sha256"].notna().tolist() == [False, False, False, True]
    assert load_table(store, "runs")["seed"].notna().tolist() == [False, True]


def test_a_source_that_was_not_given_is_brought_up_to_date_when_it_is(store, runs):
    collect(runs / "run-2", store)
    assert load(store, run="run-1")["blas_sha256"].isna().all()

    collect(runs / "run-1", store)

    assert load(store)["blas_sha256"].notna().all()


@pytest.mark.parametrize("name", ["facts.json", "benchmarks.json", "m/a.json"])
def test_a_source_that_was_damaged_meanwhile_keeps_its_rows(store, runs, name):
    (runs / "run-1" / name).write_text("{")

    for _ in range(2):
        summary = collect(runs, store)

        assert len(summary.damaged) == 1
        assert load(store)["value"].tolist() == [1.0, 2.0] * 2


def test_a_vanished_run_still_owns_its_machine_s_name(store, runs):
    shutil.rmtree(runs)
    stranger = facts_2(run="run-3", host=host(cpu="another"))
    write_source(runs / "run-3", VALUE, facts=stranger, machine={"cpu": "another"})
    write_source(runs / "run-4", VALUE, facts=facts_2(run="run-4"))

    summary = collect(runs, store)

    assert len(summary.damaged) == 1
    assert "machine m is a cpu (4 CPUs) in the store but another here" in summary.damaged[0]
    assert sorted(set(load(store)["run"])) == ["run-1", "run-2", "run-4"]
