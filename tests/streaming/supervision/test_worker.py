"""What the worker refuses before it starts Spark: told where the stream was started, with place, exit code and hint."""

import os
from datetime import timedelta

import pytest

from tauro.errors import ConfigurationError, ExecutionError, PipelineNotFound, UnknownEnvironment, ValidationError
from tauro.processes.identity import this_process
from tauro.store.records import NewStream
from tauro.streaming.checkpoints import locked
from tauro.streaming.control import Streams
from tauro.streaming.worker import _at_once

NEW = NewStream("p", "base", config="streams.py")


@pytest.fixture
def streams():
    """Open the streams of a project."""
    opened = []

    def open_(root, **variables):
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")}
        opened.append(Streams.open(root, environ={**environ, **variables}))
        return opened[-1]

    yield open_
    for control in opened:
        control.stop_all(timeout=0)
        control.close()


@pytest.fixture
def root(project):
    return project(
        "def a(rows): return rows\n",
        global_settings={"checkpoints_base": "data/checkpoints", "max_streaming_pipelines": 1},
        nodes={"a": {"input": "i", "output": "o"}},
        input={"i": {"format": "json", "filepath": "data/in", "schema": "id INT"}},
        output={"o": {"format": "parquet", "filepath": "data/out"}},
    )


def refused(control, kind, new=NEW):
    """Start a stream that is refused; return the error, and hold that nothing of it went on."""
    with pytest.raises(kind) as caught:
        control.start(new)
    [stream, *_] = control.list()
    assert (stream.status, stream.error_code, stream.restarts) == ("FAILED", caught.value.exit_code, 0)
    assert not any("WARN" in line for line in control.log_lines(stream.id)), "Spark was started"
    return caught.value


@pytest.mark.parametrize(
    ("new", "kind", "word"),
    [
        (NEW._replace(pipeline="q"), ExecutionError, "'q'"),
        (NEW._replace(env="prd"), ValidationError, "prd"),
        (NEW._replace(config="missing.py"), ConfigurationError, "missing.py"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(streams, root, new, kind, word):
    error = refused(streams(root), kind, new)
    assert word in error.message
    assert error.details.nearest or error.details.looked_up
    assert {PipelineNotFound.exit_code, UnknownEnvironment.exit_code, 2} >= {error.exit_code}


def test_faults_of_the_settings_are_told_with_their_places(streams, root):
    text = (root / "streams.py").read_text()
    (root / "streams.py").write_text(text.replace("'parquet'", "'parquett'").replace("'output': 'o'", "'outputt': 'o'"))
    error = refused(streams(root), ValidationError)
    assert error.faults
    assert {fault.place.file for fault in error.faults if fault.place} == {"streams.py"}
    [stream] = streams(root).list()
    assert "streams.py:" in stream.error


def test_code_that_raises_is_told_with_its_line_and_without_secrets(streams, root):
    (root / "streams.py").write_text("import os\nraise ValueError(os.environ['DB_PASSWORD'])\n")
    control = streams(root, DB_PASSWORD="hunter2222")
    error = refused(control, ConfigurationError)
    assert str(error.place) == "streams.py:2:1"
    assert "ValueError: ***" in error.message
    assert "hunter2222" not in control.list()[0].error
    assert "hunter2222" not in "".join(control.log_lines(control.list()[0].id))


def test_without_config_the_projects_own_settings_are_meant(streams, make_project):
    root = make_project("def n(): pass", {"n": {}})
    error = refused(streams(root), ValidationError, NEW._replace(config=None))
    assert "Pipeline 'p' is of type batch" in error.message


def test_a_second_stream_on_a_checkpoint_leaves_with_3_and_the_first_has_it_still(streams, root):
    place = root / "data/checkpoints/base/p/a"
    with locked(place):
        before = sorted(place.parent.rglob("*"))
        error = refused(streams(root), ValidationError, NEW._replace(reset_checkpoint=True))
        assert f"Another run has the checkpoint {place} (process {os.getpid()})" in error.message
        assert error.exit_code == 3
        assert sorted(place.parent.rglob("*")) == before
        with pytest.raises(ValidationError), locked(place):
            pass


def test_no_more_streams_run_than_the_settings_say_and_those_that_run_are_named(streams, root):
    control = streams(root)
    store, now = control.store, control.clock()
    other = store.create_stream(NEW._replace(pipeline="busy"), now=now).id
    epoch = store.claim_stream(other, this_process(), lease=timedelta(minutes=1), now=now)
    store.admit_stream(other, epoch, limit=1)
    error = refused(control, ValidationError)
    assert "max_streaming_pipelines" in error.message
    assert error.details.looked_up == (f"{other} busy (STARTING)",)
    assert "tauro stream stop" in error.hint
    assert store.get_stream(other).state == "starting"
    store.change_stream(other, epoch, "stopped", now=now)


def test_arguments_that_cannot_be_kept_are_refused_before_anything_is(streams, root):
    control = streams(root)
    for new in (NEW._replace(hyperparams={"a": object()}), NEW._replace(max_restarts=-1)):
        for start in (control.start, control.run_here):
            with pytest.raises(ValidationError):
                start(new)
    assert control.list() == []


def test_a_stream_is_active_when_all_that_need_not_wait_for_an_end_are(plan):
    files = {"format": "json", "filepath": "data/in", "schema": "id INT"}
    outputs = {name: {"format": "parquet", "filepath": f"data/{name}"} for name in ("o", "m", "l")}
    chain = {
        "a": {"input": "i", "output": "m"},
        "b": {"input": "m", "output": "l"},
    }

    def names(trigger):
        sections = {"input": {"i": files, "m": {**outputs["m"], "schema": "id INT"}}, "output": outputs}
        return _at_once(
            plan(
                nodes=chain,
                pipelines={"p": {"type": "streaming", "nodes": ["a", "b"], "streaming": trigger}},
                **sections,
            )
        )

    assert names({}) == {"a", "b"}
    assert names({"trigger": "available_now"}) == {"a"}
