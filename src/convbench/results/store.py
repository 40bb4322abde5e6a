"""The store on disk: Parquet parts under a manifest, replaced whole or not at all.

    manifest.json                                    what belongs to the store, written last
    <family>/project=P/machine=M/<content hash>.parquet    parts: values, intervals, samples
    <table>.parquet                                  the small tables
    .lock, .stat.json                                one collector at a time; a cache of file hashes

A part never changes: its name is the hash of its bytes. So a collector that dies leaves the parts
of the old manifest in place; what it left beside them is removed by the next one.
"""

import fcntl
import io
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from convbench.errors import BadResults, BadUsage
from convbench.results import schema

MANIFEST, LOCK, STAT_CACHE = "manifest.json", ".lock", ".stat.json"


def no_store(folder: Path) -> BadResults:
    """Say that a folder is no store, and what makes one."""
    return BadResults(
        f"{folder} is no convbench store (it has no {MANIFEST}); "
        f"`convbench collect RESULTS_DIR --store {folder}` makes one"
    )


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


def remove_orphans(store: Path, named: Collection[str]) -> None:
    """Delete parts that no manifest names: replaced ones, and what a dead collector left."""
    whole = store.resolve()
    for family in schema.FAMILIES:
        for path in (store / family).glob("*/*/*"):
            is_here = path.parent.resolve().is_relative_to(whole)  # no link leads to it
            if is_here and path.relative_to(store).as_posix() not in named:
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


def _parquet_bytes(table: pa.Table) -> bytes:
    """Return the bytes of a Parquet file: the same for the same rows."""
    buffer = io.BytesIO()
    plain = table.replace_schema_metadata(None)
    # One row group: its statistics would help no query.
    pq.write_table(plain, buffer, compression="zstd", compression_level=9, write_statistics=False)
    return buffer.getvalue()


def replace_table(store: Path, name: str, table: pa.Table) -> None:
    """Replace one of the small tables; leave the file alone when nothing changed."""
    path, content = store / f"{name}.parquet", _parquet_bytes(table)
    if not path.exists() or path.read_bytes() != content:
        write_atomically(path, content)


def write_table(store: Path | str, name: str, frame: pd.DataFrame) -> None:
    """Write one of the small tables (`events`, say) from a frame that has its columns.

    The file is replaced whole: readers see the old table or the new one.

    Parameters
    ----------
    store : path
        A folder that `convbench collect` wrote.
    name : str
        The table, such as ``"events"``.
    frame : DataFrame
        Its rows; columns that the table does not have are left out.

    Raises
    ------
    BadUsage
        There is no such table, or a column is missing.
    BadResults
        `store` is no store.
    """
    if name not in schema.TABLES:
        raise BadUsage(f"no table {name!r}; the tables are {', '.join(schema.TABLES)}")
    if not (Path(store) / MANIFEST).exists():
        raise no_store(Path(store))
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
