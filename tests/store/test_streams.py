"""What a store promises of streams, held over both kinds."""

from itertools import product

import pytest

from tauro.errors import StreamNotFound, TauroError, UsageFault
from tauro.store import open_store, recover_store
from tauro.store.migrations import postgres_migrations, sqlite_migrations
from tauro.store.opening import prepare
from tauro.store.records import NewStream, Progress
from tauro.store.sqlite import run_step
from tauro.store.states import FINAL_STREAM_STATES, STREAM_CHANGES, STREAM_STATES
from tauro.store.streams import ABANDONED, KEPT

from .test_together import together
from .values import LEASE, NOW, OTHER, OWNER, SECOND

DAY = 24 * 3600 * SECOND
STREAM = NewStream("orders", "prod", config="config/streaming.py")


def begun(store, new=STREAM, now=NOW, owner=OWNER):
    stream = store.create_stream(new, now=now)
    return stream.id, store.claim_stream(stream.id, owner, lease=LEASE, now=now)


def ended(store, state="stopped", now=NOW):
    stream_id, epoch = begun(store, now=now)
    assert store.change_stream(stream_id, epoch, state, now=now)
    return stream_id


def batch(number, query="orders", **more):
    return Progress(query, number, NOW + number * SECOND, 10, 5.0, 7.5, 10 * number, 0.25, **more)


def test_a_created_stream_starts_and_keeps_everything_it_was_created_from(store):
    new = NewStream("orders", "prod", "c.py", "v1", {"rate": 0.1, "deep": [1, None]}, True, 3)
    stream = store.create_stream(new, now=NOW)
    assert store.get_stream(stream.id) == stream
    assert (stream.id, stream.new, stream.state, stream.resets) == ("exec-20260126-001", new, "starting", True)
    assert (stream.owner, stream.worker, stream.ended_at, stream.progress) == (None, None, None, ())
    assert stream.created_at == stream.started_at == NOW


def test_ids_are_numbered_by_the_day_and_never_given_again(store):
    first = [store.create_stream(STREAM, now=NOW).id for _ in range(2)]
    store.request_stop(first[1], timeout=0, now=NOW)
    assert store.cleanup(before=NOW + SECOND).streams == 1
    third = store.create_stream(STREAM, now=NOW).id
    tomorrow = store.create_stream(STREAM, now=NOW + DAY).id
    assert [*first, third, tomorrow] == [
        "exec-20260126-001",
        "exec-20260126-002",
        "exec-20260126-003",
        "exec-20260127-001",
    ]


def _create(queue, gate, _number, place):
    gate.wait()
    with place.open() as store:
        queue.put([store.create_stream(STREAM, now=NOW).id for _ in range(5)])


def test_streams_that_many_processes_create_at_once_have_ids_of_their_own(place):
    place.open().close()
    ids = [made for some in together(_create, place) for made in some]
    assert sorted(ids) == [f"exec-20260126-{number:03d}" for number in range(1, 21)]


def test_an_unknown_stream_is_not_found_and_the_nearest_are_told(store):
    known = store.create_stream(STREAM, now=NOW).id
    for ask in (
        lambda: store.get_stream("exec-20260126-010"),
        lambda: store.claim_stream("exec-20260126-010", OWNER, lease=LEASE, now=NOW),
        lambda: store.reopen_stream("exec-20260126-010", now=NOW),
        lambda: store.request_stop("exec-20260126-010", timeout=1, now=NOW),
    ):
        with pytest.raises(StreamNotFound, match="exec-20260126-010") as caught:
            ask()
        assert (caught.value.exit_code, caught.value.details.nearest) == (3, (known,))


def test_streams_are_listed_the_newest_first_and_those_that_ended_can_be_left_out(store):
    over = ended(store)
    running = [begun(store, now=NOW + number * SECOND)[0] for number in range(3)]
    assert [stream.id for stream in store.list_streams()] == [*reversed(running), over]
    assert [stream.id for stream in store.list_streams(live=True, limit=2)] == [running[2], running[1]]
    ended_at = store.get_stream(over).ended_at
    assert [stream.id for stream in store.list_streams(since=ended_at)] == [*reversed(running), over]
    assert [stream.id for stream in store.list_streams(since=ended_at + SECOND, limit=9)] == [*reversed(running)]


def test_a_claim_names_the_owner_and_a_second_one_gets_nothing(store):
    stream_id, epoch = begun(store)
    stream = store.get_stream(stream_id)
    assert (stream.owner, stream.epoch, stream.lease_until) == (OWNER, epoch, NOW + LEASE)
    assert store.claim_stream(stream_id, OTHER, lease=LEASE, now=NOW) is None
    assert store.get_stream(stream_id) == stream


