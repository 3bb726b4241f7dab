"""Columns that are known without reading the data."""

import polars
import pytest
from deltalake import DeltaTable, write_deltalake

from tauro.io.columns import known_columns
from tauro.io.stored import open_dataset

FRAME = polars.DataFrame({"k": [1], "v": ["a"], "day": ["2025-01-01"]})


@pytest.fixture
def columns(open_project):
    def of(**settings):
        project = open_project("def n(x): pass", {"n": {"input": "x"}}, input={"x": {"filepath": "x", **settings}})
        return known_columns(open_dataset(project.config, "x"))

    return of


def test_the_settings_name_columns_and_types(columns):
    ddl = "id BIGINT NOT NULL COMMENT 'a, b', s STRUCT<a: INT, b: ARRAY<STRING>>, `odd name` DECIMAL(10,2)"
    found = columns(format="csv", schema=ddl)
    assert list(found) == ["id", "s", "odd name"]
    assert (found["id"], found["odd name"]) == ("bigint", "decimal(10, 2)")


@pytest.mark.parametrize("checkpointed", [False, True])
def test_the_log_of_a_table_names_them(columns, tmp_path, checkpointed):
    folder = tmp_path / "project/x"
    nested = FRAME.with_columns(s=polars.struct(a=polars.lit(1, polars.Int32), b=polars.lit([["t"]])))
    write_deltalake(folder, nested.to_arrow(), partition_by=["day"])
    if checkpointed:
        DeltaTable(folder).create_checkpoint()
    assert columns(format="delta") == {
        "k": "bigint",
        "v": "string",
        "day": "string",
        "s": "struct<a:int,b:array<array<string>>>",
    }


def test_the_first_parquet_file_and_the_names_of_its_folders_name_them(columns, tmp_path):
    folder = tmp_path / "project/x/day=2025-01-01"
    folder.mkdir(parents=True)
    FRAME.drop("day").write_parquet(folder / "part-0.parquet")
    assert columns(format="parquet") == {"k": "int64", "v": "large_string", "day": None}


@pytest.mark.parametrize(
    ("settings", "files"),
    [
        ({"format": "csv"}, {"x": "k,v\n1,a\n"}),
        ({"format": "parquet"}, {}),
        ({"format": "parquet"}, {"x/part-0.parquet": "no parquet"}),
        ({"format": "delta"}, {}),
        ({"format": "delta"}, {"x/_delta_log/00000000000000000000.json": "broken"}),
        ({"format": "delta", "version": 0}, {"x/_delta_log/00000000000000000000.json": "{}"}),
        ({"format": "csv", "schema": "k k k k"}, {}),
        ({"format": "csv", "filepath": "s3://lake/x"}, {}),
    ],
)
def test_where_only_reading_would_tell_nothing_is_known(columns, tmp_path, settings, files):
    for name, text in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert columns(**settings) is None
