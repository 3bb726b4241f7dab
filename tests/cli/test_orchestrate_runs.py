"""tauro orchestrate run-...: runs are created, executed, watched, cancelled and tried again from the command line."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from tauro.cli.moments import age, duration

RUN_KEYS = {
    "run_id",
    "pipeline",
    "env",
    "state",
    "scheduled_for",
    "created_at",
    "started_at",
    "ended_at",
    "available_at",
    "attempt",
    "retries",
    "max_concurrency",
    "start_date",
    "end_date",
    "error",
    "cancel_requested",
    "owner",
    "schedule_id",
    "backfill_id",
    "retry_of",
    "dedupe_key",
}
TASK_KEYS = {"node", "state", "attempts", "started_at", "ended_at", "rows_in", "rows_out", "error"}
SLOW = {
    "config/dev/pipelines.yaml": "slow: {nodes: [nap, wake]}\n",
    "config/dev/nodes.yaml": "nap: {function: naps.nap, output: z}\nwake: {function: steps.take, input: z}\n",
    "src/naps.py": "import time\n\n\ndef nap():\n    print('asleep', flush=True)\n    time.sleep(60)\n",
}
# A node that fails as long as there is no file 'mended'.
SHAKY = {
    "config/dev/pipelines.yaml": "shaky: {nodes: [make, take, doubt]}\n",
    "config/dev/nodes.yaml": "doubt: {function: shaky.doubt}\n",
    "src/shaky.py": (
        "from pathlib import Path\n\n\ndef doubt():\n    if not Path('mended').exists():\n"
        "        raise RuntimeError('no luck: password=hunter2')\n"
    ),
}


@pytest.fixture
def orchestrate(tauro):
    """Run a command line of tauro orchestrate in this process."""

    def run(*arguments):
        return tauro("orchestrate", *arguments)

    return run


@pytest.fixture
def create(orchestrate):
    """Create a run, and return its id."""

    def make(pipeline="memory", *more):
        result = orchestrate("run-create", "--pipeline", pipeline, *more)
        assert (result.code, result.err) == (0, "")
        return result.out.strip()

    return make


def status_text(orchestrate, run_id):
    return orchestrate("run-status", "--run-id", run_id).out


def state_of(orchestrate, run_id):
    return json.loads(orchestrate("run-status", "--run-id", run_id, "--output", "json").out)["state"]


@pytest.mark.usefixtures("project")
def test_a_run_is_created_executed_and_shown(orchestrate, create):
    run_id = create()
    assert re.fullmatch(r"run-\d{8}-\d{6}-\d{6}", run_id)
    assert re.match(rf"pending for \d\.\d\d s: {run_id} of 'memory' in base\n", status_text(orchestrate, run_id))

    started = orchestrate("run-start", "--run-id", run_id)
    assert (started.code, started.err) == (0, "")
    assert re.match(rf"completed after \d+\.\d\d s: {run_id} of 'memory' in base\n", started.out)
    assert re.search(r"^make  completed         1 ", started.out, re.MULTILINE)

    status = orchestrate("run-status", "--run-id", run_id)
    assert status.out.split()[0] == "completed"
    assert "Nodes (2 of 2 completed)" in status.out
    assert orchestrate("run-list").out.splitlines()[1].startswith(run_id)


@pytest.mark.usefixtures("project")
def test_a_failed_run_says_why_and_what_to_do(orchestrate, create):
    run_id = create("broken", "--retries", "1")
    started = orchestrate("run-start", "--run-id", run_id)
    assert started.code == 4
    assert "hunter2" not in started.out + started.err
    assert "Error: EXECUTION_ERROR: Run " in started.err
    assert "has failed: Node 'fail' failed: RuntimeError: no luck" in started.err
    assert f"tauro orchestrate run-start --run-id {run_id} --retry-failed" in started.err

    status = orchestrate("run-status", "--run-id", run_id)
    assert (status.code, status.err) == (0, "")
    assert status.out.startswith("failed after ")
    for said in (
        "Why:      Node 'fail' failed: RuntimeError: no luck",
        "Retries:  1 left; but this failure does not pass by itself",
        "Nodes (1 of 3 completed)",
        f"Go on:  tauro orchestrate run-start --run-id {run_id} --retry-failed",
        f"tauro orchestrate run-logs --run-id {run_id}   (.tauro/run/{run_id}.log)",
    ):
        assert said in status.out
    assert re.search(r"after +skipped +- +- +- +- +'fail' failed", status.out)

    again = orchestrate("run-start", "--run-id", run_id)
    assert again.code == 4
    assert "--retry-failed" in again.err


def test_what_a_failed_run_has_left_undone_is_done_by_another(project, orchestrate, create):
    folder = project(**SHAKY)
    failed = create("shaky", "--env", "dev")
    assert orchestrate("run-start", "--run-id", failed).code == 4
    (folder / "mended").touch()

    retried = orchestrate("run-retry", "--run-id", failed)
    new = retried.out.strip()
    assert (retried.code, retried.err) == (0, "")
    assert new != failed
    asked_again = orchestrate("run-retry", "--run-id", failed)
    assert (asked_again.out.strip(), asked_again.err) == (new, "It is tried again already: that run is pending.\n")

    assert f"Retry of:  {failed}" in orchestrate("run-status", "--run-id", new).out
    done = orchestrate("run-start", "--run-id", failed, "--retry-failed", "--output", "json")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["run_id"], told["state"], told["retry_of"]) == (new, "completed", failed)
    assert [task["node"] for task in told["tasks"]] == ["doubt"]

    refused = orchestrate("run-retry", "--run-id", new)
    assert refused.code == 3
    assert f"Run {new} is completed" in refused.err


@pytest.mark.usefixtures("project")
def test_a_completed_run_is_not_run_again(orchestrate, create):
    run_id = create()
    first = orchestrate("run-start", "--run-id", run_id)
    second = orchestrate("run-start", "--run-id", run_id)
    assert (second.code, second.out) == (0, first.out)
    assert second.err == "The run was completed before; nothing was done.\n"


def test_a_run_in_the_background_is_followed_refused_and_cancelled(project, orchestrate, create):
    folder = project(**SLOW)
    run_id = create("slow", "--env", "dev")
    detached = orchestrate("run-start", "--run-id", run_id, "--detach")
    assert detached.code == 0
    assert detached.out.startswith("running for ")
    assert f"run-logs --run-id {run_id} --follow" in detached.err

    elsewhere = orchestrate("run-start", "--run-id", run_id)
    assert elsewhere.code == 3
    assert re.search(rf"Run {run_id} is running by process \d+ on ", elsewhere.err)
    status = orchestrate("run-status", "--run-id", run_id)
    assert re.search(r"Owner: +process \d+ on ", status.out)
    assert f"Cancel:  tauro orchestrate run-cancel --run-id {run_id}" in status.out

    follow = subprocess.Popen(
        [sys.executable, "-m", "tauro", "orchestrate", "run-logs", "--run-id", run_id, "--follow"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    seen = iter(follow.stdout.readline, "")
    assert any(line == "asleep\n" for line in seen)
    cancelled = orchestrate("run-cancel", "--run-id", run_id)
    assert (cancelled.code, cancelled.err) == (0, "")
    assert cancelled.out.startswith("cancelled after ")
    assert follow.wait(20) == 0
    follow.stdout.close()
    assert state_of(orchestrate, run_id) == "cancelled"
    over = orchestrate("run-cancel", "--run-id", run_id)
    assert (over.code, over.err) == (0, "The run was over already, and stays cancelled.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_interrupted_is_cancelled_and_leaves_with_4(project, orchestrate, create, number):
    folder = project(**SLOW)
    run_id = create("slow", "--env", "dev")
    command = [sys.executable, "-m", "tauro", "orchestrate", "run-start", "--run-id", run_id, "--verbose"]
    started = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert any(line == "asleep\n" for line in iter(started.stderr.readline, ""))
    os.kill(started.pid, number)
    out, err = started.communicate(timeout=30)
    assert started.returncode == 4
    assert out.startswith("cancelled after ")
    assert "is cancelled" in err
    assert state_of(orchestrate, run_id) == "cancelled"


@pytest.mark.usefixtures("project")
def test_an_empty_dedupe_key_is_refused_and_makes_no_run_the_same_as_another(orchestrate):
    result = orchestrate("run-create", "--pipeline", "memory", "--dedupe-key", "")
    assert (result.code, result.out) == (3, "")
    assert "The dedupe key is empty" in result.err


@pytest.mark.usefixtures("project")
def test_a_pending_run_is_cancelled_at_once(orchestrate, create):
    run_id = create()
    result = orchestrate("run-cancel", "--run-id", run_id)
    assert (result.code, result.err) == (0, "")
    assert re.fullmatch(rf"cancelled after \d\.\d\d s: {run_id} of 'memory' in base\n", result.out)


@pytest.mark.usefixtures("project")
def test_dates_numbers_and_key_are_stored_with_the_run(orchestrate, create):
    options = ("--env", "dev", "--start-date", "2025-01-05", "--end-date", "2025-01-07")
    limits = ("--retries", "2", "--max-concurrency", "3", "--dedupe-key", "january")
    created = orchestrate("run-create", "--pipeline", "memory", *options, *limits, "--output", "json")
    told = json.loads(created.out)
    assert told["schema"] == 1
    assert told["created"] is True
    assert set(told) == RUN_KEYS | {"schema", "created"}
    expected = {
        "pipeline": "memory",
        "env": "dev",
        "state": "pending",
        "start_date": "2025-01-05",
        "end_date": "2025-01-07",
        "retries": 2,
        "max_concurrency": 3,
        "dedupe_key": "january",
        "attempt": 1,
        "owner": None,
    }
    assert {key: told[key] for key in expected} == expected
    assert datetime.fromisoformat(told["created_at"]).utcoffset() == timedelta()

    again = orchestrate("run-create", "--pipeline", "memory", *options, "--dedupe-key", "january")
    assert again.out.strip() == told["run_id"]
    assert again.err == "There is a run with the key 'january' already: it is pending.\n"
    assert "Dates:    2025-01-05 to 2025-01-07" in orchestrate("run-status", "--run-id", told["run_id"]).out


@pytest.mark.usefixtures("project")
def test_a_run_is_started_with_other_numbers_than_it_was_created_with(orchestrate, create):
    run_id = create()
    told = json.loads(
        orchestrate(
            *("run-start", "--run-id", run_id, "--retries", "3", "--max-concurrency", "5", "--output", "json")
        ).out
    )
    assert (told["retries"], told["max_concurrency"], told["state"]) == (3, 5, "completed")


@pytest.mark.usefixtures("project")
def test_the_json_of_runs_and_tasks_has_its_documented_keys(orchestrate, create):
    run_id = create("broken")
    orchestrate("run-start", "--run-id", run_id)
    create()
    listed = json.loads(orchestrate("run-list", "--output", "json").out)
    assert set(listed) == {"schema", "runs"}
    assert [set(run) for run in listed["runs"]] == [RUN_KEYS, RUN_KEYS]
    assert [run["pipeline"] for run in listed["runs"]] == ["memory", "broken"]
    assert set(listed["runs"][1]["owner"]) == {"host", "pid"}

    status = json.loads(orchestrate("run-status", "--run-id", run_id, "--output", "json").out)
    assert set(status) == RUN_KEYS | {"schema", "tasks"}
    assert all(set(task) == TASK_KEYS for task in status["tasks"])

    tasks = json.loads(orchestrate("run-tasks", "--run-id", run_id, "--output", "json").out)
    assert set(tasks) == {"schema", "run_id", "state", "tasks"}
    states = {task["node"]: task["state"] for task in tasks["tasks"]}
    assert states == {"fail": "failed", "after": "skipped", "make": "completed"}
    (failed,) = (task for task in tasks["tasks"] if task["node"] == "fail")
    assert set(failed) == TASK_KEYS | {"history"}
    (attempt,) = failed["history"]
    assert set(attempt) == {"attempt", "state", "started_at", "ended_at", "error"}
    assert (attempt["attempt"], attempt["state"]) == (1, "failed")

    logs = json.loads(orchestrate("run-logs", "--run-id", run_id, "--output", "json").out)
    assert set(logs) == {"schema", "run_id", "lines"}
    assert any("[fail] failed" in line for line in logs["lines"])
    assert "hunter2" not in json.dumps([listed, status, tasks, logs])


@pytest.mark.usefixtures("project")
def test_a_failure_is_one_json_object_on_stderr(orchestrate, create):
    result = orchestrate("run-start", "--run-id", create("broken"), "--output", "json")
    assert result.code == 4
    assert json.loads(result.out)["state"] == "failed"
    error = json.loads(result.err)["error"]
    assert (error["code"], error["exit_code"]) == ("EXECUTION_ERROR", 4)
    assert "--retry-failed" in error["hint"]


@pytest.mark.usefixtures("project")
def test_runs_are_filtered_and_limited(orchestrate, create):
    old, cancelled, new = create(), create("broken"), create("memory", "--env", "dev")
    orchestrate("run-cancel", "--run-id", cancelled)

    def listed(*options):
        return [run["run_id"] for run in json.loads(orchestrate("run-list", *options, "--output", "json").out)["runs"]]

    assert listed() == [new, cancelled, old]
    assert listed("--pipeline", "memory") == [new, old]
    assert listed("--status", "cancelled") == [cancelled]
    assert listed("--env", "dev") == [new]
    assert listed("--pipeline", "memory", "--env", "base") == [old]
    assert listed("--limit", "2") == [new, cancelled]
    assert orchestrate("run-list", "--limit", "2").err == "These are the newest 2; there are more: --limit N.\n"
    assert orchestrate("run-list", "--limit", "3").err == ""


@pytest.mark.usefixtures("project")
def test_nothing_to_list_is_said_and_a_name_that_is_none_is_told(orchestrate):
    nothing = orchestrate("run-list")
    assert (nothing.code, nothing.out, nothing.err) == (0, "No runs.\n", "")
    known = orchestrate("run-list", "--pipeline", "memory")
    assert (known.out, known.err) == ("No runs.\n", "")
    unknown = orchestrate("run-list", "--pipeline", "memry")
    assert (unknown.code, unknown.err) == (0, "The project has no pipeline 'memry'. Nearest: memory\n")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "command", ["run-start", "run-status", "run-tasks", "run-logs", "run-cancel", "run-retry"], ids=str
)
def test_an_unknown_run_is_answered_with_the_nearest(orchestrate, create, command):
    run_id = create()
    result = orchestrate(command, "--run-id", run_id[:-1])
    assert result.code == 4
    assert f"There is no run '{run_id[:-1]}'" in result.err
    assert f"Nearest: {run_id}" in result.err


def test_every_attempt_at_a_node_is_listed_with_its_error(project, orchestrate, create):
    files = {
        "config/dev/pipelines.yaml": "away: {nodes: [call]}\n",
        "config/dev/nodes.yaml": "call: {function: away.call, retries: 1}\n",
        "src/away.py": "def call():\n    raise ConnectionError('not there')\n",
    }
    project(**files)
    run_id = create("away", "--env", "dev")
    orchestrate("run-start", "--run-id", run_id)
    shown = orchestrate("run-tasks", "--run-id", run_id).out
    for number in (1, 2):
        assert re.search(rf"call +{number}  failed +\S+ \S+ UTC, .* ConnectionError: not there", shown)
    assert "Errors\n  call:  ConnectionError: not there" in shown


@pytest.mark.usefixtures("project")
def test_the_log_is_printed_as_it_was_and_its_end_alone_when_asked(orchestrate, create):
    run_id = create()
    nothing = orchestrate("run-logs", "--run-id", run_id)
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "Nothing is logged here: the run is pending.\n")
    orchestrate("run-start", "--run-id", run_id)
    whole = orchestrate("run-logs", "--run-id", run_id).out.splitlines()
    assert any("tauro.run Run of 'memory' in base started" in line for line in whole)
    assert orchestrate("run-logs", "--run-id", run_id, "--tail", "2").out.splitlines() == whole[-2:]
    assert orchestrate("run-logs", "--run-id", run_id, "--follow").out.splitlines() == whole
    both = orchestrate("run-logs", "--run-id", run_id, "--follow", "--output", "json")
    assert both.code == 3


def test_a_run_that_waits_for_its_next_attempt_says_why_and_for_how_long(project, orchestrate, create):
    files = {
        "config/dev/pipelines.yaml": "crashing: {nodes: [crash]}\n",
        "config/dev/nodes.yaml": "crash: {function: crashing.crash}\n",
        "src/crashing.py": "import os\n\n\ndef crash():\n    os._exit(3)\n",
    }
    project(**files)
    run_id = create("crashing", "--env", "dev", "--retries", "1")
    orchestrate("run-start", "--run-id", run_id, "--detach")
    until = time.monotonic() + 30
    while state_of(orchestrate, run_id) != "pending":
        assert time.monotonic() < until
        time.sleep(0.05)
    shown = orchestrate("run-status", "--run-id", run_id).out
    assert re.match(rf"pending for \d+\.\d+ s more: {run_id} of 'crashing' in dev, attempt 2 of 2\n", shown)
    assert "Last attempt:  Its process left with exit code 3" in shown
    assert re.search(r"Not before: +\S+ \S+ UTC, in \d+ seconds", shown)
    assert orchestrate("run-cancel", "--run-id", run_id).out.startswith("cancelled after ")


def test_runs_that_are_created_at_once_are_as_many_runs(project):
    folder = project()
    command = [sys.executable, "-m", "tauro", "orchestrate", "run-create", "--pipeline", "memory"]
    created = [subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) for _ in range(30)]
    ids = {process.communicate(timeout=60)[0].strip() for process in created}
    assert [process.returncode for process in created] == [0] * 30
    assert len(ids) == 30


def test_a_named_log_file_gets_what_the_run_prints_and_that_somebody_looked(project, orchestrate, create):
    folder = project()
    run_id = create()
    orchestrate("run-start", "--run-id", run_id, "--log-file", "run.log")
    assert "Run of 'memory' in base started" in (folder / "run.log").read_text()
    orchestrate("run-status", "--run-id", run_id, "--log-file", "look.log", "--verbose")
    assert f"Opened the runs of {folder}" in (folder / "look.log").read_text()


def test_a_run_whose_owner_was_killed_is_not_shown_as_running(project, orchestrate, create):
    folder = project(**SLOW)
    run_id = create("slow", "--env", "dev")
    command = [sys.executable, "-m", "tauro", "orchestrate", "run-start", "--run-id", run_id, "--verbose"]
    started = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert any(line == "asleep\n" for line in iter(started.stderr.readline, ""))
    started.kill()
    started.wait()
    before = time.monotonic()
    shown = orchestrate("run-list", "--output", "json")
    assert time.monotonic() - before < 5.0
    assert json.loads(shown.out)["runs"][0]["state"] == "failed"
    assert "orphaned" in orchestrate("run-status", "--run-id", run_id).out
    started.stderr.close()


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (0.4, "just now"),
        (1, "1 second ago"),
        (59, "59 seconds ago"),
        (59.7, "1 minute ago"),
        (89, "1 minute ago"),
        (3599, "1 hour ago"),
        (-3599, "in 1 hour"),
        (-7190, "in 2 hours"),
        (86_399, "1 day ago"),
        (-10 * 86_400, "in 10 days"),
    ],
)
def test_an_age_is_told_in_one_unit(seconds, said):
    assert age(NOW - timedelta(seconds=seconds), NOW) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0.00 s"),
        (0.354, "0.35 s"),
        (9.996, "10.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (245, "4 min 05 s"),
        (7_380, "2 h 03 min"),
        (280_000, "3 d 5 h"),
    ],
)
def test_a_duration_is_told_as_people_say_it(seconds, said):
    assert duration(seconds) == said


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("key", ["a\tb", "x" * 201])
def test_a_dedupe_key_that_nobody_can_read_is_refused(orchestrate, key):
    result = orchestrate("run-create", "--pipeline", "memory", "--dedupe-key", key)
    assert result.code == 3
    assert "dedupe key" in result.err
