"""tauro orchestrate schedule-..., backfill and health: what they print, refuse and leave."""

import json
import re
import signal
import subprocess
import sys
import time

import pytest

KEYS = {
    "schedule_id",
    "pipeline",
    "env",
    "kind",
    "expression",
    "timezone",
    "catchup",
    "max_active_runs",
    "retries",
    "max_concurrency",
    "enabled",
    "next_fire",
    "problem",
    "created_at",
    "updated_at",
    "text",
    "upcoming",
    "past",
}


@pytest.fixture
def orchestrate(tauro):
    """Run a command line of tauro orchestrate in this process."""

    def run(*arguments):
        return tauro("orchestrate", *arguments)

    return run


@pytest.fixture
def add(orchestrate):
    """Add a schedule, and return its id."""

    def make(kind="CRON", expression="0 2 * * *", *more, pipeline="memory"):
        options = ("--pipeline", pipeline, "--schedule-kind", kind, "--expression", expression)
        result = orchestrate("schedule-add", *options, *more)
        assert result.code == 0, result.err
        return result.out.strip()

    return make


def listed(orchestrate, *options):
    return json.loads(orchestrate("schedule-list", *options, "--output", "json").out)["schedules"]


@pytest.mark.usefixtures("project")
def test_a_schedule_is_added_and_its_id_alone_is_data(orchestrate):
    options = ("--pipeline", "memory", "--schedule-kind", "INTERVAL", "--expression", "3600")
    result = orchestrate("schedule-add", *options)
    assert result.code == 0
    assert re.fullmatch(r"schedule-\d{8}-\d{6}-\d{6}\n", result.out)
    assert "every hour  [INTERVAL 3600]" in result.err
    assert result.err.count(" UTC  in ") == 5


@pytest.mark.usefixtures("project")
def test_schedules_are_listed_in_words_with_their_next_firings(orchestrate, add):
    schedule = add("cron", "30 6 * * 1-5", "--timezone", "Europe/Berlin", "--retries", "1", "--catchup", "all")
    text = orchestrate("schedule-list").out
    lines = text.splitlines()
    assert lines[0] == f"{schedule}  'memory' in base"
    assert lines[1] == "  at 06:30 from Monday to Friday (Europe/Berlin)  [CRON 30 6 * * 1-5]"
    assert lines[2] == "  all missed firings are made up for, 1 run at once, 1 retry"
    assert len(lines) == 8
    assert all(re.search(r" 06:30:00 CES?T  in \d+ (hour|day|minute)s?", line) for line in lines[3:])
    assert len(orchestrate("schedule-list", "--firings", "2").out.splitlines()) == 5
    assert len(orchestrate("schedule-list", "--firings", "0").out.splitlines()) == 3


@pytest.mark.usefixtures("project")
def test_days_on_which_clocks_change_are_marked(orchestrate, add):
    add("CRON", "30 2 * * *", "--timezone", "Europe/Berlin")
    add("CRON", "30 2 * 3,10 0", "--timezone", "Europe/Berlin")
    (text,) = orchestrate("schedule-list", "--firings", "100").out.split("\n\n")[1:]
    assert "! clocks go forward: 02:30 does not exist, fires at 03:00" in text
    assert "! clocks go back: 02:30 comes twice, fires the first time" in text


@pytest.mark.usefixtures("project")
def test_the_json_of_schedules_has_its_documented_keys(orchestrate, add):
    schedule = add("INTERVAL", "1h30m", "--max-active-runs", "2", "--max-concurrency", "4")
    (told,) = listed(orchestrate)
    assert set(told) == KEYS
    expected = {
        "schedule_id": schedule,
        "kind": "INTERVAL",
        "expression": "1h30m",
        "timezone": "UTC",
        "catchup": "latest",
        "max_active_runs": 2,
        "max_concurrency": 4,
        "retries": 0,
        "enabled": True,
        "problem": None,
        "text": "every 90 minutes",
    }
    assert {key: told[key] for key in expected} == expected
    assert [set(firing) for firing in told["upcoming"]] == [{"at", "local", "note"}] * 5
    assert told["upcoming"][0]["at"] == told["next_fire"]


