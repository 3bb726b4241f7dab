"""Streams: what builds and runs the queries of one streaming pipeline inside one process, on Apache Spark."""
