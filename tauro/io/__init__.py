"""Datasets: readers and writers by format, one catalog for stored data and values in memory."""
