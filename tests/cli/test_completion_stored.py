"""What the store of runs proposes for a command line: runs by their states, schedules, backfills; nothing is made."""

from datetime import UTC, datetime

import pytest
from click.shell_completion import ShellComplete

from tauro.cli.cli import cli
from tauro.store import open_store
from tauro.store.records import NewStream


def proposed(line):
    """Return what click proposes for a command line, with the word about each."""
    *words, incomplete = line.split(" ")
    items = ShellComplete(cli, {}, "tauro", "").get_completions(words, incomplete)
    return {item.value: item.help for item in items}


@pytest.fixture
def create(tauro):
    """Create something by tauro orchestrate, and return its id."""

    def make(*arguments):
        result = tauro("orchestrate", *arguments)
        assert result.code == 0, result.err
        return result.out.strip()

    return make


@pytest.mark.usefixtures("project")
def test_runs_are_proposed_by_the_states_that_a_command_is_for_the_newest_first(tauro, create):
    cancelled = create("run-create", "--pipeline", "memory")
    pending = create("run-create", "--pipeline", "sales", "--env", "dev")
    tauro("orchestrate", "run-cancel", "--run-id", cancelled)
    abouts = {pending: "sales in dev: pending", cancelled: "memory in base: cancelled"}
    for command in ("run-status", "run-tasks", "run-logs", "run-start"):
        found = proposed(f"orchestrate {command} --run-id ")
        assert (found, list(found)) == (abouts, [pending, cancelled])
    assert list(proposed("orchestrate run-cancel --run-id ")) == [pending]
    assert list(proposed("orchestrate run-retry --run-id run-")) == [cancelled]
    assert proposed("orchestrate run-status --run-id nothing") == {}


@pytest.mark.usefixtures("project")
def test_schedules_and_backfills_are_proposed(tauro, create):
    options = ("--pipeline", "memory", "--schedule-kind", "INTERVAL", "--expression", "3600")
    schedule = create("schedule-add", *options)
    backfill = create("backfill", "--pipeline", "memory", "--start-date", "2025-01-01", "--end-date", "2025-01-02")
    assert proposed("orchestrate schedule-pause --schedule-id ") == {schedule: "memory in base: INTERVAL 3600"}
    tauro("orchestrate", "schedule-pause", "--schedule-id", schedule)
    assert proposed("orchestrate run-list --schedule-id ") == {schedule: "memory in base: INTERVAL 3600, paused"}
    assert proposed("orchestrate backfill --backfill-id ") == {backfill: "memory in base"}


def test_streams_are_proposed_by_whether_they_run(project):
    folder, now = project(), datetime.now(UTC)
    with open_store(folder / ".tauro", {}) as store:
        ended, running = (store.create_stream(NewStream("p", "dev"), now=now).id for _ in range(2))
        store.request_stop(ended, timeout=0, now=now)
    abouts = {running: "p in dev: STARTING", ended: "p in dev: STOPPED"}
    for command in ("status", "logs", "restart"):
        found = proposed(f"stream {command} --execution-id ")
        assert (found, list(found)) == (abouts, [running, ended])
    assert list(proposed("stream stop --execution-id exec-")) == [running]
    assert list(proposed("stream run --resume ")) == [ended]
    assert list(proposed("stream run --mode ")) == ["async", "sync"]


def test_pipelines_of_streams_are_proposed_and_settings_in_python_are_not_executed(project):
    text = (
        "raise SystemExit('executed')\n"
        "pipelines = {'clicks': {'type': 'streaming', 'description': 'Clicks', 'nodes': []}, name(): {}}\n"
    )
    whole = "config: dict = {'pipelines_config': {'orders': {}}, 'nodes_config': {'n': {}}}\n"
    files = {"config/dev/pipelines.yaml": "flow: {type: streaming, description: All, nodes: []}\nplain: {nodes: []}\n"}
    project(**{"config/streaming.py": text, "config/whole.py": whole, "config/broken.py": "pipelines = {"}, **files)
    assert proposed("stream run --env dev --pipeline ") == {"flow": "All"}
    assert proposed("stream run --config config/streaming.py --pipeline ") == {"clicks": "Clicks"}
    assert proposed("stream run --config config/whole.py --pipeline ") == {"orders": None}
    for name in ("config/broken.py", "config/nothing.py", "../shop/config/whole.py"):
        assert proposed(f"stream run --config {name} --pipeline ") == {}


@pytest.mark.usefixtures("project")
def test_kinds_zones_states_and_pipelines_are_proposed():
    assert list(proposed("orchestrate schedule-add --schedule-kind ")) == ["INTERVAL", "CRON"]
    assert list(proposed("orchestrate schedule-add --timezone ")) == ["UTC"]
    assert "Europe/Berlin" in proposed("orchestrate schedule-add --timezone Europe/B")
    assert list(proposed("orchestrate run-list --status c")) == ["completed", "cancelled"]
    assert list(proposed("orchestrate run-create --pipeline m")) == ["memory"]
    assert list(proposed("orchestrate db-")) == ["db-stats", "db-cleanup", "db-vacuum", "db-check", "db-recover"]


def test_where_there_is_no_store_nothing_is_proposed_and_nothing_made(project):
    folder = project()
    assert proposed("orchestrate run-status --run-id ") == {}
    assert proposed("orchestrate schedule-pause --schedule-id ") == {}
    assert not (folder / ".tauro").exists()


def test_a_damaged_store_disturbs_nobody_at_a_prompt(project, create):
    folder = project()
    create("run-create", "--pipeline", "memory")
    (folder / ".tauro/state.db").write_bytes(b"no database " * 1000)
    assert proposed("orchestrate run-status --run-id ") == {}


@pytest.mark.usefixtures("project")
def test_a_server_is_not_waited_for(create, monkeypatch):
    create("run-create", "--pipeline", "memory")
    monkeypatch.setenv("TAURO_DB_URL", "postgresql://nobody@192.0.2.1/none")
    assert proposed("orchestrate run-status --run-id ") == {}
