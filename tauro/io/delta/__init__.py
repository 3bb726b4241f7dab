"""Delta Lake tables by way of Spark, and what their logs tell."""
