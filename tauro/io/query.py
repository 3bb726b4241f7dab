"""Datasets that are computed by a query over others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tauro.errors import NodeError
from tauro.io.predicates import filtered, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.dates import Window
    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location
    from tauro.io.stored import StoredDataset


@dataclass(frozen=True, slots=True)
class QueryFormat:
    """One query that only reads.

    Attributes:
        views: The datasets that it reads, by their names in the query.
        window: The run's dates, which the query has as ``:start_date`` and ``:end_date``.
    """

    views: Mapping[str, StoredDataset]
    window: Window
    name = "query"
    modes = frozenset[str]()

    def exists(self, location: Location) -> bool:
        """Return True: what it reads says itself whether there is data."""
        return location.path is None

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:  # noqa: ARG002
        """Return what the query computes. Values are bound by the engine, and never become a part of the text."""
        text = dataset.query or ""
        frames = {f"view{index}": view.read(session) for index, view in enumerate(self.views.values())}
        values = {"start_date": self.window.start, "end_date": self.window.end, **dataset.params}
        if not frames:
            return filtered(session.sql(text, args=values), dataset)
        return filtered(session.sql(with_views(text, self.views), args=values, **frames), dataset)

    def write(self, frame: DataFrame, target: Target) -> int | None:  # noqa: ARG002 - the protocol's
        """Refuse: the format is for reading.

        Raises:
            NodeError: Always.
        """
        raise NodeError(f"Dataset '{target.dataset.name}' is a query, which is not written")

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:  # noqa: ARG002 - the protocol's
        """Return None: counting would compute the query."""
        return None


def with_views(text: str, names: Iterable[str]) -> str:
    """Return a query in which each of ``names`` is a table of its own, for ``session.sql(..., view0=frame, ...)``.

    A view of the session could meet one of another node that has its name. What a query names by WITH
    is its own: nobody else sees it.
    """
    from sqlglot import TokenType, tokenize

    told = "{} AS (SELECT * FROM {{view{}}})"  # the names are those of the settings, quoted
    tables = ", ".join(told.format(_literal(quoted(name)), index) for index, name in enumerate(names))
    tokens = tokenize(text, dialect="spark")
    if not tokens or tokens[0].token_type is not TokenType.WITH:
        return f"WITH {tables}\n{_literal(text)}"
    recursive = len(tokens) > 1 and tokens[1].token_type is TokenType.RECURSIVE
    end = tokens[int(recursive)].end + 1
    return f"{_literal(text[:end])} {tables},{_literal(text[end:])}"


def _literal(text: str) -> str:
    """Return a text that stands for itself where ``{name}`` stands for a frame."""
    return text.replace("{", "{{").replace("}", "}}")
