"""Real shells, on a terminal, with the scripts that ``tauro completion install`` has put where they look."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tauro.cli.completion.shells import SHELLS, script

PIPELINES = """\
sales: {nodes: [load], description: "Sales: what, and when"}
silver: {nodes: [load, join]}
my pipe: {nodes: [load]}
kind:sub: {nodes: [load]}
x$(touch pwned);y: {nodes: [load]}
"""
# Variables of the machine that would lead a shell elsewhere.
OTHERS = ("XDG_", "TAURO_", "ZDOTDIR", "BASH_", "ENV")
COMMANDS = {
    "bash": ["bash", "--noprofile", "-i"],
    "zsh": ["zsh", "-i"],
    "fish": ["fish", "-i"],
}


# What the shell runs in the end, as it has understood it: each word on a line.
SPY = """\
#!/bin/sh
printf '%s\\n' "$@" > "$HOME/spied.new"
mv "$HOME/spied.new" "$HOME/spied"
"""
STEERING = r"\x1b(\[[0-9;?]*[A-Za-z]|\([A-Z]|\][^\x07]*\x07)"


class Terminal:
    """A shell of a person, who types."""

    def __init__(self, shell, home, folder):
        self.shell = shell
        self.home = home
        self.shown = ""
        (home / "spy").write_text(SPY)
        (home / "spy").chmod(0o755)
        programs = f"{home}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        environ = {key: value for key, value in os.environ.items() if not key.startswith(OTHERS)}
        environ |= {"HOME": str(home), "PATH": programs, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(COMMANDS[shell][0], COMMANDS[shell], environ)
        self.settle()

    def type(self, keys):
        os.write(self.file, keys.encode())

    def settle(self):
        """Wait until the shell has done all that was typed."""
        self.type("echo DO''NE\n")
        self.until("DONE")
        self.shown = ""

    def until(self, *texts):
        """Wait until texts are shown, one after the other."""
        wanted = ".*".join(map(re.escape, texts))
        end = time.monotonic() + 30
        while not re.search(wanted, re.sub(STEERING, "", self.shown), re.DOTALL):
            ready, _, _ = select.select([self.file], [], [], max(0, end - time.monotonic()))
            assert ready, f"{self.shell} did not show {texts} but: {self.shown!r}"
            self.shown += os.read(self.file, 65536).decode(errors="replace")

    def words(self, typed):
        """Type something, press TAB, and return the words that the shell then runs."""
        self.type(f"{typed}\t\x01spy \n")
        self.settle()
        return (self.home / "spied").read_text().splitlines()

    def lists(self, typed, *expected):
        """Type something, press TAB, and wait for what is expected to be listed, one after the other."""
        self.type(f"{typed}\t\t" if self.shell == "bash" else f"{typed}\t")
        self.until(*expected)

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.file)


def installed(shell, home, *more):
    environ = {key: value for key, value in os.environ.items() if not key.startswith(OTHERS)}
    command = [sys.executable, "-m", "tauro", "completion", "install", "--shell", shell, *more]
    return subprocess.run(command, env=environ | {"HOME": str(home)}, capture_output=True, text=True, check=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project with names that are hard to quote, and two runs."""
    root = tmp_path_factory.mktemp("project")
    files = {
        "settings.json": "{}",
        "config/base/pipelines.yaml": PIPELINES,
        "config/base/nodes.yaml": "load: {description: Reads}\njoin: {}\n",
        "config/sandbox_alice/pipelines.yaml": "alice_only: {nodes: [load]}\n",
        "data/raw.csv": "",
    }
    for number, state in enumerate(("completed", "failed"), 1):
        summary = {"pipeline": "sales", "env": "dev", "state": state, "nodes": []}
        files[f".tauro/runs/run-20250{number}01-000000-000000/summary.json"] = json.dumps(summary)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(scope="module", params=SHELLS)
