"""tauro stream on a terminal: one line that is drawn in place, a table that is, and colours."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLAYERS = HERE.parent / "streaming" / "supervision"
FOR_TESTS = f"{PLAYERS}{os.pathsep}{HERE.parents[1]}"


class Terminal:
    """A program of tauro stream on a terminal."""

    def __init__(self, folder, *arguments, **variables):
        self._leader, follower = pty.openpty()
        termios.tcsetwinsize(follower, (24, 100))
        environ = {**os.environ, "TERM": "xterm", "PYTHONPATH": FOR_TESTS, **variables}
        command = [sys.executable, str(HERE / "stream_program.py"), "stream", *arguments]
        self.program = subprocess.Popen(
            command, cwd=folder, stdin=follower, stdout=follower, stderr=follower, env=environ
        )
        os.close(follower)
        self.shown = ""

    def read(self, until=None, times=1):
        """Read until something is shown so many times, or to the end."""
        deadline = time.monotonic() + 30
        try:
            while (until is None or self.shown.count(until) < times) and (part := os.read(self._leader, 4096)):
                self.shown += part.decode()
                assert time.monotonic() < deadline, self.shown
        except OSError:  # nobody holds the other end any more
            assert until is None, self.shown

    def end(self):
        """Wait for its end, and return its exit code."""
        self.read()
        os.close(self._leader)
        return self.program.wait(30)


@pytest.fixture
def folder(project):
    """A project whose streams play that they are active and do three batches."""
    folder = project()
    (folder / "script.json").write_text(json.dumps([["active", ["batches", 3]]]))
    return folder


def test_a_stream_in_the_foreground_is_one_line_in_place(folder):
    terminal = Terminal(folder, "run", "--pipeline", "p", "--mode", "sync")
    terminal.read("lag 1.50 s")
    line = r"\x1b\[36mACTIVE\x1b\[0m  00:00:\d\d  batch 2  7\.5 rows/s  lag 1\.50 s  20 rows"
    assert re.search(line, terminal.shown)
    terminal.program.send_signal(signal.SIGINT)
    assert terminal.end() == 4
    assert "\x1b[2K" in terminal.shown
    assert re.search(r"\nexec-\d{8}-\d{3}\r\n", terminal.shown.replace("\x1b[2K", "\n"))


def test_a_table_is_redrawn_in_place_at_most_four_times_a_second(folder):
    started = Terminal(folder, "run", "--pipeline", "p")
    assert started.end() == 0
    made = re.search(r"exec-\d{8}-\d{3}", started.shown)[0]
    terminal = Terminal(folder, "status", "--watch")
    terminal.read("Execution ID")
    begun = time.monotonic()
    terminal.read(made, times=5)
    assert time.monotonic() - begun >= 4 * 0.25
    terminal.program.send_signal(signal.SIGINT)
    assert terminal.end() == 0
    assert "\x1b[36mACTIVE" in terminal.shown
    assert "\x1b[1A" in terminal.shown
    assert Terminal(folder, "stop", "--all", "--timeout", "0").end() == 0
    plain = Terminal(folder, "status", NO_COLOR="1")
    assert plain.end() == 0
    assert "\x1b" not in plain.shown
