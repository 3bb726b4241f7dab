"""A server of the store that goes away for a while: runs go on, schedules are served again, nothing is lost."""

import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

from tauro.errors import ExecutionError
from tauro.orchestrate.scheduler import start_scheduler
from tauro.orchestrate.schedules import add_schedule
from tauro.orchestrate.site import Timing
from tauro.processes.stop import Stop
from tauro.store.records import NewSchedule, RunFilter

CODE = """
    import time
    from telling import tell, told

    def waits():
        tell("waits")
        while "go" not in told():
            time.sleep(0.05)

    def after():
        tell("after")

    def quick():
        pass
"""
NODES = {"waits": {}, "after": {"dependencies": "waits"}, "quick": {}}
PIPELINES = {"p": {"nodes": ["waits", "after"]}, "quick": {"nodes": ["quick"]}}
PATIENT = Timing(lease=10.0, renew=0.3, look=0.1, grace=1.5, retry_delay=0.1)


def test_a_run_goes_on_though_its_server_crashes_and_comes_back(runs, postgres_server):
    environ = {"TAURO_DB_URL": postgres_server()}
    project = runs(CODE, NODES, pipelines=PIPELINES, environ=environ, timing=PATIENT)
    run_id = project.create()
    project.control.start_detached(run_id)
    project.wait_for("waits")
    postgres_server.stop()
    try:
        with (project.root / "told").open("a") as file:
            file.write("go ")  # what is done now cannot be written
        project.wait_for("after")
        time.sleep(0.5)
    finally:
        come_back(project, postgres_server)
    with project.other() as other:
        run = other.wait(run_id, 20)
        assert (run.state, run.attempt, run.epoch) == ("completed", 1, 1)
        assert set(project_states(other, run_id).values()) == {"completed"}
        assert other.store.check() == []
    assert project.told() == ["waits", "go", "after"]


def come_back(project, server):
    server.start()
    with suppress(ExecutionError):  # the connection that is no more
        project.control.store.next_due()


def project_states(control, run_id):
    return {task.node: task.state for task in control.tasks(run_id)}


def test_schedules_are_served_again_though_their_server_crashes_and_comes_back(runs, postgres_server):
    environ = {"TAURO_DB_URL": postgres_server()}
    project = runs(CODE, NODES, pipelines=PIPELINES, environ=environ, timing=PATIENT)
    schedule = add_schedule(
        project.control, NewSchedule("quick", "base", "INTERVAL", "1", catchup="all", max_active_runs=50)
    )
    stop = Stop()
    with project.other() as other:
        options = {"stop": stop, "poll_interval": 0.2, "patience": 5.0}
        thread = threading.Thread(target=start_scheduler, args=(other,), kwargs=options)
        thread.start()
        try:
            _until_completed(project, 1)
            postgres_server.stop()
            time.sleep(2.0)
            come_back(project, postgres_server)
            _until_completed(project, 4)
        finally:
            stop.ask("handed back")
            thread.join(60)
    with project.other() as other:
        ticks = other.store.ticks(schedule.id)
        # Those of the time without a server are caught up with: one for each second, and a run for each of them.
        times = sorted(tick.fire_at for tick in ticks)
        assert {later - first for first, later in pairwise(times)} == {timedelta(seconds=1)}
        made = Counter(run.new.scheduled_for for run in other.store.list_runs(RunFilter(schedule_id=schedule.id)))
        assert made == dict.fromkeys(times, 1)
        assert other.store.check() == []


def _until_completed(project, count):
    with project.other() as other:
        project.until(lambda: other.store.count_runs(RunFilter())["completed"] >= count, 30)
