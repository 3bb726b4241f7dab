"""What a table's log tells: its history, and which write a commit is of, so that a repeated one is not done again."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from tauro.errors import DatasetNotFound
from tauro.io.delta.commits import Changes, WriteId, commit_of, history
from tauro.io.formats import Target
from tauro.io.location import Location

ROWS = pl.DataFrame({"id": [1, 2], "v": [10, 20]})
FIRST = WriteId("run-20250101-000000-000001/node/t")


def rows(table):
    return sorted(pl.from_arrow(DeltaTable(table.path).to_pyarrow_table()).select("id", "v").rows())


def write(table, frame, write_id, *, location=None):
    """Write as a run does it that hands over what tells its write from others."""
    stored = table.dataset
    place = location or stored.location
    target = Target(place, stored.config, table.catalog.window, write_id)
    return stored.format.write(table.catalog.session().createDataFrame(frame.to_arrow()), target)


def elsewhere(table):
    """Return the table's place as if it were not on this machine."""
    return Location(f"file://{table.path}", None, "elsewhere")


# -- a repeated write ---------------------------------------------------------------------------


def test_a_repeated_append_that_was_committed_is_not_done_again(store):
    table = store("delta", write_mode="append")
    assert write(table, ROWS, FIRST) == 2
    for _ in range(2):
        assert write(table, ROWS, FIRST._replace(repeats=True)) == 2
    assert rows(table) == ROWS.rows()


def test_a_repeated_append_that_was_not_committed_is_done(store):
    table = store("delta", write_mode="append")
    assert write(table, ROWS, FIRST._replace(repeats=True)) == 2
    write(table, ROWS, WriteId("run-20250101-000000-000002/node/t", repeats=True))
    write(table, ROWS, WriteId("run-20250101-000000-000001/node2/t", repeats=True))
    assert len(rows(table)) == 6


def test_a_repeated_append_is_found_behind_the_commits_of_others_and_their_checkpoint(store):
    table = store("delta", write_mode="append")
    write(table, ROWS, FIRST)
    for number in range(12):
        write(table, ROWS, WriteId(f"other-{number}"))
    DeltaTable(table.path).create_checkpoint()
    DeltaTable(table.path).optimize.compact()
    assert write(table, ROWS, FIRST._replace(repeats=True)) == 2
    assert len(rows(table)) == 26


def test_a_repeated_merge_that_was_committed_is_not_done_again(store):
    """Done twice, this one would insert what it has deleted."""
    table = store("delta", write_mode="merge", merge_keys="id", when_matched="delete")
    store("delta").write(ROWS)
    new = pl.DataFrame({"id": [2, 3], "v": [20, 30]})
    assert write(table, new, FIRST) == 2
    assert write(table, new, FIRST._replace(repeats=True)) == 2
    assert rows(table) == [(1, 10), (3, 30)]


def test_a_merge_of_which_only_the_empty_table_was_made_is_done(store):
    table = store("delta", write_mode="merge", merge_keys="id")
    write(table, ROWS, FIRST)
    log = table.path / "_delta_log"
    (log / f"{1:020}.json").unlink()  # as a kill before it leaves the table
    assert write(table, ROWS, FIRST._replace(repeats=True)) == 2
    assert rows(table) == ROWS.rows()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"overwrite_strategy": "replaceWhere", "replace_predicate": "v < 100"},
        {"overwrite_strategy": "dynamic", "partition_by": "id"},
    ],
)
def test_a_repeated_overwrite_takes_the_new_rows(store, options):
    """It leaves each row once however often it is done, and what it repeats may have been mended."""
    table = store("delta", **options)
    write(table, ROWS, FIRST)
    write(table, ROWS.with_columns(v=pl.col("v") + 1), FIRST._replace(repeats=True))
    assert rows(table) == [(1, 11), (2, 21)]


@pytest.mark.parametrize("options", [{"write_mode": "append"}, {"write_mode": "merge", "merge_keys": "id"}])
def test_in_a_table_elsewhere_the_engine_looks_for_the_commit(store, options):
    table = store("delta", **options)
    new = ROWS.with_columns(id=pl.col("id") + 10)
    write(table, ROWS, WriteId("before"), location=elsewhere(table))
    for repeats in (False, True, True):
        assert write(table, new, FIRST._replace(repeats=repeats), location=elsewhere(table)) is None
    assert rows(table) == [*ROWS.rows(), *new.rows()]


