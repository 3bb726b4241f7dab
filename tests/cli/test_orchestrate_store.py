"""tauro orchestrate db-...: the store is counted, cleaned, checked and recovered; its faults are told."""

import json
import os
import sqlite3
import time

import pytest

COUNTS = {
    "schema",
    "backend",
    "place",
    "bytes",
    "store_schema",
    "runs",
    "tasks",
    "attempts",
    "streams",
    "batches",
    "events",
    "schedules",
    "ticks",
    "oldest_run",
    "next_due",
}


@pytest.fixture
def orchestrate(tauro):
    """Run a command line of tauro orchestrate in this process."""

    def run(*arguments):
        return tauro("orchestrate", *arguments)

    return run


@pytest.fixture
def stored(project, orchestrate):
    """A project whose store holds a cancelled and a pending run; its folder."""
    folder = project()
    first = orchestrate("run-create", "--pipeline", "memory").out.strip()
    orchestrate("run-create", "--pipeline", "sales")
    orchestrate("run-cancel", "--run-id", first)
    return folder


@pytest.mark.usefixtures("stored")
def test_what_the_store_holds_is_counted(orchestrate):
    told = json.loads(orchestrate("db-stats", "--output", "json").out)
    assert set(told) == COUNTS
    assert told["runs"] == {"total": 2, "pending": 1, "running": 0, "completed": 0, "failed": 0, "cancelled": 1}
    assert told["schedules"] == {"total": 0, "paused": 0}
    text = orchestrate("db-stats").out
    assert "Store:       sqlite, .tauro/state.db" in text
    assert "Total runs:  2 (1 pending, 1 cancelled)" in text
    assert "KiB" in text


@pytest.mark.usefixtures("stored")
def test_a_clean_up_removes_what_is_over_and_a_dry_run_only_counts(orchestrate):
    assert json.loads(orchestrate("db-cleanup", "--days", "1", "--output", "json").out)["runs"] == 0
    dry = orchestrate("db-cleanup", "--days", "0", "--dry-run")
    assert dry.out.startswith("Would remove what was over before ")
    assert "UTC: 1 run, 0 tasks, 2 events, 0 ticks, 0 streams, 0 logs, 0 records." in dry.out
    told = json.loads(orchestrate("db-cleanup", "--days", "0", "--output", "json").out)
    assert {key: told[key] for key in ("dry_run", "runs", "tasks", "events", "ticks", "logs", "records")} == {
        "dry_run": False,
        "runs": 1,
        "tasks": 0,
        "events": 2,
        "ticks": 0,
        "logs": 0,
        "records": 0,
    }
    left = json.loads(orchestrate("run-list", "--output", "json").out)["runs"]
    assert [(run["pipeline"], run["state"]) for run in left] == [("sales", "pending")]


def test_a_clean_up_takes_the_logs_of_removed_runs_with_it_and_leaves_all_others(stored, orchestrate):
    ids = [orchestrate("run-create", "--pipeline", "memory").out.strip() for _ in range(2)]
    for run_id in ids:
        orchestrate("run-start", "--run-id", run_id)
    pending = orchestrate("run-create", "--pipeline", "memory").out.strip()
    logs = stored / ".tauro/run"
    (logs / f"{pending}.log").write_text("begun\n")
    (logs / f"{ids[0]}.log.1").write_text("older\n")
    month = time.time() - 40 * 86_400
    for file in logs.glob("*.log*"):
        os.utime(file, (month, month))
    # Just written, of a run that is not stored yet.
    (logs / "run-20990101-000000-000000.log").write_text("new\n")
    assert "0 logs" in orchestrate("db-cleanup", "--days", "30").out
    assert {f"{run_id}.log" for run_id in ids} <= {file.name for file in logs.glob("*.log")}
    with sqlite3.connect(stored / ".tauro/state.db", isolation_level=None) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for table in ("events", "task_attempts", "tasks"):
            connection.execute(f"DELETE FROM {table} WHERE run_id IN (?, ?)", ids)
        connection.execute("DELETE FROM runs WHERE id IN (?, ?)", ids)
    connection.close()
    assert "3 logs" in orchestrate("db-cleanup", "--days", "30", "--dry-run").out
    assert "3 logs" in orchestrate("db-cleanup", "--days", "30").out
    assert {file.name for file in logs.glob("*.log*")} == {f"{pending}.log", "run-20990101-000000-000000.log"}


@pytest.mark.usefixtures("stored")
def test_a_sound_store_is_called_sound_and_vacuumed(orchestrate):
    checked = orchestrate("db-check")
    assert (checked.code, checked.err) == (0, "")
    assert checked.out == "The store is sound: its file, its references, and 3 events that lead to its states.\n"
    assert json.loads(orchestrate("db-check", "--output", "json").out) == {"schema": 1, "sound": True, "problems": []}
    told = json.loads(orchestrate("db-vacuum", "--output", "json").out)
    assert set(told) == {"schema", "bytes_before", "bytes_after"}
    assert orchestrate("db-vacuum").out.startswith("The store had ")


def test_a_state_that_no_event_leads_to_is_found(stored, orchestrate):
    with sqlite3.connect(stored / ".tauro/state.db", isolation_level=None) as connection:
        connection.execute("DELETE FROM events WHERE new = 'cancelled'")
    connection.close()
    checked = orchestrate("db-check")
    assert checked.code == 2
    assert "It is stored as cancelled" in checked.out
    assert "The store has 1 fault" in checked.err
    assert "tauro orchestrate db-recover" in checked.err
    told = json.loads(orchestrate("db-check", "--output", "json").out)
    assert [problem["kind"] for problem in told["problems"]] == ["replay"]


@pytest.mark.parametrize("command", ["run-list", "db-stats", "db-check", "schedule-list", "health"])
def test_a_damaged_store_is_told_with_what_helps_and_left_as_it_is(stored, orchestrate, command):
    file = stored / ".tauro/state.db"
    file.write_bytes(b"no database " * 1000)
    result = orchestrate(command)
    assert result.code == 2
    assert "db-recover" in result.err
    assert file.read_bytes() == b"no database " * 1000


def test_a_damaged_store_is_recovered_and_kept(stored, orchestrate):
    file = stored / ".tauro/state.db"
    raw = bytearray(file.read_bytes())
    raw[:16] = b"not SQLite at all"[:16]
    file.write_bytes(raw)
    told = json.loads(orchestrate("db-recover", "--output", "json").out)
    assert set(told) == {"schema", "kept", "rows", "gaps", "dropped", "mended"}
    assert orchestrate("db-check").code == 0
    text = orchestrate("db-recover").out
    assert "Saved:" in text
    assert "Damaged file:  .tauro/state.db.damaged-" in text


def test_without_a_store_there_is_nothing_to_recover(project, orchestrate):
    project()
    result = orchestrate("db-recover")
    assert result.code == 2
    assert "There is no store" in result.err


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("days", ["-1", "many", "1000000000"])
def test_a_number_of_days_that_means_nothing_is_refused(orchestrate, days):
    result = orchestrate("db-cleanup", "--days", days)
    assert result.code == 3
    assert "--days" in result.err


def test_a_link_in_the_store_s_place_is_refused_with_what_helps(stored, orchestrate):
    file = stored / ".tauro/state.db"
    file.rename(stored / "elsewhere.db")
    file.symlink_to(stored / "elsewhere.db")
    result = orchestrate("run-list")
    assert result.code == 6
    assert "is a symbolic link" in result.err
    assert "Move it away" in result.err
    assert "chmod" not in result.err
