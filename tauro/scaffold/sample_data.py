"""Sample data of a shop: large enough to be interesting, with the faults that real data has.

Everything follows from one seed, so that two generated projects hold the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import datetime, timedelta
from typing import Any

_SEED = 20250101
_FIRST = datetime(2025, 1, 1)  # noqa: DTZ001 - the shop writes its local time
_MINUTES = 31 * 24 * 60
_ORDERS = 6_000
_CUSTOMERS = 700
_COUNTRIES = ("DE", "ES", "FR", "IT", "NL", "PL", "PT", "SE")
_SEGMENTS = ("consumer", "business", "public")
_FIRST_NAMES = ("Ada", "Bruno", "Carla", "Diego", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Karin", "Luca")
_LAST_NAMES = (
    "Almeida",
    "Berg",
    "Costa",
    "Dubois",
    "Ekman",
    "Ferrari",
    "Garcia",
    "Hansen",
    "Ivanov",
    "Jansen",
    "Kowalski",
)
_GOODS = {
    "Coffee": ("Espresso", "Filter roast", "Decaf", "House blend", "Single origin", "Cold brew"),
    "Tea": ("Earl Grey", "Sencha", "Rooibos", "Oolong", "Assam", "Mint"),
    "Equipment": ("Grinder", "Kettle", "Scale", "French press", "Moka pot", "Filter holder"),
    "Pantry": ("Oat biscuits", "Dark chocolate", "Honey", "Almonds", "Marmalade", "Granola"),
}

Row = dict[str, Any]


def sample_files() -> dict[str, str]:
    """Return the text of each file of sample data, by its name."""
    chance = random.Random(_SEED)  # noqa: S311 - samples, not secrets
    products = _products(chance)
    return {
        "orders.csv": _csv(_orders(chance, products)),
        "customers.json": "".join(json.dumps(row) + "\n" for row in _customers(chance)),
        "products.csv": _csv(products),
    }


def _products(chance: random.Random) -> list[Row]:
    goods = [(category, name) for category, names in _GOODS.items() for name in names]
    return [
        {
            "product_id": f"P{number:03}",
            "product": name,
            "category": category,
            "list_price": f"{chance.randint(300, 9_900) / 100:.2f}",
        }
        for number, (category, name) in enumerate(goods, 1)
    ]


def _customers(chance: random.Random) -> list[Row]:
    """Return customers; some without a country, some twice because they moved."""
    rows: list[Row] = []
    for number in range(1, _CUSTOMERS + 1):
        changed = _FIRST - timedelta(days=chance.randint(1, 900))
        row: Row = {
            "customer_id": f"C{number:04}",
            "name": f"{chance.choice(_FIRST_NAMES)} {chance.choice(_LAST_NAMES)}",
            "country": None if chance.random() < 0.03 else chance.choice(_COUNTRIES),
            "segment": chance.choice(_SEGMENTS),
            "changed_at": changed.isoformat(sep=" "),
        }
        rows.append(row)
        if chance.random() < 0.05:
            moved = changed + timedelta(days=chance.randint(1, 200))
            rows.append(row | {"country": chance.choice(_COUNTRIES), "changed_at": moved.isoformat(sep=" ")})
    chance.shuffle(rows)
    return rows


def _orders(chance: random.Random, products: list[Row]) -> list[Row]:
    """Return orders in the order of their arrival: duplicates, gaps, bad values and late ones among them."""
    rows: list[Row] = []
    for number in range(1, _ORDERS + 1):
        row = _order(chance, number, products)
        rows.append(row)
        if chance.random() < 0.04:
            rows.append(_sent_again(chance, row))
    rows.sort(key=lambda row: (row["received_at"], row["order_id"]))
    return rows


def _order(chance: random.Random, number: int, products: list[Row]) -> Row:
    ordered = _FIRST + timedelta(minutes=chance.randrange(_MINUTES), seconds=chance.randrange(60))
    delay = timedelta(seconds=chance.randint(1, 300))
    if chance.random() < 0.02:  # late: some of January's arrive in February
        delay += timedelta(days=chance.randint(1, 9))
    product = chance.choice(products)
    row: Row = {
        "order_id": f"O{number:05}",
        "customer_id": f"C{chance.randint(1, _CUSTOMERS):04}",
        "product_id": product["product_id"],
        "ordered_at": ordered.isoformat(sep=" "),
        "received_at": (ordered + delay).isoformat(sep=" "),
        "quantity": str(min(int(chance.expovariate(0.6)) + 1, 12)),
        "unit_price": product["list_price"],
    }
    return row | _spoilt(chance)


def _spoilt(chance: random.Random) -> Row:
    """Return what is wrong with a row: mostly nothing."""
    if chance.random() >= 0.03:
        return {}
    wrong: tuple[Row, ...] = (
        {"customer_id": ""},
        {"quantity": "-1"},
        {"quantity": "two"},
        {"unit_price": "n/a"},
        {"unit_price": ""},
        {"ordered_at": "31/01/2025 10:00"},
    )
    return chance.choice(wrong)


def _sent_again(chance: random.Random, row: Row) -> Row:
    """Return a row as a sender repeats it: as it was, or corrected."""
    received = datetime.fromisoformat(row["received_at"]) + timedelta(minutes=chance.randint(1, 600))
    again = row | {"received_at": received.isoformat(sep=" ")}
    if chance.random() < 0.3:
        again["quantity"] = str(chance.randint(1, 5))
    return again


def _csv(rows: list[Row]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
