"""Datasets that functions of the project's code read and write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from tauro.errors import NodeError
from tauro.io.formats import Written
from tauro.io.frames import SPARK, convert, kind_of, rows_of, to_spark
from tauro.io.functions import call_with, first_input, load_function, parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from polars import LazyFrame
    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.dates import Window
    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location

OFFERED = ("start_date", "end_date", "params", "spark")


@dataclass(frozen=True, slots=True)
class PythonFormat:
    """A function that returns a frame of any kind, or takes one.

    It is offered start_date, end_date, params and spark by name, as the function of a node is.

    Attributes:
        window: The run's dates.
    """

    window: Window
    name = "python"
    # What is done about data that is there, the function alone knows.
    modes = frozenset({"overwrite"})

    def exists(self, location: Location) -> bool:
        """Return True: only the function knows."""
        return location.path is None

    def load(self, session: Callable[[], SparkSession], location: Location, dataset: DatasetConfig) -> Any:  # noqa: ARG002
        """Return the frame that the function makes.

        Raises:
            NodeError: It makes none.
        """
        value = call_with(_function_of(dataset), self._offered(dataset, session))
        if kind_of(value) is None:
            raise NodeError(
                f"The function of dataset '{dataset.name}' returned {type(value).__name__}",
                hint="Return a DataFrame of Spark, pandas, Polars or Arrow.",
            )
        return value

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return the frame that the function makes as a DataFrame."""
        return to_spark(self.load(lambda: session, location, dataset), session)

    def write(self, frame: DataFrame, target: Target) -> int | None:
        """Hand a frame to the function, as its annotation asks for it."""
        return self.hand(frame, target.dataset, lambda: frame.sparkSession)

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:  # noqa: ARG002 - the protocol's
        """Return None: counting would call the function."""
        return None

    @property
    def direct(self) -> DirectPython:
        """What hands it frames of other kinds than Spark's."""
        return DirectPython(self)

    def wants(self, dataset: DatasetConfig) -> str:
        """Return the kind of frame that the function takes; Spark's where it asks for the session."""
        function = _function_of(dataset)
        return SPARK if "spark" in parameters_of(function) else first_input(function, OFFERED)

    def hand(self, frame: Any, dataset: DatasetConfig, session: Callable[[], SparkSession]) -> int | None:
        """Call the function with a frame; return how many rows that has, where it is known."""
        function = _function_of(dataset)
        value = convert(frame, first_input(function, OFFERED), session)
        call_with(function, self._offered(dataset, session), value)
        return rows_of(value)

    def _offered(self, dataset: DatasetConfig, session: Callable[[], SparkSession]) -> Mapping[str, Callable[[], Any]]:
        return {
            "start_date": self.window.start.isoformat,
            "end_date": self.window.end.isoformat,
            "params": lambda: dict(dataset.params),
            "spark": session,
        }


@dataclass(frozen=True, slots=True)
class DirectPython:
    """Hands frames to a function without Spark.

    Attributes:
        format: The format that it belongs to.
    """

    format: PythonFormat

    def reads(self, location: Location, dataset: DatasetConfig) -> bool:  # noqa: ARG002 - the protocol's
        """Return True: what a function returns needs Spark only if it says so itself."""
        return True

    def writes(self, location: Location, dataset: DatasetConfig) -> bool:  # noqa: ARG002 - the protocol's
        """Return True, as :meth:`reads` does."""
        return True

    def scan(self, location: Location, dataset: DatasetConfig) -> LazyFrame | None:  # noqa: ARG002 - the protocol's
        """Return None: the function is called by :meth:`PythonFormat.load`."""
        return None

    def write(self, frame: LazyFrame, target: Target) -> Written | None:
        """Hand a frame to the function; None where it wants one of Spark's, or the session."""
        if self.format.wants(target.dataset) == SPARK:
            return None
        return Written(self.format.hand(frame, target.dataset, _no_session))

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:  # noqa: ARG002 - the protocol's
        """Return None: counting would call the function."""
        return None


def _function_of(dataset: DatasetConfig) -> Callable[..., Any]:
    target = dataset.target
    if target is None:
        raise NodeError(f"Dataset '{dataset.name}' has no function", hint="Give module and function.")
    return load_function(*target)


def _no_session() -> NoReturn:
    raise AssertionError  # a function that wants it is given a frame of Spark's
