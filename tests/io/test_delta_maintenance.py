"""What is done after a write: rows stay as they are, readers keep their files, and a failure fails no write."""

import json
import os
import time

import polars as pl
import pytest
from deltalake import DeltaTable

from tauro.io.delta.commits import history
from tauro.io.delta.maintenance import maintain
from tauro.io.location import Location

ROWS = pl.DataFrame({"p": ["a", "b"] * 10, "x": range(20), "y": [n * 7 % 20 for n in range(20)]})
DAY_MS = 24 * 3600 * 1000


def rows(table, version=None):
    frame = pl.from_arrow(DeltaTable(table.path, version=version).to_pyarrow_table())
    return sorted(frame.select("p", "x", "y").rows())


def operations(table):
    return [commit.operation for commit in history(table.dataset.location)][::-1]


def files(table):
    return {path for path in table.path.rglob("*.parquet") if "_delta_log" not in path.parts}


def age(table, version, days):
    """Let the files that a version removed be removed ``days`` ago."""
    commit = table.path / "_delta_log" / f"{version:020}.json"
    actions = [json.loads(line) for line in commit.read_text().splitlines()]
    for action in actions:
        if "remove" in action:
            action["remove"]["deletionTimestamp"] -= days * DAY_MS
    commit.write_text("".join(json.dumps(action) + "\n" for action in actions))


def test_small_files_are_joined_and_the_rows_stay(store):
    for _ in range(3):
        store("delta", write_mode="append", partition_by="p").write(ROWS)
    table = store("delta", write_mode="append", partition_by="p", optimize=True)
    assert table.write(ROWS) == 20
    assert operations(table)[-2:] == ["WRITE", "OPTIMIZE"]
    assert len(DeltaTable(table.path).file_uris()) == 2
    assert rows(table) == sorted(ROWS.rows() * 4)
    assert sorted(table.read().select("p", "x", "y").rows()) == rows(table)


def test_files_are_ordered_by_columns(store):
    table = store("delta", partition_by="p", zorder_by=["x", "y"], optimize=True)
    table.write(ROWS)
    assert operations(table) == ["CREATE TABLE", "OPTIMIZE"]
    assert history(table.dataset.location)[0].metrics["plannerStrategy"] == "zOrder"
    assert rows(table) == sorted(ROWS.rows())


def test_files_of_versions_older_than_the_retention_are_removed_and_younger_ones_kept(store):
    """Who reads version 1 since before keeps its files."""
    store("delta").write(ROWS)  # 0, overwritten 8 days ago
    store("delta").write(ROWS.head(9))  # 1, overwritten 6 days ago
    store("delta").write(ROWS.head(5))
    oldest, middle = (set(DeltaTable(store("delta").path, version=version).file_uris()) for version in (0, 1))
    age(store("delta"), 1, 8)
    age(store("delta"), 2, 6)
    table = store("delta", write_mode="append", vacuum=True)
    reader = DeltaTable(table.path, version=1)
    table.write(ROWS)
    left = {str(path) for path in files(table)}
    assert not oldest & left
    assert middle <= left
    assert reader.to_pyarrow_table().num_rows == len(rows(table, 1)) == 9
    assert store("delta", section="input", version=1).read().height == 9
    assert len(rows(table)) == 25


@pytest.mark.parametrize(("hours", "removed"), [(9 * 24, False), (7.5 * 24, True), (1e9, False)])
def test_the_retention_is_that_of_the_settings(store, hours, removed):
    store("delta").write(ROWS)
    store("delta").write(ROWS)
    old = set(DeltaTable(store("delta").path, version=0).file_uris())
    age(store("delta"), 1, 8)
    table = store("delta", vacuum=True, vacuum_retention_hours=hours)
    table.write(ROWS)
    assert (not old & {str(path) for path in files(table)}) == removed


