"""Types and conditions that mean the same for Polars as for Spark, and those that only Spark can tell."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.io.direct.conditions import Condition
from tauro.io.direct.ddl import columns_of
from tauro.io.direct.text import Unreadable, parsed
from tauro.io.direct.types import spark_name, spark_type

# -- schemas as DDL -----------------------------------------------------------------------------

READ = [
    "id INT, name STRING",
    "`a b` DECIMAL(10,2), `c``d` array<int>",
    "a: int, b: struct<x:int,y:array<string>>",
    "a decimal, b numeric(5), c dec ( 5 , 2 )",
    "a TIMESTAMP, b timestamp_ntz, c timestamp_ltz",
    "é int,  z   long, s short, b byte, r real",
    "a array<array<double>>, d date, f boolean, x binary",
]


@pytest.mark.parametrize("text", READ)
def test_a_schema_is_read_as_spark_reads_it(session, text):
    wanted = {field.name: field.dataType.simpleString() for field in session.createDataFrame([], text).schema.fields}
    found = columns_of(text)
    assert {name: spark_name(kind) for name, kind in found.items()} == wanted
    assert list(found) == list(wanted)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "a int,", "a int b int", "a varchar(3)", "a int not null", "a int comment 'x'", "a int, A int",
        "a decimal(39,2)", "a decimal(2,3)", "a decimal()", "a map<string,int>", "a interval", "a array<int",
        "a struct<>", "a-b int", "int", "a float(3)", "a int; drop table t",
    ],
)  # fmt: skip
def test_a_schema_that_says_more_is_left_to_spark(text):
    assert columns_of(text) is None


ATOMS = st.sampled_from(["INT", "bigint", "String", "double", "date", "timestamp", "boolean", "decimal(7,3)"])
KINDS = st.recursive(
    ATOMS,
    lambda inner: (
        inner.map(lambda kind: f"array<{kind}>")
        | st.lists(inner, min_size=1, max_size=3).map(
            lambda kinds: f"struct<{', '.join(f'f{index}: {kind}' for index, kind in enumerate(kinds))}>"
        )
    ),
    max_leaves=6,
)
NAMES = st.text("abé_", min_size=1, max_size=6) | st.text("a `,<>:(é", min_size=1, max_size=6)


@given(st.dictionaries(NAMES, KINDS, min_size=1, max_size=4))
def test_any_schema_is_read_back(columns):
    text = ", ".join(f"`{name.replace('`', '``')}` {kind}" for name, kind in columns.items())
    found = columns_of(text)
    if len({name.casefold() for name in columns}) < len(columns):
        assert found is None
    else:
        assert list(found) == list(columns)
        assert [spark_name(kind) for kind in found.values()] == [
            kind.replace(" ", "").lower() for kind in columns.values()
        ]


# -- types --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [pl.Time(), pl.Duration("us"), pl.Int128(), pl.Float16(), pl.Object(), pl.Struct([])])
def test_a_type_that_spark_has_not_has_no_name_of_its(kind):
    assert spark_name(kind) is None
    assert spark_name(pl.List(kind)) is None
    assert spark_type(kind) == kind


def test_types_inside_of_others_become_those_of_spark():
    kind = pl.List(pl.Struct({"a": pl.Array(pl.UInt8(), (2, 3)), "b": pl.Map(pl.String(), pl.Categorical())}))
    wanted = pl.List(pl.Struct({"a": pl.List(pl.List(pl.Int16())), "b": pl.Map(pl.String(), pl.String())}))
    assert spark_type(kind) == wanted
    assert spark_name(wanted) == "array<struct<a:array<array<smallint>>,b:map<string,string>>>"


# -- fields of text -----------------------------------------------------------------------------

FIELDS = {
    "INT": ["1", "+1", " 1", "1 ", "01", "-0", "1.0", "1e3", "2147483648", "0x10", "1_000", "x", "-"],
    "TINYINT": ["127", "128", "-128"],
    "BIGINT": ["9223372036854775807", "9223372036854775808"],
    "DOUBLE": ["1", "1e3", ".5", "5.", " 1.5", "inf", "-Infinity", "1,5", "1d", "x", "1e400", "1_0"],
    "BOOLEAN": ["true", "False", "tRuE", "t", "1", "yes", " true"],
    "DECIMAL(10,2)": ["1.10", "1.1", "1", "-.5", "5.", "1e2", "1.1e1", "99999999.99", "100000000.00", "x", "1,1"],
    "DATE": ["2024-02-29", "2024-2-9", "20240229", "2024/02/29", "2024-02-30", "2024-02-29 10:00:00", "0001-01-01",
             "-0001-01-01", " 2024-01-01", "2024-02"],
    "TIMESTAMP": ["2024-03-31T01:30:00.123456Z", "2024-03-31 01:30:00", "2024-03-31 01:30:00.1", "2024-03-31",
                  "2024-03-31T01:30:00+02:00", "2024-03-31 01:30:00 +0200", "2024-03-31T01:30:00.123456789Z",
                  "2024-03-31 01:30", "20240331", "2024-03-31T24:00:00", "1711848600", "x"],
    "TIMESTAMP_NTZ": ["2024-03-31T01:30:00.5", "2024-03-31T01:30:00+02:00", "2024-03-31"],
    "STRING": ["x", " x ", "1"],
}  # fmt: skip


@pytest.mark.parametrize("kind", FIELDS)
def test_a_field_of_text_is_read_as_the_engine_reads_it(session, put, kind):
    for number, text in enumerate(FIELDS[kind]):
        file = put(f"{number}.csv", f'id,v\n1,"{text}"\n')
        reader = session.read.option("header", True).schema(f"id STRING, v {kind}")
        try:
            wanted = reader.csv(str(file)).toArrow()["v"][0].as_py()
        except Exception:  # noqa: BLE001 - whatever the engine says of a text that is no value
            wanted = Unreadable
        try:
            found = parsed(pl.Series([text]), columns_of(f"v {kind}")["v"])[0]
        except Unreadable:
            found = Unreadable
        assert found == wanted, text


@pytest.mark.parametrize("text", ["1.105", "0.001", "1e-3", "-1.109"])
def test_a_decimal_with_more_digits_than_it_keeps_is_refused(text):
    """The engine would cut them off, Polars would round."""
    with pytest.raises(Unreadable, match=text):
        parsed(pl.Series([None, text]), pl.Decimal(10, 2))


def test_one_text_among_many_that_is_no_value_is_the_one_that_is_told():
    with pytest.raises(Unreadable) as caught:
        parsed(pl.Series(["1", None, "x", "y"]), pl.Int64())
    assert caught.value.text == "x"


def test_dates_and_times_of_several_forms_stand_in_one_column():
    found = parsed(pl.Series(["2024-01-01", None, "20240102", "2024-01-03 10:00:00"]), pl.Date())
    assert found.to_list() == [date(2024, 1, 1), None, date(2024, 1, 2), date(2024, 1, 3)]


# -- conditions ---------------------------------------------------------------------------------

JANUARY = datetime(2025, 1, 1, tzinfo=UTC)
TABLE = pl.DataFrame(
    {
        "d": ["2024-12-31", "2025-01-01", "it's", None],
        "v": pl.Series([1, -2, None, 4], dtype=pl.Int8),
        "f": [0.5, 0.0, None, -1.0],
        "day": [date(2024, 12, 31), date(2025, 1, 1), None, date(2025, 2, 1)],
        "t": pl.Series([0, 2_674_800, None, 2_678_400], dtype=pl.Int64).cast(pl.Duration("ms")) * 1000 + JANUARY,
        "b": [True, False, None, True],
        "É x": [1, 2, 3, 4],
    }
)
KNOWN = [
    "d >= '2025-01-01' AND D < \"2026\"", "v >= 3", "v > -3", "v > 300", "v IN (1, 300)", "v NOT IN (1)", "f > 0.1",
    "day >= '2025-01-01'", "day = DATE '2025-01-01'", "t < '2025-02-01'", "t >= '2025-01-31 12:00:00'", "b = true",
    "NOT b = false", "d IN ('it\\'s', 'x')", "v BETWEEN -5 AND 1", "v NOT BETWEEN -5 AND 1", "v IS NULL",
    "v IS NOT NULL", "NOT (v < 3 OR d = 'x')", "`É x` = 1", "v <> 1", "v != 1 OR d = '2025-01-01'",
]  # fmt: skip
COMPUTED = [
    "v + 1 > 2", "year(day) = 2025", "d LIKE 'x%'", "v <=> 3", "w = 1", "t.v = 1", "3 < v", "v = '3'", "v >= 3.5", "b",
    "day >= '2025-1-1'", "day = '2025-02-31'", "v = null", "d = 'a' || 'b'", "v = 99999999999999999999",
]  # fmt: skip


@pytest.mark.parametrize("text", KNOWN)
def test_a_condition_holds_for_the_rows_that_spark_finds(session, text):
    numbered = TABLE.with_row_index("i").with_columns(pl.col("i").cast(pl.Int64))
    wanted = [row.i for row in session.createDataFrame(numbered.to_arrow()).where(text).select("i").collect()]
    condition = Condition(text, TABLE.schema)
    assert sorted(numbered.filter(condition.as_expression())["i"]) == sorted(wanted)
    assert condition.as_sql() is not None


@pytest.mark.parametrize("text", COMPUTED)
def test_a_condition_that_computes_is_left_to_spark(text):
    condition = Condition(text, TABLE.schema)
    assert condition.as_expression() is None
    assert condition.as_sql() is None
