"""tauro stream: streams are started, seen, stopped and started again from the command line."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tauro.cli.cli import run_cli_impl, status_cli_impl, stop_cli_impl
from tauro.cli.commands.stream.text import hours, stream_table
from tauro.cli.config import ConfigManager
from tauro.cli.execution import ContextInitializer, StreamingExecutor
from tauro.errors import StreamNotFound
from tauro.store import open_store
from tauro.store.records import NewStream
from tauro.streaming import control

from .stream_program import site_of_players

HERE = Path(__file__).parent
PLAYERS = HERE.parent / "streaming" / "supervision"
ID = r"exec-\d{8}-\d{3}"
# As the specification has it.
TABLE = """\
Execution ID    | Status    | Pipeline           | Start Time         | Duration
exec-001        | ACTIVE    | kafka_events       | 2025-01-26 10:00   | 00:45:30
exec-002        | COMPLETED | kafka_events       | 2025-01-26 09:00   | 01:20:15"""
KEYS = {
    "execution_id",
    "pipeline",
    "env",
    "config",
    "state",
    "problem",
    "worker_pid",
    "owner",
    "created_at",
    "started_at",
    "active_at",
    "ended_at",
    "duration_seconds",
    "restarts",
    "restart_at",
    "error",
    "error_code",
    "model_version",
    "hyperparams",
    "last_progress",
}
BATCH_KEYS = {
    "query",
    "batch",
    "at",
    "input_rows",
    "input_rows_per_second",
    "processed_rows_per_second",
    "total_rows",
    "seconds",
    "lag_seconds",
    "watermark",
    "state_rows",
    "output_rows",
}


@pytest.fixture
def folder(project, monkeypatch, tauro):
    """A project whose streams play a script: each is active until somebody stops it. Nothing of it is left running."""
    folder = project(**{"config/streaming.py": "raise SystemExit('only a worker executes this')\n"})
    monkeypatch.setattr(control, "Site", site_of_players)
    monkeypatch.setenv("PYTHONPATH", str(PLAYERS))
    play(folder, "active", ["batches", 3])
    yield folder
    os.chdir(folder)
    assert tauro("stream", "stop", "--all", "--timeout", "0").code == 0


def play(folder, *acts):
    (folder / "script.json").write_text(json.dumps([list(acts)]))


@pytest.fixture
def stream(folder, tauro):
    """Run a command line of tauro stream in this process."""
    return lambda *arguments: tauro("stream", *arguments)


@pytest.fixture
def start(stream):
    """Start a stream, and return its id."""

    def run(*more):
        result = stream("run", "--pipeline", "p", *more)
        assert result.code == 0, result.err
        assert re.fullmatch(rf"{ID}\n", result.out)
        return result.out.strip()

    return run


@pytest.fixture
def started(folder):
    """Start the program itself, and kill it with the test."""
    programs = []

    def begin(*arguments, **more):
        command = [sys.executable, str(HERE / "stream_program.py"), "stream", *arguments]
        program = subprocess.Popen(
            command,
            cwd=folder,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{PLAYERS}{os.pathsep}{HERE.parents[1]}"},
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
        )
        programs.append(program)
        return program

    yield begin
    for program in programs:
        program.kill()
        program.communicate()


def told(stream, *arguments):
    result = stream(*arguments, "--output", "json")
    assert result.code == 0, result.err
    data = json.loads(result.out)
    assert data["schema"] == 1
    return data


def until(holds, seconds=15):
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def put(folder, ended_ago, **fields):
    """Put a stream into the store that ended so long ago, and return its id."""
    now = datetime.now(UTC) - ended_ago
    with open_store(folder / ".tauro", {}) as store:
        made = store.create_stream(NewStream(**{"pipeline": "p", "env": "base", **fields}), now=now)
        store.request_stop(made.id, timeout=0, now=now)
    return made.id


def test_the_table_is_the_specification_s():
    ends = {"exec-001": (None, "ACTIVE", 45 * 60 + 30), "exec-002": (1, "COMPLETED", 80 * 60 + 15)}

    class Stream:
        def __init__(self, name, start):
            self.id, self.started_at = name, start
            _, self.status, self._seconds = ends[name]
            self.new = NewStream("kafka_events", "base")

        def seconds(self, _):
            return self._seconds

    starts = {"exec-001": datetime(2025, 1, 26, 10, tzinfo=UTC), "exec-002": datetime(2025, 1, 26, 9, tzinfo=UTC)}
    shown = stream_table([Stream(*item) for item in starts.items()], datetime.now(UTC))
    assert shown.splitlines() == TABLE.splitlines()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00:00"), (59.9, "00:00:59"), (3_600, "01:00:00"), (360_001, "100:00:01")]
)
def test_durations_go_on_after_a_day(seconds, text):
    assert hours(seconds) == text


def test_a_stream_is_started_seen_in_a_table_and_in_json_and_stopped(folder, stream, start):
    made = start("--config", "config/streaming.py", "--model-version", "v1", "--hyperparams", '{"rate": 0.01}')
    head, row = stream("status", "--config", "config/streaming.py").out.splitlines()
    assert head == "Execution ID      | Status    | Pipeline           | Start Time         | Duration"
    assert re.fullmatch(rf"{made} \| ACTIVE    \| p {{18}}\| \d{{4}}-\d\d-\d\d \d\d:\d\d   \| 00:00:\d\d", row)
    until(lambda: told(stream, "status")["streams"][0]["last_progress"])
    (data,) = told(stream, "status")["streams"]
    assert set(data) == KEYS
    assert set(data["last_progress"]) == BATCH_KEYS
    assert (data["execution_id"], data["state"], data["config"]) == (made, "ACTIVE", "config/streaming.py")
    assert (data["model_version"], data["hyperparams"]) == ("v1", {"rate": 0.01})
    assert datetime.fromisoformat(data["started_at"]).utcoffset() == timedelta(0)
    os.kill(data["worker_pid"], 0)
    result = stream("stop", "--config", "config/streaming.py", "--execution-id", made, "--timeout", "60")
    assert (result.code, result.out.startswith("STOPPED after "), made in result.out) == (0, True, True)
    again = stream("stop", "--execution-id", made, "--timeout", "0")
    assert (again.code, again.err) == (0, "The stream was over already, and stays STOPPED.\n")
    assert told(stream, "status", "--execution-id", made)["worker_pid"] is None


def test_one_stream_is_shown_in_full_with_its_batches_and_what_can_be_done(stream, start):
    made = start()
    until(lambda: told(stream, "status", "--execution-id", made)["batches"])
    data = told(stream, "status", "--execution-id", made, "--since", "1h")
    assert set(data) == KEYS | {"schema", "queries", "batches"}
    assert [set(batch) for batch in data["batches"]] == [BATCH_KEYS] * len(data["batches"])
    (query,) = data["queries"]
    assert set(query) == BATCH_KEYS | {"sources", "phases"}
    assert query["sources"][0]["end"] == "2"
    text = stream("status", "--execution-id", made).out
    for part in (
        "Environment:",
        "worker ",
        "Queries",
        "Recent batches",
        "7.5",
        f"tauro stream stop --execution-id {made}",
    ):
        assert part in text
    assert "password" not in text


def test_hyperparameters_are_shown_without_what_their_names_call_secret(stream, start):
    given = {"rate": 0.01, "api": {"password": "hunter2", "user": "me"}}
    made = start("--hyperparams", json.dumps(given))
    shown = {"rate": 0.01, "api": {"password": "***", "user": "me"}}
    assert told(stream, "status", "--execution-id", made)["hyperparams"] == shown
    assert [one["hyperparams"] for one in told(stream, "status")["streams"]] == [shown]


def test_an_unknown_stream_is_3_with_the_nearest(folder, stream):
    made = put(folder, timedelta(hours=1))
    wrong = f"{made[:-1]}7"
    for words in (*((name, "--execution-id") for name in ("status", "stop", "restart", "logs")), ("run", "--resume")):
        result = stream(*words, wrong)
        assert result.code == 3
        assert f"There is no stream '{wrong}'" in result.err
        assert f"Nearest: {made}" in result.err


def test_streams_are_found_from_any_folder_of_the_project(folder, stream, start, monkeypatch):
    made = start()
    monkeypatch.chdir(folder / "config")
    for words in (
        (),
        ("--config", "config/streaming.py"),
        ("--config", "streaming.py"),
        ("--config", "./streaming.py"),
    ):
        assert made in stream("status", *words).out
    monkeypatch.chdir(folder.parent)
    assert made in stream("status", "--config", "shop/config/streaming.py").out
    other = start("--config", "shop/config/streaming.py")
    assert told(stream, "status", "--execution-id", other)["config"] == "config/streaming.py"


def test_a_folder_without_a_settings_index_has_streams_of_its_python_files(folder, stream, start, monkeypatch):
    plain = folder.parent / "plain"
    (plain / "inner").mkdir(parents=True)
    (plain / "config1.py").write_text("")
    play(plain, "active")
    monkeypatch.chdir(plain)
    assert stream("status").code == 2
    made = start("--config", "config1.py")
    for place in ("c/one", "c/two"):  # a checkpoint has a file of this name
        (plain / place).mkdir(parents=True)
        (plain / place / "tauro.json").write_text("{}")
    assert made in stream("status").out
    assert made in stream("status", "--config", "config1.py").out
    assert stream("stop", "--config", "config1.py", "--execution-id", made).code == 0


def test_streams_that_ended_long_ago_are_left_out_unless_they_are_asked_for(folder, stream):
    old, recent = put(folder, timedelta(days=2)), put(folder, timedelta(hours=2))
    shown = [one["execution_id"] for one in told(stream, "status")["streams"]]
    assert shown == [recent]
    assert told(stream, "status", "--since", "1h")["streams"] == []
    assert [one["execution_id"] for one in told(stream, "status", "--since", "3d")["streams"]] == [recent, old]
    assert [one["execution_id"] for one in told(stream, "status", "--all")["streams"]] == [recent, old]
    assert stream("status", "--since", "1h").out == "No streams.\n"


@pytest.mark.parametrize(("told_by_worker", "code"), [([5, "Java is missing"], 5), ([2, "not there"], 2)])
def test_a_start_that_is_refused_leaves_with_the_exit_code_of_the_reason(folder, stream, told_by_worker, code):
    play(folder, ["refuse", told_by_worker])
    result = stream("run", "--pipeline", "p")
    assert (result.code, result.out) == (code, "")
    assert told_by_worker[1] in result.err
    assert "Hint: a hint" in result.err
    seen = stream("status")
    assert " | FAILED " in seen.out
    assert told_by_worker[1] in seen.err


def test_an_error_of_java_is_one_line_among_streams_and_whole_in_its_own_text(folder, stream):
    frames = "\n\tat java.base/java.lang.ProcessBuilder.start(Unknown Source)\n\tat org.apache.hadoop.util.Shell.run"
    play(folder, ["fail", [4, f"Stream 'a' failed: An error occurred.\n: java.io.IOException: no disk{frames}"]])
    result = stream("run", "--pipeline", "p")
    assert result.code == 4
    (made,) = (one["execution_id"] for one in told(stream, "status")["streams"])
    why = "Stream 'a' failed: An error occurred. : java.io.IOException: no disk"
    assert stream("status").err == f"{made}: {why}\n"
    text = stream("status", "--execution-id", made).out
    assert f"  Why:          {why}\n" in text
    assert "Shell.run" in text.partition("\nError\n")[2]


def test_a_start_that_takes_too_long_goes_on_and_one_that_is_not_waited_for_returns_at_once(folder, stream, start):
    play(folder, ["sleep", 60])
    result = stream("run", "--pipeline", "p", "--start-timeout", "0.2")
    assert result.code == 4
    assert "is not active after 0.2 s" in result.err
    made = start("--no-wait")
    states = [one["state"] for one in told(stream, "status")["streams"]]
    assert (states, made[:5]) == (["STARTING", "STARTING"], "exec-")


def test_ctrl_c_while_a_start_is_waited_for_lets_it_go_on_and_says_so(folder, stream, started):
    play(folder, ["sleep", 60])
    program = started("run", "--pipeline", "p")
    until(lambda: any(one["worker_pid"] for one in told(stream, "status")["streams"]))
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=30)
    assert program.returncode == 4
    assert "It goes on starting in the background: tauro stream status" in err
    assert [one["state"] for one in told(stream, "status")["streams"]] == ["STARTING"]


def test_a_stream_in_the_foreground_is_0_when_it_completes_and_4_when_it_fails(folder, stream):
    play(folder, "active", ["batch", 1], ["says", "hello"], "completes")
    result = stream("run", "--pipeline", "p", "--mode", "sync")
    assert re.fullmatch(rf"{ID}\n", result.out)
    assert (result.code, result.err.startswith("COMPLETED after ")) == (0, True)
    assert "hello" in stream("logs", "--execution-id", result.out.strip()).out
    assert "hello" in stream("run", "--pipeline", "p", "--mode", "sync", "--verbose").err
    play(folder, ["fail", [4, "no luck"]])
    failed = stream("run", "--pipeline", "p", "--mode", "sync", "--output", "json")
    data, error = json.loads(failed.out), json.loads(failed.err)
    assert (failed.code, data["state"], error["error"]["message"]) == (4, "FAILED", "no luck")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stream_in_the_foreground_is_quiet_and_stops_cleanly_when_it_is_asked_to(stream, started, number):
    program = started("run", "--pipeline", "p", "--mode", "sync")
    until(lambda: any(one["last_progress"] for one in told(stream, "status")["streams"]))
    program.send_signal(number)
    out, err = program.communicate(timeout=30)
    assert program.returncode == 4
    (made,) = told(stream, "status")["streams"]
    assert (out, made["state"]) == (f"{made['execution_id']}\n", "STOPPED")
    assert re.fullmatch(rf"STOPPED after .*: {ID} of 'p' in base\nGo on: tauro stream run --resume {ID}\n", err)


def test_a_stream_goes_on_as_the_same_execution(stream, start):
    made = start()
    running = stream("run", "--resume", made)
    assert (running.code, f"Stream {made} is ACTIVE" in running.err) == (3, True)
    assert stream("stop", "--execution-id", made).code == 0
    result = stream("run", "--resume", made, "--reset-checkpoint")
    assert (result.code, result.out) == (0, f"{made}\n")
    again = stream("restart", "--execution-id", made)
    assert (again.code, again.out) == (0, f"{made}\n")
    (data,) = told(stream, "status")["streams"]
    assert data["state"] == "ACTIVE"


def test_all_streams_are_stopped_at_once(stream, start):
    assert (stream("stop", "--all").out, told(stream, "stop", "--all")["streams"]) == ("No stream runs.\n", [])
    ids = {start(), start()}
    stopped = told(stream, "stop", "--all")["streams"]
    assert {(one["execution_id"], one["state"]) for one in stopped} == {(made, "STOPPED") for made in ids}


def test_a_stream_whose_worker_is_stopped_is_no_active_one(stream, start):
    made = start()
    pid = told(stream, "status")["streams"][0]["worker_pid"]
    os.kill(pid, signal.SIGSTOP)
    result = until(lambda: (seen := stream("status")) and "STALLED" in seen.out and seen)
    assert f"{made}: Its worker {pid} is stopped; kill -CONT {pid} lets it go on" in result.err
    os.kill(pid, signal.SIGCONT)
    assert " | ACTIVE " in stream("status").out


def test_logs_are_those_of_the_newest_stream_and_can_be_followed_to_its_end(folder, stream, start, started):
    assert (stream("logs").err, told(stream, "logs")["lines"]) == ("No streams.\n", [])
    play(folder, ["says", "first"], ["says", "password=hunter2"], "active", ["sleep", 1], ["says", "last"], "completes")
    made = start()
    program = started("logs", "-f")
    out, err = program.communicate(timeout=30)
    assert program.returncode == 0
    assert made in err
    lines = out.splitlines()
    assert lines.index("first") < lines.index("password=***") < lines.index("last")
    assert told(stream, "logs", "--execution-id", made, "--tail", "2")["lines"] == lines[-2:]


@pytest.mark.parametrize("words", [("logs", "--follow"), ("status", "--watch")])
def test_what_goes_on_ends_with_its_reader_and_with_ctrl_c(start, started, words):
    start()
    program = started(*words)
    assert program.stdout.readline()
    program.stdout.close()
    program.stdout = None
    assert program.wait(15) == 0
    program = started(*words)
    assert program.stdout.readline()
    program.send_signal(signal.SIGINT)
    assert program.wait(15) == 0
    assert "Traceback" not in program.stderr.read()


def test_watching_one_stream_ends_with_it(stream, start, started):
    made = start()
    program = started("status", "--watch", "--execution-id", made)
    first = program.stdout.readline()
    assert stream("stop", "--execution-id", made).code == 0
    out, _ = program.communicate(timeout=30)
    assert (program.returncode, first.startswith("Execution ID")) == (0, True)
    assert " | STOPPED " in out


def test_the_functions_for_programs_do_what_the_commands_do(folder, capsys):
    assert run_cli_impl(config="./config/streaming.py", pipeline="p", hyperparams={"rate": 0.01}) == 0
    made = capsys.readouterr().out.strip()
    assert status_cli_impl(config="./config/streaming.py") == 0
    assert f"{made} | ACTIVE" in capsys.readouterr().out
    assert status_cli_impl(execution_id="exec-001") == 3
    assert stop_cli_impl(config="./config/streaming.py", execution_id=made) == 0
    assert capsys.readouterr().out.startswith("STOPPED")


def test_an_executor_of_streams_gives_values(folder):
    with ContextInitializer(ConfigManager()).initialize("dev") as context:
        executor = StreamingExecutor(context, config="config/streaming.py")
        made = executor.execute("p", hyperparams={"rate": 0.01})
        assert (made.status, made.new.env, made.new.config) == ("ACTIVE", "dev", "config/streaming.py")
        assert [one.id for one in executor.list_executions(active=True)] == [made.id]
        assert executor.stop(made.id).status == executor.status(made.id).status == "STOPPED"
        play(folder, "active", "completes")
        assert executor.execute("p", mode="sync").status == "COMPLETED"
        with pytest.raises(StreamNotFound):
            executor.status("exec-1")
