"""The program of a generated project that drops orders for its stream."""

import json
import runpy
import subprocess
import sys
from datetime import timedelta

import pytest

from tauro.scaffold.generator import generate

EVENTS = "data/input/events"


@pytest.fixture
def shop(tmp_path):
    """A generated project."""
    return generate("medallion_basic", "shop", tmp_path).path


def run(root, *options):
    command = [sys.executable, root / "src/generator.py", "--pause", "0", *options]
    done = subprocess.run(command, cwd=root.parent, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.split()


def orders_in(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_it_goes_on_behind_its_newest_file_and_leaves_nothing_half_written(shop):
    assert run(shop, "--minutes", "2") == ["orders-2025-02-01T0820.json", "orders-2025-02-01T0821.json"]
    assert run(shop, "--minutes", "1") == ["orders-2025-02-01T0822.json"]
    files = sorted((shop / EVENTS).iterdir())
    assert files[-1].name == "orders-2025-02-01T0822.json"
    assert len(files) == 4
    ids = [order["order_id"] for file in files for order in orders_in(file)]
    assert len(ids) == len(set(ids))
    assert set(orders_in(files[1])[0]) == {"order_id", "country", "amount", "ordered_at"}


def test_the_opening_is_what_it_would_have_dropped_before(shop):
    program = runpy.run_path(str(shop / "src/generator.py"))
    minutes = [program["FIRST"] + timedelta(minutes=number) for number in range(-20, 0)]
    expected = [order for minute in minutes for order in program["orders_of"](minute)]
    assert orders_in(shop / EVENTS / "opening.json") == expected


def test_some_orders_are_late_and_a_few_too_late_for_the_stream(shop):
    program = runpy.run_path(str(shop / "src/generator.py"))
    late = []
    for number in range(200):
        minute = program["FIRST"] + timedelta(minutes=number)
        placed = [order["ordered_at"] for order in program["orders_of"](minute)]
        late += [minute.isoformat() > at for at in placed]
        assert max(placed) < (minute + timedelta(minutes=1)).isoformat()
    assert 0.05 < sum(late) / len(late) < 0.2
