"""Single nodes, called as a run calls them, on a few rows made by hand."""

from datetime import datetime

from nodes.gold import country_ranking, hourly_orders
from nodes.reports import top_products
from nodes.silver import clean_orders, extract
from nodes.streaming import orders_by_minute
from tauro.testing import assert_frames_equal, frame, rows, run_node

ORDER = {
    "order_id": "o1",
    "customer_id": "c1",
    "product_id": "p1",
    "ordered_at": "2025-01-02 10:00:00",
    "received_at": "2025-01-02 10:05:00",
    "quantity": "2",
    "unit_price": "9.99",
}
JANUARY = {"start_date": "2025-01-01", "end_date": "2025-01-31"}


def orders(*changes):
    """Return raw orders: the one above, each with some changes."""
    return [ORDER | change for change in changes]


def test_extract_takes_what_arrived_in_the_dates():
    raw = orders(
        {"order_id": "before", "received_at": "2024-12-31 23:59:59"},
        {"order_id": "late", "ordered_at": "2024-12-20 08:00:00"},
        {"order_id": "last", "received_at": "2025-01-31 23:59:59"},
        {"order_id": "after", "received_at": "2025-02-01 00:00:00"},
    )
    found = run_node(extract, raw, **JANUARY)
    assert {row["order_id"] for row in rows(found)} == {"late", "last"}


def test_the_order_received_last_wins():
    raw = orders({"quantity": "1"}, {"quantity": "3", "received_at": "2025-01-05 00:00:00"})
    valid, rejected = run_node(clean_orders, run_node(extract, raw, **JANUARY))
    expected = ORDER | {
        "ordered_at": datetime(2025, 1, 2, 10),
        "received_at": datetime(2025, 1, 5),
        "quantity": 3,
        "unit_price": 9.99,
        "amount": 29.97,
    }
    assert_frames_equal(valid, [expected])
    assert rows(rejected) == []


def test_what_breaks_a_rule_is_kept_with_the_reason():
    raw = orders(
        {"order_id": "a", "customer_id": None},
        {"order_id": "b", "quantity": "two"},
        {"order_id": "c", "unit_price": "n/a"},
        {"order_id": "d", "ordered_at": "31/01/2025"},
    )
    valid, rejected = run_node(clean_orders, run_node(extract, raw, **JANUARY))
    assert rows(valid) == []
    assert {row["order_id"]: row["reason"] for row in rows(rejected)} == {
        "a": "no customer",
        "b": "no valid quantity",
        "c": "no valid price",
        "d": "no valid time",
    }


def test_countries_are_ranked_by_revenue():
    sold = frame(
        [
            {"customer_id": "c1", "amount": 10},
            {"customer_id": "c2", "amount": 25},
            {"customer_id": "c1", "amount": 5},
            {"customer_id": "unknown", "amount": 60},
        ],
        "customer_id STRING, amount DECIMAL(12,2)",
    )
    customers = [{"customer_id": "c1", "country": "DE"}, {"customer_id": "c2", "country": "ES"}]
    expected = [
        {"rank": 1, "country": "??", "orders": 1, "revenue": 60, "share": 60},
        {"rank": 2, "country": "ES", "orders": 1, "revenue": 25, "share": 25},
        {"rank": 3, "country": "DE", "orders": 2, "revenue": 15, "share": 15},
    ]
    assert_frames_equal(run_node(country_ranking, sold, customers), expected, check_order=True)


def test_orders_are_counted_by_minute_and_country_and_then_by_the_hour():
    """The node of the stream, called on rows that are no stream: it computes the same."""

    def at(minute, second=0, country="DE"):
        return {"order_id": "x", "country": country, "amount": 1.5, "ordered_at": datetime(2025, 2, 1, 8, minute, second)}

    minutes = run_node(orders_by_minute, [at(0), at(0, 59), at(1), at(0, country="ES")])
    expected = [
        {"minute": datetime(2025, 2, 1, 8, 0), "country": "DE", "orders": 2, "amount": 3.0},
        {"minute": datetime(2025, 2, 1, 8, 0), "country": "ES", "orders": 1, "amount": 1.5},
        {"minute": datetime(2025, 2, 1, 8, 1), "country": "DE", "orders": 1, "amount": 1.5},
    ]
    assert_frames_equal(minutes, expected)
    assert_frames_equal(run_node(hourly_orders, minutes), [{"hour": datetime(2025, 2, 1, 8), "orders": 4, "revenue": 6}])


def test_the_best_products_of_each_category_are_reported():
    """A node of Polars: no Spark session is started for it."""
    sold = frame(
        [
            {"product_id": "p1", "quantity": 1, "amount": 10},
            {"product_id": "p1", "quantity": 2, "amount": 20},
            {"product_id": "p2", "quantity": 9, "amount": 29.99},
            {"product_id": "p3", "quantity": 1, "amount": 5},
        ],
        "product_id STRING, quantity INT, amount DECIMAL(12,2)",
    )
    products = [
        {"product_id": "p1", "product": "Grinder", "category": "Equipment"},
        {"product_id": "p2", "product": "Kettle", "category": "Equipment"},
        {"product_id": "p3", "product": "Sencha", "category": "Tea"},
    ]
    expected = [
        {"category": "Equipment", "rank": 1, "product": "Grinder", "pieces": 3, "revenue": 30},
        {"category": "Tea", "rank": 1, "product": "Sencha", "pieces": 1, "revenue": 5},
    ]
    assert_frames_equal(run_node(top_products, sold, products, params={"best": 1}), expected, check_order=True)
