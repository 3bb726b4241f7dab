"""Streams from Kafka and into it: a real broker, a real producer, and every row exactly where it belongs."""

import json
import os
import threading
import time

import polars as pl
import pytest
from deltalake import DeltaTable

# How long the broker is away, in seconds.
AWAY = 60 if os.environ.get("TAURO_LONG_TESTS") else 2
NOW = {"trigger": "available_now"}
CODE = """
    from pyspark.sql import functions as F
    def texts(rows):
        sender = F.element_at(F.filter("headers", lambda one: one["key"] == "sender"), 1)["value"]
        return rows.select(*(F.expr(f"CAST({name} AS STRING) {name}") for name in ("key", "value")),
                           sender.cast("string").alias("sender"), "partition", "offset")
    def messages(orders):
        header = F.struct(F.lit("sender").alias("key"), F.col("sender").cast("binary").alias("value"))
        value = F.to_json(F.struct("id", "amount")).alias("value")
        return orders.select(F.col("id").cast("string").alias("key"), value, F.array(header).alias("headers"))
"""


def topic(broker, name, **options):
    """Describe a topic as an input."""
    options = {"kafka.bootstrap.servers": broker.address, "subscribe": name, **options}
    return {"format": "kafka", "options": options}


def rows(first, count):
    return [(f"k{number}", f"v{number}", {"sender": f"s{number % 3}"}) for number in range(first, first + count)]


def done(told, state="completed"):
    assert "error" not in told, told["error"]
    assert (told["state"], told["failures"], told["active"]) == (state, {}, 0)


def found(root, path, format_="parquet"):
    if format_ == "delta":
        return pl.from_arrow(DeltaTable(root / path).to_pyarrow_table())
    return pl.read_parquet(root / path / "*.parquet")


def test_what_is_sent_to_a_topic_is_in_files_and_in_a_table_once_with_keys_and_headers(play, project, kafka_broker):
    name = kafka_broker.topic(partitions=3)
    everything = {"startingOffsets": "earliest", "includeHeaders": True, "maxOffsetsPerTrigger": 400}
    formats = {"files": "parquet", "table": "delta"}
    root = project(
        CODE,
        pipelines={"p": {"type": "streaming", "nodes": [*formats], "streaming": NOW}},
        nodes={each: {"function": "streams_code.texts", "input": "i", "output": each} for each in formats},
        input={"i": topic(kafka_broker, name, **everything)},
        output={each: {"format": format_, "filepath": f"data/{each}"} for each, format_ in formats.items()},
    )
    for first, count in ((0, 1000), (1000, 500)):
        kafka_broker.send(name, rows(first, count))
        done(play(root))
        sent = {(key, value, headers["sender"]) for key, value, headers in rows(0, first + count)}
        for each, format_ in formats.items():
            there = found(root, f"data/{each}", format_)
            assert set(there.select("key", "value", "sender").rows()) == sent
            assert len(there) == len(set(there.select("partition", "offset").rows())) == first + count


def test_rows_of_files_are_messages_with_keys_and_headers(play, project, drop, kafka_broker):
    name = kafka_broker.topic()
    root = project(
        CODE,
        nodes={"messages": {"input": "i", "output": "o", "streaming": NOW}},
        input={"i": {"format": "json", "filepath": "data/in", "schema": "id INT, amount INT, sender STRING"}},
        output={"o": {"format": "kafka", "options": {"kafka.bootstrap.servers": kafka_broker.address, "topic": name,
                                                     "includeHeaders": True}}},
    )  # fmt: skip
    orders = [{"id": number, "amount": number * 2, "sender": f"s{number % 3}"} for number in range(300)]
    drop("a.json", orders[:200])
    done(play(root))
    drop("b.json", orders[200:])
    done(play(root))
    messages = sorted(kafka_broker.read(name), key=lambda message: int(message.key))
    assert [
        {**json.loads(message.value), "sender": message.headers["sender"].decode()} for message in messages
    ] == orders
    assert [message.key for message in messages] == [str(order["id"]) for order in orders]
    assert {message.partition for message in messages} == {0, 1}


@pytest.mark.parametrize("start", ["latest", "by partition"])
def test_a_stream_begins_where_it_is_told_and_goes_on_from_there(play, project, kafka_broker, start):
    name = kafka_broker.topic(partitions=1)
    kafka_broker.send(name, rows(0, 10))
    offsets = {"latest": {}, "by partition": {"startingOffsets": json.dumps({name: {"0": 7}})}}[start]
    root = project(
        "def values(rows): return rows.selectExpr('CAST(value AS STRING) value')",
        nodes={"values": {"input": "i", "output": "o", "streaming": NOW}},
        input={"i": topic(kafka_broker, name, **offsets)},
        output={"o": {"format": "parquet", "filepath": "data/out"}},
    )
    done(play(root))
    kafka_broker.send(name, rows(10, 5))
    done(play(root))
    first = 10 if start == "latest" else 7
    assert sorted(found(root, "data/out")["value"]) == sorted(f"v{number}" for number in range(first, 15))


def test_a_broker_that_goes_away_and_comes_back_costs_no_row(play, project, kafka_broker):
    """It dies as in a crash, while the stream runs; what is sent afterwards arrives, and nothing comes twice."""
    name = kafka_broker.topic()
    kafka_broker.send(name, rows(0, 500))
    root = project(
        "def values(rows): return rows.selectExpr('CAST(value AS STRING) value')",
        nodes={"values": {"input": "i", "output": "o", "streaming": {"trigger": {"interval": "200 milliseconds"}}}},
        input={"i": topic(kafka_broker, name, startingOffsets="earliest")},
        output={"o": {"format": "parquet", "filepath": "data/out"}},
    )

    def trouble():
        while not any((root / "data/out").glob("*.parquet")):
            time.sleep(0.1)
        kafka_broker.stop()
        time.sleep(AWAY)
        kafka_broker.start()
        kafka_broker.send(name, rows(500, 500))

    away = threading.Thread(target=trouble)
    away.start()
    told = play(root, stop_at_rows=1000)
    away.join()
    done(told, "stopped")
    assert sorted(found(root, "data/out")["value"]) == sorted(f"v{number}" for number in range(1000))