def test_the_users_own_note_of_a_commit_stays_beside_the_mark(store):
    table = store("delta", write_mode="append", options={"userMetadata": "nightly"})
    write(table, ROWS, FIRST)
    write(table, ROWS, FIRST._replace(repeats=True))
    (commit,) = history(table.dataset.location)
    assert commit.note == f"nightly {FIRST.mark}"


def test_only_a_writes_own_rows_are_counted_when_another_program_writes_too(store, monkeypatch):
    table = store("delta", write_mode="append")
    table.write(ROWS)

    def after_another(path, *more):
        write_deltalake(path, ROWS.to_arrow(), mode="append")
        return commit_of(path, *more)

    monkeypatch.setattr("tauro.io.delta.write.commit_of", after_another)
    assert table.write(ROWS.head(1)) == 1
    assert len(rows(table)) == 5


def test_delta_rs_can_leave_the_same_mark(store):
    table = store("delta", write_mode="append")
    properties = CommitProperties(custom_metadata={"userMetadata": FIRST.note(None)})
    write_deltalake(table.path, ROWS.to_arrow(), commit_properties=properties)
    assert write(table, ROWS, FIRST._replace(repeats=True)) == 2
    assert rows(table) == ROWS.rows()


# -- history ------------------------------------------------------------------------------------


def test_the_history_tells_what_was_done_and_to_how_many_rows_newest_first(store):
    started = datetime.now(UTC) - timedelta(seconds=1)
    write(store("delta"), ROWS, FIRST)
    store("delta", write_mode="append").write(ROWS)
    store("delta", write_mode="merge", merge_keys="v", when_matched="delete").write(
        pl.DataFrame({"id": [2], "v": [30]})
    )
    table = store("delta")
    DeltaTable(table.path).delete("id = 1")
    DeltaTable(table.path).update({"v": "99"}, predicate="v = 30")
    DeltaTable(table.path).optimize.compact()
    commits = history(table.dataset.location)
    assert [commit.version for commit in commits] == [5, 4, 3, 2, 1, 0]
    assert [(commit.operation, commit.rows) for commit in commits] == [
        ("OPTIMIZE", Changes()),
        ("UPDATE", Changes(updated=1)),
        ("DELETE", Changes(deleted=2)),
        ("MERGE", Changes(1, 0, 0)),
        ("WRITE", Changes(2)),
        ("CREATE TABLE", Changes(2)),
    ]
    assert all(started <= commit.time <= datetime.now(UTC) for commit in commits)
    assert commits[-1].note == f"{FIRST.mark} {FIRST.id}"
    assert "sail" in commits[-1].writer
    assert json.loads(json.dumps(commits[0].to_dict()))["rows"] == {"inserted": None, "updated": None, "deleted": None}


def test_the_last_commits_are_enough_where_a_limit_says_so(store):
    table = store("delta", write_mode="append")
    for _ in range(4):
        table.write(ROWS)
    assert [commit.version for commit in history(table.dataset.location, 2)] == [3, 2]
    assert [commit.version for commit in history(elsewhere(table), 2)] == [3, 2]


def test_the_history_ends_where_the_log_was_cleaned(store):
    table = store("delta", write_mode="append")
    for _ in range(4):
        table.write(ROWS)
    DeltaTable(table.path).create_checkpoint()
    (table.path / "_delta_log" / f"{1:020}.json").unlink()
    assert [commit.version for commit in history(table.dataset.location)] == [3, 2]
    assert commit_of(table.path, FIRST) is None


def test_delta_rs_reads_the_same_history(store):
    table = store("delta", write_mode="append")
    table.write(ROWS)
    write_deltalake(table.path, ROWS.to_arrow(), mode="append")
    assert history(elsewhere(table)) == history(table.dataset.location)


def test_commits_of_other_programs_may_say_nothing_of_themselves(store):
    table = store("delta")
    table.write(ROWS)
    (table.path / "_delta_log" / f"{1:020}.json").write_text('{"txn":{"appId":"x","version":1}}\n')
    (silent, _) = history(table.dataset.location)
    assert (silent.version, silent.operation, silent.rows) == (1, "UNKNOWN", Changes())


def test_a_folder_without_table_has_no_history(store):
    with pytest.raises(DatasetNotFound, match="no delta table at data/t"):
        history(store("delta").dataset.location)
