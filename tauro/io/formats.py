"""What a format can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from polars import LazyFrame
    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.dates import Window
    from tauro.config.model import DatasetConfig
    from tauro.io.checks import CheckReport
    from tauro.io.delta.commits import WriteId
    from tauro.io.location import Location


class Target(NamedTuple):
    """What a write needs to know beside the rows.

    Attributes:
        location: Where to.
        dataset: How.
        window: The run's dates, for writes that replace them only.
        write: What tells this write from others, for formats whose log can keep it.
    """

    location: Location
    dataset: DatasetConfig
    window: Window
    write: WriteId | None = None


class Written(NamedTuple):
    """What a write has done.

    Attributes:
        rows: How many rows it wrote, None where that is not known.
        checks: What the checks of the dataset have found; None where it has none.
    """

    rows: int | None
    checks: CheckReport | None = None


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


class ValueFormat(Protocol):
    """Reads data that is a value of Python: a frame of any kind, or anything else."""

    def load(self, session: Callable[[], SparkSession], location: Location, dataset: DatasetConfig) -> Any:
        """Return the value; ``session`` gives the Spark session where that is needed."""


class DirectFormat(Protocol):
    """Reads and writes the datasets of a format without a Spark session, by Polars.

    It serves what it can do with the same result as Spark. What the settings ask for beyond that is
    known before anything runs, by :meth:`reads` and :meth:`writes`; what only the data shows, such as a
    table of a newer protocol, by a None in place of a frame. Both go by way of Spark then.
    """

    def reads(self, location: Location, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing that only Spark can read."""

    def writes(self, location: Location, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing that only Spark can write."""

    def scan(self, location: Location, dataset: DatasetConfig) -> LazyFrame | None:
        """Return the data, which is there, as a lazy frame with Spark's types; None where only Spark can read it."""

    def write(self, frame: LazyFrame, target: Target) -> Written | None:
        """Write all rows or none, by overwrite or append; None where only Spark can write them."""

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:
        """Return how many rows a dataset has, where hardly anything must be read to know, else None."""
