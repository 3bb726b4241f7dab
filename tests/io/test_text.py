"""Text, one line a row, and Avro, as the embedded engine serves them; other readers and writers are the judges."""

import gzip
from datetime import UTC, date, datetime
from decimal import Decimal

import fastavro
import polars as pl
import pytest

from tauro.errors import NodeError

LINES = ["", "a,b", "  é ", '"q"', "x" * 10_000, "\t"]


def lines(table):
    """Return what is stored, as plain Python reads it."""
    files = sorted(file for file in table.path.rglob("*") if file.is_file() and not file.name.startswith((".", "_")))
    return sorted(line.decode() for file in files for line in file.read_bytes().split(b"\n")[:-1])


def frame(*values):
    return pl.DataFrame({"value": pl.Series(values, dtype=pl.String)})


def test_every_line_comes_back_as_it_was(store):
    table = store("text")
    assert table.write(frame(*LINES)) == len(LINES)
    assert lines(table) == sorted(LINES)
    assert sorted(table.read()["value"]) == sorted(LINES)
    assert table.rows() == len(LINES)


def test_an_append_adds_and_an_overwrite_replaces(store):
    store("text").write(frame("a"))
    table = store("text", write_mode="append")
    assert table.write(frame("b", "")) == 2
    assert lines(table) == ["", "a", "b"]
    store("text").write(frame("c"))
    assert lines(table) == ["c"]


@pytest.mark.parametrize("mode", ["ignore", "error"])
def test_what_is_there_stays_where_the_mode_says_so(store, mode):
    store("text").write(frame("a"))
    table = store("text", write_mode=mode)
    if mode == "error":
        with pytest.raises(NodeError, match="has data already"):
            table.write(frame("b"))
    else:
        assert table.write(frame("b")) is None
    assert lines(table) == ["a"]


def test_an_empty_frame_is_an_empty_text(store):
    table = store("text")
    assert table.write(frame()) == 0
    assert table.read()["value"].to_list() == []


@pytest.mark.parametrize("value", ["two\nlines", "two\rlines", "\r", None])
def test_what_is_no_single_line_is_refused_and_the_earlier_text_stays(store, value):
    table = store("text")
    table.write(frame("a"))
    with pytest.raises(Exception, match=r"line break in it|null, which no line"):
        table.write(frame("b", value))
    assert lines(table) == ["a"]


@pytest.mark.parametrize(
    "columns", [{"value": [1]}, {"line": ["a"]}, {"value": ["a"], "n": [1]}], ids=["number", "name", "two"]
)
def test_any_other_columns_are_refused_by_name(store, columns):
    with pytest.raises(NodeError, match="Text has one column, 'value', of type string"):
        store("text").write(pl.DataFrame(columns))


def test_lines_are_partitioned_by_other_columns(store):
    table = store("text", partition_by="day")
    table.write(pl.DataFrame({"value": ["a", "b", "c"], "day": ["2025-01-01", "2025-01-02", "2025-01-02"]}))
    assert (table.path / "day=2025-01-01").is_dir()
    only = store("text", section="input", partition_filter="day = '2025-01-02'")
    assert sorted(only.read()["value"]) == ["b", "c"]


def test_lines_are_added_to_partitions(store):
    rows = pl.DataFrame({"value": ["a", "b"], "n": [1, 2]})
    store("text", partition_by="n").write(rows)
    assert store("text", partition_by="n", write_mode="append").write(rows) == 2
    found = store("text", section="input").read()
    assert sorted(found.with_columns(pl.col("n").cast(int)).rows()) == [("a", 1), ("a", 1), ("b", 2), ("b", 2)]


def test_text_needs_no_spark_where_polars_reads_and_writes_it_alike(store, put):
    table = store("text")
    table.write(frame("a"))
    assert table.dataset.writes_directly
    assert table.dataset.scan().collect()["value"].to_list() == ["a"]
    assert not store("text", options={"wholetext": True}).dataset.reads_directly
    put("a.txt", b"a\r")
    assert store("text", section="input", filepath="a.txt").dataset.scan() is None


def test_files_of_a_pattern_are_read_packed_ones_too(store, put):
    put("in/a.log", "1\n2")
    put("in/b.log", "3\n")
    put("in/c.txt", "no\n")
    put("in/d.log.gz", gzip.compress(b"4\n"))
    table = store("text", section="input", filepath="in/*.log")
    assert sorted(table.read()["value"]) == ["1", "2", "3"]
    assert table.rows() == 3
    packed = store("text", section="input", filepath="in/d.log.gz")
    assert packed.read()["value"].to_list() == ["4"]
    assert packed.rows() is None


