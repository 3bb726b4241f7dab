"""What a store promises of tasks and events, held over both kinds."""

from itertools import product

import pytest

from tauro.errors import ExecutionError
from tauro.store.records import TaskEnded, TaskRetried, TasksPlanned, TaskStarted
from tauro.store.states import RUN_STATES, TASK_STATES, run_may_change, task_may_change

from .values import NEW, NOW, SECOND, claimed

PLAN = TasksPlanned(("b", "a"), NOW)


def states(store, run_id, node):
    return [(event.old, event.new) for event in store.events(run_id) if event.node == node]


def test_tasks_are_kept_in_the_plans_order_and_planned_once(store):
    run_id, epoch = claimed(store)
    assert store.record(run_id, epoch, [PLAN])
    assert store.record(run_id, epoch, [TaskStarted("b", NOW), TasksPlanned(("b", "a", "c"), NOW)])
    assert [(task.node, task.state) for task in store.tasks(run_id)] == [
        ("b", "running"),
        ("a", "pending"),
        ("c", "pending"),
    ]


def test_a_task_keeps_its_times_rows_and_attempts(store):
    run_id, epoch = claimed(store)
    store.record(run_id, epoch, [PLAN, TaskStarted("a", NOW)])
    store.record(run_id, epoch, [TaskRetried("a", NOW + SECOND, NOW + 3 * SECOND, "it timed out")])
    store.record(run_id, epoch, [TaskEnded("a", NOW + 4 * SECOND, "completed", 10, 7)])
    [_, task] = store.tasks(run_id)
    assert task[3:] == ("completed", 2, NOW + 3 * SECOND, NOW + 4 * SECOND, 10, 7, None)
    first, second = store.attempts(run_id)
    assert first[2:] == (1, epoch, "failed", NOW, NOW + SECOND, "it timed out")
    assert second[2:] == (2, epoch, "completed", NOW + 3 * SECOND, NOW + 4 * SECOND, None)
    assert states(store, run_id, "a") == [
        (None, "pending"),
        ("pending", "running"),
        ("running", "failed"),
        ("failed", "pending"),
        ("pending", "running"),
        ("running", "completed"),
    ]


def test_a_task_that_was_never_started_can_end_in_every_state(store):
    for state, way in (
        ("completed", ["pending", "running", "completed"]),
        ("failed", ["pending", "running", "failed"]),
        ("cancelled", ["pending", "cancelled"]),
        ("skipped", ["pending", "skipped"]),
    ):
        run_id, epoch = claimed(store)
        assert store.record(run_id, epoch, [PLAN, TaskEnded("a", NOW, state, error="why")])
        assert [new for _, new in states(store, run_id, "a")] == way
        assert store.tasks(run_id)[1].error == "why"


def test_a_task_that_waited_for_its_retry_can_be_skipped(store):
    run_id, epoch = claimed(store)
    told = [PLAN, TaskStarted("a", NOW), TaskRetried("a", NOW, NOW + SECOND, "e"), TaskEnded("a", NOW, "skipped")]
    assert store.record(run_id, epoch, told)
    assert store.tasks(run_id)[1].state == "skipped"
    assert store.check() == []


@pytest.mark.parametrize(
    "change",
    [TaskStarted("a", NOW), TaskRetried("a", NOW, NOW, "e"), TaskEnded("a", NOW, "failed"), TaskStarted("x", NOW)],
    ids=str,
)
def test_what_does_not_fit_the_state_of_a_task_is_refused_with_all_that_came_with_it(store, change):
    run_id, epoch = claimed(store)
    store.record(run_id, epoch, [PLAN, TaskEnded("a", NOW, "completed")])
    before = store.events(run_id)
    with pytest.raises(ExecutionError, match=r"'[ax]'"):
        store.record(run_id, epoch, [TaskStarted("b", NOW), change])
    assert store.events(run_id) == before
    assert store.tasks(run_id)[0].state == "pending"


def _other_columns(state):
    final = state in ("completed", "failed", "cancelled")
    return f"lease_until = {'5' if state == 'running' else 'NULL'}, ended_at = {'5' if final else 'NULL'}, owner = 'o'"


@pytest.mark.parametrize(("old", "new"), [*product(RUN_STATES, RUN_STATES)])
def test_the_database_itself_holds_which_states_of_a_run_may_follow_each_other(store, old, new):
    run = store.create_run(NEW, now=NOW).run
    with store._database.write() as sql:
        if old in ("completed", "failed"):
            sql.change(f"UPDATE runs SET state = 'running', {_other_columns('running')}")
        if old != "pending":
            sql.change(f"UPDATE runs SET state = '{old}', {_other_columns(old)}")

    def change():
        with store._database.write() as sql:
            sql.change(f"UPDATE runs SET state = '{new}', {_other_columns(new)}")

    if old == new or run_may_change(old, new):
        change()
        assert store.events(run.id)[-1].new == new
    else:
        with pytest.raises(ExecutionError, match="may not change so"):
            change()
        assert store.events(run.id)[-1].new == old


@pytest.mark.parametrize(("old", "new"), [*product(TASK_STATES, TASK_STATES)])
def test_the_database_itself_holds_which_states_of_a_task_may_follow_each_other(store, old, new):
    run_id, epoch = claimed(store)
    store.record(run_id, epoch, [TasksPlanned(("a",), NOW)])
    with store._database.write() as sql:
        if old in ("completed", "failed"):
            sql.change("UPDATE tasks SET state = 'running'")
        if old != "pending":
            sql.change(f"UPDATE tasks SET state = '{old}'")

    def change():
        with store._database.write() as sql:
            sql.change(f"UPDATE tasks SET state = '{new}'")

    if old == new or task_may_change(old, new):
        change()
        assert store.tasks(run_id)[0].state == new
    else:
        with pytest.raises(ExecutionError, match="may not change so"):
            change()
        assert store.tasks(run_id)[0].state == old
