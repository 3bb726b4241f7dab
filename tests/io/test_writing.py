"""What every format keeps of a frame, and what each write mode does to data that is there."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from tauro.errors import NodeError
from tauro.io.frames import kind_of

FORMATS = ("csv", "json", "parquet", "delta")

# One column for each type; text that a careless writer would break.
FRAME = pl.DataFrame(
    {
        "id": pl.Series([1, 2, 3], dtype=pl.Int64),
        "small": pl.Series([1, None, -3], dtype=pl.Int32),
        "ratio": [0.1, None, -1e300],
        "price": pl.Series([Decimal("1.10"), None, Decimal("-99999999.99")], dtype=pl.Decimal(10, 2)),
        "flag": [True, None, False],
        "name": ['é, "quoted"\nand broken', None, "  spaces \\ and 'more'"],
        "day": [date(2024, 2, 29), None, date(1969, 12, 31)],
        "moment": pl.Series(
            [datetime(2024, 3, 31, 1, 30, 0, 123456, tzinfo=UTC), None, datetime(1969, 1, 1, tzinfo=UTC)],
            dtype=pl.Datetime("us", "UTC"),
        ),
    }
)
SCHEMA = (
    "id BIGINT, small INT, ratio DOUBLE, price DECIMAL(10,2), flag BOOLEAN, name STRING, day DATE, moment TIMESTAMP"
)
NESTED = pl.DataFrame({"id": [1, 2], "tags": [["a", "b"], []], "where": [{"x": 1, "y": "é"}, {"x": None, "y": None}]})


def same_rows(found, wanted):
    assert_frame_equal(found.sort("id"), wanted.sort("id"), check_column_order=False)


# -- round trips --------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["parquet", "delta"])
def test_every_type_comes_back_as_it_was(store, format_):
    table = store(format_)
    assert table.write(FRAME) == 3
    same_rows(table.read(), FRAME)
    assert table.rows() == 3


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_text_formats_bring_every_value_back_when_the_schema_is_given(store, format_):
    table = store(format_, schema=SCHEMA)
    table.write(FRAME)
    same_rows(table.read(), FRAME)


@pytest.mark.parametrize("format_", ["json", "parquet", "delta"])
def test_lists_and_structures_come_back(store, format_):
    table = store(format_)
    table.write(NESTED)
    same_rows(table.read(), NESTED)


def test_a_csv_table_has_a_header_and_plain_text(store):
    table = store("csv")
    table.write(pl.DataFrame({"id": [1], "name": ["a,b"]}))
    (file,) = table.path.glob("*.csv")
    assert file.read_text(encoding="utf-8") == 'id,name\n1,"a,b"\n'


def test_a_json_table_has_one_object_a_line(store):
    table = store("json")
    table.write(pl.DataFrame({"id": [1], "name": ["é"]}))
    (file,) = table.path.glob("*.json")
    assert file.read_text(encoding="utf-8") == '{"id":1,"name":"é"}\n'


def test_unsigned_integers_of_polars_are_stored_as_integers_that_hold_them(store):
    """Spark has none; polars.len() gives them."""
    table = store("delta")
    table.write(
        pl.DataFrame(
            {
                "id": pl.Series([255], dtype=pl.UInt8),
                "b": pl.Series([65535], dtype=pl.UInt16),
                "c": pl.Series([2**32 - 1], dtype=pl.UInt32),
                "d": pl.Series([2**64 - 1], dtype=pl.UInt64),
                "e": pl.Series([[2**32 - 1]], dtype=pl.List(pl.UInt32)),
                "f": pl.Series([{"x": 200}], dtype=pl.Struct({"x": pl.UInt8})),
            }
        )
    )
    assert table.read().rows() == [(255, 65535, 2**32 - 1, 2**64 - 1, [2**32 - 1], {"x": 200})]


@pytest.mark.parametrize("format_", ["parquet", "delta"])
def test_a_column_without_any_value_is_text(store, format_):
    """Nothing says what it could be, and no file has a type for nothing."""
    table = store(format_)
    table.write(pl.DataFrame({"id": [1], "empty": [None]}))
    assert table.read().schema["empty"] == pl.String
    assert table.read()["empty"].to_list() == [None]


# -- other readers ------------------------------------------------------------------------------


def test_a_delta_table_is_read_equal_by_delta_rs_polars_and_duckdb(store):
    table = store("delta", write_mode="append", partition_by="flag")
    table.write(FRAME)
    table.write(FRAME.with_columns(id=pl.col("id") + 10))
    wanted = pl.concat([FRAME, FRAME.with_columns(id=pl.col("id") + 10)])
    same_rows(pl.DataFrame(DeltaTable(table.path).to_pyarrow_table()), wanted)
    same_rows(pl.read_delta(str(table.path)), wanted)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        files = connection.read_parquet(DeltaTable(table.path).file_uris(), hive_partitioning=True)
        found = files.project("* REPLACE (CAST(flag AS BOOLEAN) AS flag)").pl()
    same_rows(found.with_columns(pl.col("moment").dt.convert_time_zone("UTC")), wanted)


def test_a_parquet_table_is_read_equal_by_polars_and_duckdb(store):
    table = store("parquet")
    table.write(FRAME)
    same_rows(pl.read_parquet(table.path / "*.parquet"), FRAME)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.read_parquet(str(table.path / "*.parquet")).pl()
    same_rows(found.with_columns(pl.col("moment").dt.convert_time_zone("UTC")), FRAME)


def test_a_csv_table_is_read_equal_by_polars_and_duckdb(store):
    table = store("csv")
    table.write(FRAME.select("id", "ratio", "name", "day"))
    wanted = FRAME.select("id", "ratio", "name", "day")
    same_rows(pl.read_csv(table.path / "*.csv", try_parse_dates=True), wanted)
    with duckdb.connect() as connection:
        same_rows(connection.read_csv(str(table.path / "*.csv")).pl(), wanted)


def test_a_json_table_is_read_equal_by_polars_and_duckdb(store):
    table = store("json")
    wanted = FRAME.select("id", "ratio", "flag", "name")
    table.write(wanted)
    (file,) = table.path.glob("*.json")
    same_rows(pl.read_ndjson(file), wanted)
    with duckdb.connect() as connection:
        same_rows(connection.read_json(str(file)).pl(), wanted)


# -- modes --------------------------------------------------------------------------------------

ONE, TWO = pl.DataFrame({"id": [1], "v": ["a"]}), pl.DataFrame({"id": [2], "v": ["b"]})
ROWS = "id BIGINT, v STRING"


@pytest.mark.parametrize("format_", FORMATS)
def test_overwrite_leaves_the_new_rows_only(store, format_):
    table = store(format_, schema=ROWS)
    assert table.write(ONE) == 1
    assert table.write(TWO) == 1
    same_rows(table.read(), TWO)
    assert table.rows() == 1


@pytest.mark.parametrize("format_", FORMATS)
def test_append_adds_the_new_rows_and_counts_these(store, format_):
    table = store(format_, write_mode="append", schema=ROWS)
    assert table.write(ONE) == 1
    assert table.write(pl.concat([TWO, TWO])) == 2
    same_rows(table.read(), pl.concat([ONE, TWO, TWO]))
    assert table.rows() == 3


@pytest.mark.parametrize("format_", FORMATS)
def test_ignore_writes_where_nothing_is_and_leaves_what_is_there(store, format_):
    table = store(format_, write_mode="ignore", schema=ROWS)
    assert table.write(ONE) == 1
    assert table.write(TWO) is None
    same_rows(table.read(), ONE)


@pytest.mark.parametrize("format_", FORMATS)
def test_error_writes_where_nothing_is_and_refuses_to_touch_what_is_there(store, format_):
    table = store(format_, write_mode="error", schema=ROWS)
    assert table.write(ONE) == 1
    with pytest.raises(NodeError, match="has data already, and its write_mode is 'error'") as caught:
        table.write(TWO)
    assert caught.value.details.looked_up == ("data/t",)
    same_rows(table.read(), ONE)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_node_may_read_what_it_overwrites(store, format_):
    table = store(format_, schema=ROWS)
    table.write(pl.concat([ONE, TWO]))
    assert table.write(table.read("spark").where("id = 2")) == 1
    same_rows(table.read(), TWO)


@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_a_delta_table_is_no_folder_of_files(store, format_):
    """Its files hold removed rows too, and an overwrite would end its history."""
    table = store("delta")
    table.write(ONE)
    files = store(format_, schema=ROWS)
    with pytest.raises(NodeError, match="is a Delta table"):
        files.read()
    with pytest.raises(NodeError, match="is a Delta table"):
        files.write(TWO)
    same_rows(table.read(), ONE)


@pytest.mark.parametrize("before", ["csv", "json", "parquet"])
@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_an_overwrite_may_change_the_format_of_what_is_there(store, format_, before):
    """A table of another format is a table; its files go with it."""
    store(before).write(ONE)
    table = store(format_, schema=ROWS)
    table.write(TWO)
    same_rows(table.read(), TWO)


# -- empty frames -------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["parquet", "delta"])
def test_an_empty_frame_is_an_empty_table_with_its_columns_and_types(store, format_):
    table = store(format_)
    assert table.write(FRAME.clear()) == 0
    assert table.rows() == 0
    assert_frame_equal(table.read(), FRAME.clear())


def test_an_empty_frame_is_a_csv_file_with_its_header(store):
    table = store("csv", options={"sep": ";"})
    assert table.write(FRAME.clear()) == 0
    assert table.read().columns == FRAME.columns
    assert table.rows() == 0


@pytest.mark.parametrize(("format_", "options"), [("json", {}), ("csv", {"header": False})])
def test_an_empty_frame_in_a_format_without_columns_is_there_all_the_same(store, format_, options):
    table = store(format_, schema=ROWS, options=options)
    assert table.write(ONE.clear()) == 0
    assert table.dataset.exists
    assert_frame_equal(table.read(), ONE.clear())


@pytest.mark.parametrize("partition_by", [[], ["v"]])
@pytest.mark.parametrize("format_", FORMATS)
def test_an_empty_frame_takes_the_place_of_rows(store, format_, partition_by):
    table = store(format_, partition_by=partition_by)
    table.write(ONE)
    assert table.write(ONE.clear()) == 0
    assert table.read().height == 0


@pytest.mark.parametrize("partition_by", [[], ["v"]])
@pytest.mark.parametrize("format_", FORMATS)
def test_rows_and_empty_frames_can_be_appended_in_any_order(store, format_, partition_by):
    table = store(format_, write_mode="append", partition_by=partition_by, schema=ROWS)
    counts = [table.write(frame) for frame in (ONE.clear(), ONE, ONE.clear(), TWO, ONE.clear())]
    assert counts == [0, 1, 0, 1, 0]
    same_rows(table.read(), pl.concat([ONE, TWO]))
    assert table.rows() == 2


@pytest.mark.parametrize("kind", ["polars.LazyFrame", "pandas.DataFrame", "pyarrow.Table", "spark"])
def test_an_empty_frame_of_any_kind_is_written(store, session, kind):
    made = {
        "polars.LazyFrame": ONE.clear().lazy(),
        "pandas.DataFrame": ONE.to_pandas().iloc[:0],
        "pyarrow.Table": ONE.clear().to_arrow(),
        "spark": session.createDataFrame([], "id BIGINT, v STRING"),
    }
    table = store("delta")
    assert table.write(made[kind]) == 0
    assert table.read().schema == {"id": pl.Int64, "v": pl.String}


# -- partitions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", FORMATS)
def test_partition_by_makes_a_folder_for_each_value(store, format_):
    table = store(format_, partition_by=["d", "e"], schema="id BIGINT, d STRING, e INT")
    frame = pl.DataFrame({"id": [1, 2, 3], "d": ["x", "x", "y z"], "e": [1, 2, 2]})
    assert table.write(frame) == 3
    folders = {path.relative_to(table.path).as_posix() for path in table.path.rglob("d=*/e=*")}
    assert len(folders) == 3
    assert {"d=x/e=1", "d=x/e=2"} < folders
    same_rows(table.read().with_columns(pl.col("e").cast(pl.Int64)), frame)
    assert table.rows() == 3


@pytest.mark.parametrize("key", ["partition", "partition_col", "partition_columns", "partitioned_by"])
def test_the_originals_names_of_partition_by_are_read(store, key):
    table = store("parquet", **{key: "d"})
    table.write(pl.DataFrame({"id": [1], "d": ["x"]}))
    assert [path.name for path in table.path.iterdir()] == ["d=x"]


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta"])
def test_a_partition_column_may_start_with_an_underscore(store, format_):
    """Its folders are no hidden ones."""
    table = store(format_, partition_by="_d", schema="id BIGINT, _d STRING")
    frame = pl.DataFrame({"id": [1, 2], "_d": ["x", "y"]})
    assert table.write(frame) == 2
    same_rows(table.read(), frame)
    assert table.rows() == 2


@pytest.mark.parametrize("value", ["a b", "a/b", "a=b", "é", "a%b", "a#b", "x:y", ".h", "_h", "it's", "2025-01-01"])
@pytest.mark.parametrize("format_", ["parquet", "delta"])
def test_any_text_can_be_the_value_of_a_partition(store, format_, value):
    table = store(format_, partition_by="d")
    frame = pl.DataFrame({"id": [1, 2], "d": [value, "other"]})
    table.write(frame)
    same_rows(table.read(), frame)


@pytest.mark.parametrize("nothing", [("BIGINT", 1), ("STRING", "a"), ("DATE", date(2025, 1, 1))], ids=lambda it: it[0])
@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_a_null_in_a_partition_column_is_refused_where_the_engine_would_make_a_value_of_it(
    store, session, format_, nothing
):
    """The embedded engine writes 0, 1970-01-01 or an empty text."""
    kind, value = nothing
    table = store(format_, partition_by="d")
    table.write(session.createDataFrame([(1, value)], f"id BIGINT, d {kind}"))
    with pytest.raises(Exception, match="no value in the partition column 'd'"):
        table.write(session.createDataFrame([(1, value), (2, None)], f"id BIGINT, d {kind}"))
    assert table.read("pyarrow.Table").num_rows == 1


def test_a_delta_table_keeps_a_null_in_a_partition_column(store):
    table = store("delta", partition_by="d")
    frame = pl.DataFrame({"id": [1, 2], "d": [None, 3]})
    table.write(frame)
    same_rows(table.read(), frame)


# -- paths that engines misread -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["with blank", "für", "日本", "a~b", "a&b", "it's", "(x)", "a+b", "a=b", "a,b;c"])
@pytest.mark.parametrize("format_", FORMATS)
def test_a_table_is_where_its_path_says_whatever_letters_it_has(store, format_, name):
    """The embedded engine would put a delta table with a blank in its path below %20."""
    table = store(format_, filepath=f"data/{name}/t", schema=ROWS)
    table.write(ONE)
    table.write(pl.concat([ONE, TWO]))
    same_rows(table.read(), pl.concat([ONE, TWO]))
    assert table.rows() == 2
    assert [path.name for path in table.path.parent.parent.iterdir()] == [name]
    if format_ == "delta":
        same_rows(pl.DataFrame(DeltaTable(table.path).to_pyarrow_table()), pl.concat([ONE, TWO]))


# -- what is in the way -------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_a_folder_that_is_no_table_is_not_replaced(store, put, format_):
    """It may be the folder of all tables, or of the project's code."""
    put("data/other/part-0.parquet", b"not mine")
    with pytest.raises(NodeError, match="would replace a folder that is no table: it holds the folder 'other'"):
        store(format_, filepath="data").write(ONE)
    code = put("src/nodes.py", "pass")
    with pytest.raises(NodeError, match=r"it holds the file 'nodes\.py'"):
        store(format_, filepath="src").write(ONE)
    assert code.read_text() == "pass"


@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_append_does_not_add_to_a_single_file(store, put, format_):
    file = put("data/t", "id,v\n9,z\n")
    with pytest.raises(NodeError, match="appends to a folder, but there is a file: data/t"):
        store(format_, write_mode="append").write(ONE)
    assert file.read_text() == "id,v\n9,z\n"


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta", "text"])
@pytest.mark.parametrize("frame", [pl.DataFrame([]), pl.LazyFrame(), pd.DataFrame([]), pa.table({})], ids=kind_of)
def test_a_frame_without_columns_is_refused_in_words(store, format_, frame):
    table = store(format_)
    with pytest.raises(NodeError, match="t: The frame has no columns"):
        table.catalog.write("t", frame)
    assert not table.path.exists()


def test_what_is_no_frame_is_refused(store):
    with pytest.raises(NodeError, match="Expected a DataFrame, found list"):
        store("delta").write([1, 2])
