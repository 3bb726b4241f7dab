"""What Spark does not help with: checkpoints of others, a JVM that is gone, the words for its writer."""

from types import SimpleNamespace

import pytest
from py4j.protocol import Py4JError, Py4JNetworkError

from tauro.errors import ValidationError
from tauro.streaming.checkpoints import locked
from tauro.streaming.run import reset_checkpoints, run_pipeline, run_streams
from tauro.streaming.sinks import start_query
from tauro.streaming.stop import Stop

KAFKA = {"spark.jars.packages": "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"}


class NoEngine:
    """An engine that must not be asked for anything."""

    def check(self):
        raise AssertionError

    session = check


class Writer:
    """Writes down what Spark's writer is told."""

    def __init__(self):
        self.told = {}

    def options(self, **options):
        self.told.update(options)
        return self

    def option(self, key, value):
        self.told[key] = value
        return self

    def trigger(self, **trigger):
        self.told["trigger"] = trigger
        return self

    def start(self, path=None):
        return {**self.told, "path": path}

    def __getattr__(self, name):
        def tell(*values):
            self.told[name] = values[0] if len(values) == 1 else values
            return self

        return tell


class LostSpark:
    """A session whose JVM ends when the first query has been started."""

    conf = SimpleNamespace(set=lambda key, value: None)

    def __init__(self, error):
        self._error = error
        self.streams = SimpleNamespace(addListener=lambda told: None, removeListener=self.gone)

    def gone(self, *_):
        raise self._error

    def __getattr__(self, name):
        self.gone()


def test_a_run_on_a_checkpoint_of_another_is_refused_before_spark_starts_and_resets_nothing(plan, tmp_path):
    made = plan()
    place = made.queries[0].checkpoint.path
    (place / "offsets").mkdir(parents=True)
    (place / "offsets" / "0").touch()
    with locked(place):
        before = sorted(place.parent.rglob("*"))
        for begin in (
            lambda: run_pipeline(made, NoEngine(), tmp_path, tell=print, stop=Stop(), execution_id="e"),
            lambda: run_streams(made, NoEngine().session, tell=print, stop=Stop(), execution_id="e", spool=tmp_path),
            lambda: reset_checkpoints(made, "exec-20250126-001"),
        ):
            with pytest.raises(ValidationError, match="Another run has the checkpoint"):
                begin()
        assert sorted(place.parent.rglob("*")) == before
    (moved,) = reset_checkpoints(made, "exec-20250126-001")
    assert (moved / "offsets" / "0").exists()
    assert not place.exists()


@pytest.mark.parametrize(
    "error",
    [
        Py4JNetworkError("Answer from Java side is empty"),
        Py4JError("An error occurred while calling o25.isActive"),
        ConnectionRefusedError(111, "Connection refused"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_streams_whose_spark_is_gone_have_failed(plan, tmp_path, error):
    made, events = plan(), []
    (tmp_path / "data" / "in").mkdir(parents=True, exist_ok=True)
    lost = LostSpark(error)
    result = run_streams(made, lambda: lost, tell=events.append, stop=Stop(), execution_id="e", spool=tmp_path)
    assert result.state == "failed"
    assert [(event.stream, event.state) for event in events] == [("a", "failed")]
    assert events[0].failure.message.startswith("Apache Spark has ended in the midst")
    assert "SPARK_DRIVER_MEMORY" in events[0].failure.hint


def test_an_error_that_java_has_words_for_is_told_as_it_is(plan, tmp_path):
    made, events = plan(), []
    (tmp_path / "data" / "in").mkdir(parents=True, exist_ok=True)
    alive = LostSpark(Py4JError("An error occurred while calling o25.start. Trace:\npy4j.Py4JException: No method"))
    result = run_streams(made, lambda: alive, tell=events.append, stop=Stop(), execution_id="e", spool=tmp_path)
    assert result.state == "failed"
    assert "No method" in events[0].failure.message


def test_a_node_that_leaves_its_process_fails_its_stream_and_is_told_so(plan, tmp_path):
    made, events = plan(), []
    (tmp_path / "data" / "in").mkdir(parents=True, exist_ok=True)
    leaves = LostSpark(SystemExit(7))
    leaves.streams.removeListener = lambda told: None
    result = run_streams(made, lambda: leaves, tell=events.append, stop=Stop(), execution_id="e", spool=tmp_path)
    assert result.state == "failed"
    assert (events[0].stream, events[0].failure.message) == ("a", "The node called sys.exit(7)")


def test_who_is_attached_to_a_stop_hears_of_it_also_when_it_has_come_before():
    stop, heard = Stop(), []
    stop.attach(lambda: heard.append("first"))
    assert heard == []
    stop.request(5)
    stop.attach(lambda: heard.append("second"))
    assert heard == ["first", "second"]


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        ("once", {"once": True}),
        ("available_now", {"availableNow": True}),
        ({"interval": "5 seconds"}, {"processingTime": "5 seconds"}),
        ({"type": "continuous", "interval": "1 second"}, {"continuous": "1 second"}),
    ],
)
def test_a_stream_into_kafka_is_told_to_spark_in_its_words(plan, tmp_path, trigger, told):
    topic = {"format": "kafka", "options": {"kafka.bootstrap.servers": "b:9092", "topic": "t", "includeHeaders": True}}
    streaming = {"trigger": trigger, "output_mode": "update", "options": {"x": 1}, "query_name": "mine"}
    made = plan(streaming, i={"format": "rate"}, o=topic, settings={"spark_config": KAFKA})
    assert start_query(SimpleNamespace(writeStream=Writer()), made.queries[0], None) == {
        "trigger": told,
        "outputMode": "update",
        "queryName": "mine",
        "x": "1",
        "checkpointLocation": str(tmp_path / "data/c/base/p/a"),
        "format": "kafka",
        "kafka.bootstrap.servers": "b:9092",
        "topic": "t",
        "includeHeaders": "true",
        "path": None,
    }


def test_a_stream_into_a_table_is_told_its_partitions_and_that_columns_may_be_added(plan, tmp_path):
    delta = {"format": "delta", "filepath": "data/t", "partition_by": ["d", "e"], "merge_schema": True}
    packages = {"spark_config": {"spark.jars.packages": "io.delta:delta-spark_4.2_2.13:4.4.0"}}
    made = plan(o=delta, settings=packages)
    told = start_query(SimpleNamespace(writeStream=Writer()), made.queries[0], None)
    assert (told["partitionBy"], told["mergeSchema"], told["path"]) == (("d", "e"), "true", str(tmp_path / "data/t"))
    assert told["trigger"] == {"processingTime": "10 seconds"}
