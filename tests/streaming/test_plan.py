"""Plans of streams: what is refused before anything starts, and what every stream will do. No JVM is started."""

import json

import pytest

from tauro.engines.connectors.cache import jars_folder
from tauro.engines.connectors.pins import CONNECTORS
from tauro.errors import TauroError, Unsupported, ValidationError
from tauro.exec.ml import MlOptions
from tauro.streaming.sources import source_of

FILES = {"format": "json", "filepath": "data/in", "schema": "id INT"}
OUT = {"format": "parquet", "filepath": "data/out"}
KAFKA = {"format": "kafka", "options": {"kafka.bootstrap.servers": "b:9092", "subscribe": "t"}}
TOPIC = {"format": "kafka", "options": {"kafka.bootstrap.servers": "b:9092", "topic": "t"}}
WITH_KAFKA = {"spark_config": {"spark.jars.packages": CONNECTORS["kafka"].coordinate}}
WITH_DELTA = {"spark_config": {"spark.jars.packages": CONNECTORS["delta"].coordinate}}


def refused(plan, *args, **kwargs):
    """Return the error, or the first fault of a report."""
    with pytest.raises(TauroError) as caught:
        plan(*args, **kwargs)
    faults = [fault for fault in caught.value.faults if not fault.warning]
    return faults[0] if faults else caught.value


def test_a_plan_tells_sources_sinks_triggers_and_places(plan):
    made = plan({"trigger": {"interval": "5 seconds"}}, env="dev")
    assert made.to_dict()["streams"] == [
        {
            "name": "a",
            "upstream": [],
            "sources": [{"name": "i", "source": "json data/in"}],
            "static": [],
            "queries": [
                {
                    "name": "a",
                    "sink": "o",
                    "format": "parquet",
                    "trigger": {"type": "processing_time", "interval": "5 seconds"},
                    "output_mode": "append",
                    "checkpoint": "data/c/dev/p/a",
                }
            ],
        }
    ]
    assert made.engine == "spark (local[*])"
    assert json.dumps(made.to_dict())


def test_settings_of_a_node_win_over_those_of_its_pipeline(plan):
    pipelines = {
        "p": {
            "type": "streaming",
            "nodes": ["a"],
            "streaming": {"trigger": "once", "output_mode": "complete", "checkpoint_location": "data/mine"},
            "spark_config": {"spark.sql.shuffle.partitions": 3},
        }
    }
    made = plan({"output_mode": "append"}, pipelines=pipelines)
    (query,) = made.queries
    assert (query.trigger.type, query.output_mode, query.checkpoint.shown) == ("once", "append", "data/mine/a")
    assert made.config.settings.spark_config["spark.sql.shuffle.partitions"] == 3


def test_what_batch_nodes_store_and_what_cannot_be_streamed_is_read_as_a_whole(plan):
    made = plan(
        pipelines={"p": {"type": "hybrid", "nodes": ["a", "b"]}},
        nodes={
            "a": {"input": ["i", "made", "said", "j"], "output": "o", "streaming": {"static": ["said"]}},
            "b": {"input": "j", "output": "made"},
        },
        input={"i": FILES, "said": {**FILES, "filepath": "data/said"}, "j": {"format": "jdbc", "options": {
            "url": "jdbc:derby:x", "dbtable": "t"}}},
        output={"o": OUT, "made": {**OUT, "filepath": "data/made"}},
    )  # fmt: skip
    (stream,) = made.streams
    assert [source.name for source in stream.sources] == ["i"]
    assert sorted(stream.static) == ["j", "made", "said"]
    assert [node.name for node in made.batch.nodes] == ["b"]


