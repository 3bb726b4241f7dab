"""A dataset with its place and its format, and what its settings must not ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.model import FORMATS, DatasetConfig, ProjectConfig, canonical
from tauro.errors import DatasetNotFound, TauroError, Unsupported, ValidationError, nearest
from tauro.io.checks import side_table
from tauro.io.location import Location, locate
from tauro.io.options import check_options
from tauro.io.registry import FILES, direct_format, format_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from polars import LazyFrame
    from pyspark.sql import DataFrame, SparkSession

    from tauro.io.delta.commits import WriteId
    from tauro.io.formats import DatasetFormat, ValueFormat


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