def test_a_stream_goes_through_its_states_and_what_it_waits_for_is_told(store):
    stream_id, epoch = begun(store)
    assert store.change_stream(stream_id, epoch, "active", now=NOW)
    assert store.note_stream(stream_id, epoch, worker=OTHER)
    assert store.get_stream(stream_id).active_at == NOW
    again = NOW + 4 * SECOND
    assert store.change_stream(stream_id, epoch, "restarting", now=NOW, restart_at=again, error="gone", error_code=4)
    stream = store.get_stream(stream_id)
    assert (stream.state, stream.restarts, stream.restart_at, stream.error) == ("restarting", 1, again, "gone")
    assert stream.worker is None
    assert store.change_stream(stream_id, epoch, "restarting", now=NOW, restart_at=again, error="again")
    assert store.change_stream(stream_id, epoch, "active", now=again)
    stream = store.get_stream(stream_id)
    assert (stream.state, stream.restarts, stream.restart_at, stream.error) == ("active", 2, None, "again")
    assert store.change_stream(stream_id, epoch, "completed", now=again)
    stream = store.get_stream(stream_id)
    assert (stream.state, stream.ended_at, stream.lease_until, stream.error) == ("completed", again, None, None)


def test_who_holds_an_older_epoch_changes_nothing(store):
    stream_id, epoch = begun(store)
    before = store.get_stream(stream_id)
    assert store.keep_stream(stream_id, epoch - 1, lease=LEASE, now=NOW, batches=[batch(1)]) is None
    assert not store.change_stream(stream_id, epoch - 1, "active", now=NOW)
    assert not store.note_stream(stream_id, epoch - 1, worker=OTHER, is_reset=True, batch_done=True)
    assert store.reap_streams([(stream_id, epoch - 1)], now=NOW) == []
    assert store.get_stream(stream_id) == before
    assert store.stream_progress(stream_id) == []


def test_whoever_asks_for_the_end_wins_over_what_becomes_of_the_stream(store):
    stream_id, epoch = begun(store)
    stream = store.request_stop(stream_id, timeout=60, now=NOW)
    assert (stream.state, stream.stop_timeout, stream.stop_at) == ("stopping", 60, NOW + 60 * SECOND)
    assert not store.change_stream(stream_id, epoch, "active", now=NOW)
    assert not store.change_stream(stream_id, epoch, "restarting", now=NOW)
    kept = store.keep_stream(stream_id, epoch, lease=LEASE, now=NOW)
    assert (kept.state, kept.stop_at) == ("stopping", NOW + 60 * SECOND)
    assert store.change_stream(stream_id, epoch, "stopped", now=NOW)


def test_an_earlier_end_stands_and_a_later_one_is_passed_over(store):
    stream_id, _ = begun(store)
    store.request_stop(stream_id, timeout=60, now=NOW)
    assert store.request_stop(stream_id, timeout=0, now=NOW + SECOND).stop_at == NOW + SECOND
    assert store.request_stop(stream_id, timeout=90, now=NOW + SECOND).stop_at == NOW + SECOND


def test_a_stream_that_nobody_has_claimed_ends_at_once_and_cannot_be_claimed(store):
    stream_id = store.create_stream(STREAM, now=NOW).id
    assert store.request_stop(stream_id, timeout=60, now=NOW).state == "stopped"
    assert store.claim_stream(stream_id, OWNER, lease=LEASE, now=NOW) is None
    assert store.request_stop(stream_id, timeout=60, now=NOW + SECOND).ended_at == NOW


def test_a_stream_that_has_ended_starts_again_as_the_same_execution(store):
    stream_id, epoch = begun(store, STREAM._replace(reset_checkpoint=True))
    store.note_stream(stream_id, epoch, is_reset=True, batch_done=True)
    assert not store.reopen_stream(stream_id, now=NOW)
    store.change_stream(stream_id, epoch, "failed", now=NOW, error="no", error_code=3)
    assert store.reopen_stream(stream_id, now=NOW + SECOND)
    stream = store.get_stream(stream_id)
    assert (stream.state, stream.created_at, stream.started_at) == ("starting", NOW, NOW + SECOND)
    assert (stream.error, stream.error_code, stream.ended_at, stream.stop_at) == (None, None, None, None)
    assert (stream.resets, stream.batch_done) == (False, True)
    assert store.claim_stream(stream_id, OTHER, lease=LEASE, now=NOW) == epoch + 1
    store.change_stream(stream_id, epoch + 1, "stopped", now=NOW)
    assert store.reopen_stream(stream_id, now=NOW, reset=True)
    assert store.get_stream(stream_id).resets


