"""Events are told to another process as JSON, and mean the same there."""

import json
from datetime import UTC, datetime

import pytest

from tauro.errors import Place
from tauro.exec.events import NodeEnded, NodeRetried, NodeStarted, RunEnded, RunStarted, event_from_dict
from tauro.exec.results import Failure, NodeOutcome
from tauro.io.checks.report import CheckReport, CheckResult

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
FAILURE = Failure(
    "ValueError", "no luck", "EXECUTION_ERROR", Place("src/nodes.py", 3, 5), ("a", "b"), "Try.", "Traceback", True
)
CHECKS = (CheckReport("sales", 10, 1, 0, (CheckResult("keys", "unique", "dropped", 1, "1 row", ("7",)),)),)
OUTCOMES = (
    NodeOutcome(
        "a", "completed", 1.5, 10, 9, warnings=("odd",), attempts=2, checks=CHECKS, written=(("x", 9), ("y", None))
    ),
    NodeOutcome("a", "failed", 0.25, failure=FAILURE),
    NodeOutcome("b", "skipped", because_of="a"),
    NodeOutcome("c", "cancelled"),
)


@pytest.mark.parametrize(
    "event",
    [
        RunStarted(AT, "run-1", "p", "dev", "2026-01-01", "2026-01-02", "sail", ("a", "b"), None, "run-0", "run-0"),
        NodeStarted(AT, "a"),
        NodeRetried(AT, "a", 1, 0.5, FAILURE),
        *(NodeEnded(AT, outcome) for outcome in OUTCOMES),
        RunEnded(AT, "run-1", "completed", 2.0),
    ],
    ids=lambda event: event.to_dict()["event"],
)
def test_an_event_that_was_told_as_json_is_the_same_again(event):
    assert event_from_dict(json.loads(json.dumps(event.to_dict()))) == event
