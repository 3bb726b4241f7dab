"""Plays the shop: drops files of orders into the folder that the stream real_time_processing reads.

    python src/generator.py [--minutes N] [--pause SECONDS]

Each file has the orders of one minute by the shop's clock, and one is written every second: a day takes 24
minutes. Some orders come some minutes late, and a few so late that the stream leaves them out. Started again, it
goes on behind its newest file. Ctrl-C ends it.
"""

import argparse
import json
import random
import time
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "data" / "input" / "events"
# Behind the orders in opening.json, with which the project comes.
FIRST = datetime(2025, 2, 1, 8, 20)
NAME = "orders-%Y-%m-%dT%H%M.json"
COUNTRIES = ("DE", "ES", "FR", "IT", "NL", "PL", "PT", "SE")


def orders_of(minute):
    """Return the orders that arrive in a minute: always the same ones."""
    chance = random.Random(minute.isoformat())
    return [_order(minute, number, chance) for number in range(1, chance.randint(4, 12))]


def _order(minute, number, chance):
    placed = minute + timedelta(seconds=chance.randrange(60))
    fate = chance.random()
    if fate < 0.08:
        placed -= timedelta(minutes=chance.randint(1, 8))
    elif fate < 0.1:
        placed -= timedelta(minutes=chance.randint(20, 60))
    return {
        "order_id": f"{minute:E%d%H%M}{number:02}",
        "country": chance.choice(COUNTRIES),
        "amount": round(chance.lognormvariate(3.2, 0.7), 2),
        "ordered_at": placed.isoformat(),
    }


def drop(minute, folder):
    """Write the orders of a minute; the file appears when it is complete, as a stream needs it."""
    text = "".join(json.dumps(order) + "\n" for order in orders_of(minute))
    file = folder / minute.strftime(NAME)
    draft = file.with_name("." + file.name)
    draft.write_text(text)
    draft.rename(file)
    return file


def next_minute(folder):
    """Return the minute behind the newest file."""
    minutes = [datetime.strptime(file.name, NAME) for file in folder.glob("orders-*.json")]
    return max(minutes) + timedelta(minutes=1) if minutes else FIRST


def main():
    """Drop one file after another."""
    parser = argparse.ArgumentParser(description="Drops files of orders for the stream real_time_processing.")
    parser.add_argument("--minutes", type=int, help="end after so many minutes of the shop (default: go on)")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two files (default: 1)")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    first = next_minute(FOLDER)
    for number in count() if options.minutes is None else range(options.minutes):
        print(drop(first + timedelta(minutes=number), FOLDER).name, flush=True)
        time.sleep(options.pause)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
