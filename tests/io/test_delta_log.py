"""Row counts and versions from a Delta log are those that delta-rs reads, through checkpoints and overwrites."""

from __future__ import annotations

import polars
import pytest
from deltalake import DeltaTable

from tauro.io.delta.log import has_table, newest_version, partition_columns, row_count, rows_added


def rows_by_delta_rs(table) -> int:
    return DeltaTable(table).to_pyarrow_table().num_rows


def write(table, rows: int, mode: str) -> None:
    polars.DataFrame({"n": range(rows)}).write_delta(table, mode=mode)


def test_counts_follow_every_commit_through_a_checkpoint(tmp_path):
    table = tmp_path / "table"
    for commit in range(13):
        before = newest_version(table)
        write(table, 5 + commit, "overwrite" if commit == 7 else "append")
        if commit == 10:
            DeltaTable(table).create_checkpoint()
        assert newest_version(table) == before + 1 == commit
        assert rows_added(table, before) == 5 + commit
        assert row_count(table) == rows_by_delta_rs(table)
    assert (table / "_delta_log" / "_last_checkpoint").exists()


def test_an_older_version_than_the_checkpoint_is_counted_too(tmp_path):
    table = tmp_path / "table"
    for rows in (3, 4, 5):
        write(table, rows, "append")
    DeltaTable(table).create_checkpoint()
    assert [row_count(table, version) for version in range(3)] == [3, 7, 12]


def test_a_folder_without_log_has_no_version(tmp_path):
    assert newest_version(tmp_path) == -1
    assert rows_added(tmp_path, -1) == 0


def test_a_folder_of_a_log_without_commit_is_no_table(tmp_path):
    """So a process leaves it that is killed in the middle of the first write."""
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "_delta_log" / "_commit_0.json.tmp").touch()
    assert not has_table(tmp_path)


def test_a_cleaned_log_that_lost_the_hint_of_its_checkpoint_is_a_table(tmp_path):
    table = tmp_path / "table"
    for rows in (3, 4, 5):
        write(table, rows, "append")
    DeltaTable(table).create_checkpoint()
    for name in ("_last_checkpoint", f"{0:020}.json", f"{1:020}.json"):
        (table / "_delta_log" / name).unlink()
    assert has_table(table)
    assert newest_version(table) == 2


@pytest.mark.parametrize("hint", ["", "{", '{"size": 3}'])
def test_a_damaged_hint_of_the_last_checkpoint_is_passed_over(tmp_path, hint):
    table = tmp_path / "table"
    write(table, 3, "append")
    write(table, 4, "append")
    (table / "_delta_log" / "_last_checkpoint").write_text(hint)
    assert (newest_version(table), row_count(table)) == (1, 7)


def test_partition_columns_are_those_of_the_newest_schema(tmp_path):
    table = tmp_path / "table"
    frame = polars.DataFrame({"a": [1], "b c": [2]})
    assert partition_columns(table) is None
    frame.write_delta(table)
    assert partition_columns(table) == ()
    options = {"partition_by": ["b c"], "schema_mode": "overwrite"}
    frame.write_delta(table, mode="overwrite", delta_write_options=options)
    for _ in range(2):
        frame.write_delta(table, mode="append")
        assert partition_columns(table) == ("b c",)
        DeltaTable(table).create_checkpoint()