def test_a_carriage_return_ends_a_line_and_is_no_part_of_it(store, put):
    put("a.txt", b"a\r\nb\rc\n")
    table = store("text", section="input", filepath="a.txt")
    assert table.read()["value"].to_list() == ["a", "b", "c"]
    assert table.rows() is None


def test_long_files_with_carriage_returns_have_the_lines_that_they_have(store, put):
    """The embedded engine reads by blocks, and makes two lines of one where a block ends between \\r and \\n."""
    put("a.txt", "".join(f"line {index}\r\n" for index in range(200_000)))
    found = store("text", section="input", filepath="a.txt").read()["value"]
    assert len(found) == found.n_unique() == 200_000
    put("b.txt", b"a\rb\r\nc\n\n\r\nd\r\r\ne\r")
    assert store("text", section="input", filepath="b.txt").read()["value"].to_list() == [*"abc", "", "", "d", "", "e"]


def test_a_whole_file_may_be_one_row(store, put):
    put("a.txt", "a\nb\n")
    table = store("text", section="input", filepath="a.txt", options={"wholetext": True})
    assert table.read()["value"].to_list() == ["a\nb\n"]


def test_a_schema_gives_the_column_another_name(store, put):
    put("a.txt", "a\n")
    assert store("text", section="input", filepath="a.txt", schema="line STRING").read().columns == ["line"]


# -- avro -----------------------------------------------------------------------------------------

TYPES = {
    "d": ({"type": "int", "logicalType": "date"}, date(2025, 1, 2)),
    "t": ({"type": "long", "logicalType": "timestamp-micros"}, datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)),
    "price": ({"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}, Decimal("-1.25")),
    "list": ({"type": "array", "items": ["null", "string"]}, ["x", None]),
    "inner": ({"type": "record", "name": "in", "fields": [{"name": "x", "type": "int"}]}, {"x": 3}),
    "raw": ("bytes", b"\x00\xff"),
    "none": (["null", "long"], None),
    "text": ("string", "é"),
}


def avro(put, name, rows, fields=TYPES, codec="null"):
    from io import BytesIO

    fields = [{"name": key, "type": kind} for key, (kind, _) in fields.items()]
    content = BytesIO()
    fastavro.writer(content, {"type": "record", "name": "r", "fields": fields}, rows, codec=codec)
    put(name, content.getvalue())


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_avro_of_another_writer_is_read_with_every_type(store, put, codec):
    row = {name: value for name, (_, value) in TYPES.items()}
    avro(put, "in/a.avro", [row], codec=codec)
    avro(put, "in/b.avro", [row], codec=codec)
    table = store("avro", section="input", filepath="in/*.avro")
    assert table.read().to_dicts() == [row, row]
    assert table.rows() is None


def test_columns_of_avro_files_are_found_by_their_names(store, put):
    for name, keys in (("a", ("d", "text")), ("b", ("text", "d"))):
        fields = {key: TYPES[key] for key in keys}
        avro(put, f"in/{name}.avro", [{key: TYPES[key][1] for key in keys}], fields)
    assert store("avro", section="input", filepath="in").read().select("d", "text").rows() == [(TYPES["d"][1], "é")] * 2


def test_a_schema_and_a_filter_choose_columns_and_rows_of_avro(store, put):
    fields = {"n": ("long", 1), "text": ("string", "a")}
    avro(put, "a.avro", [{"n": 1, "text": "a"}, {"n": 2, "text": "b"}], fields)
    table = store("avro", section="input", filepath="a.avro", schema="text STRING, n BIGINT", partition_filter="n > 1")
    assert table.read().rows() == [("b", 2)]


def test_an_enumeration_in_avro_is_an_error_of_the_embedded_engine_and_not_another_value(store, put):
    kind = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
    avro(put, "a.avro", [{"e": "B"}], {"e": (kind, "B")})
    with pytest.raises(Exception, match="Dictionary"):
        store("avro", section="input", filepath="a.avro").read()


def test_avro_without_rows_is_an_empty_frame_with_its_columns(store, put):
    avro(put, "a.avro", [], {"n": ("long", 1)})
    found = store("avro", section="input", filepath="a.avro").read()
    assert (found.columns, len(found)) == (["n"], 0)
