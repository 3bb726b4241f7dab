"""Commands on disks that are full, cannot be written, or hold damage: told with advice, and nothing is lost."""

import os
import subprocess
import sys
from contextlib import suppress

import pytest

from tauro.store import open_store

LINE = [sys.executable, "-m", "tauro", "orchestrate"]


@pytest.fixture
def call(make_project):
    """Run a command line of tauro orchestrate as a program; what is no trouble of ours has no traceback."""
    root = make_project("def quick(): pass\n", {"quick": {}})

    def run(*arguments, state=None, code=0):
        environ = {**os.environ, **({"TAURO_STATE_DIR": str(state)} if state else {})}
        done = subprocess.run(
            [*LINE, *arguments], cwd=root, env=environ, check=False, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    run.root = root
    return run


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a megabyte, which can be mounted again with other options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options):
        done = subprocess.run(
            ["mount", "-t", "tmpfs", *options, "tauro-test", folder], check=False, capture_output=True
        )
        if done.returncode:
            pytest.skip(f"A disk cannot be mounted here: {done.stderr.decode().strip()}")
        return folder

    if os.geteuid() != 0:
        pytest.skip("Only root can mount a disk")
    try:
        yield mount
    finally:
        subprocess.run(["umount", folder], check=False, capture_output=True)


def fill(filler):
    """Write to a file until its disk is full."""
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_a_full_disk_is_told_and_when_there_is_room_again_all_is_there(call, small_disk):
    state = small_disk("-o", "size=1m") / "state"
    known = [call("run-create", "--pipeline", "p", state=state).stdout.strip()]
    filler = state.parent / "filler"
    fill(filler)
    for _ in range(40):
        done = subprocess.run(
            [*LINE, "run-create", "--pipeline", "p"],
            cwd=call.root,
            env={**os.environ, "TAURO_STATE_DIR": str(state)},
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            break
        known.append(done.stdout.strip())
    assert done.returncode == 4
    assert "Make room" in done.stderr
    assert "Traceback" not in done.stderr
    filler.unlink()
    known.append(call("run-create", "--pipeline", "p", state=state).stdout.strip())
    assert sorted(call("run-list", state=state).stdout.count(run_id) for run_id in known) == [1] * len(known)
    assert "sound" in call("db-check", state=state).stdout


def test_a_disk_that_cannot_be_written_is_told_as_that(call, small_disk):
    folder = small_disk("-o", "size=4m")
    state = folder / "state"
    call("run-create", "--pipeline", "p", state=state)
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    told = call("run-create", "--pipeline", "p", state=state, code=4).stderr
    assert str(state) in told
    assert "TAURO_STATE_DIR" in told or "Make room" in told
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    assert call("run-list", state=state).stdout.count("run-") == 1


def test_a_damaged_store_is_told_by_every_command_and_recovered_by_one(call):
    call("run-create", "--pipeline", "p")
    run_id = call("run-create", "--pipeline", "p").stdout.strip()
    file = call.root / ".tauro/state.db"
    with file.open("r+b") as damaged:
        damaged.write(b"damaged")
    for command in (["run-list"], ["run-create", "--pipeline", "p"], ["schedule-list"], ["db-stats"], ["db-check"]):
        told = call(*command, code=2).stderr
        assert "db-recover" in told
    call("db-recover", code=0)
    assert "sound" in call("db-check").stdout
    assert len(list(file.parent.glob("state.db.damaged-*"))) >= 1
    assert call("run-create", "--pipeline", "p").stdout.strip() != run_id


def test_a_stored_expression_that_is_none_harms_no_command(call):
    options = ("--pipeline", "p", "--schedule-kind", "CRON", "--expression", "0 2 * * *")
    schedule = call("schedule-add", *options).stdout.strip()
    with open_store(call.root / ".tauro", {}) as store, store._database.write() as sql:
        sql.change("UPDATE schedules SET expression = 'each blue moon'")
    assert schedule in call("schedule-list").stdout
    for command in (["run-create", "--pipeline", "p"], ["run-list"], ["db-stats"], ["db-check"], ["db-vacuum"]):
        call(*command)
    call("schedule-update", "--schedule-id", schedule, "--expression", "0 3 * * *")
    assert "03:00" in call("schedule-list").stdout