@pytest.mark.usefixtures("project")
def test_a_schedule_is_paused_resumed_changed_and_removed(orchestrate, add):
    schedule = add()
    which = ("--schedule-id", schedule)
    paused = orchestrate("schedule-pause", *which)
    assert paused.code == 0
    assert "paused: it does not fire until it is resumed" in paused.out
    (told,) = listed(orchestrate)
    assert (told["enabled"], told["next_fire"], told["upcoming"]) == (False, None, [])

    assert "every day at 02:00 (UTC)" in orchestrate("schedule-resume", *which).out
    changed = orchestrate("schedule-update", *which, "--expression", "0 3 * * *", "--retries", "2")
    assert "every day at 03:00 (UTC)" in changed.out
    assert "2 retries" in changed.out
    (told,) = listed(orchestrate)
    assert (told["schedule_id"], told["retries"], told["catchup"]) == (schedule, 2, "latest")

    removed = orchestrate("schedule-remove", *which, "--output", "json")
    assert json.loads(removed.out)["removed"] is True
    assert orchestrate("schedule-list").out == "No schedules.\n"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", ["schedule-pause", "schedule-resume", "schedule-remove", "schedule-update"])
def test_an_unknown_schedule_is_answered_with_the_nearest(orchestrate, add, command):
    schedule = add()
    more = ("--retries", "1") if command == "schedule-update" else ()
    result = orchestrate(command, "--schedule-id", schedule[:-1], *more)
    assert result.code == 4
    assert f"There is no schedule '{schedule[:-1]}'" in result.err
    assert f"Nearest: {schedule}" in result.err


@pytest.mark.usefixtures("project")
def test_a_change_of_nothing_is_refused(orchestrate, add):
    result = orchestrate("schedule-update", "--schedule-id", add())
    assert result.code == 3
    assert "Nothing is to be changed" in result.err


@pytest.mark.usefixtures("project")
def test_schedules_are_filtered_by_pipeline_and_environment(orchestrate, add):
    first, second = add(), add("CRON", "@daily", "--env", "dev", pipeline="broken")
    assert [one["schedule_id"] for one in listed(orchestrate)] == [first, second]
    assert [one["schedule_id"] for one in listed(orchestrate, "--pipeline", "broken")] == [second]
    assert [one["schedule_id"] for one in listed(orchestrate, "--env", "base")] == [first]
    nothing = orchestrate("schedule-list", "--pipeline", "brokn")
    assert (nothing.code, nothing.out) == (0, "No schedules.\n")
    assert "Nearest: broken" in nothing.err


@pytest.mark.usefixtures("project")
def test_a_dry_run_of_a_backfill_shows_its_windows_and_creates_nothing(orchestrate):
    result = orchestrate("backfill", "--pipeline", "memory", "--start-date", "2025-01-01", "--end-date", "2025-01-03")
    assert re.fullmatch(r"backfill-\d{8}-\d{6}-\d{6}\n", result.out)
    options = ("--start-date", "2025-01-02", "--end-date", "2025-01-05", "--reverse", "--dry-run")
    dry = orchestrate("backfill", "--pipeline", "memory", *options)
    assert dry.out.splitlines() == [
        "2 windows of 'memory' in base, a day each; 2 windows done or on the way",
        "",
        "#  Dates",
        "1  2025-01-05",
        "2  2025-01-04",
        "",
        "Nothing was created.",
    ]
    assert dry.err == ""
    told = json.loads(orchestrate("backfill", "--pipeline", "memory", *options, "--output", "json").out)
    assert (told["backfill_id"], told["dry_run"], told["kept"], told["runs"]) == (None, True, 2, [])
    assert told["windows"][0] == {"start_date": "2025-01-05", "end_date": "2025-01-05"}
    assert len(json.loads(orchestrate("run-list", "--output", "json").out)["runs"]) == 3


@pytest.mark.usefixtures("project")
def test_a_long_backfill_is_shown_in_part(orchestrate):
    shown = orchestrate("backfill", "--pipeline", "memory", "--count", "1000", "--dry-run").out
    assert "... and 960 more" in shown
    assert len(shown.splitlines()) < 50


