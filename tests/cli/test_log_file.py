"""The log file: rotated, for its owner only, by several processes at once, without a record lost or cut."""

import fcntl
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tauro.cli.log.file import KEPT, MAX_BYTES, LogFile
from tauro.errors import UnsafePath


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture(autouse=True)
def no_descriptor_is_left_open():
    before = set(Path("/proc/self/fd").iterdir())
    yield
    assert set(Path("/proc/self/fd").iterdir()) <= before


@pytest.fixture
def open_log(folder):
    opened = []

    def open_(name="logs/tauro.log", **more):
        opened.append(LogFile(folder, name, **more))
        return opened[-1]

    yield open_
    for file in opened:
        file.close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_limits_are_those_that_the_help_tells(tauro):
    assert (MAX_BYTES, KEPT) == (10_000_000, 5)
    text = " ".join(tauro("run", "--help").out.split())
    assert "a file of 10 MB becomes PATH.1, and PATH.5 is the oldest that is kept" in text


def test_nothing_is_made_before_the_first_line(folder, open_log):
    file = open_log()
    assert names(folder) == []
    file.write("one")
    file.write("zwö\ud800")
    assert (folder / "logs/tauro.log").read_text() == "one\nzwö\\ud800\n"


def test_a_full_file_becomes_the_first_of_five(folder, open_log):
    file = open_log(max_bytes=10)
    for number in range(1, 9):
        file.write(f"line {number}")
        assert all(path.stat().st_size <= 10 for path in (folder / "logs").iterdir())
    found = {name: (folder / "logs" / name).read_text() for name in names(folder / "logs")}
    assert found == {
        "tauro.log": "line 8\n",
        **{f"tauro.log.{number}": f"line {8 - number}\n" for number in range(1, 6)},
    }


def test_a_line_that_is_longer_than_a_file_has_one_of_its_own(folder, open_log):
    file = open_log("x.log", max_bytes=10)
    for line in ("short", "l" * 50, "short"):
        file.write(line)
    assert [(folder / name).read_text() for name in names(folder)] == ["short\n", "l" * 50 + "\n", "short\n"]


def test_the_file_goes_on_where_an_earlier_process_left_it(folder, open_log):
    (folder / "x.log").write_text("before\n")
    open_log("x.log", max_bytes=100).write("after")
    assert (folder / "x.log").read_text() == "before\nafter\n"


def test_a_line_that_a_killed_process_left_half_written_takes_no_other_with_it(folder, open_log):
    (folder / "x.log").write_text("whole\nhal")
    open_log("x.log").write("next")
    assert (folder / "x.log").read_text() == "whole\nhal\nnext\n"


def test_every_file_is_for_its_owner_only(folder, open_log):
    before = os.umask(0)
    try:
        file = open_log("logs/deep/x.log", max_bytes=1)
        for _ in range(3):
            file.write("x")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder / "logs").rglob("*")}
    assert modes == {"deep": 0o700, "x.log": 0o600, "x.log.1": 0o600, "x.log.2": 0o600}


def test_a_file_that_somebody_else_moves_or_removes_is_begun_anew(folder, open_log):
    file = open_log("logs/x.log")
    file.write("one")
    (folder / "logs/x.log").rename(folder / "moved")
    file.write("two")
    assert (folder / "logs/x.log").read_text() == "two\n"
    (folder / "logs/x.log").unlink()
    (folder / "logs").rmdir()
    file.write("three")
    assert (folder / "logs/x.log").read_text() == "three\n"
    assert (folder / "moved").read_text() == "one\n"


def test_a_change_of_the_current_folder_changes_nothing(folder, monkeypatch):
    monkeypatch.chdir(folder)
    file = LogFile(Path(), "x.log", max_bytes=3)
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    file.write("one")
    file.write("two")
    file.close()
    assert names(folder) == ["elsewhere", "x.log", "x.log.1"]


# -- hostile folders ------------------------------------------------------------------------------


