"""The store survives dying collectors, two at once, and versions to come."""

import fcntl
import json
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
from asv_tree import content_of, result_file, row, write_source

from convbench.errors import BadResults, BadUsage
from convbench.results import (
    collect,
    collection,
    load,
    load_table,
    part_files,
    scan,
    schema,
    write_table,
)


@pytest.fixture
def results(tmp_path) -> Path:
    return write_source(tmp_path / "p", {"m/a.json": result_file({"a": row([1.0])})})


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


class PowerCut(BaseException):
    pass


def test_a_collector_that_dies_leaves_the_old_store_and_the_next_one_cleans_up(
    results, store, monkeypatch
):
    collect(results, store)
    (results / "m/b.json").write_text(result_file({"a": row([2.0])}, commit_hash="b" * 40))

    def die(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(collection, "write_manifest", die)
        with pytest.raises(PowerCut):
            collect(results, store)

    assert load(store)["value"].tolist() == [1.0]
    assert len(list(store.glob("values/*/*/*"))) == 2
    collect(results, store)
    collect(results, store)
    assert load(store)["value"].tolist() == [1.0, 2.0]
    assert len(list(store.glob("values/*/*/*"))) == 1


def test_a_first_collection_that_dies_can_be_done_again(results, store, monkeypatch):
    def die(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(collection, "write_manifest", die)
        with pytest.raises(PowerCut):
            collect(results, store)
    with pytest.raises(BadResults, match="no convbench store"):
        load(store)

    collect(results, store)

    assert load(store)["value"].tolist() == [1.0]


def test_two_collectors_at_once_lose_nothing(tmp_path, store):
    sources = []
    for name in ("one", "two"):
        files = {
            f"m/{number:08x}-py.json": result_file(
                {"a": row([float(i) for i in range(50)], [[str(i) for i in range(50)]])},
                commit_hash=f"{number:040x}",
            )
            for number in range(20)
        }
        sources.append(write_source(tmp_path / name, files))
    code = (
        "import sys; from convbench.results import collect; print('ready', flush=True); "
        "sys.stdin.readline(); collect(sys.argv[1], sys.argv[2])"
    )
    command = [sys.executable, "-c", code, str(sources[0]), str(store)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        other.stdin.write("go\n")
        other.stdin.flush()
        collect(sources[1], store)

    assert other.returncode == 0
    assert load(store).groupby("project").size().to_dict() == {"one": 1000, "two": 1000}
    assert len(load_table(store, "commits")) == 40


def test_a_collector_waits_for_the_lock_and_says_so(results, store):
    collect(results, store)
    said = []
    with (store / ".lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        let_go = threading.Timer(0.2, fcntl.flock, (held, fcntl.LOCK_UN))
        let_go.start()

        collect(results, store, say=said.append)

        let_go.join()
    assert said == [f"waiting for another collector of {store}"]


def test_a_newer_store_is_refused(results, store):
    collect(results, store)
    manifest = json.loads((store / "manifest.json").read_text())
    newer = json.dumps(manifest | {"schema_version": 99})
    (store / "manifest.json").write_text(newer)

    with pytest.raises(BadResults, match=r"schema version 99.*newer convbench"):
        load(store)
    with pytest.raises(BadResults, match="schema version 99"):
        collect(results, store)
    assert (store / "manifest.json").read_text() == newer


EMPTY = {"schema_version": 3, "sources": {}, "parts": [], "keep_samples": 1}
PART = {"project": "p", "machine": "m", "paths": {"values": "values/project=p/machine=m/0.parquet"}}
SOURCE = {"project": "p", "run": "", "described": "", "labels": "", "machines": {}}


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", '{"schema_version": "x", "sources": {}}', '{"schema_version": 3}'),
        '{"schema_version": 3, "sources": [], "parts": [], "readers": 1, "keep_samples": 1}',
        '{"schema_version": 3, "sources": {}, "parts": [], "keep_samples": []}',
        json.dumps(EMPTY | {"parts": [PART | {"files": []}]}),
        json.dumps(EMPTY | {"parts": [PART | {"files": [[5]]}]}),
        json.dumps(EMPTY | {"sources": {"s": SOURCE | {"project": []}}}),
        '{"schema_version": 2, "sources": {"s": {"project": "p", "machines": {"m": 5}}}}',
        "[" * 100_000,
    ],
)
def test_a_damaged_manifest_is_one_line(store, content):
    store.mkdir()
    (store / "manifest.json").write_text(content)

    with pytest.raises(BadResults, match=r"^[^\n]+$"):
        load(store)


@pytest.mark.parametrize("family", schema.FAMILIES)
def test_a_damaged_or_missing_file_of_a_part_is_one_line(results, store, family):
    text = result_file({"a": row([1.0], samples=[[1.0]], stats_q_25=[0.5])})
    write_source(results, {"m/a.json": text})
    collect(results, store)
    (part,) = store.glob(f"{family}/*/*/*")

    part.write_bytes(b"no parquet")
    with pytest.raises(BadResults, match=r"can't be read[^\n]*collect again"):
        load(store, samples=True)
    with pytest.raises(BadResults, match=r"can't be read[^\n]*collect again"):
        list(scan(store, samples=True))
    part.unlink()
    with pytest.raises(BadResults, match="collect again"):
        load(store, samples=True)
    with pytest.raises(BadResults, match="read it again"):
        list(scan(store, samples=True))


def test_a_part_that_is_replaced_while_it_is_read_is_read_in_its_new_place(
    results, store, monkeypatch
):
    collect(results, store)
    plain = part_files.pq.ParquetFile
    (results / "m/b.json").write_text(result_file({"a": row([2.0])}, commit_hash="b" * 40))
    waiting = [results, results]

    def collected_meanwhile(path, **options):
        pending = waiting.copy()
        waiting.clear()  # collecting reads parts, too
        for source in pending:
            collect(source, store)  # the second one removes what the first replaced
        return plain(path, **options)

    monkeypatch.setattr(part_files.pq, "ParquetFile", collected_meanwhile)

    assert load(store)["value"].tolist() == [1.0, 2.0]


def test_a_part_that_no_manifest_names_is_removed_and_nothing_else(results, store):
    collect(results, store)
    before = content_of(store)
    for family in schema.FAMILIES:
        stray = store / family / "project=q/machine=m/0123456789abcdef.parquet"
        stray.parent.mkdir(parents=True)
        stray.touch()
    (store / "events.parquet").write_bytes(before["commits.parquet"])

    collect(results, store)

    assert content_of(store) == before | {"events.parquet": before["commits.parquet"]}


def test_a_folder_of_something_else_is_never_written_into(results, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter").touch()

    with pytest.raises(BadUsage, match="holds something else"):
        collect(results, tmp_path / "home")
    with pytest.raises(BadUsage, match="is a file"):
        collect(results, tmp_path / "home/letter")
    assert [p.name for p in (tmp_path / "home").iterdir()] == ["letter"]


def test_raw_results_are_never_written(results, store):
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in results.rglob("*") if p.is_file()}

    collect(results, store)

    after = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in results.rglob("*") if p.is_file()}
    assert after == before


@pytest.mark.parametrize("name", schema.TABLES)
def test_an_absent_table_is_an_empty_frame_with_its_columns(store, name):
    store.mkdir()
    (store / "manifest.json").write_text('{"schema_version": 1, "sources": {}}')

    frame = load_table(store, name)

    assert frame.empty
    assert frame.columns.tolist() == schema.SCHEMAS[name].names
    assert frame.dtypes.equals(schema.empty_frame(name).dtypes)


def test_a_written_table_is_read_back(results, store):
    collect(results, store)
    examples = {schema.TEXT: "x", schema.NUMBER: 1.5, schema.COUNT: 3, schema.FLAG: True}
    event = {field.name: examples[field.type] for field in schema.SCHEMAS["events"]}

    write_table(store, "events", pd.DataFrame([event]))

    assert load_table(store, "events").to_dict("records") == [event]


def test_tables_with_maps_and_times_survive_writing(results, store):
    collect(results, store)
    environments = load_table(store, "environments")

    write_table(store, "environments", environments)

    pd.testing.assert_frame_equal(load_table(store, "environments"), environments)


def test_a_frame_without_the_columns_is_refused(results, store):
    collect(results, store)

    with pytest.raises(BadUsage, match="events needs the columns project"):
        write_table(store, "events", pd.DataFrame({"machine": []}))
    with pytest.raises(BadUsage, match="no table 'values'"):
        write_table(store, "values", pd.DataFrame())


def test_no_table_is_written_into_a_folder_that_is_no_store(store):
    with pytest.raises(BadResults, match="is no convbench store"):
        write_table(store, "events", schema.empty_frame("events"))

    assert not store.exists()


def test_every_key_is_made_of_columns():
    keys = {name: set(key) for name, key in schema.KEYS.items()}

    assert keys.keys() == schema.SCHEMAS.keys()
    assert all(key <= set(schema.SCHEMAS[name].names) for name, key in keys.items())
