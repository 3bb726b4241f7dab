"""What a run logs with the standard library alone, and what the records of its threads belong to."""

import logging
from datetime import UTC, datetime
from threading import Thread

import pytest

from tauro.exec.events import RunEnded
from tauro.exec.log import LogContext, LogListener, current_context, logged_in, project_context

CODE = """
    import logging

    def good():
        logging.getLogger(__name__).warning("from a node")
        return 1

    def bad(value):
        raise ValueError("no luck")

    def after(value):
        pass
"""


@pytest.fixture
def heard():
    """Every record with the context that its thread had, as a host's handler hears it."""
    records = []

    class Handler(logging.Handler):
        def emit(self, record):
            records.append((record, dict(current_context().fields)))

    handler = Handler()
    logging.getLogger().addHandler(handler)
    logging.getLogger("tauro").setLevel("DEBUG")
    yield records
    logging.getLogger().removeHandler(handler)
    logging.getLogger("tauro").setLevel(logging.NOTSET)


def nodes():
    return {
        "good": {"output": "x"},
        "bad": {"input": "x", "output": "y"},
        "after": {"input": "y"},
    }


def test_each_event_is_logged_once_with_the_run_and_its_node(open_project, heard):
    run = open_project(CODE, nodes()).run("p", listeners=(LogListener(),))
    told = [
        (record.levelname, record.getMessage().split(" in ")[0].split(",")[0], fields.get("node"))
        for record, fields in heard
        if record.name == "tauro.run"
    ]
    assert told == [
        ("INFO", "Run of 'p'", None),
        ("DEBUG", "started", "good"),
        ("INFO", "completed", "good"),
        ("DEBUG", "started", "bad"),
        ("ERROR", "failed", "bad"),
        ("WARNING", "skipped", "after"),
        ("ERROR", "Run failed", None),
    ]
    assert {fields["run"] for _, fields in heard} == {run.run_id}


def test_a_node_s_own_records_have_its_context_and_the_caller_s_thread_has_none(open_project, heard):
    open_project(CODE, nodes()).run("p")
    assert [(record.getMessage(), fields["node"]) for record, fields in heard] == [("from a node", "good")]
    assert current_context() == LogContext()


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_a_failure_s_traceback_is_logged_where_every_detail_is_wanted(open_project, heard, level):
    logging.getLogger("tauro").setLevel(level)
    open_project(CODE, nodes()).run("p", listeners=(LogListener(),))
    (failed,) = [record for record, _ in heard if record.getMessage().startswith("failed")]
    assert ("ValueError: no luck" in getattr(failed, "traceback", "")) == (level == "DEBUG")
    assert "Traceback" not in failed.getMessage()


def test_events_are_logged_also_where_a_project_has_disabled_the_loggers_it_does_not_know(heard):
    logging.getLogger("tauro.run").disabled = True
    LogListener()(RunEnded(datetime.now(UTC), "run-1", "completed", 1.0))
    assert [record.getMessage() for record, _ in heard] == ["Run completed in 1.00 s"]


def test_contexts_are_joined_and_end_in_order():
    with logged_in(LogContext({"run": "1"}, frozenset("a"))):
        with logged_in(LogContext({"node": "n", "run": "2"}, frozenset("b"))):
            assert current_context() == LogContext({"run": "2", "node": "n"}, frozenset("ab"))
        assert current_context().fields == {"run": "1"}
    assert current_context() == LogContext()


def test_another_thread_has_a_context_of_its_own():
    seen = []
    with logged_in(LogContext({"run": "1"})):
        thread = Thread(target=lambda: seen.append(current_context()))
        thread.start()
        thread.join()
    assert seen == [LogContext()]


def owns(context, name="x", path="/elsewhere/x.py"):
    return context.owns(logging.LogRecord(name, logging.INFO, path, 1, "", (), None))


def test_a_record_is_the_project_s_own_by_its_place_or_by_its_package(open_project):
    project = open_project(CODE, nodes())
    context = project_context(project.config, run="run-1")
    root = project.root.resolve()
    assert context.fields == {"run": "run-1"}
    assert owns(context, path=f"{root}/src/helper.py")
    assert owns(context, name="nodes.deep")
    assert not owns(context, path=f"{root}/.venv/lib/python3.11/site-packages/x.py")
    assert not owns(context, path=f"{root}-of-another/src/x.py")
    assert not owns(context)
    assert not owns(LogContext(), path=__file__)


def test_without_a_project_whatever_is_not_installed_is_own():
    context = LogContext(folders=frozenset(("",)))
    assert owns(context, path="/home/me/job.py")
    assert owns(context, path="<stdin>")
    assert not owns(context, path=logging.__file__)
    assert not owns(context, path=pytest.__file__)
    # A library calls the logger of this module.
    assert owns(context, name=__name__, path=pytest.__file__)
