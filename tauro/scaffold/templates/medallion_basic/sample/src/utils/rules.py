"""Rules that a row must keep, as data."""

from pyspark.sql import Column
from pyspark.sql import functions as F

# Name of the rule, and the condition that breaks it. The first one that is broken is the reason.
ORDER_RULES = {
    "no order id": "order_id IS NULL",
    "no customer": "customer_id IS NULL",
    "no valid time": "ordered_at IS NULL",
    "no valid quantity": "quantity IS NULL OR quantity <= 0",
    "no valid price": "unit_price IS NULL OR unit_price < 0",
}


def first_broken_rule(rules: dict[str, str]) -> Column:
    """Return the name of the first rule that a row breaks, or null."""
    return F.coalesce(*(F.when(F.expr(broken), F.lit(name)) for name, broken in rules.items()))
