"""One catalog for a run: stored datasets by their format, all others handed on in memory."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.model import DatasetConfig, canonical
from tauro.errors import DatasetNotFound, NodeError, TauroError
from tauro.io.checks import needs_spark
from tauro.io.fits import is_embedded
from tauro.io.formats import Target, Written
from tauro.io.frames import SPARK, convert, has_columns, kind_of, kind_of_frame, own, rows_of, to_lazy, to_spark
from tauro.io.location import Location
from tauro.io.registry import direct_format, format_named, value_format
from tauro.security.private import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tauro.config.dates import Window
    from tauro.io.checked import Checker
    from tauro.io.checks import CheckReport
    from tauro.io.delta.commits import WriteId
    from tauro.io.stored import StoredDataset


class MemoryDatasets:
    """Values that live as long as some node still reads them.

    Args:
        readers: How many nodes read each dataset.
    """

    def __init__(self, readers: Mapping[str, int]) -> None:
        self._readers = dict(readers)
        self._values: dict[str, Any] = {}
        self._lock = Lock()

    def is_shared(self, name: str) -> bool:
        """Say whether more than one node reads ``name``."""
        return self._readers.get(name, 0) > 1

    def put(self, name: str, value: Any) -> None:
        """Keep ``value``, if anybody reads it."""
        with self._lock:
            if self._readers.get(name, 0) > 0:
                self._values[name] = value

    def get(self, name: str) -> Any:
        """Return the value of ``name``. A reader may come again: it is tried anew after a transient error."""
        with self._lock:
            if name not in self._values:
                raise DatasetNotFound(f"Dataset '{name}' is in memory only, and nobody has made it in this run")
            return self._values[name]

    def release(self, names: Iterable[str]) -> None:
        """Note that a reader of these datasets comes no more; what was its last one's is forgotten."""
        with self._lock:
            for name in map(canonical, names):
                if name in self._readers:
                    self._readers[name] -= 1
                    if self._readers[name] <= 0:
                        self._values.pop(name, None)


class Read(NamedTuple):
    """What was read.

    Attributes:
        value: A frame, or whatever was kept in memory.
        rows: How many rows it has, where that is known.
        warnings: What a person should know of it.
        checks: What its checks have found; None where it has none.
    """

    value: Any
    rows: int | None
    warnings: tuple[str, ...] = ()
    checks: CheckReport | None = None