def test_no_more_streams_are_let_in_than_the_limit_and_an_end_makes_room(store):
    first, second, third = (begun(store) for _ in range(3))
    assert store.admit_stream(*first, limit=2) == []
    assert store.admit_stream(*second, limit=2) == []
    assert [stream.id for stream in store.admit_stream(*third, limit=2)] == [first[0], second[0]]
    assert store.admit_stream(*second, limit=2) == []
    store.change_stream(*first, "failed", now=NOW)
    assert store.admit_stream(*third, limit=2) == []


def _admit(queue, gate, number, place, keys):
    gate.wait()
    with place.open() as store:
        queue.put(not store.admit_stream(*keys[number], limit=2))


def test_of_many_that_ask_at_once_as_many_are_let_in_as_there_is_room_for(place):
    with place.open() as store:
        keys = [begun(store) for _ in range(4)]
    assert sorted(together(_admit, place, keys)) == [False, False, True, True]


def test_streams_of_owners_that_are_gone_fail_or_are_stopped_where_somebody_wanted_that(store):
    first, second = begun(store), begun(store)
    store.change_stream(*first, "active", now=NOW)
    store.request_stop(second[0], timeout=9, now=NOW)
    failed, stopped = store.reap_streams([first, second], now=NOW + SECOND)
    assert (failed.state, failed.error, failed.error_code) == ("failed", ABANDONED, 4)
    assert (stopped.state, stopped.ended_at) == ("stopped", NOW + SECOND)
    assert store.keep_stream(*first, lease=LEASE, now=NOW) is None
    assert store.reap_streams([first, second], now=NOW) == []


def test_batches_are_kept_in_their_order_with_the_last_one_of_each_query_in_full(store):
    stream_id, epoch = begun(store)
    told = batch(1, lag=1.5, watermark=NOW - SECOND, state_rows=3, output_rows=2)
    newest = batch(2, detail={"sources": [{"end": "7"}]})
    other = batch(3, query="b", detail={"phases": {"addBatch": 4}})
    store.keep_stream(stream_id, epoch, lease=LEASE, now=NOW, batches=[told])
    kept = store.keep_stream(stream_id, epoch, lease=LEASE, now=NOW, heard_at=NOW + SECOND, batches=[newest, other])
    assert kept.progress == (newest, other)
    assert (kept.heard_at, kept.lease_until) == (NOW + SECOND, NOW + LEASE)
    assert store.keep_stream(stream_id, epoch, lease=LEASE, now=NOW).progress == (newest, other)
    bare = [told, newest._replace(detail={}), other._replace(detail={})]
    assert store.stream_progress(stream_id) == bare
    assert store.stream_progress(stream_id, since=NOW + 2 * SECOND) == bare[1:]
    assert store.stream_progress(stream_id, limit=1) == bare[2:]


def test_a_batch_number_that_comes_again_after_a_reset_is_a_batch_of_its_own(store):
    stream_id, epoch = begun(store)
    again = batch(0)._replace(at=NOW + 60 * SECOND)
    store.keep_stream(stream_id, epoch, lease=LEASE, now=NOW, batches=[batch(0), batch(1), batch(1), again])
    assert [one.batch for one in store.stream_progress(stream_id)] == [0, 1, 0]


def test_of_each_query_so_many_batches_are_kept_and_no_more(store):
    stream_id, epoch = begun(store)
    many = [batch(number) for number in range(KEPT + 5)]
    store.keep_stream(stream_id, epoch, lease=LEASE, now=NOW, batches=[batch(0, query="b")])
    store.keep_stream(stream_id, epoch, lease=LEASE, now=NOW, batches=many)
    kept = store.stream_progress(stream_id)
    assert len(kept) == KEPT + 1
    assert [one.batch for one in kept[:3]] == [0, 5, 6]


def test_only_allowed_changes_of_a_state_are_written_whoever_writes(store):
    def put(state):
        over = state in FINAL_STREAM_STATES
        at = 1 if over else None
        stream_id, _ = begun(store)
        with store._database.write() as sql:
            sql.change("DELETE FROM streams WHERE id = ?", stream_id)
            sql.change(
                "INSERT INTO streams (id, pipeline, env, arguments, state, epoch, resets, batch_done, admitted,"
                " restarts, created_at, started_at, active_at, stop_at, ended_at, progress)"
                " VALUES (?, 'p', 'e', '{}', ?, 1, 0, 0, 0, 0, 1, 1, 1, 1, ?, '[]')",
                stream_id,
                state,
                at,
            )
        return stream_id

    for old, new in product(STREAM_STATES, STREAM_STATES):
        stream_id = put(old)

        def change(stream_id=stream_id, new=new):
            at = 1 if new in FINAL_STREAM_STATES else None
            with store._database.write() as sql:
                sql.change("UPDATE streams SET state = ?, ended_at = ? WHERE id = ?", new, at, stream_id)

        if new == old or new in STREAM_CHANGES[old]:
            change()
            assert store.get_stream(stream_id).state == new
        else:
            with pytest.raises(TauroError):
                change()
            assert store.get_stream(stream_id).state == old


