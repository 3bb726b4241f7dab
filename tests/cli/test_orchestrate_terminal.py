"""tauro orchestrate on a terminal: colours and live progress, and neither where nobody asked for them."""

import os
import pty
import subprocess
import sys
import termios

import pytest


@pytest.fixture
def on_terminal():
    """Run a command line as a program whose output is a terminal, and return its exit code and what it shows."""

    def run(*arguments, columns=100, **variables):
        leader, follower = pty.openpty()
        termios.tcsetwinsize(follower, (24, columns))
        environ = {**os.environ, "TERM": "xterm", **variables}
        command = [sys.executable, "-m", "tauro", "orchestrate", *arguments]
        started = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=environ)
        os.close(follower)
        shown = b""
        try:
            while part := os.read(leader, 4096):
                shown += part
        except OSError:  # nobody holds the other end any more
            pass
        os.close(leader)
        return started.wait(60), shown.decode()

    return run


@pytest.fixture
def run_id(project, tauro):
    """The id of a pending run."""
    project()
    return tauro("orchestrate", "run-create", "--pipeline", "memory").out.strip()


def test_states_have_colours_on_a_terminal_and_nowhere_else(run_id, on_terminal, tauro):
    code, shown = on_terminal("run-list")
    assert code == 0
    assert "\x1b[33mpending\x1b[0m" in shown
    assert "\x1b" not in on_terminal("run-list", NO_COLOR="1")[1]
    assert "\x1b" not in tauro("orchestrate", "run-list").out
    assert on_terminal("run-status", "--run-id", run_id)[1].startswith("\x1b[33mpending\x1b[0m ")


def test_a_run_has_live_progress_on_a_terminal(run_id, on_terminal):
    code, shown = on_terminal("run-start", "--run-id", run_id)
    assert code == 0
    assert "2/2" in shown
    assert "\x1b[32mcompleted\x1b[0m after " in shown


def test_a_quiet_user_has_none(run_id, on_terminal):
    code, shown = on_terminal("run-start", "--run-id", run_id, "--quiet")
    assert (code, shown.splitlines()[0].startswith("\x1b[32mcompleted")) == (0, True)
    assert "2/2" not in shown


@pytest.mark.usefixtures("project")
def test_a_backfill_has_live_progress_on_a_terminal(on_terminal):
    code, shown = on_terminal("backfill", "--pipeline", "memory", "--count", "2", "--run-now")
    assert code == 0
    assert "2/2" in shown
    assert "2 of 2 runs over (2 completed)" in shown


@pytest.mark.usefixtures("project")
def test_a_run_that_is_tried_again_has_the_progress_of_its_last_attempt(project, tauro, on_terminal):
    files = {
        "config/dev/pipelines.yaml": "shaky: {nodes: [make, take, crash]}\n",
        "config/dev/nodes.yaml": "crash: {function: shaky.crash}\n",
        "src/shaky.py": (
            "import os\nfrom pathlib import Path\n\n\ndef crash():\n    if not Path('crashed').exists():\n"
            "        Path('crashed').touch()\n        os._exit(3)\n"
        ),
    }
    project(**files)
    run_id = tauro("orchestrate", "run-create", "--pipeline", "shaky", "--env", "dev", "--retries", "1").out.strip()
    code, shown = on_terminal("run-start", "--run-id", run_id)
    assert code == 0
    assert "3/3" in shown or "1/1" in shown
    assert "attempt 2 of 2" in shown


@pytest.mark.usefixtures("project")
def test_reasons_take_what_room_the_terminal_has(tauro, on_terminal):
    run_id = tauro("orchestrate", "run-create", "--pipeline", "broken").out.strip()
    tauro("orchestrate", "run-start", "--run-id", run_id)
    why = "Node 'fail' failed: RuntimeError: no luck: password=***"
    assert tauro("orchestrate", "run-list").out.splitlines()[1].endswith(why)
    assert on_terminal("run-list", columns=200)[1].splitlines()[1].endswith(why)
    for columns in (60, 80, 100, 120):
        lines = on_terminal("run-list", columns=columns, NO_COLOR="1")[1].splitlines()
        assert all(len(line) <= columns or "Why" not in lines[0] for line in lines)
    assert "Node 'fail' f" in lines[1]
