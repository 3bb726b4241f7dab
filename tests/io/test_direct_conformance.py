"""The same case gives the same table, whichever kind of frame it is written from and read as: as by way of Spark."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pandas as pd
import polars as pl
import pytest
from deltalake import DeltaTable

from tauro.io.frames import KINDS, SPARK, convert, to_spark

MOMENT = datetime(2024, 3, 31, 1, 30, 0, 123456)  # noqa: DTZ001 - without a zone on purpose
ONE = pl.DataFrame({"id": [1, 2], "v": ["a", None]})
TWO = pl.DataFrame({"id": [3], "v": ["é, 'x'"]})
DAYS = pl.DataFrame({"d": ["2024-12-31", "2025-01-01", "2025-01-31", "2025-02-01", None], "v": [1, 2, 3, 4, 5]})

# One column for each type that Polars has and a table keeps, in the place that Spark gives it.
COLUMNS = {
    "bool": pl.Series([True, None]),
    "tiny": pl.Series([-128, None], dtype=pl.Int8),
    "small": pl.Series([-32768, None], dtype=pl.Int16),
    "int": pl.Series([-(2**31), None], dtype=pl.Int32),
    "big": pl.Series([2**63 - 1, None]),
    "unsigned8": pl.Series([255, None], dtype=pl.UInt8),
    "unsigned16": pl.Series([65535, None], dtype=pl.UInt16),
    "unsigned32": pl.Series([2**32 - 1, None], dtype=pl.UInt32),
    "unsigned64": pl.Series([2**64 - 1, None], dtype=pl.UInt64),
    "float": pl.Series([0.1, None], dtype=pl.Float32),
    "double": pl.Series([1e300, -0.0]),
    "large": pl.Series([1e20, 123456789012345680.0]),
    "no number": pl.Series([float("nan"), None]),
    "infinite": pl.Series([float("-inf"), float("inf")]),
    "text": pl.Series(['é, "q"\nl', None]),
    "empty text": pl.Series(["", None]),
    "bytes": pl.Series([b"\x00\xff", None]),
    "day": pl.Series([date(1, 1, 1), date(9999, 12, 31)]),
    "time in utc": pl.Series([MOMENT, None]).dt.replace_time_zone("UTC"),
    "time elsewhere": pl.Series([MOMENT, None]).dt.replace_time_zone("America/New_York"),
    "time without zone": pl.Series([MOMENT, MOMENT.replace(year=1)]),
    "time in ms": pl.Series([MOMENT, None], dtype=pl.Datetime("ms")),
    "time in ns": pl.Series([MOMENT, None], dtype=pl.Datetime("ns")),
    "decimal": pl.Series([Decimal("-0.05"), None], dtype=pl.Decimal(10, 2)),
    "wide decimal": pl.Series([Decimal("1.5"), None], dtype=pl.Decimal(38, 10)),
    "category": pl.Series(["a", None], dtype=pl.Categorical),
    "enum": pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
    "nothing": pl.Series([None, None]),
    "list": pl.Series([[1, None], None]),
    "list of texts": pl.Series([["a"], []]),
    "list of unsigned": pl.Series([[255], None], dtype=pl.List(pl.UInt8)),
    "list of categories": pl.Series([["a"], None], dtype=pl.List(pl.Categorical)),
    "array": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int32, 2)),
    "structure": pl.Series([{"a": 1, "b": "x"}, None]),
    "structure of times": pl.Series([{"t": MOMENT}, None]),
    "list of structures": pl.Series([[{"a": 1, "b": [1.5]}], None]),
    "map": pl.Series([{"a": 1}, None], dtype=pl.Map(pl.String, pl.Int64)),
}


def of_kind(frame, kind, session):
    """Return a frame of Polars as one of another kind."""
    if kind == "pandas.DataFrame":
        return frame.to_pandas(use_pyarrow_extension_array=True)
    return to_spark(frame, session) if kind == SPARK else convert(frame, kind, lambda: session)


def rows(frame):
    return sorted(map(repr, frame.rows()))


def told(table, format_):
    """Return columns, types and rows of what is stored, as a reader says that has no part in writing it."""
    if format_ == "delta":
        delta = DeltaTable(table.path)
        frame = pl.DataFrame(delta.to_pyarrow_table())
        keys = sorted(repr(sorted(part.items())) for part in delta.partitions())
        return frame.schema, rows(frame), delta.metadata().partition_columns, keys
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        files = str(table.path / "**" / f"*.{format_}*")
        if format_ == "parquet":
            found = connection.read_parquet(files, hive_partitioning=True)
        elif format_ == "csv":
            found = connection.read_csv(files, all_varchar=True, hive_partitioning=True, header=True, quotechar='"')
        else:
            found = connection.read_json(files, hive_partitioning=True)
        # Which of several files of JSON is read first, and gives the order of columns, is chance.
        columns = [f'"{name}"' for name in (sorted(found.columns) if format_ == "json" else found.columns)]
        found = found.project(", ".join(columns))
        return list(zip(found.columns, map(str, found.types), strict=True)), sorted(map(repr, found.fetchall()))


def outcome(make, format_, kind, session, steps):
    """Carry out writes from frames of one kind; return what is stored then, or why it is not."""
    place = f"data/{format_}-{kind}/t"
    counts = []
    for number, (settings, frame) in enumerate(steps):
        table = make(format_, filepath=place, **settings)
        try:
            counts.append(table.catalog.write("t", of_kind(frame, kind, session)).rows)
        except Exception:
            if number < len(steps) - 1:  # only the last step may be refused
                raise
            return "refused", told(table, format_) if table.dataset.exists else None
    back = table.catalog.read("t", "polars.DataFrame").value
    by_spark = convert(table.catalog.read("t", SPARK).value, "polars.DataFrame", lambda: session)
    assert (back.schema, rows(back)) == (by_spark.schema, rows(by_spark))
    # Where rows stand beside overwritten ones in a file, Spark does not tell how many it wrote.
    return [count for count in counts if count is not None][:1], told(table, format_)


def agree(make, format_, session, steps, *, kinds=KINDS):
    reference = outcome(make, format_, SPARK, session, steps)
    for kind in kinds:
        assert outcome(make, format_, kind, session, steps) == reference, kind
    return reference


# -- types --------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["parquet", "delta", "csv"])
@pytest.mark.parametrize("column", COLUMNS)
def test_every_type_is_stored_alike(store, session, format_, column):
    if format_ == "csv" and column == "empty text":
        pytest.skip("Polars writes it in quotes, the engine as nothing; both are read as null")
    frame = pl.DataFrame({"id": [1, 2], "v": COLUMNS[column]})
    agree(store, format_, session, [({}, frame)], kinds=KINDS[:2])


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "nothing"])
def test_every_type_is_stored_alike_in_json(store, session, column):
    agree(store, "json", session, [({}, pl.DataFrame({"id": [1, 2], "v": COLUMNS[column]}))], kinds=KINDS[:2])


@pytest.mark.parametrize("format_", ["parquet", "delta"])
@pytest.mark.parametrize("column", [name for name in COLUMNS if not name.startswith(("list", "map", "structure"))])
def test_every_type_is_stored_alike_from_pandas_and_arrow(store, session, format_, column):
    frame = pl.DataFrame({"id": [1, 2], "v": COLUMNS[column]})
    agree(store, format_, session, [({}, frame)], kinds=KINDS[2:])


PANDAS = {
    "ints with a gap": pd.Series([1, None]),
    "nullable ints": pd.Series([1, None], dtype="Int64"),
    "floats with nan": pd.Series([1.5, float("nan")]),
    "objects": pd.Series(["a", None], dtype=object),
    "objects with nan": pd.Series(["a", float("nan")], dtype=object),
    "bools with a gap": pd.Series([True, None], dtype=object),
    "category": pd.Series(["a", "b"], dtype="category"),
    "category of ints": pd.Series([1, 2], dtype="category"),
    "nanoseconds": pd.Series([pd.Timestamp("2024-01-01 00:00:00.123456789"), None]),
    "a zone": pd.Series([pd.Timestamp("2024-01-01", tz="Europe/Berlin"), None]),
    "days": pd.Series([date(2024, 1, 1), None]),
    "decimals": pd.Series([Decimal("1.10"), None]),
    "lists": pd.Series([[1], None]),
    "dicts": pd.Series([{"a": 1}, None]),
    "bytes": pd.Series([b"a", None]),
    "unsigned": pd.Series([1, 255], dtype="uint8"),
    "nothing": pd.Series([None, None], dtype=object),
}


@pytest.mark.parametrize("column", PANDAS)
def test_every_type_of_pandas_is_stored_alike_and_its_index_is_not(store, session, column):
    frame = pd.DataFrame({"v": PANDAS[column]}).set_index(pd.Index([7, 8], name="k"))
    found = []
    for number, value in enumerate((to_spark(frame, session), frame)):
        table = store("delta", filepath=f"data/{number}/t")
        found.append((table.catalog.write("t", value).rows, told(table, "delta")))
    assert found[0] == found[1]


# -- modes --------------------------------------------------------------------------------------

PLAIN = [
    [({}, ONE), ({}, TWO)],
    [({"write_mode": "append"}, ONE), ({"write_mode": "append"}, TWO)],
    [({"write_mode": "ignore"}, ONE), ({"write_mode": "ignore"}, TWO)],
    [({"write_mode": "error"}, ONE), ({"write_mode": "error"}, TWO)],
    [({}, ONE), ({"write_mode": "append"}, TWO.select("v", "id"))],
    [({}, ONE), ({"write_mode": "append"}, TWO.cast({"id": pl.Int16}))],
    [({}, ONE), ({}, ONE.clear())],
    [({}, ONE.clear()), ({"write_mode": "append"}, TWO)],
]


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta"])
@pytest.mark.parametrize("steps", PLAIN, ids=range(len(PLAIN)))
def test_every_mode_leaves_the_same_table(store, session, format_, steps):
    if format_ == "json" and any(settings.get("write_mode") == "append" for settings, _ in steps):
        steps = [({**settings, "schema": "id BIGINT, v STRING"}, frame) for settings, frame in steps]
    agree(store, format_, session, steps)


REFUSED = [
    TWO.with_columns(id=pl.lit("text")),
    TWO.with_columns(id=pl.lit(1.5)),
    TWO.select("id"),
    TWO.with_columns(w=pl.lit(1)),
    TWO.rename({"id": "ID"}),
]


@pytest.mark.parametrize("format_", ["parquet", "delta"])
@pytest.mark.parametrize("wrong", REFUSED, ids=range(len(REFUSED)))
def test_what_does_not_fit_is_refused_from_every_kind_and_the_table_stays(store, session, format_, wrong):
    found = agree(store, format_, session, [({}, ONE), ({"write_mode": "append"}, wrong)])
    assert found[0] == "refused"


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta"])
@pytest.mark.parametrize("kinds", [pl.String, pl.Int32, pl.Boolean, pl.Date])
def test_partitions_are_the_same_folders(store, session, format_, kinds):
    texts = pl.Series(["x", "y z", "é", "x"])
    values = {pl.String: texts, pl.Date: [date(2025, 1, 1), date(2025, 2, 1)] * 2}.get(kinds, [1, 0, 0, 1])
    frame = pl.DataFrame({"d": pl.Series(values).cast(kinds), "id": [1, 2, 3, 4], "e": ["p", "q", "p", "q"]})
    settings = {"partition_by": ["d", "e"]}
    agree(store, format_, session, [(settings, frame), ({**settings, "write_mode": "append"}, frame)])


@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_a_null_in_a_partition_column_of_files_is_refused(store, session, format_):
    frame = pl.DataFrame({"d": [1, None], "id": [1, 2]})
    found = agree(store, format_, session, [({}, ONE), ({"partition_by": ["d"]}, frame)])
    assert found[0] == "refused"


DELTA = {
    "new columns": [({}, ONE), ({"write_mode": "append", "merge_schema": True}, TWO.with_columns(w=pl.lit(1.5)))],
    "missing columns": [({}, ONE), ({"write_mode": "append", "merge_schema": True}, TWO.select("v"))],
    "other columns": [({}, ONE), ({"overwrite_schema": True}, pl.DataFrame({"id": ["t"], "w": [1]}))],
    "columns in another order": [({}, ONE), ({"overwrite_schema": True}, TWO.select("v", "id"))],
    "other partitions": [({"partition_by": ["v"]}, TWO), ({"partition_by": ["id"], "overwrite_schema": True}, TWO)],
    "no partitions any more": [({"partition_by": ["v"]}, TWO), ({"overwrite_schema": True}, TWO)],
    "the table's own partitions": [({"partition_by": ["v"]}, TWO), ({"write_mode": "append"}, TWO)],
    "other partitions without leave": [({"partition_by": ["v"]}, TWO), ({"partition_by": ["id"]}, TWO)],
    "the dates of the run": [
        ({"partition_by": ["d"]}, DAYS),
        ({"partition_by": ["d"], "overwrite_strategy": "replaceWhere"}, DAYS[1:3].with_columns(v=pl.lit(9, pl.Int64))),
    ],
    "a row outside of them": [
        ({"partition_by": ["d"]}, DAYS),
        ({"partition_by": ["d"], "overwrite_strategy": "replaceWhere"}, DAYS[1:4]),
    ],
    "a row without a date": [
        ({"partition_by": ["d"]}, DAYS),
        ({"partition_by": ["d"], "overwrite_strategy": "replaceWhere"}, DAYS[[1, 4]]),
    ],
    "the first rows of the dates": [({"partition_by": ["d"], "overwrite_strategy": "replaceWhere"}, DAYS[1:3])],
    "a first row outside": [({"partition_by": ["d"], "overwrite_strategy": "replaceWhere"}, DAYS[1:4])],
    "no rows for the dates": [
        ({"partition_by": ["d"]}, DAYS),
        ({"partition_by": ["d"], "overwrite_strategy": "replaceWhere"}, DAYS.clear()),
    ],
    "an empty text as a partition": [({"partition_by": ["v"]}, pl.DataFrame({"id": [1], "v": [""]}))],
    "nothing as a partition": [({"partition_by": ["v"]}, ONE)],
}
PREDICATES = ["v >= 3", "NOT (v < 3)", "v IN (3, 4)", "v BETWEEN 3 AND 4", "d >= '2025-01-31'", "v = 3 OR v = 4"]


@pytest.mark.parametrize("case", DELTA)
def test_a_delta_table_is_changed_alike(store, session, case):
    agree(store, "delta", session, DELTA[case])


@pytest.mark.parametrize("predicate", PREDICATES)
def test_a_condition_names_the_same_rows(store, session, predicate):
    """Without a null: the embedded engine removes rows for which nobody knows whether the condition holds."""
    known = DAYS.drop_nulls()
    part = {"overwrite_strategy": "replaceWhere", "replace_predicate": predicate}
    inside = pl.DataFrame({"d": ["2025-01-31"], "v": [3]})
    _, found = agree(store, "delta", session, [({}, known), (part, inside)])
    assert len(found[1]) == 3


# -- reading ------------------------------------------------------------------------------------

DDL = "id INT, v STRING, p DECIMAL(10,2), d DATE, t TIMESTAMP, b BOOLEAN"
TYPED = "id,v,p,d,t,b\n1,a,1.10,2024-02-29,2024-03-31T01:30:00.5Z,true\n,,,,,\n 2 ,b,-3,2024-2-9,2024-03-31,FALSE\n"
CSV = {
    "text unless told otherwise": ({"in/a.csv": TYPED}, {}),
    "a schema": ({"in/a.csv": TYPED}, {"schema": DDL}),
    "empty fields and empty texts": ({"in/a.csv": 'a,b\n1,\n"",2\n"x","y"\n'}, {}),
    "quotes, breaks and blank lines": ({"in/a.csv": 'a,b\n\n"l1\nl2","say ""x"""\n\n1,2\n'}, {}),
    "windows": ({"in/a.csv": "a,b\r\n1,2\r\n3,4\r\n"}, {}),
    "a mark at the start": ({"in/a.csv": "\ufeffa,b\n1,2\n"}, {}),
    "no header": ({"in/a.csv": "1,2\n3,4\n"}, {"options": {"header": False}}),
    "no header and a schema": ({"in/a.csv": "1,2\n3,4\n"}, {"options": {"header": "false"}, "schema": "x INT, y INT"}),
    "other signs": ({"in/a.csv": "a;b\n1;'x;y'\n"}, {"options": {"sep": ";", "quote": "'"}}),
    "a text for nothing": ({"in/a.csv": "a,b\nNA,1\n2,NAN\n"}, {"options": {"nullValue": "NA"}}),
    "several files": ({"in/a.csv": "a,b\n1,2\n", "in/b.csv": "a,b\n3,4\n"}, {}),
    "files of a pattern": ({"in/a.csv": "a\n1\n", "in/b.txt": "a\n2\n"}, {"filepath": "in/*.csv"}),
    "partitions": ({"in/y=2024/a.csv": "a\n1\n", "in/y=x%20y/b.csv": "a\n2\n"}, {}),
    "partitions in the schema": ({"in/y=1/a.csv": "a\n1\n", "in/y=2/b.csv": "a\n2\n"}, {"schema": "a INT, y INT"}),
    "renamed columns": ({"in/a.csv": "Order ID,b\n1,2\n"}, {"schema": "order_id INT, b INT"}),
    "only a header": ({"in/a.csv": "a,b\n"}, {}),
    "a single empty field": ({"in/a.csv": 'a\nx\n""\ny\n'}, {}),
    "inferred types": ({"in/a.csv": "a,b\n1,x\n"}, {"options": {"inferSchema": True}}),
    "some of the rows": ({"in/a.csv": "a,b\n1,x\n2,y\n"}, {"partition_filter": "b = 'y'"}),
}
JSON = {
    "a schema": ({"in/a.json": '{"id":1,"t":"2024-03-31T01:30:00Z"}\n{"t":null}\n'}, {"schema": "id INT, t TIMESTAMP"}),
    "no schema": ({"in/a.json": '{"b":1,"a":{"y":[1.5],"x":"s"}}\n{"c":true,"a":{"z":1}}\n'}, {}),
    "files of different columns": ({"in/a.json": '{"a":1}\n', "in/b.json": '{"a":2,"b":"x"}\n'}, {}),
    "blank lines": ({"in/a.json": '\n{"a":1}\r\n\n{"a":2}'}, {}),
    "decimals": ({"in/a.json": '{"a":1.10}\n'}, {"schema": "a DECIMAL(10,2)"}),
    "partitions": ({"in/y=1/a.json": '{"a":1}\n', "in/y=2/b.json": '{"a":2}\n'}, {}),
}


