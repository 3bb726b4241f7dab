"""What a run leaves on disk: events, summary, and nobody else's business."""

import json
import os
import stat
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tauro.errors import ExecutionError, RunNotFound, SecurityError
from tauro.exec.record import RunRecord, new_record, read_summary

CODE = """
    def good(): return [1]
    def bad(): raise ValueError("broken")
    def after(it): return it
"""
NODES = {
    "good": {"output": "x"},
    "bad": {"output": "y"},
    "after": {"input": "y", "output": "z"},
}


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def run(open_project):
    """Return a run with a completed, a failed and a skipped node, its project and its events as told."""
    project = open_project(CODE, NODES, global_settings={"max_parallel_nodes": 1})
    told = []
    return project.run("p", listeners=[told.append]), project, told


def folder_of(result, project):
    return project.root / ".tauro" / "runs" / result.run_id


def test_events_are_kept_as_json_lines_in_the_order_in_which_they_were_told(run):
    result, project, told = run
    lines = (folder_of(result, project) / "events.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [json.loads(line) for line in lines]
    assert kept == [event.to_dict() for event in told]
    assert [event["event"] for event in kept] == [
        "run_started",
        "node_started",
        "node_failed",
        "node_skipped",
        "node_started",
        "node_completed",
        "run_ended",
    ]
    assert kept[0]["nodes"] == ["good", "bad", "after"]
    assert (kept[0]["run_id"], kept[0]["pipeline"], kept[0]["env"]) == (result.run_id, "p", "base")
    assert kept[2]["failure"]["message"] == "ValueError: broken"
    assert kept[3]["because_of"] == "bad"
    assert kept[-1]["state"] == "failed"


def test_an_event_is_on_disk_when_its_listeners_are_told(open_project):
    """After a crash, the record says how far the run came."""
    project = open_project(CODE, {"good": NODES["good"]})
    seen = []

    def look(event):
        (file,) = (project.root / ".tauro" / "runs").glob("*/events.jsonl")
        seen.append(json.loads(file.read_text().splitlines()[-1]) == event.to_dict())

    project.run("p", listeners=[look])
    assert seen == [True] * 4


def test_the_summary_is_the_result(run):
    result, project, _ = run
    kept = json.loads((folder_of(result, project) / "summary.json").read_text(encoding="utf-8"))
    assert kept == result.to_dict()
    assert {node["node"]: node["state"] for node in kept["nodes"]} == {
        "good": "completed",
        "bad": "failed",
        "after": "skipped",
    }
    assert read_summary(project.state_directory, result.run_id) == kept


def test_only_the_owner_can_read_a_record_under_any_umask(open_project):
    project = open_project(CODE, NODES)
    before = os.umask(0)
    try:
        result = project.run("p")
    finally:
        os.umask(before)
    folder = folder_of(result, project)
    folders = [project.root / ".tauro", folder.parent, folder]
    assert [oct(mode(path)) for path in folders] == ["0o700"] * 3
    assert {path.name: oct(mode(path)) for path in folder.iterdir()} == {
        "events.jsonl": "0o600",
        "fingerprint.json": "0o600",
        "summary.json": "0o600",
    }


def test_a_state_folder_that_is_open_to_others_is_closed(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o777)
    new_record(state).events.close()
    assert mode(state) == 0o700


def test_a_state_folder_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SecurityError, match="is not a folder of the program"):
        new_record(tmp_path / "state")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_state_folder_can_be_elsewhere(open_project, tmp_path):
    project = open_project(CODE, {"good": NODES["good"]}, environ={"TAURO_STATE_DIR": str(tmp_path / "state")})
    result = project.run("p")
    assert (tmp_path / "state" / "runs" / result.run_id / "summary.json").is_file()
    assert not (project.root / ".tauro").exists()


def test_ids_are_unique_even_for_runs_of_the_same_microsecond(tmp_path):
    moment = datetime(2025, 1, 26, 10, 15, 30, 123456, tzinfo=UTC)
    records, together = [], threading.Barrier(8)

    def make():
        together.wait()
        records.append(new_record(tmp_path, now=lambda: moment))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for record in records:
        record.events.close()
    ids = {record.run_id for record in records}
    assert len(ids) == 8
    assert "run-20250126-101530-123456" in ids
    assert ids == {path.name for path in (tmp_path / "runs").iterdir()}


@pytest.mark.parametrize("run_id", ["nonsense", "run-../../etc", "run-1/../run-2", "", "../run-1", "run-1/x"])
def test_what_is_no_run_id_is_refused_before_any_file_is_looked_for(tmp_path, run_id):
    with pytest.raises(RunNotFound, match="is no run id"):
        read_summary(tmp_path, run_id)


def test_a_run_that_is_not_there_is_an_error_that_names_the_last_one(run):
    result, project, _ = run
    with pytest.raises(RunNotFound, match="There is no run 'run-19990101-000000-000000'") as caught:
        read_summary(project.state_directory, "run-19990101-000000-000000")
    assert result.run_id in caught.value.hint
    assert caught.value.exit_code == 4


def test_a_project_without_runs_says_so(tmp_path):
    with pytest.raises(RunNotFound) as caught:
        read_summary(tmp_path, "run-19990101-000000-000000")
    assert caught.value.hint == "This project has no runs yet."


def test_a_run_that_still_runs_is_told_from_one_that_was_killed(tmp_path):
    record = new_record(tmp_path)
    with pytest.raises(ExecutionError, match="still running"):
        read_summary(tmp_path, record.run_id)
    record.events.close()  # as a process that ends does
    with pytest.raises(RunNotFound, match="killed before it started"):
        read_summary(tmp_path, record.run_id)


def test_a_summary_that_is_a_link_is_refused(run, tmp_path):
    result, project, _ = run
    summary = folder_of(result, project) / "summary.json"
    summary.rename(tmp_path / "elsewhere.json")
    summary.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(SecurityError, match="cannot be opened"):
        read_summary(project.state_directory, result.run_id)


def test_times_are_in_utc(run):
    result, *_ = run
    assert result.started_at.tzinfo is UTC
    assert result.to_dict()["started_at"].endswith("+00:00")


def test_a_record_that_cannot_be_written_is_told_with_its_place(run):
    _, project, events = run
    full = Path("/dev/full").open("w")  # noqa: SIM115 - its end fails too
    with pytest.raises(ExecutionError, match="record of run 'run-1' cannot be written: No space left") as caught:
        RunRecord("run-1", project.root / "run-1", full)(events[0])
    with suppress(OSError):
        full.close()
    assert caught.value.details.looked_up == (str(project.root / "run-1"),)
    assert "TAURO_STATE_DIR" in caught.value.hint