def test_a_missing_connector_stops_the_plan_and_names_the_command(plan):
    cases = {
        "kafka": [{"i": KAFKA}, {"o": TOPIC}],
        "delta": [
            {"i": {"format": "delta", "filepath": "d"}},
            {"o": {"format": "delta", "filepath": "d"}},
            {"i": {"format": "delta_stream", "filepath": "d"}},
        ],
    }
    for connector, settings in cases.items():
        for more in settings:
            error = refused(plan, **more)
            assert isinstance(error, Unsupported)
            assert error.exit_code == 5
            assert f"tauro engine install --{connector}" in error.hint
            assert CONNECTORS[connector].coordinate in error.hint
            assert error.place.file == "streams.py"


def test_a_connector_that_is_installed_or_named_is_enough(plan, monkeypatch, tmp_path):
    assert plan(i=KAFKA, settings=WITH_KAFKA).queries
    assert plan(i={"format": "delta", "filepath": "d"}, settings=WITH_DELTA).queries
    monkeypatch.setenv("TAURO_CACHE_DIR", str(tmp_path / "cache"))
    folder = jars_folder({"TAURO_CACHE_DIR": str(tmp_path / "cache")})
    folder.mkdir(parents=True, mode=0o700)
    for artifact in CONNECTORS["kafka"].artifacts:
        with (folder / artifact.file).open("wb") as file:
            file.truncate(artifact.size)
    assert plan(i=KAFKA).queries


