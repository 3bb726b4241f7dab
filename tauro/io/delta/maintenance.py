"""What is done to a table after a write, by delta-rs: files are joined, ordered, removed. It never fails the write."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tauro.config.model import DatasetConfig
    from tauro.io.location import Location

# Below, delta-rs asks to be told that it is meant; the settings have allowed it then.
_SAFE_HOURS = 168
_CENTURY = 24 * 365 * 100


def maintain(location: Location, dataset: DatasetConfig) -> list[str]:
    """Do what the settings ask for after a write; return what could not be done, and why.

    Rows are not changed: the table is the same in another set of files, and a reader of any version
    younger than the retention keeps its files.
    """
    steps = dict(_steps(dataset))
    if not steps:
        return []
    if location.path is None:
        return [f"'{dataset.name}' is not on this machine: {' and '.join(steps)} left out"]
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    failures = []
    for name, work in steps.items():
        try:
            work(DeltaTable(str(location.path)))
        # Others have written between, a column is not there, a feature of the table is unknown to delta-rs.
        except (DeltaError, OSError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            failures.append(f"'{dataset.name}' was written, but {name} failed: {reason}")
    return failures


def _steps(dataset: DatasetConfig) -> Iterator[tuple[str, Callable[[Any], object]]]:
    if dataset.zorder_by:  # joins files too
        yield "zorder_by", lambda table: table.optimize.z_order(list(dataset.zorder_by))
    elif dataset.optimize:
        yield "optimize", lambda table: table.optimize.compact()
    if dataset.vacuum:
        yield "vacuum", lambda table: _vacuum(table, dataset.vacuum_retention_hours)


def _vacuum(table: Any, hours: float) -> None:
    """Remove the files that no version of the last ``hours`` has.

    Only those that the log names: among the others may be what another process is about to commit.
    """
    retention = {
        "retention_hours": ceil(min(hours, _CENTURY)),
        "enforce_retention_duration": hours >= _SAFE_HOURS,
    }
    if table.vacuum(dry_run=True, **retention):  # else it would commit that it did nothing
        table.vacuum(dry_run=False, **retention)
