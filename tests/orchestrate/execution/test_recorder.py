"""What a worker tells is in the store in the same order, though the store fails meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from tauro.errors import ExecutionError
from tauro.exec.events import NodeEnded, NodeRetried, NodeStarted, RunEnded, RunStarted
from tauro.exec.results import Failure, NodeOutcome
from tauro.orchestrate.recorder import Recorder
from tauro.processes.identity import this_process
from tauro.store.records import NewRun

AT = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS = [
    RunStarted(AT, "run-1.1", "p", "base", "2026-01-01", "2026-01-01", "sail", ("a", "b", "c")),
    NodeStarted(AT, "a"),
    NodeRetried(AT, "a", 1, 5.0, Failure("E", "not yet", "EXECUTION_ERROR")),
    NodeEnded(AT, NodeOutcome("a", "completed", 1.0, 3, 2, attempts=2)),
    NodeStarted(AT, "b"),
    NodeEnded(AT, NodeOutcome("b", "failed", 1.0, failure=Failure("E", "no luck", "EXECUTION_ERROR"))),
    NodeEnded(AT, NodeOutcome("c", "skipped", because_of="b")),
    RunEnded(AT, "run-1.1", "failed", 1.0),
]
ENDED = {"a": ("completed", 2, 3, 2, None), "b": ("failed", 1, None, None, "no luck"),
         "c": ("skipped", 0, None, None, "'b' failed")}  # fmt: skip


class Flaky:
    """A store that fails when it is told to; the transaction may have been written all the same."""

    def __init__(self, store, fails):
        self._store = store
        self._fails = list(fails)
        self.tasks = store.tasks

    def record(self, *values):
        fails = self._fails.pop(0) if self._fails else "never"
        done = fails != "before" and self._store.record(*values)  # else its answer is lost
        if fails != "never":
            raise ExecutionError("The server does not answer")
        return done


@pytest.fixture
def recorder(store):
    run_id = store.create_run(NewRun("p", "base"), now=AT).run.id
    epoch = store.claim(run_id, this_process(), lease=timedelta(seconds=30), now=AT)

    def make(*fails):
        return Recorder(Flaky(store, fails), run_id, epoch, lambda: AT), store, run_id

    return make


def tasks_of(store, run_id):
    return {task.node: (task.state, task.attempts, *task[7:]) for task in store.tasks(run_id)}


@pytest.mark.parametrize("fails", [(), ("before",), ("behind",), ("before", "behind"), ("behind", "behind", "before")])
@pytest.mark.parametrize("at_once", [True, False])
def test_tasks_tell_what_happened_whenever_the_store_fails(recorder, fails, at_once):
    told, store, run_id = recorder(*fails)
    for events in [EVENTS] if at_once else [[event] for event in EVENTS]:
        told.take(events)
    for _ in fails:
        told.write()
    assert tasks_of(store, run_id) == ENDED
    assert store.check() == []


def test_what_a_run_has_lost_its_claim_for_is_not_written(recorder):
    told, store, run_id = recorder()
    told.take(EVENTS[:2])
    store.reap(now=AT, dead=[(run_id, 1)])
    before = tasks_of(store, run_id)
    told.take(EVENTS[2:])
    assert told.is_refused
    assert tasks_of(store, run_id) == before


def test_what_records_tell_as_completed_is_caught_up_with_and_a_repetition_changes_nothing(recorder):
    told, store, run_id = recorder()
    told.catch_up([{"node": "a", "rows_in": 3, "rows_out": 2}])
    told.take([NodeStarted(AT, "a"), NodeEnded(AT, NodeOutcome("a", "failed", 1.0))])
    told.catch_up([{"node": "a", "rows_in": None, "rows_out": None}])
    assert tasks_of(store, run_id) == {"a": ("completed", 1, 3, 2, None)}
