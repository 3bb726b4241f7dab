"""Counts rows by their state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tauro.store.database import Sql


def count_by_state(sql: Sql, table: str, states: tuple[Any, ...]) -> Mapping[Any, int]:
    """Return how many rows of ``table`` are in each state; each count has its own index, which one for all has not."""
    counts = ", ".join(f"(SELECT count(*) FROM {table} WHERE state = '{state}')" for state in states)
    return dict(zip(states, sql.one(f"SELECT {counts}") or (), strict=True))
