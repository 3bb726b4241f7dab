"""Single nodes, on a few rows made by hand."""

from datetime import datetime
from decimal import Decimal

from nodes.silver import clean_orders, extract

ORDER = {
    "order_id": "o1",
    "customer_id": "c1",
    "product_id": "p1",
    "ordered_at": "2025-01-02 10:00:00",
    "received_at": "2025-01-02 10:05:00",
    "quantity": "2",
    "unit_price": "9.99",
}
COLUMNS = ", ".join(f"{name} STRING" for name in ORDER)


def orders(spark, *changes):
    """Return raw orders: the one above, each with some changes."""
    return spark.createDataFrame([tuple((ORDER | change).values()) for change in changes], COLUMNS)


def test_extract_takes_what_arrived_in_the_dates(spark):
    raw = orders(
        spark,
        {"order_id": "before", "received_at": "2024-12-31 23:59:59"},
        {"order_id": "late", "ordered_at": "2024-12-20 08:00:00"},
        {"order_id": "last", "received_at": "2025-01-31 23:59:59"},
        {"order_id": "after", "received_at": "2025-02-01 00:00:00"},
    )
    found = extract(raw, start_date="2025-01-01", end_date="2025-01-31").collect()
    assert {row.order_id for row in found} == {"late", "last"}


def test_the_order_received_last_wins(spark):
    raw = orders(spark, {"quantity": "1"}, {"quantity": "3", "received_at": "2025-01-05 00:00:00"})
    valid, rejected = clean_orders(extract(raw, "2025-01-01", "2025-01-31"))
    (row,) = valid.collect()
    assert (row.quantity, row.amount) == (3, Decimal("29.97"))
    assert row.ordered_at == datetime(2025, 1, 2, 10)
    assert rejected.count() == 0


def test_what_breaks_a_rule_is_kept_with_the_reason(spark):
    raw = orders(
        spark,
        {"order_id": "a", "customer_id": None},
        {"order_id": "b", "quantity": "two"},
        {"order_id": "c", "unit_price": "n/a"},
        {"order_id": "d", "ordered_at": "31/01/2025"},
    )
    valid, rejected = clean_orders(extract(raw, "2025-01-01", "2025-01-31"))
    assert valid.count() == 0
    assert {row.order_id: row.reason for row in rejected.collect()} == {
        "a": "no customer",
        "b": "no valid quantity",
        "c": "no valid price",
        "d": "no valid time",
    }
