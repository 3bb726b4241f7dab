"""Pickled values. To read one executes what stands in it, so that the settings must allow each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tauro.errors import NodeError, SecurityError
from tauro.io.frames import to_spark
from tauro.security.paths import read_beneath

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location

_LARGEST = 2 << 30


@dataclass(frozen=True, slots=True)
class PickleFormat:
    """A file of one pickled value: a frame of any kind, or anything else.

    Attributes:
        root: The project's folder; the file is below it, by the rules of :mod:`tauro.security.paths`.
    """

    root: Path
    name = "pickle"
    modes = frozenset[str]()

    def exists(self, location: Location) -> bool:
        """Say whether there is such a file."""
        return location.path is not None and location.path.is_file()

    def load(self, session: Callable[[], SparkSession], location: Location, dataset: DatasetConfig) -> Any:  # noqa: ARG002
        """Return the value.

        Raises:
            SecurityError: The settings do not allow it, or the rules for paths forbid the file.
            NodeError: It is no pickle, or one of classes that are not here.
        """
        import pickle

        if not dataset.allow_untrusted_pickle:
            raise SecurityError(
                f"Dataset '{dataset.name}' is a pickle, and to read one executes what stands in it",
                looked_up=(location.shown,),
                hint="Set allow_untrusted_pickle: true if you trust whoever made the file.",
            )
        content = read_beneath(self.root, location.shown, max_bytes=_LARGEST)
        try:
            return pickle.loads(content)  # noqa: S301 - it was asked for, by a setting made for that
        except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, ValueError) as error:
            raise NodeError(f"Dataset '{dataset.name}' cannot be unpickled: {error}") from error

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return a pickled frame as a DataFrame.

        Raises:
            NodeError: It is no frame.
        """
        return to_spark(self.load(lambda: session, location, dataset), session)

    def write(self, frame: DataFrame, target: Target) -> int | None:  # noqa: ARG002 - the protocol's
        """Refuse: the format is for reading.

        Raises:
            NodeError: Always.
        """
        raise NodeError(f"Dataset '{target.dataset.name}' is a pickle, which is not written")

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:  # noqa: ARG002 - the protocol's
        """Return None: counting would read the value."""
        return None
