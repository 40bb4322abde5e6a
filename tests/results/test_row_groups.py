"""Row groups on disk: each with its own names only, all with every row."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from convbench.results import part_files


@pytest.mark.parametrize("names", [["a", "b", "c", "d"], ["a", None, "c", None]])
def test_a_group_is_written_with_its_own_names(monkeypatch, names):
    monkeypatch.setattr(part_files, "ROWS_PER_GROUP", 2)
    column = pa.array(names).dictionary_encode()
    file = pq.ParquetFile(
        io.BytesIO(part_files.parquet_bytes(pa.table({"benchmark": column}))),
        read_dictionary=["benchmark"],
    )

    groups = [file.read_row_group(number)["benchmark"] for number in range(2)]
    assert [group.to_pylist() for group in groups] == [names[:2], names[2:]]
    for group in groups:
        assert set(group.chunk(0).dictionary.to_pylist()) == set(group.to_pylist()) - {None}


def test_no_row_is_a_file_too():
    table = pa.table({"benchmark": pa.array([], pa.string()).dictionary_encode()})

    assert pq.read_table(io.BytesIO(part_files.parquet_bytes(table))).num_rows == 0
