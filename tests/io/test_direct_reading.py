"""What reading without Spark does and does not do: it is lazy, it reads what is asked for, and it starts no session."""

import os
import subprocess
import sys

import polars as pl
import pytest
from deltalake import DeltaTable

from tauro.errors import DatasetNotFound, NodeError
from tauro.io.catalog import Catalog, MemoryDatasets
from tauro.io.direct.csv import Dialect, _is_plain

ROWS = pl.DataFrame({"id": range(1000), "name": [f"n{number}" for number in range(1000)], "x": [0.5] * 1000})


def no_session():
    raise AssertionError("a Spark session was opened")


@pytest.fixture
def direct(store):
    """Return a catalog of one dataset ``t`` that has no Spark session to give."""

    def make(format_, **settings):
        made = store(format_, **settings).catalog
        return Catalog(made.reads, made.writes, MemoryDatasets({}), no_session, made.window, made.spool)

    return make


# -- lazily -------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta"])
def test_a_lazy_frame_reads_rows_when_it_is_collected(direct, format_):
    known = {"schema": "id BIGINT, name STRING, x DOUBLE"} if format_ in ("csv", "json") else {}
    catalog = direct(format_, **known)
    catalog.write("t", ROWS)
    lazy = catalog.read("t", "polars.LazyFrame").value
    files = list(catalog.reads["t"].location.path.glob(f"*.{format_ if format_ != 'delta' else 'parquet'}"))
    kept = [(file, file.read_bytes()) for file in files]
    for file in files:
        file.unlink()
    with pytest.raises(Exception, match="No such file"):
        lazy.collect()
    for file, data in kept:
        file.write_bytes(data)
    assert lazy.collect().height == 1000


@pytest.mark.parametrize("format_", ["parquet", "delta"])
def test_only_the_columns_and_rows_that_are_used_are_read(direct, format_):
    catalog = direct(format_)
    catalog.write("t", ROWS)
    lazy = catalog.read("t", "polars.LazyFrame").value
    plan = lazy.filter(pl.col("id") > 990).select("x").explain()
    assert "PROJECT 2/3 COLUMNS" in plan
    assert 'SELECTION: col("id") > 990' in plan
    assert lazy.filter(pl.col("id") > 990).select("x").collect().height == 9


def test_only_the_columns_that_are_used_become_values(direct, put):
    """The other column holds no number; nobody asks for it."""
    put("in/a.csv", "id,n\n1,2\n3,x\n")
    lazy = direct("csv", section="input", filepath="in", schema="id INT, n INT").read("t", "polars.LazyFrame").value
    assert lazy.select("id").collect().rows() == [(1,), (3,)]
    assert lazy.filter(pl.col("id") == 1).select("n").head(1).collect_schema() == {"n": pl.Int32}
    with pytest.raises(NodeError, match=r"A field of 'n' in a\.csv of 't' cannot be read as INT32: 'x'"):
        lazy.collect()


@pytest.mark.parametrize("quoted", [False, True])
def test_conditions_and_counts_on_csv_files_find_their_rows(direct, put, quoted):
    mark = '"' if quoted else ""
    for file in range(3):
        lines = "".join(f"{file * 10 + number},{mark}n{number}{mark}\n" for number in range(10))
        put(f"in/y={file}/a.csv", "id,name\n" + lines)
    lazy = direct("csv", section="input", filepath="in", schema="id INT, name STRING, y INT").read(
        "t", "polars.LazyFrame"
    )
    frame = lazy.value
    assert lazy.rows is None
    assert frame.select(pl.len()).collect().item() == 30
    assert frame.head(12).collect()["id"].to_list() == list(range(12))
    assert frame.filter(pl.col("name") == "n3").select("y").collect()["y"].to_list() == [0, 1, 2]
    assert frame.select("y").unique().sort("y").collect()["y"].to_list() == [0, 1, 2]
    assert frame.slice(8, 4).filter(pl.col("y") == 1).collect()["id"].to_list() == [10, 11]


def test_a_partition_that_is_not_asked_for_is_not_opened(direct):
    for format_ in ("parquet", "delta"):
        catalog = direct(format_, partition_by="d", filepath=f"data/{format_}")
        catalog.write("t", pl.DataFrame({"d": ["x", "y"], "id": [1, 2]}))
        for file in catalog.reads["t"].location.path.glob("d=y/*"):
            file.write_bytes(b"no parquet")
        lazy = catalog.read("t", "polars.LazyFrame").value if format_ == "delta" else None
        if lazy is not None:
            assert lazy.filter(pl.col("d") == "x").collect().rows() == [(1, "x")]