def home(request, tmp_path_factory):
    """A shell, and a home folder where completion is installed for it."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not on this machine: apt-get install {request.param}")
    folder = tmp_path_factory.mktemp("home")
    installed(request.param, folder)
    return request.param, folder


@pytest.fixture(scope="module")
def terminal(home, folder):
    shell = Terminal(*home, folder)
    yield shell
    shell.close()


@pytest.fixture
def fresh_terminal(home, folder):
    """A shell whose screen nobody has written on."""
    shell = Terminal(*home, folder)
    yield shell
    shell.close()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("tauro comp", ["tauro", "completion"]),
        ("tauro config list-p", ["tauro", "config", "list-pipelines"]),
        ("tauro run --dry", ["tauro", "run", "--dry-run"]),
        ("tauro run ", ["tauro", "run", "--"]),
        ("tauro run --env sandbox_", ["tauro", "run", "--env", "sandbox_alice"]),
        ("tauro run --env=de", ["tauro", "run", "--env=dev"]),
        (
            "tauro run --env=sandbox_alice --pipeline=al",
            ["tauro", "run", "--env=sandbox_alice", "--pipeline=alice_only"],
        ),
        ("tauro run --pipeline silver --node j", ["tauro", "run", "--pipeline", "silver", "--node", "join"]),
        (
            "tauro run --pipeline silver --nodes load,j",
            ["tauro", "run", "--pipeline", "silver", "--nodes", "load,join"],
        ),
        ("tauro run --resume run-20250101", ["tauro", "run", "--resume", "run-20250101-000000-000000"]),
        ("tauro config diff base de", ["tauro", "config", "diff", "base", "dev"]),
        ("tauro template --format j", ["tauro", "template", "--format", "json"]),
        ("X=1 tauro run --env sandbox_", ["X=1", "tauro", "run", "--env", "sandbox_alice"]),
    ],
)
def test_a_shell_completes_what_is_typed(terminal, typed, words):
    assert terminal.words(typed) == words


@pytest.mark.parametrize(
    ("typed", "name"), [("my", "my pipe"), ("kin", "kind:sub"), ("kind:", "kind:sub"), ("x", "x$(touch pwned);y")]
)
def test_a_name_that_a_shell_would_take_apart_is_quoted(terminal, folder, typed, name):
    assert terminal.words(f"tauro run --pipeline {typed}") == ["tauro", "run", "--pipeline", name]
    assert not (folder / "pwned").exists()


def test_a_shell_completes_paths_itself(terminal):
    for typed in ("tauro run --base-path con", "tauro run --base-path=con"):
        assert terminal.words(typed)[-1].removeprefix("--base-path=").rstrip("/") == "config"
    assert terminal.words("tauro run --log-file data/r")[-1] == "data/raw.csv"


def test_a_shell_lists_what_is_possible_with_descriptions_where_it_shows_them(fresh_terminal):
    if fresh_terminal.shell == "bash":
        fresh_terminal.lists("tauro run --pipeline s", "sales", "silver")
    else:
        fresh_terminal.lists("tauro run --pipeline s", "sales", "Sales: what, and when", "silver")


def test_runs_are_listed_newest_first(fresh_terminal):
    fresh_terminal.lists("tauro run --resume run-20250", "run-20250201-000000-000000", "run-20250101-000000-000000")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("tauro ", ["run", "config", "stream", "completion"]), ("tauro run --", ["--env", "--base-path"])],
)
def test_commands_and_options_are_listed(fresh_terminal, typed, expected):
    fresh_terminal.lists(typed, *expected)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_sound_in_its_shell(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on this machine: apt-get install {shell}")
    file = tmp_path / "script"
    file.write_text(script(shell))
    done = subprocess.run([shell, "-n", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


OLD_BASH = """\
enable -n compopt
complete() { case " $* " in *nosort*) return 2;; esac; builtin complete "$@"; }
"""


def test_a_bash_as_old_as_that_of_macos_completes_too(folder, tmp_path):
    """Without compopt, which came with 4.0, and nosort, which came with 4.4."""
    installed("bash", tmp_path)
    profile = tmp_path / ".bashrc"
    profile.write_text(OLD_BASH + profile.read_text())
    terminal = Terminal("bash", tmp_path, folder)
    try:
        assert terminal.words("tauro run --env=de") == ["tauro", "run", "--env=dev"]
        assert terminal.words("tauro run --base-path=con")[-1] == "--base-path=config"
    finally:
        terminal.close()
