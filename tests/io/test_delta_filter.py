"""partition_filter: which partitions of a stored dataset are read, and that the others are not."""

import polars as pl
import pyarrow.parquet as pq
import pytest

from tauro.errors import NodeError

ROWS = pl.DataFrame({"p": [1, 1, 2, 3], "d": ["x", "y", "y", "z"], "v": [1, 2, 3, 4]})


def spoil(folder):
    """Make the values of a partition unreadable; what tells its columns stays."""
    for file in folder.rglob("*.parquet"):
        data = bytearray(file.read_bytes())
        group = pq.read_metadata(file).row_group(0)
        for column in map(group.column, range(group.num_columns)):
            start = min(filter(None, (column.data_page_offset, column.dictionary_page_offset)))
            data[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
        file.write_bytes(data)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("p = 2", [3]),
        ("p <> 1", [3, 4]),
        ("p IN (1, 3) AND v > 1", [2, 4]),
        ("P = 3 OR upper(d) = 'X'", [1, 4]),
        ("exists(array(1, 2), n -> n = p)", [1, 2, 3]),
        ("p > 99", []),
    ],
)
@pytest.mark.parametrize("format_", ["delta", "parquet"])
def test_only_the_rows_of_the_condition_are_read(store, format_, condition, expected):
    store(format_, partition_by="p").write(ROWS)
    table = store(format_, section="input", partition_filter=condition)
    assert sorted(table.read()["v"]) == expected


@pytest.mark.parametrize("format_", ["delta", "parquet"])
def test_files_of_other_partitions_are_not_looked_at(store, format_):
    store(format_, partition_by="p").write(ROWS)
    table = store(format_, section="input", partition_filter="p >= 2")
    spoil(table.path / "p=1")
    assert sorted(table.read()["v"]) == [3, 4]
    with pytest.raises(Exception, match=r"(?i)parquet|thrift"):
        store(format_, section="input").read()


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_rows_of_text_files_are_filtered_too(store, format_):
    store(format_).write(ROWS)
    read = store(format_, section="input", partition_filter="v >= 3").read()
    assert sorted(map(int, read["v"])) == [3, 4]


@pytest.mark.parametrize("format_", ["delta", "parquet", "csv"])
def test_how_many_rows_are_left_is_not_known_without_reading(store, format_):
    store(format_).write(ROWS)
    assert store(format_, section="input").rows() == 4
    assert store(format_, section="input", partition_filter="v >= 3").rows() is None


@pytest.mark.parametrize("format_", ["delta", "csv"])
def test_a_column_that_there_is_not_is_refused_with_the_nearest(store, format_):
    store(format_).write(ROWS.rename({"d": "day"}))
    with pytest.raises(NodeError, match="partition_filter of 't' names 'dya', which is no column of it") as caught:
        store(format_, section="input", partition_filter="v > 1 AND dya = 'x'").read()
    assert caught.value.details.nearest == ("day",)


def test_fields_inside_of_a_column_and_odd_names_are_columns(store):
    frame = pl.DataFrame({"a b.c": [1, 2], "s": [{"x": 1}, {"x": 2}]})
    store("delta").write(frame)
    assert store("delta", section="input", partition_filter="`a b.c` = 2 AND s.x = 2").read().height == 1


def test_a_version_is_filtered_too(store):
    store("delta", partition_by="p").write(ROWS)
    store("delta", write_mode="append").write(ROWS)
    assert store("delta", section="input", version=0, partition_filter="p = 1").read().height == 2
