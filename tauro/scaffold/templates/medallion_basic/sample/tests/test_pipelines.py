"""The whole project: bronze, silver and gold over the sample data."""

import csv
from decimal import Decimal


def test_the_configuration_is_valid(project):
    assert project.validate() == ()


def test_bronze_keeps_every_row(project, tables):
    with (project.root / "data/input/orders.csv").open(encoding="utf-8", newline="") as file:
        rows = sum(1 for _ in csv.DictReader(file))
    assert tables("bronze.sales.orders").count() == rows


def test_every_arrived_order_is_either_clean_or_rejected(tables):
    arrived = {row.order_id for row in tables("silver.sales.arrived_orders").collect()}
    clean = [row.order_id for row in tables("silver.sales.orders").collect()]
    rejected = {row.order_id for row in tables("silver.sales.rejected_orders").collect()}
    assert len(clean) == len(set(clean))
    assert set(clean) | rejected == arrived


def test_gold_adds_up_to_silver(tables):
    revenue = sum((row.amount for row in tables("silver.sales.orders").collect()), Decimal(0))
    assert sum(row.revenue for row in tables("gold.sales.daily_revenue").collect()) == revenue
    assert sum(row.revenue for row in tables("gold.sales.country_ranking").collect()) == revenue


def test_the_report_has_three_products_of_each_category(tables):
    rows = tables("gold.reports.top_products").collect()
    assert rows
    assert {row["category"]: 3 for row in rows} == {
        category: sum(row["category"] == category for row in rows) for category in {row["category"] for row in rows}
    }
