"""Tables of databases, read and added to by Apache Spark's JDBC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tauro.io.fits import without_void
from tauro.io.predicates import filtered

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location


@dataclass(frozen=True, slots=True)
class JdbcFormat:
    """A table, or for reading a query, of a database.

    Rows are only added: a database empties a table before it takes those that replace its rows, and a
    failure between the two would leave it empty.
    """

    name = "jdbc"
    modes = frozenset({"append"})

    def exists(self, location: Location) -> bool:
        """Return True: only the database knows."""
        return location.path is None

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:  # noqa: ARG002
        """Return the table as a DataFrame; conditions are computed by the database."""
        reader = session.read.format("jdbc").options(**dataset.options)
        return filtered(reader.load(), dataset)

    def write(self, frame: DataFrame, target: Target) -> int | None:
        """Add all rows in one transaction, or none."""
        # Each partition has a transaction of its own: of several, some could be there and others not.
        writer = without_void(frame).coalesce(1).write.format("jdbc").options(**target.dataset.options)
        writer.mode("append").save()
        return None

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:  # noqa: ARG002 - the protocol's
        """Return None: counting would ask the database."""
        return None
