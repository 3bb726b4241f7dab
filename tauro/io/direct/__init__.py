"""Datasets read and written without a Spark session: by Polars and delta-rs, lazily where they can."""
