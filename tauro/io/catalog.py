"""One catalog for a run: stored datasets by their format, all others handed on in memory."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.model import FORMATS, DatasetConfig, ProjectConfig, canonical
from tauro.errors import DatasetNotFound, NodeError, TauroError, Unsupported, ValidationError, nearest
from tauro.io.checks import needs_spark, side_table
from tauro.io.fits import is_embedded
from tauro.io.formats import DatasetFormat, Target, ValueFormat, Written
from tauro.io.frames import SPARK, convert, kind_of, kind_of_frame, own, rows_of, to_lazy, to_spark
from tauro.io.location import Location, locate
from tauro.io.options import check_options
from tauro.io.registry import FILES, direct_format, format_named, format_of, value_format
from tauro.security.private import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from polars import LazyFrame
    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.dates import Window
    from tauro.io.checked import Checker
    from tauro.io.checks import CheckReport
    from tauro.io.delta.commits import WriteId


class StoredDataset(NamedTuple):
    """A dataset that has a place to be read from or written to.

    Attributes:
        name: Its canonical name.
        config: Its settings.
        format: What reads and writes it.
        location: Where it is.
        side: Where the rows go that its checks put aside; None where none does so.
    """

    name: str
    config: DatasetConfig
    format: DatasetFormat
    location: Location
    side: StoredDataset | None = None

    @property
    def exists(self) -> bool:
        """True when there is data to read."""
        return self.format.exists(self.location)

    @property
    def reads_directly(self) -> bool:
        """True when its settings ask for nothing that only Spark can read."""
        direct = direct_format(self.format)
        return direct is not None and direct.reads(self.location, self.config)

    @property
    def writes_directly(self) -> bool:
        """True when its settings ask for nothing that only Spark can write."""
        direct = direct_format(self.format)
        return direct is not None and direct.writes(self.location, self.config)

    def read(self, session: SparkSession) -> DataFrame:
        """Return the data as a lazy Spark DataFrame.

        Raises:
            DatasetNotFound: There is none. Engines would return an empty frame for some formats.
        """
        self._check_exists()
        return self.format.read(session, self.location, self.config)

    def scan(self) -> LazyFrame | None:
        """Return the data as a lazy frame of Polars, None where only Spark can read it.

        Raises:
            DatasetNotFound: There is none.
        """
        direct = direct_format(self.format)
        if direct is None or not self.reads_directly:
            return None
        self._check_exists()
        return direct.scan(self.location, self.config)

    def load(self, values: ValueFormat, session: Callable[[], SparkSession]) -> Any:
        """Return the data as the value that its format makes of it.

        Raises:
            DatasetNotFound: There is none.
        """
        self._check_exists()
        return values.load(session, self.location, self.config)

    def is_checked_as(self, section: str) -> bool:
        """Say whether it has checks, for reads (``input``) or writes (``output``): as where it is described."""
        return self.config.section == section and bool(self.config.all_checks)

    def with_mode(self, mode: str) -> StoredDataset:
        """Return the dataset with another write mode."""
        return self._replace(config=DatasetConfig(**{**self.config.to_dict(), "write_mode": mode}))

    def holds(self, write: WriteId | None) -> bool:
        """Say whether an earlier attempt at a write was committed, and its process ended before it could say so."""
        if write is None or not write.repeats or self.format.name != "delta" or self.location.path is None:
            return False
        from tauro.io.delta.commits import commit_of

        return commit_of(self.location.path, write) is not None

    def _check_exists(self) -> None:
        if not self.exists:
            raise DatasetNotFound(
                f"Dataset '{self.name}' has no data",
                looked_up=(self.location.shown,),
                hint="Run the pipeline that writes it, or mend its filepath.",
            )


def stored_dataset(config: ProjectConfig, dataset: DatasetConfig) -> StoredDataset:
    """Return a dataset with its place and format.

    Raises:
        Unsupported: This version does not serve its format or its write mode.
        ValidationError: It has no place.
    """
    try:
        chosen = format_of(config, dataset, lambda name: open_dataset(config, name))
    except Unsupported as error:
        place = error.place or config.place(dataset.section, dataset.name, "format")
        message = f"{dataset.name}: {error.message}"
        hint = error.hint or "Use one of these."
        raise Unsupported(message, place=place, looked_up=error.details.looked_up, hint=hint) from None
    if dataset.section == "output" and dataset.write_mode not in chosen.modes:
        raise Unsupported(
            f"{dataset.name}: write_mode '{dataset.write_mode}' is not available in this version of Tauro",
            place=config.place(dataset.section, dataset.name, "write_mode"),
            looked_up=tuple(sorted(chosen.modes)),
        )
    _check_partial(config, dataset)
    if dataset.format in FORMATS:
        check_options(config, dataset)
    elif dataset.filepath is None and dataset.table_path is None:  # what another package brings may need no place
        return StoredDataset(canonical(dataset.name), dataset, chosen, Location("", None, dataset.name))
    location = locate(config, dataset)
    _check_elsewhere(config, dataset, location)
    return StoredDataset(canonical(dataset.name), dataset, chosen, location, _side(config, dataset))


def _check_elsewhere(config: ProjectConfig, dataset: DatasetConfig, location: Location) -> None:
    """Refuse to write only where there is no data to a place where nobody has looked for data."""
    asks = dataset.section == "output" and dataset.write_mode in ("ignore", "error")
    if asks and location.path is None and dataset.format in (*FILES, "delta"):
        raise Unsupported(
            f"{dataset.name}: write_mode '{dataset.write_mode}' is not available for what is elsewhere",
            place=config.place(dataset.section, dataset.name, "write_mode"),
            looked_up=(location.shown,),
            hint="Use overwrite or append.",
        )


def _side(config: ProjectConfig, dataset: DatasetConfig) -> StoredDataset | None:
    """Return where the rows go that a dataset's checks put aside."""
    side = side_table(config, dataset)
    try:
        return None if side is None else stored_dataset(config, side)
    except TauroError as error:
        message = f"{dataset.name}: Rows that do not pass cannot be put aside: {error.message}"
        place = config.place(dataset.section, dataset.name, "checks")
        raise type(error)(message, place=place, looked_up=error.details.looked_up, hint=error.hint) from None


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
        if mode in ("ignore", "error") and stored.format.name != "table" and stored.exists:
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

        direct = direct_format(stored.format) if kind_of_frame(value) != SPARK else None
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
