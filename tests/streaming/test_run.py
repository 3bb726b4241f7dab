"""Streams on Apache Spark: what they write is what independent readers find. One JVM runs them all."""

from datetime import UTC, datetime

import polars as pl
import pytest
from deltalake import DeltaTable

ORDERS = {"format": "json", "filepath": "data/in", "schema": "id INT, country STRING, amount INT, at TIMESTAMP"}
NOW = {"trigger": "available_now"}


def orders(first, count, *, country="DE", minute=0):
    at = datetime(2025, 1, 1, 12, minute, tzinfo=UTC).isoformat()
    return [{"id": first + index, "country": country, "amount": 2, "at": at} for index in range(count)]


def parquet(root, path="data/out"):
    return pl.read_parquet(root / path / "**" / "*.parquet")


def done(told):
    assert "error" not in told, told["error"]
    assert told["failures"] == {}
    assert told["active"] == 0
    return told["state"]


PER_MINUTE = """
    from pyspark.sql import functions as F
    def per_minute(events):
        return (events.groupBy(F.window("at", "1 minute").alias("minute"), "country")
                .agg(F.count("*").alias("orders"), F.sum("amount").alias("amount"))
                .select(F.col("minute.start").alias("minute"), "country", "orders", "amount"))
"""


@pytest.mark.parametrize("format_", ["parquet", "delta"])
def test_events_are_counted_by_their_own_time_and_late_ones_left_out(play, project, drop, format_):
    watermark = {"column": "at", "delay": "5 minutes"}
    root = project(
        PER_MINUTE,
        nodes={"per_minute": {"input": "i", "output": "o", "streaming": {**NOW, "watermark": watermark}}},
        input={"i": ORDERS},
        output={"o": {"format": format_, "filepath": "data/out"}},
    )
    drop("a.json", orders(0, 10) + orders(10, 5, country="FR") + orders(20, 1, minute=30))
    told = play(root)
    assert done(told) == "completed"
    drop("b.json", orders(100, 7) + orders(200, 1, minute=50))  # the first seven are half an hour late
    assert done(play(root)) == "completed"
    rows = parquet(root) if format_ == "parquet" else pl.from_arrow(DeltaTable(root / "data/out").to_pyarrow_table())
    counted = {(row["minute"].minute, row["country"]): (row["orders"], row["amount"]) for row in rows.to_dicts()}
    assert counted == {(0, "DE"): (10, 20), (0, "FR"): (5, 10), (30, "DE"): (1, 2)}
    progress = [event["progress"] for event in told["events"] if event["event"] == "query_progressed"][-1]
    assert progress["total_rows"] == 16
    assert progress["watermark"] == "2025-01-01T12:25:00+00:00"
    assert told["events"][0]["event"] == "query_started"
    assert told["events"][-1]["event"] == "query_ended"


