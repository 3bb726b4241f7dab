"""Whole pipelines: one in memory, on rows made by hand; all of them on a copy of the project and its sample data."""

import csv
from collections import Counter
from decimal import Decimal

from tauro.testing import assert_frames_equal, rows, run_pipeline


def test_the_configuration_is_valid(tauro_project):
    assert tauro_project.validate() == ()


def test_silver_hands_every_order_on_once(tauro_project):
    order = {
        "order_id": "o1",
        "customer_id": "c1",
        "product_id": "p1",
        "ordered_at": "2025-01-02 10:00:00",
        "received_at": "2025-01-02 10:05:00",
        "quantity": "2",
        "unit_price": "9.99",
    }
    moved = [
        {"customer_id": "c1", "name": "Ada", "country": "DE", "segment": "public", "changed_at": "2024-01-01 00:00:00"},
        {"customer_id": "c1", "name": "Ada", "country": None, "segment": "public", "changed_at": "2024-06-01 00:00:00"},
    ]
    inputs = {
        "bronze.sales.orders": [order, order, order | {"order_id": "o2"}],
        "bronze.crm.customers": moved,
        "bronze.sales.products": [{"product_id": "p1"}],
    }
    silver = run_pipeline(tauro_project, "silver_transformation", inputs)
    assert Counter(row["order_id"] for row in rows(silver["silver.sales.orders"])) == {"o1": 1, "o2": 1}
    assert rows(silver["silver.sales.rejected_orders"]) == []
    expected = [{"customer_id": "c1", "name": "Ada", "country": "??", "segment": "public"}]
    assert_frames_equal(silver["silver.crm.customers"], expected)


def test_bronze_keeps_every_row(tauro_project, tables):
    with (tauro_project.root / "data/input/orders.csv").open(encoding="utf-8", newline="") as file:
        expected = sum(1 for _ in csv.DictReader(file))
    assert tables("bronze.sales.orders").count() == expected


def test_every_arrived_order_is_either_clean_or_rejected(tables):
    arrived = {row["order_id"] for row in rows(tables("silver.sales.arrived_orders"))}
    clean = [row["order_id"] for row in rows(tables("silver.sales.orders"))]
    rejected = {row["order_id"] for row in rows(tables("silver.sales.rejected_orders"))}
    assert len(clean) == len(set(clean))
    assert set(clean) | rejected == arrived


def test_gold_adds_up_to_silver(tables):
    revenue = sum((row["amount"] for row in rows(tables("silver.sales.orders"))), Decimal(0))
    assert sum(row["revenue"] for row in rows(tables("gold.sales.daily_revenue"))) == revenue
    assert sum(row["revenue"] for row in rows(tables("gold.sales.country_ranking"))) == revenue


def test_the_report_has_three_products_of_each_category(tables):
    counts = Counter(row["category"] for row in rows(tables("gold.reports.top_products")))
    assert counts
    assert set(counts.values()) == {3}
