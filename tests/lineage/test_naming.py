"""What lineage tools call datasets, by the naming rules of OpenLineage."""

from pathlib import Path

import pytest

from tauro.io.location import Location
from tauro.lineage.naming import place_id, table_id


@pytest.mark.parametrize(
    ("uri", "namespace", "name"),
    [
        ("s3://lake/raw/sales", "s3://lake", "raw/sales"),
        ("s3a://lake/raw/sales/", "s3://lake", "raw/sales"),
        ("gs://lake/raw/*.parquet", "gs://lake", "raw"),
        ("gcs://lake/raw", "gs://lake", "raw"),
        ("abfss://raw@shop.dfs.core.windows.net/sales", "abfss://raw@shop.dfs.core.windows.net", "sales"),
        ("hdfs://namenode:8020/data/sales", "hdfs://namenode:8020", "/data/sales"),
        ("https://user:secret@example.com/sales.csv?sig=abc", "https://example.com", "/sales.csv"),
        ("s3://lake", "s3://lake", "/"),
    ],
)
def test_a_uri_is_named_by_its_store_and_its_key(uri, namespace, name):
    assert place_id(Location(uri, None, uri)) == (namespace, name)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/srv/shop/data/raw.csv", "/srv/shop/data/raw.csv"),
        ("/srv/shop/data/2025-*/part-?.csv", "/srv/shop/data"),
        ("/{a,b}/x", "/"),
    ],
)
def test_a_local_path_is_named_whole_and_a_pattern_by_the_folder_that_it_starts_in(path, name):
    assert place_id(Location(path, Path(path), path)) == ("file", name)


@pytest.mark.parametrize("uri", ["", "`main`.`sales`.`orders`"])
def test_what_is_no_place_of_files_has_no_name_of_one(uri):
    assert place_id(Location(uri, None, "sales")) is None


@pytest.mark.parametrize(
    ("url", "table", "named"),
    [
        ("jdbc:postgresql://db/shop", "sales", ("postgres://db:5432", "shop.public.sales")),
        ("jdbc:postgresql://db:6000/shop?user=u&password=p", 'raw."Sales"', ("postgres://db:6000", "shop.raw.Sales")),
        ("jdbc:mysql://u:p@db/shop", "sales", ("mysql://db:3306", "shop.sales")),
        ("jdbc:postgresql://db/shop", "(select 1) t", None),
        ("jdbc:postgresql://db:x/shop", "sales", ("postgres://db:5432", "shop.public.sales")),
        ("jdbc:sqlite:/tmp/shop.db", "sales", None),
        ("", "sales", None),
    ],
)
def test_a_table_is_named_by_its_server_database_and_schema_and_by_no_secret(url, table, named):
    assert table_id({"URL": url, "dbtable": table}) == named
