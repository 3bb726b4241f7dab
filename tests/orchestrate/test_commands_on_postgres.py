"""The same commands on PostgreSQL: tauro orchestrate with TAURO_DB_URL, against a server of the tests' own."""

import json

import pytest

from tauro.cli.cli import invoke

CODE = "def make():\n    return 42\n\n\ndef fail():\n    raise RuntimeError('no luck')\n"
PIPELINES = {"p": {"nodes": ["make"]}, "broken": {"nodes": ["fail"]}}


@pytest.fixture
def orchestrate(make_project, postgres_server, monkeypatch, capsys):
    """Run a command line of tauro orchestrate in a project whose store is in PostgreSQL."""
    root = make_project(CODE, {"make": {"output": "x"}, "fail": {}}, pipelines=PIPELINES)
    monkeypatch.chdir(root)
    monkeypatch.setenv("TAURO_DB_URL", postgres_server())

    def run(*arguments, code=0):
        capsys.readouterr()
        assert invoke(["orchestrate", *arguments]) == code
        return capsys.readouterr()

    return run


def test_runs_schedules_backfills_and_care_are_the_same(orchestrate):
    run_id = orchestrate("run-create", "--pipeline", "p").out.strip()
    assert orchestrate("run-start", "--run-id", run_id).out.startswith("completed after ")
    assert orchestrate("run-status", "--run-id", run_id).out.split()[0] == "completed"
    failed = orchestrate("run-create", "--pipeline", "broken").out.strip()
    assert "no luck" in orchestrate("run-start", "--run-id", failed, code=4).err
    assert orchestrate("run-retry", "--run-id", failed).out.startswith("run-")
    options = ("--pipeline", "p", "--schedule-kind", "CRON", "--expression", "0 2 * * *")
    schedule = orchestrate("schedule-add", *options).out.strip()
    assert "every day at 02:00 (UTC)" in orchestrate("schedule-list").out
    assert "paused" in orchestrate("schedule-pause", "--schedule-id", schedule).out
    done = orchestrate("backfill", "--pipeline", "p", "--count", "2", "--run-now")
    assert "2 of 2 runs over (2 completed)" in done.out
    states = [run["state"] for run in json.loads(orchestrate("run-list", "--output", "json").out)["runs"]]
    assert sorted(states) == ["completed", "completed", "completed", "failed", "pending"]
    assert orchestrate("db-check").out.startswith("The store is sound")
    assert orchestrate("db-vacuum").out.startswith("The store had ")


def test_the_store_is_told_without_its_password_and_is_recovered_by_its_own_server(orchestrate):
    stats = orchestrate("db-stats")
    assert "Store:       postgresql, " in stats.out
    assert "kept-to-itself" not in stats.out + stats.err
    assert "Restore a backup" in orchestrate("db-recover", code=5).err
    assert "none heard of" in orchestrate("health", code=4).out
