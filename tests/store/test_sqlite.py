"""The store in a file: which files it takes, and what it says of the others."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest

from tauro.errors import ConfigurationError, ExecutionError, SecurityError, Unsupported
from tauro.store import open_store
from tauro.store.opening import prepare
from tauro.store.records import RunFilter

from .values import NEW, NOW, claimed


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o177])
def test_folder_and_files_are_their_owners_alone_under_any_umask(folder, umask):
    before = os.umask(umask)
    try:
        with open_store(folder, {}) as store:
            store.create_run(NEW, now=NOW)
            files = sorted(folder.iterdir())
            assert [file.name for file in files] == ["state.db", "state.db-shm", "state.db-wal", "state.db.lock"]
            assert [mode(file) for file in files] == [0o600] * 4
            assert mode(folder) == 0o700
    finally:
        os.umask(before)


def test_what_was_written_is_there_when_the_store_is_opened_again(folder):
    with open_store(folder, {}) as store:
        run = store.create_run(NEW, now=NOW).run
    with open_store(folder, {}) as store:
        assert store.list_runs(RunFilter()) == [run]


@pytest.mark.parametrize("name", ["state.db", "state.db-wal", "state.db.lock"])
def test_a_link_a_file_open_to_others_and_what_is_no_file_are_refused_and_left_as_they_are(folder, tmp_path, name):
    folder.mkdir(mode=0o700)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine")
    file = folder / name
    file.symlink_to(elsewhere)
    with pytest.raises(SecurityError, match="symbolic link"):
        open_store(folder, {})
    file.unlink()
    file.write_bytes(b"")
    file.chmod(0o640)
    with pytest.raises(SecurityError, match="open to others"):
        open_store(folder, {})
    file.unlink()
    os.mkfifo(file, 0o600)
    with pytest.raises(SecurityError, match="no file"):
        open_store(folder, {})
    assert elsewhere.read_bytes() == b"mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_another_users_file_is_refused(folder):
    open_store(folder, {}).close()
    os.chown(folder / "state.db", 65534, 65534)
    with pytest.raises(SecurityError, match="another user"):
        open_store(folder, {})


def test_a_folder_that_is_a_link_is_refused(folder, tmp_path):
    (tmp_path / "real").mkdir()
    folder.symlink_to(tmp_path / "real")
    with pytest.raises(SecurityError):
        open_store(folder, {})


def put(folder, content):
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "state.db"
    file.write_bytes(content)
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("content", [b"x", b"no database at all\n" * 300, b"SQLite format 4\0" + b"\0" * 4080])
def test_what_is_no_database_is_told_and_left_as_it_is(folder, content):
    file = put(folder, content)
    with pytest.raises(ConfigurationError, match="no database") as caught:
        open_store(folder, {})
    assert "db-recover" in caught.value.hint
    assert file.read_bytes() == content
    assert sorted(path.name for path in folder.iterdir()) == ["state.db", "state.db.lock"]


def test_a_database_of_another_program_is_told_and_left_as_it_is(folder):
    folder.mkdir(mode=0o700)
    with sqlite3.connect(folder / "state.db") as other:
        other.execute("CREATE TABLE runs (theirs)")
    other.close()
    (folder / "state.db").chmod(0o600)
    before = (folder / "state.db").read_bytes()
    with pytest.raises(ConfigurationError, match="another program"):
        open_store(folder, {})
    assert (folder / "state.db").read_bytes() == before


def test_a_store_of_a_newer_version_is_told_and_left_as_it_is(folder):
    open_store(folder, {}).close()
    with sqlite3.connect(folder / "state.db") as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = (folder / "state.db").read_bytes()
    with pytest.raises(ConfigurationError, match="newer Tauro"):
        open_store(folder, {})
    assert (folder / "state.db").read_bytes() == before


def test_a_damaged_page_is_told_with_advice(folder):
    with open_store(folder, {}) as store:
        for _ in range(300):
            store.create_run(NEW, now=NOW)
    damage(folder / "state.db")
    with open_store(folder, {}) as store:
        assert "integrity" in {problem.kind for problem in store.check()}
        with pytest.raises(ConfigurationError, match="damaged") as caught:
            store.list_runs(RunFilter())
        assert "db-recover" in caught.value.hint


def damage(file, pages=range(35, 60)):
    """Write over pages of a database file: such as hold runs, behind those that tell its tables."""
    with file.open("r+b") as open_file:
        for page in pages:
            open_file.seek(page * 4096)
            open_file.write(b"\xff" * 4096)


def mounts(tmp_path, *lines):
    file = tmp_path / "mountinfo"
    file.write_text("\n".join(f"36 35 98:0 / {point} rw - {kind} source rw" for point, kind in lines))
    return file


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse"])
def test_a_file_system_of_several_machines_is_refused_with_the_way_to_postgresql(folder, tmp_path, kind):
    with pytest.raises(Unsupported, match=kind) as caught:
        prepare(folder, mounts(tmp_path, ("/", "ext4"), (str(tmp_path).replace(" ", r"\040"), kind)))
    assert "TAURO_DB_URL=postgresql://" in caught.value.hint
    assert not (folder / "state.db").exists()


def test_the_file_system_is_that_of_the_nearest_mount(folder, tmp_path):
    beside = f"{str(tmp_path)[:-1]}"
    assert prepare(folder, mounts(tmp_path, ("/", "nfs"), (str(tmp_path), "ext4"), (beside, "nfs"))).exists()
    assert prepare(folder, tmp_path / "missing").exists()


def test_a_store_is_not_used_by_a_forked_child(folder):
    with open_store(folder, {}) as store:
        store.create_run(NEW, now=NOW)
        child = os.fork()
        if child == 0:
            try:
                store.create_run(NEW, now=NOW)
            except ExecutionError as error:
                os._exit(0 if "fork" in error.hint else 1)
            os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert len(store.list_runs(RunFilter())) == 1


@pytest.mark.parametrize("_again", range(15))
def test_stores_that_are_opened_at_once_make_the_tables_once(folder, _again):
    faults = []

    def work():
        try:
            with open_store(folder, {}) as store:
                store.create_run(NEW, now=NOW)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with open_store(folder, {}) as store:
        assert len(store.list_runs(RunFilter())) == 8


def test_readers_wait_for_no_writer(folder):
    with open_store(folder, {}) as writer, open_store(folder, {}) as reader:
        run = writer.create_run(NEW, now=NOW).run
        with writer._database.write() as sql:
            sql.change("UPDATE runs SET state = 'running', owner = 'a b 1 1', lease_until = 1")
            assert reader.get_run(run.id).state == "pending"
        assert reader.get_run(run.id).state == "running"


SMALL = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from tauro.errors import ExecutionError
from tauro.store.records import NewRun
from tauro.store import open_store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_store(Path(sys.argv[1]), {})
size = (Path(sys.argv[1]) / "state.db-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1_000_000,) * 2)
for number in range(100_000):
    try:
        print(store.create_run(NewRun("p", "e"), now=datetime.now(UTC)).run.id, flush=True)
    except ExecutionError as error:
        print(error, error.hint, file=sys.stderr)
        break
"""


def test_a_full_disk_is_told_and_nothing_is_lost_or_half_written(folder):
    done = subprocess.run([sys.executable, "-c", SMALL, folder], capture_output=True, text=True, timeout=60, check=True)
    assert "cannot be written" in done.stderr
    assert "Make room" in done.stderr
    told = done.stdout.split()
    assert len(told) > 10
    with open_store(folder, {}) as store:
        assert [run.id for run in reversed(store.list_runs(RunFilter()))] == told
        assert store.check() == []
        assert store.create_run(NEW, now=NOW).is_new


def test_an_error_inside_of_a_transaction_leaves_nothing_of_it(folder):
    with open_store(folder, {}) as store:
        run_id, _ = claimed(store)
        with pytest.raises(ExecutionError, match="no such table"), store._database.write() as sql:
            assert sql.change("UPDATE runs SET error = 'x'") + sql.change("UPDATE missing_table SET x = 1")
        assert store.get_run(run_id).error is None
