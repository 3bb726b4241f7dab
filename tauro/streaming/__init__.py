"""Streams: their supervision, and what runs the queries of one inside one process, on Apache Spark."""
