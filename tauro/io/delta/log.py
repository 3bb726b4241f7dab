"""Reads a Delta table's log as far as row counts and versions need it.

delta-rs reads it all, but loading it takes longer than most small tables need. What is more than
JSON commits behind one checkpoint file is left to it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOG = "_delta_log"


def has_table(folder: Path) -> bool:
    """Say whether a table is in a folder: one whose first commit was killed is none, though it has a log's folder."""
    return newest_version(folder) >= 0


def newest_version(table: Path) -> int:
    """Return the newest version of a table, -1 where there is none."""
    log = table / LOG
    version = max(_last_checkpoint(log), -1)
    if version < 0 and not (log / f"{0:020}.json").exists():
        # The log was cleaned, and what tells of its checkpoint is lost.
        return max((int(file.stem) for file in log.glob("*.json") if file.stem.isdecimal()), default=-1)
    while (log / f"{version + 1:020}.json").exists():
        version += 1
    return version


def rows_added(table: Path, before: int) -> int | None:
    """Return how many rows the commits after version ``before`` added, None where the log does not tell."""
    counts = [
        _rows_of(action["add"])
        for version in range(before + 1, newest_version(table) + 1)
        for action in _actions(table / LOG, version)
        if "add" in action
    ]
    return _total(counts)


def partition_columns(table: Path) -> tuple[str, ...] | None:
    """Return the columns that a table is partitioned by, None where there is no table."""
    found = _metadata(table)
    return None if found is None else tuple(found["partitionColumns"])


def schema_fields(table: Path) -> list[dict[str, Any]] | None:
    """Return the fields of a table's schema as its log has them, None where there is no table."""
    found = _metadata(table)
    if found is None:
        return None
    fields: list[dict[str, Any]] = json.loads(found["schemaString"])["fields"]
    return fields


def _metadata(table: Path) -> dict[str, Any] | None:
    """Return the newest metadata of a table, None where there is no table."""
    log, newest = table / LOG, newest_version(table)
    if newest < 0:
        return None
    start = _last_checkpoint(log)
    for version in range(newest, start, -1):
        for action in _actions(log, version):
            if "metaData" in action:
                found: dict[str, Any] = action["metaData"]
                return found
    from deltalake import DeltaTable

    read = DeltaTable(table)
    return {"partitionColumns": read.metadata().partition_columns, "schemaString": read.schema().to_json()}


def row_count(table: Path, version: int | None = None) -> int | None:
    """Return how many rows a version of a table has, the newest if not given; None where the log does not tell."""
    wanted = newest_version(table) if version is None else version
    live = _replay(table / LOG, wanted)
    if live is not None:
        return _total(list(live.values()))
    from deltalake import DeltaTable

    actions: Any = DeltaTable(table, version=version).get_add_actions(flatten=True)
    return _total(actions.column("num_records").to_pylist())


def _replay(log: Path, wanted: int) -> dict[str, int | None] | None:
    """Return the rows of each file of a version, None when the log is more than this module reads."""
    start = _last_checkpoint(log)
    if start > wanted:
        return None
    try:
        live = {} if start < 0 else _checkpoint(log, start)
        for version in range(start + 1, wanted + 1):
            for action in _actions(log, version):
                if "add" in action:
                    live[action["add"]["path"]] = _rows_of(action["add"])
                elif "remove" in action:
                    live.pop(action["remove"]["path"], None)
    except (FileNotFoundError, KeyError):
        return None
    return live


def _last_checkpoint(log: Path) -> int:
    """Return the version of the last checkpoint, -1 where there is none, and never more than there is."""
    try:
        hint = json.loads((log / "_last_checkpoint").read_text(encoding="utf-8"))
        return int(hint["version"])
    except (FileNotFoundError, ValueError, KeyError):
        return -1


def _checkpoint(log: Path, version: int) -> dict[str, int | None]:
    from pyarrow.parquet import read_table

    table = read_table(log / f"{version:020}.checkpoint.parquet", partitioning=None)
    if "sidecar" in table.column_names:
        raise KeyError("sidecar")
    return {added["path"]: _rows_of(added) for added in table.column("add").to_pylist() if added is not None}


def _actions(log: Path, version: int) -> Iterator[dict[str, Any]]:
    for line in (log / f"{version:020}.json").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _rows_of(added: dict[str, Any]) -> int | None:
    """Return how many rows a file has; with a deletion vector its statistics do not tell."""
    records = json.loads(added.get("stats") or "{}").get("numRecords")
    return None if added.get("deletionVector") else records


def _total(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
