"""Whatever is done to a store in whatever order, it does what a model in plain Python does."""

import os
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tauro.errors import ExecutionError
from tauro.processes.identity import Owner
from tauro.store.records import NewRun, RunFilter, TaskEnded, TaskRetried, TasksPlanned, TaskStarted
from tauro.store.states import run_may_change, task_may_change

from .values import LEASE, NOW, SECOND

STEPS = 60
CASES = 200 if os.environ.get("TAURO_LONG_TESTS") else 50
NODES = ("a", "b", "c")


class Model(NamedTuple):
    """What the store should say of a run."""

    state: str = "pending"
    attempt: int = 1
    epoch: int = 0
    retries: int = 0
    lease: int = 0
    asked: bool = False
    most: int | None = None

    def reaped(self):
        if self.asked or self.attempt > self.retries:
            return self._replace(state="cancelled" if self.asked else "failed", epoch=self.epoch + 1)
        return self._replace(state="pending", attempt=self.attempt + 1, epoch=self.epoch + 1)


class Life(RuleBasedStateMachine):
    """Runs under everything that can happen to them; the clock jumps."""

    def __init__(self, store):
        super().__init__()
        self.store = store
        self.clock = NOW
        self.runs = {}
        self.keys = {}
        self.seen = {}

    @initialize()
    def start_empty(self):
        with self.store._database.write() as sql:
            for table in ("events", "task_attempts", "tasks", "runs"):
                sql.change(f"DELETE FROM {table}")

    def pick(self, data, *states):
        found = sorted(run_id for run_id, run in self.runs.items() if not states or run.state in states)
        return data.draw(st.sampled_from(found)) if found else None

    def epoch(self, data, run_id):
        """Draw the right epoch, mostly, or one that is over."""
        right = self.runs[run_id].epoch
        return right - data.draw(st.sampled_from((0, 0, 0, 0, 1)))

    def is_ours(self, run_id, epoch):
        return self.runs[run_id].state == "running" and self.runs[run_id].epoch == epoch

    @rule(seconds=st.sampled_from((1, 5, 20, 31, 3600, -3600, 0)))
    def let_time_pass(self, seconds):
        self.clock += seconds * SECOND

    @rule(
        retries=st.integers(0, 2), key=st.sampled_from((None, None, "x", "y")), most=st.sampled_from((None, None, 1, 2))
    )
    def create(self, retries, key, most):
        new = NewRun("p", "e", retries=retries, dedupe_key=key, max_active_runs=most)
        created = self.store.create_run(new, now=self.clock)
        assert created.is_new == (key not in self.keys)
        if created.is_new:
            assert created.run.id not in self.runs
            self.runs[created.run.id] = Model(retries=retries, most=most)
            if key:
                self.keys[key] = created.run.id
        else:
            assert created.run.id == self.keys[key]

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), limited=st.booleans())
    def claim(self, data, limited):
        run_id = self.pick(data, *data.draw(st.sampled_from((("pending",), ()))))
        if run_id is None:
            return
        run = self.runs[run_id]
        running = sum(other.state == "running" for other in self.runs.values())
        waits = limited and (self.store.get_run(run_id).available_at > self.clock or running >= (run.most or 99))
        epoch = self.store.claim(run_id, Owner("h", "b", 1, 1), lease=LEASE, now=self.clock, limited=limited)
        if run.state == "pending" and not waits:
            assert epoch == run.epoch + 1
            lease = self.clock + LEASE
            self.runs[run_id] = run._replace(state="running", epoch=epoch, lease=lease, asked=False)
        else:
            assert epoch is None

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def renew(self, data):
        run_id = self.pick(data)
        epoch = self.epoch(data, run_id)
        renewed = self.store.renew(run_id, epoch, lease=LEASE, now=self.clock)
        assert (renewed is not None) == self.is_ours(run_id, epoch)
        if renewed is not None:
            assert renewed.cancel_requested == self.runs[run_id].asked
            self.runs[run_id] = self.runs[run_id]._replace(lease=self.clock + LEASE)

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), state=st.sampled_from(("completed", "failed", "cancelled")))
    def finish(self, data, state):
        run_id = self.pick(data)
        epoch = self.epoch(data, run_id)
        ours = self.is_ours(run_id, epoch)
        assert self.store.finish(run_id, epoch, state, now=self.clock, error="e") == ours
        if ours:
            self.runs[run_id] = self.runs[run_id]._replace(state=state)

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), counts=st.booleans())
    def release(self, data, counts):
        run_id = self.pick(data)
        epoch, run = self.epoch(data, run_id), self.runs[run_id]
        may = self.is_ours(run_id, epoch) and not run.asked and (not counts or run.attempt <= run.retries)
        done = self.store.release(run_id, epoch, now=self.clock, available_at=self.clock + SECOND, counts=counts)
        assert done == may
        if may:
            self.runs[run_id] = run._replace(state="pending", epoch=epoch + 1, attempt=run.attempt + counts)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def cancel(self, data):
        run_id = self.pick(data)
        run = self.runs[run_id]
        told = self.store.request_cancel(run_id, now=self.clock)
        if run.state == "pending":
            self.runs[run_id] = run._replace(state="cancelled")
        elif run.state == "running":
            self.runs[run_id] = run._replace(asked=True)
        assert told.state == self.runs[run_id].state

    @rule(data=st.data())
    def reap(self, data):
        dead = []
        if self.runs and data.draw(st.booleans()):
            run_id = self.pick(data)
            dead = [(run_id, self.epoch(data, run_id))]
        gone = {run_id for run_id, run in self.runs.items() if run.state == "running" and run.lease < self.clock}
        gone |= {run_id for run_id, epoch in dead if self.is_ours(run_id, epoch)}
        assert {run.id for run in self.store.reap(now=self.clock, dead=dead)} == gone
        self.runs.update({run_id: self.runs[run_id].reaped() for run_id in gone})

    @precondition(lambda self: any(run.state == "running" for run in self.runs.values()))
    @rule(
        data=st.data(),
        node=st.sampled_from(NODES),
        state=st.sampled_from(("completed", "failed", "cancelled", "skipped")),
    )
    def happen(self, data, node, state):
        run_id = self.pick(data, "running")
        epoch = self.epoch(data, run_id)
        kinds = (
            TasksPlanned(NODES, self.clock),
            TaskStarted(node, self.clock),
            TaskRetried(node, self.clock, self.clock + SECOND, "e"),
            TaskEnded(node, self.clock, state, 1, 2, "e"),
        )
        before = self.store.tasks(run_id)
        try:
            told = self.store.record(run_id, epoch, [data.draw(st.sampled_from(kinds))])
        except ExecutionError:
            told = False
            assert self.is_ours(run_id, epoch)
        else:
            assert told == self.is_ours(run_id, epoch)
        if not told:
            assert self.store.tasks(run_id) == before

    @rule(seconds=st.sampled_from((0, 60, 7200)))
    def clean_up(self, seconds):
        before = self.clock - seconds * SECOND
        over = {
            run.id for run in self.store.list_runs(RunFilter()) if run.ended_at is not None and run.ended_at < before
        }
        assert over <= {run_id for run_id, run in self.runs.items() if run.state not in ("pending", "running")}
        assert self.store.cleanup(before=before).runs == len(over)
        for run_id in over:
            del self.runs[run_id]
        self.keys = {key: run_id for key, run_id in self.keys.items() if run_id not in over}

    @rule(limit=st.integers(1, 5))
    def look_for_work(self, limit):
        running = sum(run.state == "running" for run in self.runs.values())
        for place, run in enumerate(self.store.claimable_runs(now=self.clock, limit=limit)):
            model = self.runs[run.id]
            assert model.state == "pending"
            assert run.available_at <= self.clock
            assert model.most is None or running + place < model.most + place
        for run_id in self.runs:
            with suppress(ExecutionError):
                self.store.get_run(run_id)

    @invariant()
    def the_store_says_what_the_model_says(self):
        stored = {run.id: run for run in self.store.list_runs(RunFilter())}
        assert stored.keys() == self.runs.keys()
        for run_id, run in stored.items():
            model = self.runs[run_id]
            assert (run.state, run.attempt, run.epoch) == (model.state, model.attempt, model.epoch)
            if run.state == "running":
                assert run.lease_until == model.lease
            assert run.attempt <= run.new.retries + 1
            # What is final stays as it is, to the last field.
            if self.seen.get(run_id, run).ended_at is not None:
                assert self.seen.get(run_id, run) == run
        self.seen = stored

    @invariant()
    def its_events_lead_to_its_states(self):
        for run_id in self.runs:
            reached, tasks = {}, {task.node: task for task in self.store.tasks(run_id)}
            for event in self.store.events(run_id):
                before = reached.get(event.node)
                may_change = run_may_change if event.node is None else task_may_change
                assert event.old == (before and before.new)
                assert may_change(event.old, event.new)
                reached[event.node] = event
            last = reached.pop(None)
            model = self.runs[run_id]
            assert (last.new, last.attempt, last.epoch) == (model.state, model.attempt, model.epoch)
            assert {node: (event.new, event.attempt) for node, event in reached.items()} == {
                node: (task.state, task.attempts) for node, task in tasks.items()
            }
            if model.state not in ("pending", "running"):
                assert not {task.state for task in tasks.values()} & {"pending", "running"}

    @invariant()
    def every_attempt_has_its_place(self):
        for run_id in self.runs:
            attempts = self.store.attempts(run_id)
            for task in self.store.tasks(run_id):
                mine = [attempt for attempt in attempts if attempt.node == task.node]
                assert sorted(attempt.number for attempt in mine) == list(range(1, task.attempts + 1))
                running = [attempt.number for attempt in mine if attempt.state == "running"]
                assert running == ([task.attempts] if task.state == "running" else [])

    def teardown(self):
        assert self.store.check() == []


def test_a_store_does_what_its_model_does(store):
    few = settings(
        max_examples=CASES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(lambda: Life(store), settings=few)


@pytest.mark.parametrize("days", [-366, -1, 1, 366])
def test_a_clock_that_jumps_makes_no_id_twice(store, days):
    moments = [NOW, NOW + timedelta(days=days), NOW, NOW + timedelta(days=days)]
    ids = [store.create_run(NewRun("p", "e"), now=moment).run.id for moment in moments]
    assert len(set(ids)) == 4
