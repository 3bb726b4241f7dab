"""A process is known by more than its number, and a lock goes with its holder."""

import os
import signal
import subprocess
import sys
from time import monotonic

import pytest

from tauro.errors import SecurityError
from tauro.processes.identity import Owner, OwnerLock, is_alive, is_gone, lock_file, this_process

HOLD = """
import sys, json, time
from pathlib import Path
from tauro.processes.identity import OwnerLock, this_process
lock = OwnerLock.take(Path(sys.argv[1]), this_process()) if len(sys.argv) > 1 else None
print(json.dumps(this_process()), flush=True)
time.sleep(600)
"""


@pytest.fixture
def started():
    """Start a process that holds a lock, if one is given; return it and who it says it is."""
    processes = []

    def start(*lock):
        import json

        process = subprocess.Popen([sys.executable, "-c", HOLD, *map(str, lock)], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        return process, Owner(*json.loads(process.stdout.readline()))

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_a_living_process_is_alive_until_it_is_killed_though_nobody_has_waited_for_it(started):
    process, owner = started()
    assert owner.pid == process.pid
    assert is_alive(owner)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
    assert not is_alive(owner)


@pytest.mark.parametrize("change", [{"started": 1}, {"boot_id": "another start of the machine"}])
def test_a_process_with_the_number_of_another_is_not_taken_for_it(change):
    assert is_alive(this_process())
    assert not is_alive(this_process()._replace(**change))


def test_who_holds_the_lock_is_not_gone_and_a_killed_holder_is_at_once(started, tmp_path):
    lock = lock_file(tmp_path / "state", "run-1.1")
    process, owner = started(lock)
    assert not is_gone(owner, lock)
    process.kill()
    process.wait()
    before = monotonic()
    assert is_gone(owner, lock)
    assert monotonic() - before < 0.1


def test_a_holder_from_before_the_machine_started_anew_is_gone(started, tmp_path):
    lock = lock_file(tmp_path / "state", "run-1.1")
    owner = this_process()._replace(boot_id="before", pid=1)
    taken = OwnerLock.take(lock, owner)
    assert not is_gone(owner, lock)
    os.close(taken._descriptor)
    assert is_gone(owner, lock)


def test_nothing_is_known_of_an_owner_on_another_machine(tmp_path):
    owner = Owner("elsewhere", "another start", 1, 1)
    assert not is_gone(owner, tmp_path / "none.lock")


def test_an_owner_with_another_state_folder_is_known_by_its_process(started, tmp_path):
    process, owner = started()
    assert not is_gone(owner, tmp_path / "none.lock")
    process.send_signal(signal.SIGSTOP)
    assert not is_gone(owner, tmp_path / "none.lock")
    process.kill()
    process.wait()
    assert is_gone(owner, tmp_path / "none.lock")


def test_a_lock_is_private_and_nothing_is_left_of_it(tmp_path):
    lock = lock_file(tmp_path / "state", "run-1.1")
    with OwnerLock.take(lock, this_process()):
        assert lock.stat().st_mode & 0o777 == 0o600
    assert not lock.exists()


def test_a_lock_is_no_link_to_another_file(tmp_path):
    lock = lock_file(tmp_path / "state", "run-1.1")
    lock.parent.mkdir(parents=True)
    lock.symlink_to(tmp_path / "victim")
    with pytest.raises(SecurityError):
        OwnerLock.take(lock, this_process())
    assert not (tmp_path / "victim").exists()