def pandas_rows(frame):
    return sorted(repr(row) for row in frame.astype(object).where(frame.notna(), None).to_dict("records"))


def agree_on_reading(table, session):
    reference = table.catalog.read("t", SPARK).value
    wanted = convert(reference, "polars.DataFrame", lambda: session)
    for kind in KINDS[:2]:
        found = table.catalog.read("t", kind).value.lazy().collect()
        assert (found.schema, rows(found)) == (wanted.schema, rows(wanted)), kind
    arrow = table.catalog.read("t", "pyarrow.Table").value
    spark = convert(reference, "pyarrow.Table", lambda: session)
    assert [(field.name, field.type) for field in arrow.schema] == [(field.name, field.type) for field in spark.schema]
    assert sorted(map(repr, arrow.to_pylist())) == sorted(map(repr, spark.to_pylist()))
    found, known = table.catalog.read("t", "pandas.DataFrame").value, spark.to_pandas()
    assert found.dtypes.equals(known.dtypes)
    assert pandas_rows(found) == pandas_rows(known)


@pytest.mark.parametrize(("format_", "case"), [("csv", name) for name in CSV] + [("json", name) for name in JSON])
def test_files_are_read_alike(store, put, session, format_, case):
    files, settings = {"csv": CSV, "json": JSON}[format_][case]
    for name, text in files.items():
        put(name, text)
    agree_on_reading(store(format_, section="input", **{"filepath": "in", **settings}), session)