# -- counts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("format_", "rows"), [("csv", None), ("json", None), ("parquet", 1000), ("delta", 1000)])
def test_rows_are_counted_where_nothing_must_be_read_to_know(direct, format_, rows):
    catalog = direct(format_)
    assert catalog.write("t", ROWS.lazy()).rows == 1000
    assert catalog.read("t", "polars.LazyFrame").rows == rows
    assert catalog.read("t", "pandas.DataFrame").rows == 1000


# -- what only Spark can do ---------------------------------------------------------------------

BY_SPARK = [
    ("csv", {"options": {"inferSchema": True}}),
    ("csv", {"options": {"comment": "#"}}),
    ("csv", {"options": {"sep": "||"}}),
    ("csv", {"options": {"escape": "\\"}}),
    ("csv", {"schema": "a VARCHAR(3)"}),
    ("csv", {"schema": "a ARRAY<INT>"}),
    ("json", {"schema": "a DECIMAL(10,2)"}),
    ("parquet", {"options": {"mergeSchema": True}}),
    ("parquet", {"schema": "a INT"}),
    ("delta", {"options": {"versionAsOf": 0}}),
    ("delta", {"timestamp": "yesterday"}),
    ("csv", {"filepath": "s3://bucket/t"}),
    ("delta", {"filepath": "data/a^b"}),  # delta-rs would panic
]
DIRECTLY = [
    ("csv", {"options": {"sep": ";", "header": "false", "encoding": "UTF-8", "inferSchema": "false", "quote": "'"}}),
    ("csv", {"options": {"escape": '"', "nullValue": "NA"}, "schema": "a INT, `b c` TIMESTAMP"}),
    ("json", {"schema": "a STRUCT<x: INT>"}),
    ("parquet", {"options": {"compression": "gzip"}}),
    ("delta", {"version": 3}),
    ("delta", {"timestamp": "2025-01-01"}),
]


@pytest.mark.parametrize(("format_", "settings"), BY_SPARK)
def test_what_the_settings_ask_of_spark_is_known_before_anything_runs(store, format_, settings):
    assert not store(format_, section="input", **settings).dataset.reads_directly


@pytest.mark.parametrize(("format_", "settings"), DIRECTLY)
def test_what_means_the_same_without_spark_is_read_without_it(store, format_, settings):
    assert store(format_, section="input", **settings).dataset.reads_directly


@pytest.mark.parametrize(
    ("format_", "settings"),
    [
        ("delta", {"write_mode": "merge", "merge_keys": ["id"]}),
        ("delta", {"overwrite_strategy": "dynamic", "partition_by": "d"}),
        ("delta", {"options": {"dataChange": "false"}}),
        ("csv", {"options": {"nullValue": "NA"}}),
        ("csv", {"options": {"compression": "gzip"}}),
        ("json", {"options": {"compression": "gzip"}}),
        ("parquet", {"filepath": "abfss://c@a/t"}),
    ],
)
def test_what_only_spark_writes_is_known_before_anything_runs(store, format_, settings):
    assert not store(format_, **settings).dataset.writes_directly


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.csv", "a,a\n1,2\n"), ("a.csv", "a,\n1,2\n"), ("a.csv.gz", "a\n"), ("a.csv", ""), ("x=1/y.csv", "x\n1\n")],
)
def test_files_that_only_the_engine_can_name_go_by_way_of_it(direct, put, name, text):
    put(f"in/{name}", text)
    with pytest.raises(AssertionError, match="a Spark session was opened"):
        direct("csv", section="input", filepath="in").read("t", "polars.DataFrame")


def test_parquet_files_of_other_columns_go_by_way_of_spark(store, session, root):
    table = store("parquet", section="input", filepath="in")
    (root / "in").mkdir()
    pl.DataFrame({"a": [1]}).write_parquet(root / "in/1.parquet")
    pl.DataFrame({"a": [2], "b": [3]}).write_parquet(root / "in/2.parquet")
    found = table.catalog.read("t", "polars.DataFrame").value
    assert sorted(found.rows()) == [(1, None), (2, 3)]


# -- missing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta"])
def test_missing_data_is_an_error_and_starts_no_session(direct, format_):
    with pytest.raises(DatasetNotFound, match="Dataset 't' has no data"):
        direct(format_, section="input", filepath="in").read("t", "polars.LazyFrame")


def test_a_version_or_time_that_a_table_has_not_is_an_error(direct):
    direct("delta").write("t", ROWS)
    with pytest.raises(DatasetNotFound, match="has no version 7; its newest is 0"):
        direct("delta", section="input", version=7).read("t", "polars.DataFrame")
    with pytest.raises(DatasetNotFound, match="has no version of 2001-01-01; its first is younger"):
        direct("delta", section="input", timestamp="2001-01-01").read("t", "polars.DataFrame")


