"""The store on disk: Parquet parts under a manifest, replaced whole or not at all.

    manifest.json                                    what belongs to the store, written last
    values/project=P/machine=M/<content hash>.parquet    one part per source and machine
    samples/project=P/machine=M/<content hash>.parquet   the same rows' samples, where recorded
    <table>.parquet                                  the small tables
    .lock, .stat.json                                one collector at a time; a cache of file hashes

A part never changes: its name is the hash of its bytes. So a collector that dies leaves the parts
of the old manifest in place; what it left beside them is removed by the next one.
"""

import fcntl
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from convbench.errors import BadResults, BadUsage
from convbench.results import schema

MANIFEST, LOCK, STAT_CACHE = "manifest.json", ".lock", ".stat.json"
PARTITIONED = ("values", "samples")


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file whole: a reader sees the old bytes or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def parquet_bytes(table: pa.Table) -> bytes:
    """Return the bytes of a Parquet file: the same for the same rows."""
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(None), buffer, compression="zstd")
    return buffer.getvalue()


def write_part(store: Path, kind: str, project: str, machine: str, table: pa.Table) -> str:
    """Write one part of `values` or `samples`; return its path relative to the store."""
    content = parquet_bytes(table)
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    part = f"{kind}/project={_folder(project)}/machine={_folder(machine)}/{name}"
    if not (store / part).exists():  # else it holds these very bytes
        write_atomically(store / part, content)
    return part


def _folder(name: str) -> str:
    """Spell a name as (a piece of) one folder name; the real name stands in the columns."""
    safe = quote(name, safe=" +")
    if len(safe) > 150:
        safe = f"{safe[:130]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return safe


def new_manifest() -> dict[str, Any]:
    """Return the manifest of an empty store."""
    return {"schema_version": schema.SCHEMA_VERSION, "sources": {}}


def read_manifest(store: Path) -> dict[str, Any]:
    """Read what belongs to a store; raise `BadResults` if it is none that can be read.

    A store of an older schema is read as it is, with nulls in the columns that it lacks.
    """
    path = store / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        version, sources = manifest["schema_version"], manifest["sources"]
    except FileNotFoundError:
        raise BadResults(
            f"{store} is no convbench store (it has no {MANIFEST}); "
            f"`convbench collect RESULTS_DIR --store {store}` makes one"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadResults(f"{path} can't be read ({error}); collect into a new folder") from None
    if not isinstance(version, int) or version > schema.SCHEMA_VERSION:
        raise BadResults(
            f"{store} has schema version {version}, this convbench reads up to "
            f"{schema.SCHEMA_VERSION}; use a newer convbench or collect into a new folder"
        )
    return {"schema_version": version, "sources": sources}


def upgraded(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest of an older store as one of this schema, whose parts are out of date.

    A source that still exists is read again whole when it is next given; the rows of one that
    vanished stay.
    """
    outdated = {key: entry | {"context": {}} for key, entry in manifest["sources"].items()}
    return {"schema_version": schema.SCHEMA_VERSION, "sources": outdated}


def write_manifest(store: Path, manifest: dict[str, Any]) -> None:
    """Publish what was collected; nothing new is part of the store before this."""
    text = json.dumps(manifest, indent=1, sort_keys=True)
    content = f"{text}\n".encode()
    if not (store / MANIFEST).exists() or (store / MANIFEST).read_bytes() != content:
        write_atomically(store / MANIFEST, content)


@contextmanager
def locked(store: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the store's lock; wait while another collector has it."""
    if store.exists() and not store.is_dir():
        raise BadUsage(f"--store {store} is a file; expected a folder, or a new name")
    foreign = store.exists() and any(store.iterdir())
    if foreign and not any((store / name).exists() for name in (MANIFEST, LOCK)):
        raise BadUsage(f"--store {store} holds something else; expected a store or a new folder")
    store.mkdir(parents=True, exist_ok=True)
    with (store / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another collector of {store}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file lets go of the lock, as does the end of the process


def parts_of(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the entry of each source and machine, in the manifest's order."""
    for _, source in sorted(manifest["sources"].items()):
        for _, part in sorted(source["machines"].items()):
            yield part


def remove_orphans(store: Path, manifest: dict[str, Any]) -> None:
    """Delete parts that no manifest names: replaced ones, and what a dead collector left."""
    named = {part[kind] for part in parts_of(manifest) for kind in PARTITIONED if part.get(kind)}
    for kind in PARTITIONED:
        for path in (store / kind).glob("*/*/*"):
            if path.relative_to(store).as_posix() not in named:
                path.unlink()
    for path in store.glob(".*.part"):
        path.unlink()


def read_table(store: Path, name: str) -> pa.Table:
    """Read one of the small tables; without rows when the store has none."""
    if name not in schema.TABLES:
        raise BadUsage(f"no table {name!r}; the tables are {', '.join(schema.TABLES)}")
    path = store / f"{name}.parquet"
    if not path.exists():
        return schema.empty_table(name)
    try:
        table = pq.read_table(path, partitioning=None)
        return schema.completed(table, schema.SCHEMAS[name]).cast(schema.SCHEMAS[name])
    except (OSError, ValueError, pa.ArrowException) as error:
        raise BadResults(f"{path} can't be read ({error}); collect into a new folder") from None


def replace_table(store: Path, name: str, table: pa.Table) -> None:
    """Replace one of the small tables; leave the file alone when nothing changed."""
    path, content = store / f"{name}.parquet", parquet_bytes(table)
    if not path.exists() or path.read_bytes() != content:
        write_atomically(path, content)


def write_table(store: Path | str, name: str, frame: pd.DataFrame) -> None:
    """Write one of the small tables (`events`, say) from a frame that has its columns.

    The file is replaced whole: readers see the old table or the new one.
    """
    if name not in schema.TABLES:
        raise BadUsage(f"no table {name!r}; the tables are {', '.join(schema.TABLES)}")
    read_manifest(Path(store))
    wanted = schema.SCHEMAS[name]
    missing = [column for column in wanted.names if column not in frame.columns]
    if missing:
        raise BadUsage(f"table {name} needs the columns {', '.join(missing)}")
    columns = frame[wanted.names].copy()
    for field in wanted:
        if pa.types.is_map(field.type):
            columns[field.name] = [list(dict(cell).items()) for cell in columns[field.name]]
    table = pa.Table.from_pandas(columns, schema=wanted, preserve_index=False)
    replace_table(Path(store), name, table)