BROKEN = {
    "a short line": "a,b\n1,2\n3\n4,5\n",
    "a long line": "a,b\n1,2\n3,4,5\n",
    "a short line and a long one": "a,b\n1\n2,3,4\n",
    "a short line among quotes": 'a,b\n"1",2\n3\n',
    "a cut end": "a,b\n1,2\n3",
    "an open quote": 'a,b\n"1,2\n3,4\n',
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_csv_file_is_an_error_in_every_kind(store, put, kind, case):
    """Polars itself would take a short line for one with nulls."""
    put("in/a.csv", BROKEN[case])
    table = store("csv", section="input", filepath="in")
    with pytest.raises(Exception, match=r"a\.csv of 't' cannot be read"):
        table.catalog.read("t", kind).value.lazy().collect()


@pytest.mark.parametrize(
    "settings", [{}, {"version": 1}, {"partition_filter": "v >= 2"}, {"partition_filter": "v + 0 = 2"}]
)
def test_a_delta_table_is_read_alike(store, session, settings):
    for number in range(3):
        frame = pl.DataFrame({"v": [number], "d": [date(2025, 1, number + 1)]})
        store("delta", write_mode="append", partition_by="d").catalog.write("t", frame)
    agree_on_reading(store("delta", section="input", **settings), session)


@pytest.mark.parametrize("format_", ["parquet", "delta"])
def test_all_types_are_read_alike_in_every_kind(store, session, format_):
    table = store(format_)
    table.catalog.write(
        "t",
        pl.DataFrame(
            {"id": [1, 2], **{name: column for name, column in COLUMNS.items() if name not in ("bytes", "map")}}
        ),
    )
    agree_on_reading(table, session)


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta"])
def test_frames_of_all_kinds_are_added_to_one_table(store, session, format_):
    table = store(format_, write_mode="append", schema="id BIGINT, v STRING, t TIMESTAMP")
    frame = pl.DataFrame({"id": [1], "v": ["é"], "t": [datetime(2025, 1, 1, tzinfo=UTC)]})
    for number, kind in enumerate((SPARK, *KINDS, SPARK)):
        table.catalog.write("t", of_kind(frame.with_columns(id=pl.lit(number, pl.Int64)), kind, session))
    assert sorted(table.catalog.read("t", "polars.DataFrame").value["id"]) == list(range(6))
    agree_on_reading(table, session)