def test_states_that_only_others_give_are_refused(store):
    stream_id, epoch = begun(store)
    for state in ("starting", "stopping"):
        with pytest.raises(UsageFault):
            store.change_stream(stream_id, epoch, state, now=NOW)


def test_texts_with_what_no_database_takes_are_kept_readable(store):
    stream_id, epoch = begun(store)
    store.change_stream(stream_id, epoch, "failed", now=NOW, error="a\0b\ud800", error_code=1)
    assert store.get_stream(stream_id).error == "a\\x00b\\ud800"


def test_figures_and_clean_up_know_streams(store):
    old = ended(store, "failed", NOW - 2 * DAY)
    live, epoch = begun(store, now=NOW - 3 * DAY)
    young = ended(store)
    store.keep_stream(live, epoch, lease=LEASE, now=NOW, batches=[batch(1), batch(2)])
    stats = store.stats()
    assert {state: count for state, count in stats.streams.items() if count} == {
        "starting": 1,
        "stopped": 1,
        "failed": 1,
    }
    assert stats.batches == 2
    assert store.cleanup(before=NOW - DAY, dry_run=True).streams == 1
    assert store.cleanup(before=NOW - DAY).streams == 1
    assert {stream.id for stream in store.list_streams()} == {live, young}
    with pytest.raises(StreamNotFound):
        store.get_stream(old)
    assert store.check() == []


def test_batches_go_with_their_stream(store):
    stream_id, epoch = begun(store)
    store.keep_stream(stream_id, epoch, lease=LEASE, now=NOW, batches=[batch(1)])
    store.change_stream(stream_id, epoch, "stopped", now=NOW)
    store.cleanup(before=NOW + SECOND)
    assert store.stats().batches == 0


def test_a_store_of_version_1_keeps_its_runs_and_gets_streams(place):
    run = _version_1(place)
    with place.open() as store:
        assert store.get_run(run).state == "pending"
        assert store.list_streams() == []
        assert store.create_stream(STREAM, now=NOW).state == "starting"
        assert store.stats().schema == 2
        assert store.check() == []


def test_what_a_damaged_store_of_version_1_has_is_saved_without_a_gap(tmp_path):
    import sqlite3

    folder = tmp_path / "state"
    connection = sqlite3.connect(prepare(folder), isolation_level=None)
    run_step(connection, 1, sqlite_migrations()[0])
    connection.close()
    saved = recover_store(folder, {}, now=NOW)
    assert (saved.gaps, saved.rows.get("streams")) == (0, None)


def test_a_recovered_store_has_its_streams_and_batches_and_gives_no_id_twice(tmp_path):
    folder = tmp_path / "state"
    with open_store(folder, {}) as store:
        stream_id, epoch = begun(store)
        store.keep_stream(stream_id, epoch, lease=LEASE, now=NOW, batches=[batch(1)])
        with store._database.write() as sql:
            sql.change("DELETE FROM stream_days")
        before = store.get_stream(stream_id)
    saved = recover_store(folder, {}, now=NOW)
    assert (saved.gaps, saved.rows["streams"], saved.rows["stream_progress"]) == (0, 1, 1)
    with open_store(folder, {}) as store:
        assert store.get_stream(stream_id) == before
        assert len(store.stream_progress(stream_id)) == 1
        assert store.create_stream(STREAM, now=NOW).id == "exec-20260126-002"
        assert store.check() == []


def _version_1(place):
    """Make the tables of version 1 with a run in them, and return its id."""
    if url := place.environ.get("TAURO_DB_URL"):
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            schema = connection.execute("SELECT current_setting('search_path')").fetchone()[0]
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            connection.execute("CREATE TABLE migrations (version BIGINT PRIMARY KEY)")
            for statement in postgres_migrations()[0]:
                connection.execute(statement)
            connection.execute("INSERT INTO migrations (version) VALUES (1)")
            _insert(lambda text: connection.execute(text.replace("?", "%s")))
    else:
        import sqlite3

        connection = sqlite3.connect(prepare(place.folder), isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        run_step(connection, 1, sqlite_migrations()[0])
        _insert(connection.execute)
        connection.close()
    return "run-1"


def _insert(execute):
    execute(
        "INSERT INTO runs (id, pipeline, env, retries, priority, state, attempt, epoch, cancel_requested, available_at,"
        " created_at, changed_at) VALUES ('run-1', 'p', 'e', 0, 0, 'pending', 1, 0, 0, 1, 1, 1)"
    )
