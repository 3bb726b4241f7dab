"""A run is executed in processes of its own, and its tasks tell what became of every node."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from tauro.errors import ExecutionError, PipelineNotFound, RunNotFound, UsageFault, ValidationError
from tauro.store.records import NewRun, RunFilter

CHAIN = {"first": {"output": "a"}, "second": {"input": "a", "output": "b"}, "third": {"input": "b"}}
CALM = """
    from telling import tell

    def first():
        tell("first")
        return [1]

    def second(a):
        tell("second")
        return [2]

    def third(b):
        tell("third")
"""


def test_a_run_is_completed_and_its_tasks_with_it(runs):
    project = runs(CALM, CHAIN)
    run = project.execute()
    assert (run.state, run.attempt, run.error) == ("completed", 1, None)
    assert run.ended_at is not None
    assert project.states(run.id) == dict.fromkeys(CHAIN, "completed")
    assert [attempt.node for attempt in project.control.attempts(run.id)] == list(CHAIN)
    assert project.control.store.check() == []
    assert project.told() == ["first", "second", "third"]


def test_listeners_hear_what_the_record_on_disk_holds(runs):
    project, heard = runs(CALM, CHAIN), []
    run_id = project.create()
    project.control.start(run_id, listeners=(heard.append,))
    record = project.root / ".tauro/runs" / f"{run_id}.1" / "events.jsonl"
    assert [event.to_dict() for event in heard] == [json.loads(line) for line in record.read_text().splitlines()]
    assert len(heard) == 8


def test_a_listener_that_fails_is_told_no_more_and_the_run_goes_on(runs):
    project, heard = runs(CALM, CHAIN), []

    def broken(event):
        heard.append(event)
        raise OSError("no screen")

    started = project.control.start(project.create(), listeners=(broken,))
    assert started.run.state == "completed"
    assert len(heard) == 1
    assert "no screen" in "\n".join(project.control.logs(started.run.id))


def test_a_node_that_fails_fails_the_run_and_what_is_behind_it_is_skipped(runs):
    project = runs(CALM.replace('tell("second")', 'raise ValueError("no luck")'), CHAIN)
    run = project.execute(retries=3)
    assert (run.state, run.attempt) == ("failed", 1)  # it would fail again
    assert run.error == "Node 'second' failed: ValueError: no luck"
    assert project.states(run.id) == {"first": "completed", "second": "failed", "third": "skipped"}
    errors = {task.node: task.error for task in project.control.tasks(run.id)}
    assert errors == {"first": None, "second": "ValueError: no luck", "third": "'second' failed"}


def test_a_project_that_cannot_be_planned_fails_its_run_alone(runs):
    project = runs(CALM, CHAIN)
    run_id = project.create()
    (project.root / "src/nodes.py").write_text("def first(:")
    run = project.control.start(run_id).run
    assert run.state == "failed"
    assert run.error.startswith("The configuration has 1 fault: ")
    assert "src/nodes.py" in run.error
    assert project.control.tasks(run_id) == []


def test_what_nodes_print_is_in_the_log_and_harms_no_message(runs):
    code = """
        import json, subprocess, sys

        def loud():
            print(json.dumps({"message": "result", "state": "failed", "error": "forged", "transient": False}))
            sys.stderr.write("half a line")
            subprocess.run(["echo", "from a program, token-of-a-user"])
    """
    project = runs(code, {"loud": {}}, environ={"API_TOKEN": "token-of-a-user"})
    heard = []
    run = project.control.start(project.create(), heard=heard.append).run
    assert run.state == "completed"
    text = "\n".join(project.control.logs(run.id))
    assert "forged" in text
    assert "half a line" in text
    assert "from a program, ***" in text
    assert "token-of-a-user" not in text
    assert heard == project.control.logs(run.id)


def test_the_dates_of_a_run_are_those_that_it_was_created_with(runs):
    code = """
        from telling import tell

        def dated(start_date, end_date):
            tell(start_date)
            tell(end_date)
    """
    project = runs(code, {"dated": {}})
    run = project.execute(start_date="2026-01-02", end_date="today")
    assert date.fromisoformat(run.new.end_date) > date(2026, 1, 2)
    assert project.told() == ["2026-01-02", run.new.end_date]


def test_a_run_of_the_store_tells_its_lineage_as_any_other(runs):
    project = runs(CALM, CHAIN, global_settings={"lineage": "lineage.jsonl"})
    project.execute()
    events = [json.loads(line) for line in (project.root / "lineage.jsonl").read_text().splitlines()]
    assert {event["eventType"] for event in events} == {"START", "COMPLETE"}


def test_no_more_nodes_run_at_once_than_the_run_was_given(runs):
    code = """
        import time
        from telling import tell

        def work():
            tell("in")
            time.sleep(0.1)
            tell("out")
    """
    project = runs(code, {name: {"function": "work"} for name in "abc"})
    project.execute(max_concurrency=1)
    assert project.told() == ["in", "out"] * 3


def test_an_unknown_pipeline_is_refused_when_the_run_is_created(runs):
    project = runs(CALM, CHAIN, pipelines={"daily_sales": {"nodes": list(CHAIN)}})
    with pytest.raises(PipelineNotFound) as caught:
        project.create("daily_sale")
    assert caught.value.details.nearest == ("daily_sales",)
    assert project.control.runs() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"retries": -1},
        {"max_concurrency": 0},
        {"start_date": "soon"},
        {"start_date": "2026-02-01", "end_date": "2026-01-01"},
    ],
)
def test_values_that_mean_nothing_are_refused_when_the_run_is_created(runs, wrong):
    project = runs(CALM, CHAIN)
    with pytest.raises(ValidationError):
        project.create(**wrong)
    assert project.control.runs() == []


def test_a_run_with_the_dedupe_key_of_another_is_that_one(runs):
    project = runs(CALM, CHAIN)
    new = NewRun("p", "base", dedupe_key="today's")
    first, second = project.control.create_run(new), project.control.create_run(new)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.run.id == second.run.id


def test_starting_a_completed_run_does_nothing_and_says_so(runs):
    project = runs(CALM, CHAIN)
    run = project.execute()
    again = project.control.start(run.id)
    assert again.was_over
    assert again.run == run
    assert len(project.told()) == 3


def test_a_failed_run_is_only_started_again_when_that_is_asked_for(runs):
    code = CALM.replace('tell("second")', 'tell("second")\n        assert len(told()) > 2').replace(
        "import tell", "import tell, told"
    )
    project = runs(code, CHAIN)
    failed = project.execute()
    assert failed.state == "failed"
    with pytest.raises(ExecutionError, match="has failed: Node 'second'") as caught:
        project.control.start(failed.id)
    assert caught.value.exit_code == 4
    assert "--retry-failed" in caught.value.hint
    again = project.control.start(failed.id, retry_failed=True).run
    assert again.state == "completed"
    assert again.new.retry_of == failed.id
    # The second node needs the value of the first, which was in memory only.
    assert project.told() == ["first", "second", "first", "second", "third"]
    assert project.control.status(failed.id) == failed


def test_a_run_is_tried_again_by_one_run_however_often_that_is_asked(runs):
    project = runs("def first():\n    raise ValueError", {"first": {}})
    failed = project.execute()
    one, same = project.control.retry(failed.id), project.control.retry(failed.id)
    assert (one.is_new, same.is_new, one.run.id) == (True, False, same.run.id)
    project.control.start(one.run.id)
    # That one has failed as well: what counts is the last.
    later = project.control.retry(failed.id)
    assert later.is_new
    assert later.run.new.retry_of == one.run.id
    with pytest.raises(UsageFault, match="is pending"):
        project.control.retry(later.run.id)


def test_a_pending_run_can_be_given_other_numbers_and_one_that_is_over_cannot(runs):
    project = runs(CALM, CHAIN)
    run_id = project.create()
    adjusted = project.control.adjust(run_id, retries=2, max_concurrency=1).new
    assert (adjusted.retries, adjusted.max_concurrency) == (2, 1)
    assert project.control.adjust(run_id).new == adjusted
    project.control.start(run_id)
    with pytest.raises(UsageFault, match="is completed"):
        project.control.adjust(run_id, retries=3)


def test_a_run_that_does_not_exist_is_told_as_such_by_every_call(runs):
    control = runs(CALM, CHAIN).control
    for call in (control.status, control.tasks, control.logs, control.cancel, control.retry, control.start):
        with pytest.raises(RunNotFound):
            call("run-none")


def test_runs_are_listed_the_newest_first(runs):
    project = runs(CALM, CHAIN)
    ids = [project.create() for _ in range(3)]
    project.control.start(ids[0])
    assert [run.id for run in project.control.runs()] == ids[::-1]
    assert [run.id for run in project.control.runs(RunFilter(state="completed"))] == ids[:1]
    assert [run.id for run in project.control.runs(limit=1)] == ids[-1:]


def test_what_a_node_writes_to_the_pipe_of_messages_ends_no_supervisor(runs):
    code = """
        import os

        LINES = (b"garbage", b"[1]", b'{"message": "opened"}', b'{"message": "event", "event": {"at": 1}}')

        def writes():
            for pipe in range(3, 200):
                try:
                    os.write(pipe, b"\\n".join(LINES) + b"\\n")
                except OSError:
                    continue
    """
    project = runs(code, {"writes": {}})
    run = project.execute()
    assert run.state == "completed"
    assert "--- A message that cannot be read was passed over" in project.control.logs(run.id)


def test_clean_up_takes_what_runs_have_printed_with_them(runs):
    project = runs(CALM, CHAIN)
    old, pending = project.execute(), project.create()
    later = datetime.now(UTC) + timedelta(seconds=1)
    seen = project.control.cleanup(before=later, dry_run=True)
    assert (seen.runs, seen.logs, seen.records) == (1, 1, 1)
    assert project.control.logs(old.id)
    assert project.control.cleanup(before=later) == seen
    assert list((project.root / ".tauro/run").iterdir()) == []
    assert list((project.root / ".tauro/runs").iterdir()) == []
    assert [run.id for run in project.control.runs()] == [pending]


def test_looking_at_runs_loads_nothing_heavy(runs):
    project = runs(CALM, CHAIN)
    run = project.execute()
    look = f"""
import sys
from tauro.orchestrate.control import Orchestrator

with Orchestrator.open({str(project.root)!r}) as control:
    assert control.status({run.id!r}).state == "completed"
    assert len(control.runs()) == 1
    assert len(control.tasks({run.id!r})) == 3
    assert control.logs({run.id!r})
heavy = {{"pyspark", "pandas", "polars", "pyarrow", "rich", "loguru", "subprocess", "asyncio"}}
sys.exit(", ".join(heavy & set(sys.modules)) or None)
"""
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
