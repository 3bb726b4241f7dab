"""Connectors of Apache Spark: jars that are pinned here, had from Maven once, and kept for every session."""
