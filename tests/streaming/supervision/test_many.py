"""Many streams at once: ids of their own, a limit, and nothing that is left behind."""

import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tauro.errors import ValidationError
from tauro.processes.identity import is_alive
from tauro.store import open_store
from tauro.streaming.control import Streams

from .conftest import FAST, NEW


def descriptors():
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def processes(root):
    """Return the processes, other than this one, that belong to a project."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            is_there = (folder / "cwd").readlink() == root
            if is_there or str(root).encode() in (folder / "environ").read_bytes():
                found.append(folder.name)
    return found


def test_twenty_starts_and_stops_five_at_once_leave_nothing_behind(theatre):
    streams = theatre()
    streams.script(["spawns", ["batches", 2], "active"])
    before, threads = descriptors(), threading.active_count()
    ids, supervisors, problems = [], [], []

    def play(number):
        try:
            with Streams(streams.control.site, streams.control._open_store) as own:
                for round_ in range(4):
                    stream = own.start(NEW)
                    ids.append(stream.id)
                    supervisors.append(stream.owner)
                    assert stream.status == "ACTIVE"
                    assert own.stop(stream.id, timeout=0 if (number + round_) % 2 else 20).status == "STOPPED"
        except BaseException as error:
            problems.append(error)
            raise

    players = [threading.Thread(target=play, args=(number,)) for number in range(5)]
    for player in players:
        player.start()
    for player in players:
        player.join()
    assert problems == []
    day = f"{datetime.now(UTC):%Y%m%d}"
    if len({stream_id[5:13] for stream_id in ids}) == 1:  # else a day has ended meanwhile
        assert sorted(ids) == [f"exec-{day}-{number:03d}" for number in range(1, 21)]
    assert Counter(ids).most_common(1)[0][1] == 1
    streams.until(lambda: not any(map(is_alive, supervisors)))
    streams.until(lambda: threading.active_count() == threads)
    assert processes(streams.root) == []
    assert descriptors() == before
    assert {file.suffix for file in (streams.root / ".tauro/streams").iterdir()} == {".log"}
    assert streams.control.store.check() == []
    assert len(streams.control.list()) == 20


def test_no_more_streams_run_than_the_settings_allow_and_those_that_do_go_on(streams):
    streams.script([["admit", 2], "active"])
    running = [streams.start().id for _ in range(2)]
    with pytest.raises(ValidationError, match="too many"):
        streams.start()
    assert sorted(stream.id for stream in streams.control.list(active=True)) == running
    streams.control.stop(running[0])
    assert streams.start().status == "ACTIVE"


def test_a_stream_that_is_started_again_after_a_crash_keeps_its_room(streams):
    streams.script([["admit", 1], "active", "crash"], [["admit", 1], "active"])
    first = streams.start()
    streams.until(lambda: len(streams.starts(first.id)) == 2)
    assert streams.until_status(first.id, "ACTIVE").restarts == 1
    with pytest.raises(ValidationError, match="too many"):
        streams.start()


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_on_postgresql_streams_start_crash_stop_and_are_seen_alike(theatre, place):
    streams = theatre(**place.environ)
    streams.script([["batches", 2], "active", "crash"], [["batches", 2], "active"])
    stream = streams.start()
    streams.until(lambda: len(streams.starts(stream.id)) == 2)
    assert streams.until_status(stream.id, "ACTIVE").restarts == 1
    streams.until(lambda: len(streams.control.history(stream.id)) == 4)
    assert streams.control.stop(stream.id).status == "STOPPED"
    with place.open() as store:
        assert store.get_stream(stream.id).state == "stopped"
    assert not (streams.root / ".tauro/state.db").exists()


def test_a_store_that_is_held_for_a_while_does_not_end_a_stream(streams):
    stream = streams.start("active")
    with streams.control.store._database.write():
        time.sleep(1.5)  # longer than its lease
    assert streams.until_status(stream.id, "ACTIVE").epoch == stream.epoch
    assert len(streams.starts(stream.id)) == 1


def test_a_disk_that_is_full_for_a_while_does_not_end_a_stream(streams):
    stream = streams.start("active", ["sleep", 0.6], ["batches", 3])
    state = streams.root / ".tauro"
    with open_store(state, {}) as store:
        kept = store._database
        with kept.write() as sql:  # what any error of a store does to a supervisor
            sql.change("ALTER TABLE stream_progress RENAME TO hidden")
        time.sleep(1.2)
        assert streams.control.get(stream.id).owner == stream.owner
        with kept.write() as sql:
            sql.change("ALTER TABLE hidden RENAME TO stream_progress")
    streams.until(lambda: len(streams.control.history(stream.id)) == 3)
    assert streams.until_status(stream.id, "ACTIVE").epoch == stream.epoch
    assert any("cannot be used for the moment" in line for line in streams.control.log_lines(stream.id))


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_worker_does_not_go_on_for_long_without_a_store_that_other_machines_share(theatre, place):
    streams = theatre(**place.environ)
    stream = streams.start("active")
    with place.open() as store:
        with store._database.write() as sql:  # what a server that is gone does to a supervisor
            sql.change("ALTER TABLE streams RENAME TO hidden")
        streams.until(lambda: not is_alive(stream.worker), FAST.lease + 2)
        with store._database.write() as sql:
            sql.change("ALTER TABLE hidden RENAME TO streams")
    streams.until(lambda: len(streams.starts(stream.id)) == 2)
    again = streams.until_status(stream.id, "ACTIVE")
    assert (again.epoch, again.restarts, again.error) == (stream.epoch, 1, "The store cannot be reached")