def test_a_file_that_becomes_a_link_is_written_no_more(folder, open_log):
    file = open_log("x.log")
    file.write("one")
    (folder / "victim").write_text("")
    (folder / "x.log").rename(folder / "x.log.old")
    (folder / "x.log").symlink_to("victim")
    with pytest.raises(UnsafePath, match="symbolic link"):
        file.write("two")
    assert (folder / "victim").read_text() == ""


def test_a_folder_that_becomes_a_link_leads_no_renames_elsewhere(folder, open_log):
    file = open_log("logs/x.log", max_bytes=3)
    file.write("one")
    (folder / "elsewhere").mkdir()
    for name in ("x.log", "x.log.1"):
        (folder / "elsewhere" / name).write_text("theirs")
    (folder / "logs").rename(folder / "mine")
    (folder / "logs").symlink_to("elsewhere")
    with pytest.raises(UnsafePath, match="symbolic link"):
        file.write("two")
    assert {name: (folder / "elsewhere" / name).read_text() for name in names(folder / "elsewhere")} == {
        "x.log": "theirs",
        "x.log.1": "theirs",
    }
    assert names(folder / "mine") == ["x.log.1"]


def test_a_link_in_the_place_of_a_kept_file_is_moved_and_not_followed(folder, open_log):
    (folder / "victim").write_text("theirs")
    (folder / "x.log.1").symlink_to("victim")
    file = open_log("x.log", max_bytes=3)
    file.write("one")
    file.write("two")
    assert (folder / "victim").read_text() == "theirs"
    assert (folder / "x.log.2").is_symlink()
    assert (folder / "x.log.1").read_text() == "one\n"


def test_a_rotation_that_fails_loses_nothing_and_fails_nobody(folder, open_log):
    for number in range(1, 6):
        (folder / f"x.log.{number}").write_text(str(number))
    (folder / "x.log.5").unlink()
    (folder / "x.log.5").mkdir()
    (folder / "x.log.5/keep").write_text("")
    file = open_log("x.log", max_bytes=3)
    for line in ("one", "two", "three"):
        file.write(line)
    assert (folder / "x.log").read_text() == "one\ntwo\nthree\n"
    assert [(folder / f"x.log.{number}").read_text() for number in range(1, 5)] == ["1", "2", "3", "4"]


def test_attempts_that_fail_at_the_last_step_move_the_kept_files_once(folder, open_log, monkeypatch):
    file = open_log("x.log", max_bytes=3)
    for line in ("one", "two", "three"):
        file.write(line)
    rename = os.rename

    def refuse(source, target, **more):
        if source == "x.log":
            raise PermissionError
        rename(source, target, **more)

    monkeypatch.setattr(os, "rename", refuse)
    for line in ("four", "five", "six"):
        file.write(line)
    assert {name: (folder / name).read_text() for name in names(folder)} == {
        "x.log": "three\nfour\nfive\nsix\n",
        "x.log.2": "two\n",
        "x.log.3": "one\n",
    }


def test_a_line_that_cannot_be_written_whole_is_not_written(folder):
    """A limit on file sizes stands for a full disk."""
    code = """
import resource, signal, sys
from pathlib import Path
from tauro.cli.log.file import LogFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
file = LogFile(Path(sys.argv[1]), "x.log")
file.write("one")
try:
    file.write("too long for this")
except OSError as error:
    print(type(error).__name__, error.errno)
file.write("two")
"""
    result = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("OSError 27\n", "")
    assert (folder / "x.log").read_text() == "one\ntwo\n"


# -- several processes ----------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from tauro.cli.log.file import LogFile
folder, who, count, size, kept = sys.argv[1:]
file = LogFile(Path(folder), "logs/x.log", max_bytes=int(size), kept=int(kept))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(count)):
    file.write(f"{who} {number} " + "x" * (number % 50))
