"""The stream of a generated project, as it is: it reads what the generator drops, and batches read what it writes."""

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tauro import Project
from tauro.scaffold.generator import FORMATS, generate

EVENTS, WRITTEN = "data/input/events", "data/output/base/streaming/sales/orders_by_minute"
MINUTE = timedelta(minutes=1)


def time_of(order):
    return datetime.fromisoformat(order["ordered_at"]).replace(tzinfo=UTC)


def counted(batches):
    """Return what a stream counts by minute and country, batch by batch, with ten minutes for late orders."""
    found, watermark = Counter(), datetime.fromtimestamp(0, UTC)
    for orders in batches:
        minutes = [(time_of(order).replace(second=0), order["country"]) for order in orders]
        found.update((minute, country) for minute, country in minutes if minute + MINUTE > watermark)
        watermark = max(watermark, max(map(time_of, orders)) - 10 * MINUTE)
    return {key: number for key, number in found.items() if key[0] + MINUTE <= watermark}


@pytest.mark.parametrize("config_format", FORMATS)
def test_orders_that_come_as_files_are_counted_once_and_a_batch_reads_them(play, tmp_path, config_format):
    root = generate("medallion_basic", "shop", tmp_path, config_format=config_format).path
    stream = {"config": "config/streaming.py", "pipeline": "real_time_processing"}
    told = play(root, **stream, stop_at_batch=1)
    assert (told["state"], told["failures"]) == ("stopped", {})
    opening = [json.loads(line) for line in (root / EVENTS / "opening.json").read_text().splitlines()]
    batches = [opening]
    if config_format == "yaml":  # the stream is the same in every format
        subprocess.run([sys.executable, root / "src/generator.py", "--minutes", "30", "--pause", "0"], check=True)
        dropped = sorted((root / EVENTS).glob("orders-*.json"))
        batches.append([json.loads(line) for file in dropped for line in file.read_text().splitlines()])
        told = play(root, **stream, stop_at_batch=3)
        assert (told["state"], told["failures"]) == ("stopped", {})
    rows = pl.read_parquet(root / WRITTEN / "*.parquet").to_dicts()
    expected = counted(batches)
    assert {(row["minute"], row["country"]): row["orders"] for row in rows} == expected
    assert len(rows) == len(expected) > 20
    with Project.open(root) as project:
        project.run("hourly_report").raise_for_state()
        hours = project.read("gold.sales.hourly_orders").toPandas()
    assert hours["orders"].sum() == sum(expected.values())