def test_streams_of_a_pipeline_read_each_other_join_what_is_stored_and_call_functions_with_batches(
    play, project, drop, tmp_path
):
    """Files to Delta to a merge, to a function that gets Polars frames, in memory between two nodes."""
    root = project(
        """
        import polars
        from pyspark.sql import functions as F
        def named(events, countries, params):
            return events.join(countries, "country").where(F.col("amount") < params["most"])
        def kept(events): return {"again": events, "kept": events}
        def totals(events): return events.groupBy("name").agg(F.sum("amount").alias("amount"))
        def counted(events): return events
        def save(frame: polars.DataFrame, batch_id, params, context, ml_context):
            with open(params["file"], "a") as file:
                words = (batch_id, frame.height, context.run_id, ml_context["model_version"])
                file.write(" ".join(map(str, words)) + "\\n")
        def append(frame, number, batch):
            batch.append("copies", frame)
            batch.append("lines", frame.select("id"))
        """,
        nodes={
            "named": {"input": ["i", "countries"], "output": "named", "params": {"most": 100}},
            "kept": {"input": "named", "output": ["again", "kept"]},
            "totals": {"input": "kept", "output": "totals", "streaming": {"output_mode": "update"}},
            "counted": {"input": "again", "output": "sink", "dependencies": ["totals"]},
            "copied": {"input": "kept", "output": "calls", "streaming": {"query_name": "copies of orders"}},
        },
        pipelines={
            "p": {
                "type": "streaming",
                "nodes": ["named", "kept", "totals", "counted", "copied"],
                "streaming": {**NOW, "static": []},
            }
        },
        input={"i": ORDERS, "countries": {"format": "query", "query": "SELECT 'DE' AS country, 'Germany' AS name"}},
        output={
            "kept": {"format": "delta", "filepath": "data/kept", "partition_by": "country"},
            "again": {"format": "json", "filepath": "data/again"},
            "totals": {"format": "delta", "filepath": "data/totals", "write_mode": "merge", "merge_keys": "name"},
            "sink": {
                "format": "foreach_batch",
                "function": "streams_code.save",
                "params": {"file": str(tmp_path / "calls")},
            },
            "calls": {"format": "foreach_batch", "function": "streams_code.append"},
            "copies": {"format": "delta", "filepath": "data/copies"},
            "lines": {"format": "parquet", "filepath": "data/lines"},
        },
    )
    for number in range(2):
        drop(f"{number}.json", orders(number * 10, 10) + orders(number * 10 + 100, 3, country="XX"))
        assert done(play(root, ml={"model_version": "v7"})) == "completed"
    kept = pl.from_arrow(DeltaTable(root / "data/kept").to_pyarrow_table())
    assert sorted(kept["id"]) == list(range(20))
    assert DeltaTable(root / "data/kept").metadata().partition_columns == ["country"]
    assert pl.from_arrow(DeltaTable(root / "data/totals").to_pyarrow_table()).to_dicts() == [
        {"name": "Germany", "amount": 40}
    ]
    assert sorted(pl.from_arrow(DeltaTable(root / "data/copies").to_pyarrow_table())["id"]) == list(range(20))
    assert sorted(parquet(root, "data/lines")["id"]) == list(range(20))
    calls = [line.split() for line in (tmp_path / "calls").read_text().splitlines()]
    assert sum(int(rows) for _, rows, _, _ in calls) == 20
    assert {(run, version) for _, _, run, version in calls} == {("exec-20250101-001", "v7")}
    shapes = root.rglob("tauro-shape.json")
    places = sorted(path.parent.relative_to(root / "data/checkpoints/base/p") for path in shapes)
    assert [str(place) for place in places] == ["copied", "counted", "kept/again", "kept/kept", "totals"]


def test_a_stream_that_is_asked_to_stop_finishes_its_batch_and_goes_on_where_it_was(play, project, drop):
    code = """
        import time
        def slow(rows): return rows
        def save(frame, batch_id, batch):
            time.sleep(1)
            batch.append("o", frame)
    """

    def with_trigger(trigger):
        return project(
            code,
            nodes={"slow": {"input": "i", "output": "calls", "streaming": {"trigger": trigger}}},
            input={"i": {**ORDERS, "options": {"maxFilesPerTrigger": 1}}},
            output={
                "calls": {"format": "foreach_batch", "function": "streams_code.save"},
                "o": {"format": "parquet", "filepath": "data/out"},
            },
        )

    root = with_trigger({"interval": "0 seconds"})
    for number in range(4):
        drop(f"{number}.json", orders(number * 10, 10))
    assert done(play(root, stop_at="query_started")) == "stopped"
    assert 10 <= len(parquet(root)) < 40
    assert done(play(with_trigger("available_now"))) == "completed"
    assert sorted(parquet(root)["id"]) == list(range(40))


def test_a_failing_stream_names_the_line_and_stops_the_others(play, project, drop):
    root = project(
        """
        def good(rows): return rows
        def bad(rows): return rows
        def save(frame):
            raise ValueError("no room here")
        """,
        nodes={"good": {"input": "i", "output": "o"}, "bad": {"input": "i", "output": "calls"}},
        input={"i": ORDERS},
        output={
            "o": {"format": "csv", "filepath": "data/out"},
            "calls": {"format": "foreach_batch", "function": "streams_code.save"},
        },
    )
    drop("a.json", orders(0, 3))
    told = play(root)
    assert told["state"] == "failed"
    assert told["active"] == 0
    failure = told["failures"]["bad"]
    assert (failure["type"], failure["message"]) == ("ValueError", "ValueError: no room here")
    assert failure["place"]["file"] == "src/streams_code.py"
    assert {event["stream"]: event["state"] for event in told["events"] if event["event"] == "query_ended"} == {
        "good": "stopped",
        "bad": "failed",
    }