def test_a_vacuum_with_nothing_to_remove_leaves_no_commit(store):
    table = store("delta", vacuum=True)
    for _ in range(3):
        table.write(ROWS)
    assert operations(table) == ["CREATE TABLE", "WRITE", "WRITE"]


def test_a_retention_of_no_time_removes_all_but_the_newest_version(store):
    store("delta").write(ROWS)
    table = store("delta", vacuum=True, vacuum_retention_hours=0)
    table.write(ROWS.head(3))
    assert {str(path) for path in files(table)} == set(DeltaTable(table.path).file_uris())
    assert len(rows(table)) == 3


def test_files_that_the_log_does_not_name_are_left_alone(store):
    """Another process may be about to commit them; a long job may have begun long ago."""
    store("delta").write(ROWS)
    table = store("delta", vacuum=True, vacuum_retention_hours=0)
    stray = table.path / "part-00000-in-flight.snappy.parquet"
    stray.write_bytes(next(iter(files(table))).read_bytes())
    long_ago = time.time() - 30 * 24 * 3600
    os.utime(stray, (long_ago, long_ago))
    table.write(ROWS)
    assert stray.exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"zorder_by": ["nothing"]}, "'t' was written, but zorder_by failed: "),
        ({"zorder_by": ["p"], "vacuum": True}, "'t' was written, but zorder_by failed: "),
    ],
)
def test_what_fails_is_told_and_the_write_stands(store, caplog, options, told):
    table = store("delta", partition_by="p", **options)
    assert table.write(ROWS) == 20
    (record,) = [record for record in caplog.records if record.name.startswith("tauro")]
    assert (record.levelname, record.getMessage()[: len(told)]) == ("WARNING", told)
    assert "\n" not in record.getMessage()
    assert rows(table) == sorted(ROWS.rows())


def test_a_table_with_features_that_delta_rs_cannot_write_is_left_as_it_is(store):
    table = store("delta", optimize=True, vacuum=True, vacuum_retention_hours=0)
    for mode in ("overwrite", "overwrite", "append"):
        store("delta", write_mode=mode).write(ROWS)
    log = table.path / "_delta_log" / f"{0:020}.json"
    features = {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": ["rowLife"],
        "writerFeatures": ["rowLife"],
    }
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text("".join(json.dumps({"protocol": features} if "protocol" in line else line) + "\n" for line in lines))
    for checksum in table.path.glob("_delta_log/*.crc"):  # they tell the features too
        checksum.unlink()
    before = files(table)
    failures = maintain(table.dataset.location, table.dataset.config)
    assert [failure.partition(" failed: ")[0] for failure in failures] == [
        "'t' was written, but optimize", "'t' was written, but vacuum"
    ]  # fmt: skip
    assert all("rowLife" in failure for failure in failures)
    assert files(table) == before


def test_a_table_elsewhere_is_left_as_it_is_and_that_is_told(store):
    config = store("delta", zorder_by=["x"], vacuum=True).dataset.config
    assert maintain(Location("s3://bucket/t", None, "s3://bucket/t"), config) == [
        "'t' is not on this machine: zorder_by and vacuum left out"
    ]
    plain = store("delta").dataset.config
    assert maintain(Location("s3://bucket/t", None, "s3://bucket/t"), plain) == []


def test_a_table_in_a_folder_of_an_odd_name_is_maintained(store):
    table = store("delta", filepath="data/ä b=%20".replace("%20", "c"), partition_by="p", optimize=True, vacuum=True)
    for _ in range(2):
        table.write(ROWS.with_columns(p=pl.lit("ü/ö %41")))
    assert len(rows(table)) == 20


def test_a_merge_is_maintained_too(store):
    table = store("delta", write_mode="merge", merge_keys="x", optimize=True)
    for start in (0, 10):
        table.write(ROWS[start : start + 10])
    assert operations(table) == ["CREATE TABLE", "MERGE", "MERGE", "OPTIMIZE"]
    assert rows(table) == sorted(ROWS.rows())
