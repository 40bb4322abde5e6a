"""Stores of schema versions 1 and 2: read as they are, upgraded by collecting, never lost."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from asv_tree import (
    benchmark,
    content_of,
    facts_2,
    host,
    plain_rows,
    result_file,
    row,
    source_in,
    write_source,
)

from convbench.errors import BadResults
from convbench.results import (
    collect,
    collection,
    dataset,
    load,
    load_table,
    newest,
    scan,
    schema,
)

ADDED_IN_2 = {
    "values": {"blas_sha256"},
    "environments": {"blas_sha256", "lapack", "cpus", "threads_claimed"},
    "machines": {"cores", "ram_bytes", "governor", "virtualised", "host_json"},
    "runs": {"environment_type", "asv_version", "quick", "bench", "dirty", "command", "lock_sha256"}
    | {"environments_sha256", "seed", "python", "budget_minutes", "measured_minutes", "rounds"}
    | {"cells_left_out", "disturbed", "units_json"},
}
ADDED_IN_3 = {"commits": {"branches"}}

# What the old versions wrote beside the samples of each row.
SAMPLES_COLUMNS = ["run", "environment", "commit", "benchmark", "params", "samples"]


def age(store: Path, version: int) -> None:
    """Write a store of today anew as an older version would have written it."""
    manifest = json.loads((store / "manifest.json").read_text())
    rows = pa.concat_tables(list(scan(store, samples=True))).unify_dictionaries()
    for family in schema.FAMILIES:
        shutil.rmtree(store / family, ignore_errors=True)
    for name in schema.TABLES:
        _age_table(store, name, version)
    sources = {
        key: {
            "project": source["project"],
            "run": source["run"],
            "context": {"schema": str(version)},
            "machines": {
                machine: _older_part(store, rows, key, machine, said, source["project"], version)
                for machine, said in source["machines"].items()
            },
        }
        for key, source in manifest["sources"].items()
    }
    old = {"schema_version": version, "sources": sources}
    (store / "manifest.json").write_text(json.dumps(old, indent=1))
    (store / ".stat.json").unlink(missing_ok=True)


def _older_columns(name: str, names: list[str], version: int) -> list[str]:
    gone = ADDED_IN_3.get(name, set()) | (ADDED_IN_2.get(name, set()) if version == 1 else set())
    return [column for column in names if column not in gone]


def _age_table(store: Path, name: str, version: int) -> None:
    path = store / f"{name}.parquet"
    if path.exists():
        table = pq.read_table(path, partitioning=None)
        pq.write_table(table.select(_older_columns(name, table.column_names, version)), path)


def _older_part(
    store: Path,
    rows: pa.Table,
    source: str,
    machine: str,
    processor: dict[str, Any],
    project: str,
    version: int,
) -> dict[str, Any]:
    """Write the rows of one machine of one source, in the order of files."""
    files = rows["source"].cast(schema.TEXT)
    own = rows.filter(pc.starts_with(files, pattern=f"{source}/{machine}/"))
    own = own.take(pc.sort_indices(own["source"].cast(schema.TEXT)))
    paths = [text.removeprefix(f"{source}/") for text in own["source"].to_pylist()]
    place = own.schema.get_field_index("source")
    own = own.set_column(place, "source", pa.array(paths).dictionary_encode())
    names = _older_columns("values", schema.SCHEMAS["values"].names, version)
    statuses = own["status"].to_pylist()
    entry = {
        "project": project,
        "machine": machine,
        "values": _write(store, "values", own.select(names), project, machine, source),
        "samples": None,
        "rows": {status: statuses.count(status) for status in schema.STATUSES},
        "files": {path: hashlib.sha256(path.encode()).hexdigest() for path in paths},
    }
    if own["samples"].null_count < len(own):
        lists = own.select(SAMPLES_COLUMNS)
        entry["samples"] = _write(store, "samples", lists, project, machine, source)
    return entry if version == 1 else entry | {"processor": processor}


def _write(store: Path, kind: str, table: pa.Table, project: str, machine: str, source: str) -> str:
    name = hashlib.sha256(source.encode()).hexdigest()[:16]
    path = f"{kind}/project={project}/machine={machine}/{name}.parquet"
    (store / path).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, store / path)
    return path


@pytest.fixture
def runs(tmp_path) -> Path:
    """Two runs of two commits; only the second commit has samples."""
    first = result_file({"a": row([1.0])})
    statistics = {"stats_ci_99_a": [1.5], "stats_ci_99_b": [2.5], "stats_q_25": [1.75]}
    cells = row([2.0], samples=[[1.5, 2.5]], stats_number=[3], stats_q_75=[2.25], **statistics)
    failed = row([None, 3.0], [["'x'", "'y'"]])
    second = result_file({"a": cells, "b": failed}, commit_hash="b" * 40, date=1_700_000_000_000)
    for name in ("run-1", "run-2"):
        files = {"m/a.json": first, "m/b.json": second}
        write_source(
            tmp_path / "runs" / name,
            files,
            benchmark("a", []) | benchmark("b", ["strategy"]),
            facts=facts_2(run=name),
        )
    return tmp_path / "runs"


@pytest.fixture(params=[1, 2], ids=["version 1", "version 2"])
def version(request) -> int:
    return request.param


@pytest.fixture
def store(tmp_path, runs, version) -> Path:
    collect(runs, tmp_path / "store")
    age(tmp_path / "store", version)
    return tmp_path / "store"


def known_rows(values: Any, version: int) -> list[tuple[Any, ...]]:
    """The rows without what an older version did not know, or named otherwise."""
    unknown = ADDED_IN_2["values"] if version == 1 else set()
    return plain_rows(values.drop(columns=["source", *unknown]))


def test_it_is_read_with_nulls_for_what_it_does_not_know(store, runs, tmp_path, version):
    collect(runs, tmp_path / "fresh")
    fresh = load(tmp_path / "fresh", samples=True)

    values = load(store, samples=True)

    assert values.columns.tolist() == fresh.columns.tolist()
    assert values.dtypes.equals(fresh.dtypes)
    assert known_rows(values, version) == known_rows(fresh, version)
    assert values["blas_sha256"].isna().all() == (version == 1)
    assert sorted(set(values["source"])) == ["m/a.json", "m/b.json"]
    assert len(newest(values)) == 4


def test_its_small_tables_are_read_with_nulls(store, version):
    assert load_table(store, "runs")["run"].tolist() == ["run-1", "run-2"]
    assert load_table(store, "commits")["branches"].isna().all()
    for table, added in ADDED_IN_2.items():
        if table != "values" and version == 1:
            assert load_table(store, table)[sorted(added)].isna().all(axis=None)


def test_it_can_be_asked_like_any_other(store):
    assert load(store, commit="b" * 40, benchmark="b", status="ok")["value"].tolist() == [3.0] * 2
    assert load(store, since="2023-11-01", columns=["q75"], benchmark="a")["q75"].tolist() == [
        2.25,
        2.25,
    ]
    assert load(store, machine="absent").empty
    assert sum(len(table) for table in scan(store, columns=["value"], run="run-1")) == 4
    assert dataset(store).count_rows() == 8


def test_collecting_the_same_sources_gives_a_fresh_store_and_says_so(
    store, runs, tmp_path, version
):
    said = []

    summary = collect(runs, store, say=said.append)
    collect(runs, store)  # removes what was replaced
    collect(runs, tmp_path / "fresh")

    assert said == [
        f"{store} has schema version {version} and becomes 3: given sources are read again, "
        "rows of others stay as they are"
    ]
    assert (summary.files_read, summary.damaged) == (4, ())
    assert content_of(store) == content_of(tmp_path / "fresh")


def test_it_says_so_once(store, runs):
    collect(runs, store)
    said = []

    summary = collect(runs, store, say=said.append)

    assert (said, summary.files_read) == ([], 0)


def test_rows_of_vanished_sources_and_files_stay_with_what_was_known(store, runs, version):
    before = load(store, samples=True)
    vanished = [runs / "run-1/m/a.json", runs / "run-1/m/b.json", runs / "run-2/m/a.json"]
    shutil.rmtree(runs / "run-1")
    vanished[-1].unlink()

    collect(runs, store)
    collect(runs, store)

    values = load(store, samples=True)
    assert set(values["source"]) == {
        source_in(store, path) for path in (*vanished, runs / "run-2/m/b.json")
    }
    assert known_rows(values, version) == known_rows(before, version)
    kept = values["source"] != source_in(store, runs / "run-2/m/b.json")
    assert values["blas_sha256"].isna().equals(kept & (version == 1))


def test_a_source_that_was_not_given_is_brought_up_to_date_when_it_is(store, runs, version):
    collect(runs / "run-2", store)
    assert load(store, run="run-1")["blas_sha256"].isna().all() == (version == 1)

    summary = collect(runs / "run-1", store)

    assert summary.files_read == 2
    assert load(store)["blas_sha256"].notna().all()
    assert len(load(store)) == 8


@pytest.mark.parametrize("name", ["facts.json", "benchmarks.json", "m/a.json"])
def test_a_source_that_was_damaged_meanwhile_keeps_its_rows(store, runs, name):
    (runs / "run-1" / name).write_text("{")
    before = sorted(load(store)["value"].dropna())

    for _ in range(2):
        summary = collect(runs, store)

        assert len(summary.damaged) == 1
        assert sorted(load(store)["value"].dropna()) == before


def test_a_vanished_run_still_owns_its_machine_s_name(store, runs):
    text = {"m/a.json": result_file({"a": row([1.0])})}
    shutil.rmtree(runs)
    stranger = facts_2(run="run-3", host=host(cpu="another"))
    write_source(runs / "run-3", text, facts=stranger, machine={"cpu": "another"})
    write_source(runs / "run-4", text, facts=facts_2(run="run-4"))

    summary = collect(runs, store)

    assert len(summary.damaged) == 1
    assert "(4 CPUs) in the store but another" in summary.damaged[0]
    assert sorted(set(load(store)["run"])) == ["run-1", "run-2", "run-4"]


def test_what_version_2_knew_of_a_processor_is_still_known(tmp_path, runs):
    collect(runs, tmp_path / "store")
    age(tmp_path / "store", 2)
    shutil.rmtree(runs)
    stranger = facts_2(run="run-3", host=host(cpu="another"))
    text = {"m/a.json": result_file({"a": row([1.0])})}
    write_source(runs / "run-3", text, facts=stranger, machine={"cpu": ""})
    write_source(runs / "run-4", text, facts=facts_2(run="run-4"))

    summary = collect(runs, tmp_path / "store")

    assert len(summary.damaged) == 1
    assert f"machine m is {host()['cpu']} (4 CPUs) in the store but another" in summary.damaged[0]


class PowerCut(BaseException):
    pass


@pytest.mark.parametrize("place", ["accept", "built_parts", "write_manifest"])
def test_an_upgrade_that_dies_leaves_a_store_that_is_read_and_can_be_upgraded(
    store, runs, tmp_path, monkeypatch, place
):
    before = load(store, samples=True)

    def die(*_: object, **__: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(collection, place, die)
        with pytest.raises(PowerCut):
            collect(runs / "run-1", store)

    assert plain_rows(load(store, samples=True)) == plain_rows(before)
    collect(runs, store)
    collect(runs, store)
    collect(runs, tmp_path / "fresh")
    assert content_of(store) == content_of(tmp_path / "fresh")


def test_an_upgrade_that_can_read_nothing_leaves_the_store_as_it_was(store, tmp_path):
    before = content_of(store)
    bad = write_source(tmp_path / "bad", {"m/a.json": "{"})

    with pytest.raises(BadResults, match="nothing could be read"):
        collect(bad, store)

    kept = {path: content for path, content in content_of(store).items() if path in before}
    assert kept == before
    assert len(load(store)) == 8


def test_samples_with_a_null_among_them_stay(tmp_path):
    text = result_file({"a": row([1.0], samples=[[1.0, 2.0]])})
    source = write_source(tmp_path / "p", {"m/a.json": text})
    collect(source, tmp_path / "store")
    age(tmp_path / "store", 2)
    (path,) = (tmp_path / "store").glob("samples/*/*/*")
    table = pq.read_table(path, partitioning=None)
    lists = pa.array([[1.0, None]], table.schema.field("samples").type)
    pq.write_table(
        table.set_column(table.schema.get_field_index("samples"), "samples", lists), path
    )
    shutil.rmtree(source)
    other = write_source(tmp_path / "q", {"m/a.json": text})

    collect(other, tmp_path / "store")

    (samples,) = load(tmp_path / "store", samples=True, project="p")["samples"]
    assert samples[0] == 1.0