@dataclass(frozen=True)
class Catalog:
    """The datasets of a run.

    Attributes:
        reads: The stored datasets that may be read, by canonical name.
        writes: The stored datasets that may be written, by canonical name.
        memory: All other values.
        session: Gives the Spark session; called only when one is needed.
        window: The run's dates.
        spool: Where frames are put that several nodes read.
        checker: Makes the checks of datasets; outside of a run nobody does.
    """

    reads: Mapping[str, StoredDataset]
    writes: Mapping[str, StoredDataset]
    memory: MemoryDatasets
    session: Callable[[], SparkSession]
    window: Window
    spool: Path
    checker: Checker | None = None

    def stores(self, name: str) -> bool:
        """Say whether an output is written to storage rather than kept in memory."""
        return canonical(name) in self.writes

    def read(self, name: str, kind: str) -> Read:
        """Return a dataset as a frame of ``kind``.

        Raises:
            DatasetNotFound: It has no data.
            CheckFailed: It does not pass its checks.
        """
        name = canonical(name)
        stored = self.reads.get(name)
        if stored is not None:
            checked = self.checker is not None and stored.is_checked_as("input")
            with _noted(f"while reading '{name}' from {stored.location.shown}"):
                return (self._load_checked if checked else self._load)(stored, kind)
        kept = self.memory.get(name)
        value = convert(kept, kind, self.session, self.spool)
        # A frame can be changed in place: each reader gets its own.
        return Read(own(value) if value is kept else value, rows_of(value))

    def load(self, stored: StoredDataset, kind: str) -> Any:
        """Return a stored dataset as a frame of ``kind``, without its checks."""
        return self._load(stored, kind).value

    def _load(self, stored: StoredDataset, kind: str) -> Read:
        """Return a stored dataset, by way of Spark only where that is wanted or needed."""
        values = value_format(stored.format)
        if values is not None:
            value = convert(stored.load(values, self.session), kind, self.session, self.spool)
            return Read(value, rows_of(value))
        scanned = None if kind == SPARK else stored.scan()
        value = convert(stored.read(self.session()) if scanned is None else scanned, kind, self.session, self.spool)
        rows = rows_of(value)
        return Read(value, _counted(stored, by_spark=scanned is None) if rows is None else rows)

    def _load_checked(self, stored: StoredDataset, kind: str) -> Read:
        """Return the rows of a stored dataset that pass its checks."""
        good, report = self.checker.read(stored, self._to_check(stored, kind), self)  # type: ignore[union-attr]
        value = convert(good, kind, self.session, self.spool)
        rows = rows_of(value) if report.kept is None else report.kept
        if rows is None and value_format(stored.format) is None:
            rows = _counted(stored, by_spark=kind_of(good) == SPARK)
        return Read(value, rows, checks=report)

    def _to_check(self, stored: StoredDataset, kind: str) -> Any:
        """Return a stored dataset as a frame on which its checks can be made: of Spark, or a lazy one of Polars."""
        checks, values = stored.config.all_checks, value_format(stored.format)
        if values is None:
            scanned = None if kind == SPARK else stored.scan()
            return stored.read(self.session()) if scanned is None or needs_spark(scanned, checks) else scanned
        value = stored.load(values, self.session)
        lazy = None if kind_of_frame(value) == SPARK else to_lazy(value)
        return to_spark(value, self.session(), self.spool) if lazy is None or needs_spark(lazy, checks) else lazy

    def write(self, name: str, value: Any, write: WriteId | None = None) -> Written:
        """Store ``value`` or keep it in memory; return how many rows it has, and what its checks say.

        Args:
            name: The dataset.
            value: A frame; in memory it may be anything.
            write: What tells this write from others, so that one which is tried again is committed once.

        Raises:
            NodeError: It is no frame, or there is data that must not be touched.
            CheckFailed: It does not pass its checks.
        """
        name = canonical(name)
        stored = self.writes.get(name)
        if stored is None:
            self.memory.put(name, self._computed_once(name, value) if self.memory.is_shared(name) else value)
            return Written(rows_of(value))
        mode = stored.config.write_mode
        # Of a table only the session knows whether it is there: the format asks when it writes.
        if mode in ("ignore", "error") and stored.format.name not in ("table", "unity_catalog") and stored.exists:
            if mode == "ignore":
                return Written(None)
            if not stored.holds(write):
                message = f"Dataset '{name}' has data already, and its write_mode is 'error'"
                raise NodeError(
                    message, looked_up=(stored.location.shown,), hint="Remove the data, or choose another mode."
                )
            # An append that is there already is not done again; the rows that were put aside may still lack.
            stored = stored.with_mode("append")
        with _noted(f"while writing '{name}' to {stored.location.shown}"):
            return self._store(stored, value, write, checker=self.checker if stored.is_checked_as("output") else None)

    def store(self, stored: StoredDataset, frame: Any, write: WriteId | None) -> Written:
        """Write a frame without checks."""
        return self._store(stored, frame, write)

    def _store(
        self, stored: StoredDataset, value: Any, write: WriteId | None, *, checker: Checker | None = None
    ) -> Written:
        """Write a frame, by way of Spark only where it is one or that is needed."""
        target = Target(stored.location, stored.config, self.window, write)

        def put(frame: Any, by: Callable[[Any], Written | None]) -> Written | None:
            return by(frame) if checker is None else checker.write(stored, frame, write, put=by, storage=self)

        direct = direct_format(stored.format) if kind_of_frame(value, stored.name) != SPARK else None
        if not has_columns(value):
            hint = "Give a frame without rows its columns too: polars.DataFrame(schema={'id': polars.Int64})."
            raise NodeError(f"{stored.name}: The frame has no columns", hint=hint)
        frame = to_lazy(value) if direct is not None and stored.writes_directly else None
        if direct is not None and frame is not None:
            by_spark = checker is not None and needs_spark(frame, stored.config.all_checks)
            written = None if by_spark else put(frame, lambda rows: direct.write(rows, target))
            if written is not None:
                return written
        spark = to_spark(value, self.session(), self.spool)
        return put(spark, lambda rows: Written(stored.format.write(rows, target))) or Written(None)

    def _computed_once(self, name: str, value: Any) -> Any:
        """Return a value so that, if it is a frame, all its readers see it alike.

        A lazy frame is computed for each reader; what is random or depends on the time differs then.
        The embedded engine keeps nothing in memory, so there it takes the way over a file.
        """
        if kind_of(value) == "polars.LazyFrame":
            return value.collect()
        if kind_of(value) != SPARK:
            return value
        if not is_embedded(value.sparkSession):
            return value.persist()
        place = private_directory(self.spool) / name
        dataset = DatasetConfig(name=name, section="output", format="parquet")
        target = Target(Location(str(place), place, name), dataset, self.window)
        parquet = format_named("parquet")
        parquet.write(value, target)
        return parquet.read(value.sparkSession, target.location, dataset)


def _counted(stored: StoredDataset, *, by_spark: bool) -> int | None:
    """Return how many rows a stored dataset has, where that is cheap to know."""
    direct = None if by_spark else direct_format(stored.format)
    return (direct or stored.format).rows(stored.location, stored.config)


@contextmanager
def _noted(note: str) -> Iterator[None]:
    """Add to an error of the engine what was going on: it knows no dataset."""
    try:
        yield
    except TauroError:
        raise
    except Exception as error:
        error.add_note(note)
        raise
