"""Reports: small tables for people, made by Polars.

What a node is handed follows from its annotations: a polars.LazyFrame here, a Spark DataFrame in the
other modules. For a table of a few rows Polars is the shorter way: it starts no Spark session, and
`tauro run --pipeline gold_aggregation --node top_products` is done in a moment.
"""

import polars as pl


def top_products(orders: pl.LazyFrame, products: pl.LazyFrame, params: dict) -> pl.LazyFrame:
    """Return the best products of each category by revenue."""
    sold = orders.group_by("product_id").agg(
        pl.col("quantity").cast(pl.Int64).sum().alias("pieces"),
        pl.col("amount").sum().cast(pl.Decimal(14, 2)).alias("revenue"),
    )
    named = sold.join(products.select("product_id", "product", "category"), on="product_id")
    best_first = named.sort("category", "revenue", "product_id", descending=[False, True, False])
    ranked = best_first.with_columns(pl.int_range(1, pl.len() + 1).over("category").alias("rank"))
    best = ranked.filter(pl.col("rank") <= params["best"])
    return best.select("category", "rank", "product", "pieces", "revenue")
