"""Runs, schedules and backfills that survive whatever happens to the processes that care for them."""