@pytest.mark.usefixtures("project")
def test_a_backfill_is_created_once_executed_and_shown(orchestrate):
    created = orchestrate("backfill", "--pipeline", "memory", "--count", "2")
    backfill = created.out.strip()
    assert f"--backfill-id {backfill} --run-now" in created.err
    again = orchestrate("backfill", "--pipeline", "memory", "--count", "2")
    assert (again.code, again.out) == (0, "Nothing to do: 2 windows of 'memory' in base done or on the way.\n")
    waiting = orchestrate("backfill", "--backfill-id", backfill)
    assert waiting.out == f"{backfill}: 0 of 2 runs over (2 pending)\n"
    done = orchestrate("backfill", "--backfill-id", backfill, "--run-now", "--max-active-runs", "2")
    assert (done.code, done.out, done.err) == (0, f"{backfill}: 2 of 2 runs over (2 completed)\n", "")
    told = json.loads(orchestrate("run-list", "--backfill-id", backfill, "--output", "json").out)["runs"]
    assert {run["state"] for run in told} == {"completed"}


@pytest.mark.usefixtures("project")
def test_a_backfill_that_fails_says_which_runs_and_leaves_with_4(orchestrate):
    result = orchestrate("backfill", "--pipeline", "broken", "--count", "1", "--run-now")
    assert result.code == 4
    assert "1 of 1 run over (1 failed)" in result.out
    assert "Node 'fail' failed: RuntimeError: no luck" in result.out
    assert "hunter2" not in result.out + result.err
    assert "1 run of 1 failed or was cancelled" in result.err
    assert re.search(r"run-list --backfill-id backfill-\S+ --status failed", result.err)


@pytest.mark.usefixtures("project")
def test_what_is_left_of_a_backfill_is_cancelled(orchestrate):
    backfill = orchestrate("backfill", "--pipeline", "memory", "--count", "3").out.strip()
    cancelled = orchestrate("backfill", "--backfill-id", backfill, "--cancel")
    assert cancelled.out == f"{backfill}: 3 of 3 runs over (3 cancelled)\n"


def test_a_backfill_that_is_interrupted_hands_its_runs_back_and_says_how_to_go_on(project, orchestrate):
    files = {
        "config/dev/pipelines.yaml": "slow: {nodes: [nap]}\n",
        "config/dev/nodes.yaml": "nap: {function: naps.nap}\n",
        "src/naps.py": "import time\nfrom pathlib import Path\n\n\ndef nap():\n    Path('asleep').touch()\n"
        "    time.sleep(0 if Path('hurry').exists() else 60)\n",
    }
    folder = project(**files)
    options = ["backfill", "--pipeline", "slow", "--env", "dev", "--count", "2", "--run-now"]
    command = [sys.executable, "-m", "tauro", "orchestrate", *options]
    started = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while not (folder / "asleep").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 4
    assert "0 of 2 runs over (2 pending)" in out
    assert "The backfill was ended; 2 runs of 2 are left" in err
    backfill = out.split(":")[0]
    assert f"tauro orchestrate backfill --backfill-id {backfill} --run-now" in err
    (folder / "hurry").touch()
    done = orchestrate("backfill", "--backfill-id", backfill, "--run-now")
    assert (done.code, done.out) == (0, f"{backfill}: 2 of 2 runs over (2 completed)\n")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--pipeline", "memory"), 3, "--count"),
        (("--count", "3"), 3, "Missing option '--pipeline'"),
        (("--pipeline", "memory", "--count", "0"), 3, "windows"),
        (("--pipeline", "memory", "--count", "3", "--start-date", "2025-01-01"), 3, "--count"),
        (("--pipeline", "memory", "--start-date", "2025-13-01"), 3, "2025-13-01"),
        (("--pipeline", "memry", "--count", "3"), 4, "Nearest: memory"),
        (("--pipeline", "memory", "--count", "3", "--dry-run", "--run-now"), 3, "--dry-run"),
        (("--pipeline", "memory", "--count", "3", "--cancel"), 3, "--backfill-id"),
        (("--pipeline", "memory", "--backfill-id", "backfill-1"), 3, "--backfill-id"),
        (("--backfill-id", "backfill-1", "--run-now", "--cancel"), 3, "--cancel"),
        (("--backfill-id", "backfill-1"), 4, "There is no backfill 'backfill-1'"),
        (("--pipeline", "memory", "--count", "3", "--schedule-id", "schedule-1"), 4, "schedule-1"),
    ],
)
def test_a_backfill_that_means_nothing_is_refused(orchestrate, options, code, said):
    result = orchestrate("backfill", *options)
    assert result.code == code
    assert said in result.err
    assert result.out == ""