# -- paths --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["with blank", "für", "日本", "a=b", "a&b", "it's", "(x)", "a+b", "a,b;c", "a@b", 'a"b']
)
@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta"])
@pytest.mark.parametrize("partition_by", [[], ["d"]])
def test_a_table_is_where_its_path_says_whatever_letters_it_has(direct, format_, name, partition_by):
    known = {"schema": "id BIGINT, d STRING"} if format_ in ("csv", "json") else {}
    catalog = direct(format_, filepath=f"data/{name}/t", partition_by=partition_by, **known)
    frame = pl.DataFrame({"id": [1, 2], "d": ["x y", "a=%"]})
    catalog.write("t", frame)
    catalog.write("t", frame.reverse())
    assert sorted(catalog.read("t", "polars.DataFrame").value.rows()) == frame.rows()
    path = catalog.reads["t"].location.path
    assert [entry.name for entry in path.parent.parent.iterdir()] == [name]
    if format_ == "delta":
        assert DeltaTable(path).version() == 1


# -- plain files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a,b\n1,2\n", True),
        ("a,b\n1,2", True),
        ("a,b\r\n1,2\r\n", True),
        ("a,b\n1\n", False),
        ("a,b\n\n1,2\n", False),
        ("a,b\r\n\r\n1,2\r\n", False),
        ("\na,b\n1,2\n", False),
        ("a,b\n1,2\n\n", False),
        ('a,b\n"1",2\n', False),
        ("a,b\n1,x\ry\n", False),
        ("a,b\r1,2\r", False),
    ],
)
def test_a_file_is_plain_when_lines_and_separators_tell_its_rows(put, text, plain):
    assert _is_plain(put("a.csv", text), Dialect(), 2) is plain


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_long_file_is_plain_across_the_borders_of_what_is_looked_at_at_once(put, ending):
    for width in (1020, 1021, 1022, 1023):
        file = put("a.csv", f"a,b{ending}" + f"{'x' * width},y{ending}" * 3000)
        assert _is_plain(file, Dialect(), 2)


# -- whole processes ----------------------------------------------------------------------------

NODES = """
import polars as pl


def bronze(raw: pl.LazyFrame) -> pl.LazyFrame:
    return raw.with_columns(pl.col("id").cast(pl.Int64))


def silver(rows: "pl.DataFrame"):
    return rows.lazy().filter(pl.col("id") > 1)


def gold(rows: pl.LazyFrame, start_date):
    return {"sum": rows.select(pl.col("id").sum()), "count": rows.select(pl.len())}


def look(s: pl.DataFrame, n: pl.DataFrame):
    import sys

    loaded = sorted({"pyspark", "pysail", "pandas", "polars"} & set(sys.modules))
    print(loaded, s['id'][0], n.item())
"""


def test_a_pipeline_of_polars_nodes_imports_neither_pyspark_nor_the_engine(make_project):
    nodes = {
        "bronze": {"input": "raw", "output": "b"},
        "silver": {"input": "b", "output": "s"},
        "gold": {"input": "s", "output": ["sum", "count"]},
        "look": {"input": ["sum", "count"]},
    }
    output = {
        "b": {"format": "delta", "filepath": "data/b"},
        "s": {"format": "parquet", "filepath": "data/s"},
        "sum": {"format": "csv", "filepath": "data/sum"},
    }
    root = make_project(
        NODES.replace("s.item()", "s['id'][0]"),
        nodes,
        input={"raw": {"format": "csv", "filepath": "raw.csv"}},
        output=output,
    )
    (root / "raw.csv").write_text("id\n1\n2\n3\n")
    command = [sys.executable, "-m", "tauro", "run", "--pipeline", "p"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "['polars'] 5 2" in done.stderr


def test_a_time_without_zone_is_that_time_in_utc_on_every_machine(direct, tmp_path):
    program = (
        "import polars as pl, sys; from datetime import datetime; from tauro.io.direct.types import as_stored\n"
        "as_stored(pl.LazyFrame({'t': [datetime(2025, 7, 1, 12)]})).sink_parquet(sys.argv[1])\n"
    )
    file = tmp_path / "t.parquet"
    environ = {**os.environ, "TZ": "America/New_York"}
    subprocess.run([sys.executable, "-c", program, file], env=environ, check=True)
    assert str(pl.read_parquet(file)["t"][0]) == "2025-07-01 12:00:00+00:00"