def test_what_cannot_be_streamed_fails_in_words(play, project, drop):
    for code, words in {
        "def a(rows): return rows.sparkSession.range(3)": "returned no stream",
        "import pandas\ndef a(rows: pandas.DataFrame): return rows": "is a stream, and the function asks for a pandas",
        "def a(rows): return rows.nowhere": "nowhere",
    }.items():
        root = project(
            code,
            nodes={"a": {"input": "i", "output": "o", "streaming": NOW}},
            input={"i": ORDERS},
            output={"o": {"format": "parquet", "filepath": "data/out"}},
        )
        module = root / "src" / "streams_code.py"
        module.rename(root / "src" / f"code_{len(code)}.py")
        (root / "streams.py").write_text((root / "streams.py").read_text().replace("streams_code", f"code_{len(code)}"))
        told = play(root)
        assert words in told["failures"]["a"]["message"]


def test_a_query_that_cannot_go_on_from_its_checkpoint_is_refused_until_that_is_reset(play, project, drop):
    def counted(by, source="data/in", most=5):
        code = f"""
            from pyspark.sql import functions as F
            def counted_{by}_{most}(rows):
                return rows.where("amount < {most}").groupBy("{by}").agg(F.count("*").alias("orders"))
        """
        name = f"counted_{by}_{most}"
        streaming = {**NOW, "output_mode": "complete"}
        root = project(
            code,
            nodes={"n": {"function": f"code_{name}.{name}", "input": "i", "output": "o", "streaming": streaming}},
            input={"i": {**ORDERS, "filepath": source}},
            output={"o": {"format": "parquet", "filepath": "data/out"}},
        )
        (root / "src" / "streams_code.py").rename(root / "src" / f"code_{name}.py")
        return root

    drop("a.json", orders(0, 3))
    drop("a.json", orders(0, 3), "data/other")
    root = counted("country")
    assert done(play(root)) == "completed"
    drop("b.json", orders(3, 4))
    assert done(play(counted("country", most=9))) == "completed"  # another filter keeps the state
    assert parquet(root).to_dicts() == [{"country": "DE", "orders": 7}]
    for changed, what in ((("id",), "operators that keep state"), (("country", "data/other"), "sources")):
        error = play(counted(*changed))["error"]
        assert error["exit_code"] == 3
        assert f"its {what} have changed" in error["message"]
        assert "--reset-checkpoint" in error["hint"]
        assert parquet(root).to_dicts() == [{"country": "DE", "orders": 7}]
    (moved,) = play(root, reset=True)["moved"]
    assert "/.n.before-" in moved
    assert done(play(root)) == "completed"
    assert parquet(root).to_dicts() == [{"country": "DE", "orders": 3}]


def test_the_changes_of_a_delta_table_are_streamed(play, project, tmp_path):
    from deltalake import write_deltalake

    table = str(tmp_path / "data" / "table")
    rows = pl.DataFrame({"id": [1, 2, 3], "v": ["a", "b", "c"]}).to_arrow()
    write_deltalake(table, rows, configuration={"delta.enableChangeDataFeed": "true"})
    DeltaTable(table).delete("id = 2")
    root = project(
        "def changes(rows): return rows.select('id', '_change_type')",
        nodes={"changes": {"input": "i", "output": "o", "streaming": NOW}, "copy": {"input": "t", "output": "c",
               "streaming": {**NOW}}},
        input={
            "i": {"format": "delta_stream", "filepath": table, "options": {"startingVersion": 0}},
            "t": {"format": "delta", "filepath": table},
        },
        output={"o": {"format": "csv", "filepath": "data/out"}, "c": {"format": "json", "filepath": "data/copy"}},
    )  # fmt: skip
    assert done(play(root)) == "completed"
    found = pl.read_csv(root / "data/out" / "*.csv")
    assert sorted(found.rows()) == [(1, "insert"), (2, "delete"), (2, "insert"), (3, "insert")]
    assert sorted(pl.read_ndjson(root / "data/copy" / "*.json")["id"]) == [1, 3]