def test_a_scheduler_serves_says_so_and_ends_clean_on_sigterm(project, orchestrate, add):
    folder = project()
    silent = orchestrate("health")
    assert silent.code == 4
    assert silent.out == "unhealthy: 0 schedulers, none heard of; nothing is due\n"
    assert "No scheduler serves this store" in silent.err

    schedule = add("INTERVAL", "1")
    command = [sys.executable, "-m", "tauro", "orchestrate", "schedule-start", "--poll-interval", "0.1"]
    serving = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 30
        while "completed" not in [run["state"] for run in runs_of(orchestrate, schedule)]:
            assert time.monotonic() < until
            time.sleep(0.1)
        healthy = orchestrate("health", "--output", "json")
        assert healthy.code == 0
        told = json.loads(healthy.out)
        assert (told["healthy"], told["schedulers"], told["oldest_due_seconds"]) == (True, 1, None)
        assert 0 <= told["last_heartbeat_seconds"] < 10
    finally:
        serving.send_signal(signal.SIGTERM)
        out, err = serving.communicate(timeout=40)
    assert (serving.returncode, out) == (0, "")
    assert "Serving 1 active schedule, the first due " in err
    assert f"Schedule {schedule} of 'memory' fires for " in err
    assert re.search(r"\| INFO +\| tauro.schedule \| Run run-\S+ of 'memory' is completed", err)
    assert not [run for run in runs_of(orchestrate, schedule) if run["state"] == "running"]
    (told,) = listed(orchestrate, "--past", "100")
    assert {tick["run_id"] for tick in told["past"] if tick["outcome"] == "run"} == {
        run["run_id"] for run in runs_of(orchestrate, schedule)
    }
    past = orchestrate("schedule-list", "--past", "1").out.split("  before\n")[1]
    assert re.fullmatch(
        r"    \S+ \S+ UTC  (\d+ seconds?|\d+ minutes?|just) (ago|now)  (run-\S+|passed over: .+)\n", past
    )
    assert orchestrate("health").code == 4


def runs_of(orchestrate, schedule):
    return json.loads(orchestrate("run-list", "--schedule-id", schedule, "--output", "json").out)["runs"]


def test_without_schedules_a_scheduler_says_how_to_add_one(project):
    command = [sys.executable, "-m", "tauro", "orchestrate", "schedule-start", "--log-format", "json"]
    serving = subprocess.Popen(command, cwd=project(), stderr=subprocess.PIPE, text=True)
    lines = iter(serving.stderr.readline, "")
    assert next(lines) == (
        "Serving 0 active schedules: add one with tauro orchestrate schedule-add. End it with Ctrl-C.\n"
    )
    assert json.loads(next(lines))["component"] == "tauro.schedule"
    serving.send_signal(signal.SIGINT)
    assert serving.wait(30) == 0
    serving.stderr.close()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("seconds", ["0", "inf", "1e9"])
def test_a_poll_interval_that_is_not_valid_is_refused_before_anything_is_said_to_be_served(orchestrate, seconds):
    result = orchestrate("schedule-start", "--poll-interval", seconds)
    assert result.code == 3
    assert "--poll-interval" in result.err
    assert "Serving" not in result.err


@pytest.mark.usefixtures("project")
def test_a_backfill_is_cancelled_by_its_id_and_not_by_a_pipeline(orchestrate):
    result = orchestrate("backfill", "--cancel")
    assert result.code == 3
    assert "Name it with --backfill-id" in result.err
