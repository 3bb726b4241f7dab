"""Schedules that are served for real: every run has its supervisor and its worker."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from tauro.orchestrate.schedules import add_schedule, past_ticks, show_schedule
from tauro.processes.identity import is_alive
from tauro.processes.marks import mark_of, marked
from tauro.store import recover_store
from tauro.store.records import NewRun, NewSchedule

SERVE = """
import logging, sys
from tauro.orchestrate.control import Orchestrator
from tauro.orchestrate.scheduler import start_scheduler
from tauro.orchestrate.site import Timing
logging.basicConfig(level=logging.INFO)
with Orchestrator.open(sys.argv[1], timing=Timing(5.0, 0.5, 0.1, 1.5, 0.1)) as control:
    start_scheduler(control, poll_interval=0.2, max_runs=4, patience=float(sys.argv[2]))
"""


def every_second(project, pipeline, **more):
    return add_schedule(project.control, NewSchedule(pipeline, "base", "INTERVAL", "1", **more))


@pytest.fixture
def scheduler(project):
    """Start schedulers as processes of their own."""
    started = []

    def start(patience=0.0):
        with (project.root / "scheduler.log").open("ab") as log:
            command = [sys.executable, "-c", SERVE, str(project.root), str(patience)]
            started.append(subprocess.Popen(command, stderr=log, env=dict(project.control.site.environ)))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def states(project, pipeline):
    return [run.state for run in project.runs(pipeline=pipeline)]


def test_bad_nodes_harm_no_good_schedule(project):
    schedules = {name: every_second(project, name) for name in ("good", "exits", "segfault", "loops")}
    project.drop("segfault")
    with project.served():
        project.until(lambda: states(project, "good").count("completed") >= 3)
        project.until(lambda: "failed" in states(project, "exits"))
        project.until(lambda: "failed" in states(project, "loops"))
    errors = {name: {run.error for run in project.runs(pipeline=name, state="failed")} for name in schedules}
    assert errors["good"] == set()
    assert all("sys.exit(3)" in error for error in errors["exits"])
    assert all("within 1 s" in error for error in errors["loops"])
    # It is no pipeline any more: nothing was tried, and it is said why.
    assert states(project, "segfault") == []
    view = show_schedule(project.control, schedules["segfault"].id)
    assert view.problem == "Environment 'base' has no batch pipeline 'segfault'"
    assert project.control.store.check() == []


def test_a_run_that_crashes_is_tried_again_by_the_scheduler(project):
    schedule = every_second(project, "segfault", retries=1)
    with project.served():
        project.until(lambda: "failed" in states(project, "segfault"))
    [run] = [run for run in project.runs(schedule_id=schedule.id) if run.state == "failed"][-1:]
    assert run.attempt == 2
    assert "SIGSEGV" in run.error


def test_two_schedulers_make_one_run_of_a_tick_though_one_is_killed(project, scheduler):
    schedule = every_second(project, "good", max_active_runs=5)
    first, _second = scheduler(), scheduler()
    project.until(lambda: len(project.control.store.schedulers()) == 2)
    project.until(lambda: "completed" in states(project, "good"))
    first.kill()
    project.until(lambda: states(project, "good").count("completed") >= 4)
    ticks = past_ticks(project.control, schedule.id)
    runs = project.runs(schedule_id=schedule.id)
    assert len({run.new.scheduled_for for run in runs}) == len(runs)
    assert {tick.run_id for tick in ticks if tick.run_id} <= {run.id for run in project.runs(schedule_id=schedule.id)}
    assert project.control.store.check() == []


def running(project):
    """Return the run whose node has begun to sleep, and its owner."""
    project.until((project.root / "pid").exists)
    [run] = project.runs(state="running")
    return run


def test_a_run_outlives_the_scheduler_that_started_it(project, scheduler):
    every_second(project, "sleeps")
    process = scheduler()
    run = running(project)
    process.kill()
    process.wait()
    assert is_alive(run.owner)
    scheduler()
    project.until(lambda: len(project.control.store.schedulers()) == 1)
    assert project.control.status(run.id).state == "running"
    project.control.cancel(run.id, wait=20)
    assert project.control.status(run.id).state == "cancelled"


def test_a_killed_supervisor_is_seen_by_the_scheduler_though_nobody_looks(project):
    every_second(project, "sleeps")
    with project.served():
        run = running(project)
        os.kill(run.owner.pid, signal.SIGKILL)
        project.until(lambda: project.control.store.get_run(run.id).state == "failed", 5)
        assert marked(mark_of(run.id, run.epoch)) == []


def test_sigterm_hands_running_runs_back_and_nothing_is_left(project, scheduler):
    every_second(project, "sleeps")
    process = scheduler()
    run = running(project)
    process.terminate()
    assert process.wait(20) == 0
    after = project.control.store.get_run(run.id)
    assert (after.state, after.attempt) == ("pending", 1)
    assert marked(mark_of(run.id, run.epoch)) == []
    assert project.control.store.schedulers() == []


def test_a_second_signal_ends_what_would_have_had_time(project, scheduler):
    every_second(project, "sleeps")
    process = scheduler(patience=60.0)
    run = running(project)
    process.terminate()
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert project.control.store.get_run(run.id).state == "pending"
    assert marked(mark_of(run.id, run.epoch)) == []


def test_a_store_that_is_recovered_meanwhile_is_served_on(project, caplog):
    caplog.set_level("INFO", "tauro.schedule")
    every_second(project, "good")
    site = project.control.site
    with project.served():
        project.until(lambda: "completed" in states(project, "good"))
        project.control.close()
        recover_store(site.state, site.environ, now=datetime.now(UTC))
        begun = len(project.runs(state="completed"))
        project.until(lambda: len(project.runs(state="completed")) > begun + 1)
    assert caplog.text.count("The store does not serve") == 1
    assert "The store serves again" in caplog.text
    assert project.control.store.check() == []


def test_a_run_created_by_hand_waits_for_its_start(project):
    by_hand = project.control.create_run(NewRun("good", "base")).run
    every_second(project, "good")
    with project.served():
        project.until(lambda: "completed" in states(project, "good"))
    assert project.control.status(by_hand.id).state == "pending"