"""


def writers(folder, *, who, lines, max_bytes, kept):
    command = [sys.executable, "-c", WRITER, str(folder)]
    started = [
        subprocess.Popen(
            [*command, name, str(lines), str(max_bytes), str(kept)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in who
    ]  # fmt: skip
    for process in started:
        assert process.stdout.readline() == "ready\n"
    return started


def let_go(started):
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()


def ended(process):
    process.communicate(timeout=120)
    return process.returncode


def told(folder):
    return [line for path in (folder / "logs").iterdir() for line in path.read_text().splitlines()]


def test_processes_that_rotate_one_file_at_once_lose_no_line_and_cut_none(folder):
    started = writers(folder, who="abcdef", lines=3000, max_bytes=5_000, kept=1000)
    let_go(started)
    assert [ended(process) for process in started] == [0] * 6
    lines = told(folder)
    assert all(re.fullmatch(r"[a-s] \d+ x*", line) for line in lines)
    found = Counter(tuple(line.split(" ")) for line in lines)
    assert found == Counter((who, str(number), "x" * (number % 50)) for who in "abcdef" for number in range(3000))
    # They did write at the same time.
    assert (
        sum(len({line[0] for line in path.read_text().splitlines()}) > 1 for path in (folder / "logs").iterdir()) > 10
    )
    # Each file but the last was full when it was rotated, and so was rotated once.
    sizes = {path.name: path.stat().st_size for path in (folder / "logs").iterdir()}
    assert max(sizes.values()) <= 5_000
    assert min(size for name, size in sizes.items() if name != "x.log") > 5_000 - 70
    assert len(sizes) > 50
    assert set(sizes) == {"x.log", *(f"x.log.{number}" for number in range(1, len(sizes)))}


def test_no_more_files_are_kept_than_said_however_many_write(folder):
    started = writers(folder, who="abcd", lines=1000, max_bytes=2_000, kept=5)
    let_go(started)
    assert [ended(process) for process in started] == [0] * 4
    assert names(folder / "logs") == ["x.log", *(f"x.log.{number}" for number in range(1, 6))]


def test_processes_that_are_killed_while_they_write_spoil_no_line_of_the_others(folder):
    started = writers(folder, who="abcd", lines=200_000, max_bytes=20_000, kept=1000)
    survivor = writers(folder, who="s", lines=3000, max_bytes=20_000, kept=1000)[0]
    let_go([*started, survivor])
    for process in started:
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert ended(survivor) == 0
    whole = Counter(line for line in told(folder) if re.fullmatch(r"[a-s] \d+ x*", line))
    assert all(whole[f"s {number} " + "x" * (number % 50)] == 1 for number in range(3000))
    cut = [line for line in told(folder) if not re.fullmatch(r"[a-s] \d+ x*", line)]
    assert len(cut) <= 4


def test_a_forked_process_shares_the_file_and_not_the_lock(folder):
    code = """
import os, sys
from pathlib import Path
from tauro.cli.log.file import LogFile
file = LogFile(Path(sys.argv[1]), "logs/x.log", max_bytes=3_000, kept=1000)
file.write("p 0")
child = os.fork()
for number in range(1, 3000):
    file.write(f"{'p' if child else 'c'} {number}")
if child:
    assert os.waitpid(child, 0)[1] == 0
else:
    os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code, folder], check=True, timeout=120)
    expected = ["p 0", *(f"{who} {number}" for who in "pc" for number in range(1, 3000))]
    assert Counter(told(folder)) == Counter(expected)
    assert all(path.stat().st_size > 2_980 for path in (folder / "logs").iterdir() if path.name != "x.log")


def test_a_process_that_keeps_the_lock_holds_nobody_up_for_long(folder, open_log):
    file = open_log("x.log", max_bytes=10)
    file.write("one")
    with (folder / "x.log").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        before = time.monotonic()
        for number in range(50):
            file.write(f"line {number}")
        assert 1.5 < time.monotonic() - before < 3.5
        assert len((folder / "x.log").read_text().splitlines()) == 51
        assert names(folder) == ["x.log"]
    file.write("last")
    assert (folder / "x.log").read_text() == "last\n"


def test_a_lock_that_is_held_for_a_moment_is_waited_for(folder, open_log):
    file = open_log("x.log", max_bytes=4)
    file.write("one")
    with (folder / "x.log").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        timer = threading.Timer(0.2, lambda: fcntl.flock(other, fcntl.LOCK_UN))
        timer.start()
        file.write("two")
        timer.join()
    assert names(folder) == ["x.log", "x.log.1"]