REFUSED = {
    "files without columns": ({"i": {"format": "csv", "filepath": "x"}}, "must be told its columns", "schema"),
    "files of no format": ({"i": {"format": "file_stream", "filepath": "x"}}, "format of its files", "file_format"),
    "an unknown option of Kafka": (
        {"i": {**KAFKA, "options": {**KAFKA["options"], "startingOffset": "latest"}}},
        "Unknown option 'startingOffset'",
        "startingOffsets",
    ),
    "a slip in an option of files": (
        {"i": {**FILES, "options": {"maxFilePerTrigger": 1}}},
        "Unknown option 'maxFilePerTrigger'",
        "maxFilesPerTrigger",
    ),
    "Kafka without a topic": (
        {"i": {"format": "kafka", "options": {"kafka.bootstrap.servers": "b"}}},
        "needs the option subscribe or",
        "subscribe",
    ),
    "a socket without a port": ({"i": {"format": "socket", "options": {"host": "h"}}}, "needs the option port", "port"),
    "a sink of no stream": (
        {"o": {"format": "jdbc", "options": {"url": "jdbc:derby:x", "dbtable": "t"}, "write_mode": "append"}},
        "not written in format jdbc",
        "foreach_batch",
    ),
    "changed rows into files": (
        {"streaming": {"output_mode": "update"}},
        "does not take output_mode 'update'",
        "merge",
    ),
    "all rows into a merge": (
        {
            "streaming": {"output_mode": "complete"},
            "o": {"format": "delta", "filepath": "d", "write_mode": "merge", "merge_keys": "id"},
            "settings": WITH_DELTA,
        },
        "does not take output_mode 'complete'",
        "append, update",
    ),
    "continuous files": ({"streaming": {"trigger": "continuous"}}, "knows no trigger 'continuous'", "processing_time"),
    "an overwrite by appending": ({"o": {**OUT, "write_mode": "overwrite"}}, "does not fit a stream", "append"),
    "a write only where nothing is": ({"o": {**OUT, "write_mode": "error"}}, "does not fit a stream", "append"),
    "checks of an output": ({"o": {**OUT, "checks": [{"not_null": "id"}]}}, "makes no checks", "batch pipeline"),
    "a static input that is none": ({"streaming": {"static": ["ii"]}}, "'static' names 'ii'", "i"),
    "a function that there is not": (
        {"o": {"format": "foreach_batch", "function": "streams_code.g"}},
        "has no function 'g'",
        "f",
    ),
    "a place that climbs": ({"streaming": {"checkpoint_location": "../c"}}, "at no plain path", "below the project"),
    "an output in the code": ({"o": {**OUT, "filepath": "src/out"}}, "written into the project's own folder", "folder"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_go_wrong_is_refused_before_anything_starts(plan, name):
    settings, message, hint = REFUSED[name]
    fault = refused(plan, **settings)
    assert message in fault.message
    assert hint in f"{fault.hint} {getattr(fault, 'nearest', '')}"
    assert fault.exit_code in (3, 5)


def test_two_streams_of_a_pipeline_do_not_share_a_place(plan):
    nodes = {
        name: {"input": "i", "output": f"o{name}", "streaming": {"checkpoint_location": "data/x"}} for name in "ab"
    }
    outputs = {f"o{name}": {**OUT, "filepath": f"data/{name}"} for name in "ab"}
    assert "both keep their place" in refused(plan, nodes=nodes, output=outputs).message


def test_what_a_stream_hands_on_in_memory_needs_a_reader(plan):
    nodes = {"a": {"input": "i", "output": "x"}}
    assert "Nobody reads" in refused(plan, nodes=nodes).message
    nodes["b"] = {"input": "x", "output": "o"}
    first, second = plan(nodes=nodes).streams
    assert (first.queries, second.upstream) == ((), ("a",))


def test_a_batch_node_behind_a_stream_is_refused(plan):
    pipelines = {"p": {"type": "hybrid", "nodes": ["a", "b"]}}
    nodes = {"a": {"input": "i", "output": "o", "streaming": {"trigger": "once"}}, "b": {"input": "o", "output": "x"}}
    assert "waits for the stream 'a'" in refused(plan, nodes=nodes, pipelines=pipelines).message


def test_a_batch_pipeline_has_no_streams(plan):
    nodes = {"a": {"input": "i", "output": "o"}}
    with pytest.raises(ValidationError, match="of type batch, and has no streams"):
        plan(nodes=nodes, pipelines={"p": {"nodes": ["a"]}})


def test_what_may_come_twice_or_be_lost_is_a_warning(plan):
    socket = {"format": "socket", "options": {"host": "h", "port": 1}}
    assert {fault.id for fault in plan(i=socket).warnings} >= {"stream-loses-rows"}
    assert {fault.id for fault in plan(o=TOPIC, settings=WITH_KAFKA).warnings} >= {"stream-doubles-rows"}
    elsewhere = plan({"checkpoint_location": "s3a://bucket/c"})
    assert {fault.id for fault in elsewhere.warnings} >= {"unlocked-checkpoint"}


def test_hyperparameters_of_the_command_line_are_secrets_where_they_look_like_it(plan):
    made = plan(ml=MlOptions(hyperparams={"api_key": "abcdefgh12345"}))
    assert "abcdefgh" not in made.config.redact("abcdefgh12345")


def test_the_words_of_kafka_and_of_the_original_become_spark_s(project, config_of):
    root = project(
        nodes={"a": {"input": "k", "output": "o", "streaming": {}}},
        input={
            "k": {
                "format": "kafka",
                "options": {**KAFKA["options"], "failOnDataLoss": False, "maxOffsetsPerTrigger": 5},
            },
            "f": {
                "format": "file_stream",
                "file_format": "csv",
                "options": {"path": "data/x", "maxFilesPerTrigger": 2},
            },
            "d": {"format": "delta_stream", "path": "data/t"},
        },
        output={"o": OUT},
    )
    config = config_of(root)
    kafka, files, changes = (source_of(config, config.inputs[name]) for name in "kfd")
    assert kafka.location is None
    assert kafka.identity == "kafka t"
    assert kafka.options == {
        "kafka.bootstrap.servers": "b:9092",
        "subscribe": "t",
        "failOnDataLoss": "false",
        "maxOffsetsPerTrigger": "5",
    }
    assert (files.format, files.location.shown) == ("csv", "data/x")
    assert files.options == {"header": "true", "escape": '"', "maxFilesPerTrigger": "2"}
    assert (changes.format, changes.options) == ("delta", {"readChangeFeed": "true"})
    assert changes.identity == "delta changes data/t"
