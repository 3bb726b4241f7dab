"""One catalog for a run: stored datasets by their format, all others handed on in memory."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.model import DatasetConfig, ProjectConfig, canonical
from tauro.errors import DatasetNotFound, NodeError, TauroError, Unsupported, ValidationError, nearest
from tauro.io.fits import is_embedded
from tauro.io.formats import DatasetFormat, Target
from tauro.io.frames import SPARK, convert, kind_of, rows_of, to_spark
from tauro.io.location import Location, locate
from tauro.io.options import check_options
from tauro.io.registry import format_named
from tauro.security.private import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.dates import Window


class StoredDataset(NamedTuple):
    """A dataset that has a place to be read from or written to."""

    name: str
    config: DatasetConfig
    format: DatasetFormat
    location: Location

    @property
    def exists(self) -> bool:
        """True when there is data to read."""
        return self.format.exists(self.location)

    def read(self, session: SparkSession) -> DataFrame:
        """Return the data as a lazy Spark DataFrame.

        Raises:
            DatasetNotFound: There is none. Engines would return an empty frame for some formats.
        """
        if not self.exists:
            raise DatasetNotFound(
                f"Dataset '{self.name}' has no data",
                looked_up=(self.location.shown,),
                hint="Run the pipeline that writes it, or mend its filepath.",
            )
        return self.format.read(session, self.location, self.config)


def stored_dataset(config: ProjectConfig, dataset: DatasetConfig) -> StoredDataset:
    """Return a dataset with its place and format.

    Raises:
        Unsupported: This version does not serve its format or its write mode.
        ValidationError: It has no place.
    """
    try:
        chosen = format_named(dataset.format or "")
    except Unsupported as error:
        place = config.place(dataset.section, dataset.name, "format")
        message = f"{dataset.name}: {error.message}"
        raise Unsupported(message, place=place, looked_up=error.details.looked_up, hint="Use one of these.") from None
    if dataset.section == "output" and dataset.write_mode not in chosen.modes:
        raise Unsupported(
            f"{dataset.name}: write_mode '{dataset.write_mode}' is not available in this version of Tauro",
            place=config.place(dataset.section, dataset.name, "write_mode"),
            looked_up=tuple(sorted(chosen.modes)),
        )
    _check_partial(config, dataset)
    check_options(config, dataset)
    return StoredDataset(canonical(dataset.name), dataset, chosen, locate(config, dataset))


def _check_partial(config: ProjectConfig, dataset: DatasetConfig) -> None:
    """Refuse settings that ask for a part to be overwritten where the whole would be."""
    replaces = dataset.overwrite_strategy == "replaceWhere"
    if replaces and dataset.format != "delta":
        raise Unsupported(
            f"{dataset.name}: overwrite_strategy 'replaceWhere' is for delta; {dataset.format} is overwritten whole",
            place=config.place(dataset.section, dataset.name, "overwrite_strategy"),
            hint="Set format: delta, or leave out overwrite_strategy.",
        )
    if replaces and dataset.write_mode != "overwrite":
        raise ValidationError(
            f"{dataset.name}: overwrite_strategy has no effect with write_mode '{dataset.write_mode}'",
            place=config.place(dataset.section, dataset.name, "overwrite_strategy"),
            hint="Set write_mode: overwrite, or leave out overwrite_strategy.",
        )
    if dataset.replace_predicate is not None and not replaces:
        raise ValidationError(
            f"{dataset.name}: replace_predicate has no effect without overwrite_strategy: replaceWhere",
            place=config.place(dataset.section, dataset.name, "replace_predicate"),
            hint="Add overwrite_strategy: replaceWhere, or leave out replace_predicate.",
        )


def open_dataset(config: ProjectConfig, name: str) -> StoredDataset:
    """Return the stored dataset that is read under ``name``.

    Raises:
        DatasetNotFound: The project has none of that name.
    """
    dataset = config.dataset(canonical(name))
    if dataset is None:
        known = [*config.inputs, *config.outputs]
        near = nearest(name, known)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(known[:10]) or 'none'}."
        raise DatasetNotFound(f"Dataset '{name}' is in no input or output section", nearest=near, hint=hint)
    return stored_dataset(config, dataset)


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
            if self._readers.get(name):
                self._values[name] = value

    def get(self, name: str) -> Any:
        """Return the value of ``name``; the last reader's call forgets it."""
        with self._lock:
            if name not in self._values:
                raise DatasetNotFound(f"Dataset '{name}' is in memory only, and nobody has made it in this run")
            self._readers[name] -= 1
            if not self._readers[name]:
                return self._values.pop(name)
            # A pandas frame can be changed in place: each reader gets its own.
            value = self._values[name]
            return value.copy() if kind_of(value) == "pandas.DataFrame" else value


class Read(NamedTuple):
    """What was read: the value, and how many rows it has, where that is known."""

    value: Any
    rows: int | None


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
    """

    reads: Mapping[str, StoredDataset]
    writes: Mapping[str, StoredDataset]
    memory: MemoryDatasets
    session: Callable[[], SparkSession]
    window: Window
    spool: Path

    def stores(self, name: str) -> bool:
        """Say whether an output is written to storage rather than kept in memory."""
        return canonical(name) in self.writes

    def read(self, name: str, kind: str) -> Read:
        """Return a dataset as a frame of ``kind``.

        Raises:
            DatasetNotFound: It has no data.
        """
        name = canonical(name)
        stored = self.reads.get(name)
        if stored is None:
            value = convert(self.memory.get(name), kind, self.session)
            return Read(value, rows_of(value))
        with _noted(f"while reading '{name}' from {stored.location.shown}"):
            value = convert(stored.read(self.session()), kind, self.session)
        rows = rows_of(value)
        return Read(value, stored.format.rows(stored.location, stored.config) if rows is None else rows)

    def write(self, name: str, value: Any) -> int | None:
        """Store ``value`` or keep it in memory; return how many rows it has, where that is known.

        Raises:
            NodeError: It is no frame, or there is data that must not be touched.
        """
        name = canonical(name)
        stored = self.writes.get(name)
        if stored is None:
            shared = self.memory.is_shared(name) and kind_of(value) == SPARK
            self.memory.put(name, self._computed_once(name, value) if shared else value)
            return rows_of(value)
        mode = stored.config.write_mode
        if mode in ("ignore", "error") and stored.exists:
            if mode == "error":
                message = f"Dataset '{name}' has data already, and its write_mode is 'error'"
                raise NodeError(
                    message, looked_up=(stored.location.shown,), hint="Remove the data, or choose another mode."
                )
            return None
        with _noted(f"while writing '{name}' to {stored.location.shown}"):
            frame = to_spark(value, self.session())
            return stored.format.write(frame, Target(stored.location, stored.config, self.window))

    def _computed_once(self, name: str, frame: DataFrame) -> DataFrame:
        """Return a frame that all its readers see alike.

        A lazy frame is computed for each reader; what is random or depends on the time differs then.
        The embedded engine keeps nothing in memory, so there it takes the way over a file.
        """
        if not is_embedded(frame.sparkSession):
            return frame.persist()
        place = private_directory(self.spool) / name
        dataset = DatasetConfig(name=name, section="output", format="parquet")
        target = Target(Location(str(place), place, name), dataset, self.window)
        parquet = format_named("parquet")
        parquet.write(frame, target)
        return parquet.read(frame.sparkSession, target.location, dataset)


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
