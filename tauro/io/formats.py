"""What a format can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.dates import Window
    from tauro.config.model import DatasetConfig
    from tauro.io.location import Location


class Target(NamedTuple):
    """What a write needs to know beside the rows.

    Attributes:
        location: Where to.
        dataset: How.
        window: The run's dates, for writes that replace them only.
    """

    location: Location
    dataset: DatasetConfig
    window: Window


class DatasetFormat(Protocol):
    """Reads and writes the datasets of one format."""

    @property
    def name(self) -> str:
        """The format's name in the settings."""

    @property
    def modes(self) -> frozenset[str]:
        """The write modes that it serves."""

    def exists(self, location: Location) -> bool:
        """Say whether there is data to read."""

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return the data as a lazy DataFrame."""

    def write(self, frame: DataFrame, target: Target) -> int | None:
        """Write all rows or none, by overwrite or append; return how many, where that is known."""

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:
        """Return how many rows there are, where that is cheap to know, else None."""