def test_a_hybrid_pipeline_runs_its_batch_nodes_first_and_streams_join_what_they_store(play, project, drop):
    root = project(
        """
        def countries(spark): return spark.sql("SELECT 'DE' AS country, 'Germany' AS name")
        def named(events, names): return events.join(names, "country").select("id", "name")
        """,
        pipelines={"p": {"type": "hybrid", "nodes": ["countries", "named"]}},
        nodes={
            "named": {"input": ["i", "names"], "output": "o", "streaming": NOW},
            "countries": {"output": "names"},
        },
        input={"i": ORDERS},
        output={
            "names": {"format": "parquet", "filepath": "data/names"},
            "o": {"format": "parquet", "filepath": "data/out"},
        },
    )
    drop("a.json", orders(0, 3))
    told = play(root)
    assert done(told) == "completed"
    events = [event["event"] for event in told["events"]]
    assert events.index("run_ended") < events.index("query_started")
    assert set(parquet(root).rows()) == {(0, "Germany"), (1, "Germany"), (2, "Germany")}


def test_a_stop_while_the_batch_nodes_run_starts_no_stream(play, project):
    root = project(
        """
        import time
        def slow(spark): time.sleep(2); return spark.range(3)
        def a(rows): return rows
        """,
        pipelines={"p": {"type": "hybrid", "nodes": ["slow", "a"]}},
        nodes={"a": {"input": "i", "output": "o", "streaming": NOW}, "slow": {"output": "s"}},
        input={"i": ORDERS},
        output={"o": {"format": "parquet", "filepath": "data/o"}, "s": {"format": "parquet", "filepath": "data/s"}},
    )
    told = play(root, stop_at="node_started")
    assert done(told) == "stopped"
    assert [event["event"] for event in told["events"]][-1] == "run_ended"


def test_sources_and_sinks_for_trials_work(play, project):
    root = project(
        nodes={
            "m": {"input": "r", "output": "m", "streaming": {"trigger": {"interval": "1 second"}}},
            "c": {
                "input": "r",
                "output": "c",
                "streaming": {"trigger": {"type": "continuous", "interval": "1 second"}},
            },
        },
        # A query that computes row by row holds a core for each partition.
        input={"r": {"format": "rate", "options": {"rowsPerSecond": 5, "numPartitions": 1}}},
        output={"m": {"format": "memory"}, "c": {"format": "console", "options": {"truncate": False}}},
    )
    told = play(root, stop_at_batch=2)
    assert done(told) == "stopped"
    assert {event["stream"] for event in told["events"] if event["event"] == "query_started"} == {"m", "c"}


def test_a_folder_that_is_not_there_is_told_with_what_to_do(play, project):
    root = project(
        nodes={"a": {"input": "i", "output": "o", "streaming": NOW}},
        input={"i": {**ORDERS, "filepath": "data/nowhere"}},
        output={"o": {"format": "parquet", "filepath": "data/out"}},
    )
    failure = play(root)["failures"]["a"]
    assert failure["type"] == "DatasetNotFound"
    assert failure["hint"] == "Make it: mkdir -p data/nowhere"


def test_streams_whose_jvm_is_killed_have_failed(play, project, drop):
    root = project(
        nodes={"a": {"input": "i", "output": "o", "streaming": {"trigger": {"interval": "1 second"}}}},
        input={"i": ORDERS},
        output={"o": {"format": "parquet", "filepath": "data/out"}},
    )
    drop("a.json", orders(0, 3))
    told = play(root, kill_spark_at="query_started")
    assert told["state"] == "failed"
    assert told["failures"]["a"]["message"].startswith("Apache Spark has ended")
    assert told["events"][-1]["state"] == "failed"
    play.close()  # its process has no Spark any more
