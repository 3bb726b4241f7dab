"""Which values a column holds as they are, and frames that do not go with the files that are there."""

import polars as pl
import pytest
from pyspark.sql.types import _parse_datatype_string as parse

from tauro.errors import NodeError
from tauro.io.fits import holds


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("bigint", "bigint"),
        ("bigint", "int"),
        ("int", "tinyint"),
        ("double", "float"),
        ("double", "int"),
        ("decimal(12,2)", "decimal(10,2)"),
        ("decimal(12,4)", "decimal(10,2)"),
        ("decimal(19,0)", "bigint"),
        ("decimal(12,2)", "int"),
        ("date", "void"),
        ("array<int>", "array<int>"),
        ("struct<a:int,b:string>", "struct<a:int,b:string>"),
    ],
)
def test_a_column_holds_values_of_its_type_and_of_narrower_ones(wide, narrow):
    assert holds(parse(wide), parse(narrow))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("int", "bigint"),
        ("bigint", "double"),
        ("float", "double"),
        ("double", "bigint"),
        ("float", "int"),
        ("bigint", "string"),
        ("string", "bigint"),
        ("date", "timestamp"),
        ("timestamp", "date"),
        ("timestamp", "timestamp_ntz"),
        ("boolean", "int"),
        ("decimal(10,2)", "decimal(12,2)"),
        ("decimal(10,4)", "decimal(10,2)"),
        ("decimal(10,2)", "decimal(10,3)"),
        ("decimal(18,0)", "bigint"),
        ("double", "decimal(10,2)"),
        ("bigint", "decimal(5,0)"),
        ("array<bigint>", "array<int>"),
        ("struct<a:int>", "struct<b:int>"),
    ],
)
def test_a_column_does_not_hold_values_that_would_be_changed(wide, narrow):
    assert not holds(parse(wide), parse(narrow))


OLD = pl.DataFrame({"a": [1], "b": [2]})


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_appended_columns_are_put_in_the_order_of_those_that_are_there(store, format_):
    """Readers go by the place of a CSV file's columns: another order would swap the values."""
    table = store(format_, write_mode="append", schema="a BIGINT, b BIGINT")
    table.write(OLD)
    table.write(pl.DataFrame({"b": [20], "a": [10]}))
    assert sorted(table.read().rows(named=True), key=lambda row: row["a"]) == [{"a": 1, "b": 2}, {"a": 10, "b": 20}]


@pytest.mark.parametrize("format_", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pl.DataFrame({"a": [1]}), "'b' is missing"),
        (pl.DataFrame({"a": [1], "b": [2], "c": [3]}), "'c' is new"),
        (pl.DataFrame({"a": [1], "B": [2]}), "'b' is missing; 'B' is new"),
    ],
)
def test_an_append_with_other_columns_is_refused(store, format_, frame, told):
    """The files would be written, and nobody could read them together."""
    table = store(format_, write_mode="append")
    table.write(OLD)
    with pytest.raises(NodeError, match="does not fit what is stored in 't'") as caught:
        table.write(frame)
    assert told in caught.value.message
    assert table.rows() == 1


def test_an_append_of_another_type_to_parquet_is_refused(store):
    table = store("parquet", write_mode="append")
    table.write(OLD)
    with pytest.raises(NodeError, match="'a' is string, in the table bigint"):
        table.write(pl.DataFrame({"a": ["x"], "b": [2]}))
    assert table.rows() == 1


def test_an_append_with_partitions_fits_what_it_wrote_itself(store):
    """The folders of partitions do not tell the type of their column."""
    table = store("parquet", write_mode="append", partition_by="b")
    table.write(OLD)
    table.write(OLD)
    assert table.read()["a"].to_list() == [1, 1]
