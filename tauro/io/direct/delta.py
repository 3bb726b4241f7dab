"""Delta Lake tables, read by Polars and written by delta-rs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from tauro.errors import DatasetNotFound
from tauro.io.delta.commits import WriteId, history
from tauro.io.delta.format import check_version
from tauro.io.delta.log import row_count
from tauro.io.delta.maintenance import maintain
from tauro.io.direct.delta_scan import scan_table
from tauro.io.direct.delta_write import write_table
from tauro.io.direct.filters import filtered
from tauro.io.direct.options import Options

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from polars import LazyFrame

    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target, Written
    from tauro.io.location import Location

_LOGGER = logging.getLogger(__name__)
_NEVER = "^|[]"


@dataclass(frozen=True, slots=True)
class DirectDelta:
    """Reads and writes tables whose protocol asks for nothing unusual."""

    def reads(self, location: Location, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing that only Spark can do."""
        known = dataset.timestamp is None or _moment(dataset.timestamp) is not None
        return _is_reached(location) and known and _knows_options(dataset)

    def writes(self, location: Location, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing that only Spark can do: merges and dynamic overwrites are such."""
        parts = dataset.overwrite_strategy in (None, "full", "replaceWhere")
        return _is_reached(location) and dataset.write_mode != "merge" and parts and _knows_options(dataset)

    def scan(self, location: Location, dataset: DatasetConfig) -> LazyFrame | None:
        """Return the table, or one of its versions, as a lazy frame; None where only Spark can read it.

        Raises:
            DatasetNotFound: It has no such version.
        """
        check_version(location, dataset)
        if location.path is None:
            return None
        table = _opened(location, dataset)
        return None if table is None else filtered(scan_table(table, location.path), dataset)

    def write(self, frame: LazyFrame, target: Target) -> Written | None:
        """Commit the rows, and say how many they were; None where only Spark can write them.

        Raises:
            NodeError: They do not fit the table.
        """
        written = write_table(frame, target, target.write or WriteId(uuid4().hex))
        if written is not None:
            for failure in maintain(target.location, target.dataset):
                _LOGGER.warning(failure)
        return written

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:
        """Return how many rows the table's log counts, None where it does not."""
        if location.path is None or dataset.timestamp is not None or dataset.partition_filter is not None:
            return None
        return row_count(location.path, dataset.version)


def _is_reached(location: Location) -> bool:
    """Say whether delta-rs takes the path: it panics at some letters that no URL has."""
    return location.path is not None and not set(_NEVER) & set(str(location.path))


def _knows_options(dataset: DatasetConfig) -> bool:
    options = Options(dataset.options)
    options.text("usermetadata", None)
    return options.all_known


def _opened(location: Location, dataset: DatasetConfig) -> DeltaTable | None:
    """Return a table at the version that is wanted, None where delta-rs does not know what it is."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        table = DeltaTable(str(location.path), version=dataset.version)
        moment = None if dataset.timestamp is None else _moment(dataset.timestamp)
        if moment is not None:
            table.load_as_version(moment)
    except DeltaError:
        return None
    if moment is not None and moment < history(location)[-1].time:  # delta-rs would take the first one
        raise DatasetNotFound(f"Dataset '{dataset.name}' has no version of {dataset.timestamp}; its first is younger")
    return table


def _moment(text: str) -> datetime | None:
    """Return a time of a version; one without an offset is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
