"""What is saved of a damaged file."""

import random
import shutil
import stat
from datetime import timedelta

import pytest

from tauro.errors import ConfigurationError, TauroError, Unsupported
from tauro.store import open_store, recover_store
from tauro.store.records import Due, Firing, NewSchedule, RunFilter, TaskEnded, TasksPlanned

from .values import LEASE, NEW, NOW, OWNER, claimed


@pytest.fixture
def folder(tmp_path, filled):
    """The folder of a store with runs of every state."""
    return shutil.copytree(filled, tmp_path / "state")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled") / "state"
    with open_store(folder, {}) as store:
        for number in range(200):
            run_id, epoch = claimed(store)
            store.record(run_id, epoch, [TasksPlanned(("a", "b"), NOW), TaskEnded("a", NOW, "completed")])
            if number % 5:
                store.finish(run_id, epoch, ("completed", "failed", "cancelled")[number % 3], now=NOW)
            store.create_run(NEW, now=NOW)
        new = NewSchedule("p", "e", "CRON", "@daily")
        schedule = store.add_schedule(new, anchor=NOW, next_fire=NOW, now=NOW)
        store.fire([Due(schedule, (Firing(NOW),), NOW + timedelta(days=1))], now=NOW)
    return folder


def runs(folder):
    with open_store(folder, {}) as store:
        return {run.id: run for run in store.list_runs(RunFilter())}


def test_of_a_whole_file_everything_is_saved_and_the_old_one_kept(folder):
    before, content = runs(folder), (folder / "state.db").read_bytes()
    saved = recover_store(folder, {}, now=NOW)
    assert saved.kept == folder / "state.db.damaged-20260126-101530-123456"
    assert saved.kept.read_bytes() == content
    assert (saved.gaps, saved.dropped, saved.mended) == (0, 0, 0)
    assert saved.rows["runs"] == 401
    assert runs(folder) == before
    with open_store(folder, {}) as store:
        assert store.check() == []
        assert len(store.ticks(store.list_schedules()[0].id)) == 1
        run = store.create_run(NEW, now=NOW).run
        assert store.events(run.id)[-1].new == "pending"
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert not [file for file in folder.iterdir() if file.name.endswith((".new", ".copy"))]


def test_damage_at_the_end_leaves_what_stands_before_it(folder):
    before, file = runs(folder), folder / "state.db"
    with file.open("r+b") as damaged:
        damaged.truncate(file.stat().st_size * 3 // 4 // 4096 * 4096)
    saved = recover_store(folder, {}, now=NOW)
    after = runs(folder)
    assert saved.gaps > 0
    assert len(before) / 2 < len(after) <= len(before)
    assert all(before[run_id] == run for run_id, run in after.items())
    with open_store(folder, {}) as store:
        assert store.check() == []


@pytest.mark.parametrize("seed", range(12))
def test_whatever_pages_are_damaged_what_is_saved_is_sound(folder, seed):
    before = runs(folder)
    chance = random.Random(seed)
    file = folder / "state.db"
    pages = file.stat().st_size // 4096
    with file.open("r+b") as damaged:
        for page in chance.sample(range(1, pages), 1 + seed * 2):
            damaged.seek(page * 4096 + chance.choice((0, 0, 100, 2000)))
            damaged.write(chance.randbytes(chance.choice((8, 500, 2000))))
    content = file.read_bytes()
    saved = recover_store(folder, {}, now=NOW)
    assert saved.kept.read_bytes() == content
    assert saved.rows["runs"] <= len(before)
    with open_store(folder, {}) as store:
        assert store.check() == []
        assert store.claim(store.create_run(NEW, now=NOW).run.id, OWNER, lease=LEASE, now=NOW)


def test_of_a_file_that_is_no_database_a_new_store_is_made_and_the_old_one_kept(folder):
    (folder / "state.db").write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigurationError, match="no database"):
        open_store(folder, {})
    saved = recover_store(folder, {}, now=NOW)
    assert saved.kept.read_bytes() == b"no database" * 1000
    assert sum(saved.rows.values()) == 0
    assert runs(folder) == {}


def test_what_still_has_the_damaged_file_open_writes_to_it_no_more(folder):
    with open_store(folder, {}) as store:
        recover_store(folder, {}, now=NOW)
        with pytest.raises(TauroError, match="another file"):
            store.create_run(NEW, now=NOW)


def test_there_must_be_something_to_recover(tmp_path):
    with pytest.raises(ConfigurationError, match="no store"):
        recover_store(tmp_path / "state", {}, now=NOW)
    with pytest.raises(Unsupported, match="PostgreSQL"):
        recover_store(tmp_path, {"TAURO_DB_URL": "postgresql://host/db"}, now=NOW)
