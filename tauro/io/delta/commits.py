"""What the log of a table tells of its commits, and the mark by which a write knows its own again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.errors import DatasetNotFound
from tauro.io.delta.log import LOG, newest_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tauro.io.location import Location

# What each engine calls the rows of a commit: the embedded one and Apache Spark alike, delta-rs in its own way.
_OF_MERGE = (
    ("numTargetRowsInserted", "num_target_rows_inserted"),
    ("numTargetRowsUpdated", "num_target_rows_updated"),
    ("numTargetRowsDeleted", "num_target_rows_deleted"),
)
_OF_OTHERS = (
    ("numOutputRows", "num_added_rows"),
    ("numUpdatedRows", "num_updated_rows"),
    ("numDeletedRows", "num_deleted_rows"),
)
_WITH_ROWS = frozenset({"WRITE", "CREATE TABLE", "CREATE TABLE AS SELECT", "REPLACE TABLE AS SELECT"})


class WriteId(NamedTuple):
    """What tells one write from all others.

    Attributes:
        id: The same for every attempt at it: the run that tried it first, the node and the output.
        repeats: An earlier attempt may have been committed, and its process ended before it could say so.
    """

    id: str
    repeats: bool = False

    @property
    def token(self) -> str:
        """What stands for it in the names of files."""
        return sha256(self.id.encode()).hexdigest()[:32]

    @property
    def mark(self) -> str:
        """What stands in the table's log beside the commit."""
        return f"tauro-{self.token}"

    def note(self, own: str | None) -> str:
        """Return the commit's user metadata: the mark, behind the user's ``own`` or before the write's id."""
        return f"{self.mark} {self.id}" if own is None else f"{own} {self.mark}"


class Changes(NamedTuple):
    """How many rows a commit changed; None where its writer does not tell.

    Attributes:
        inserted: Rows that it wrote.
        updated: Rows that it changed.
        deleted: Rows that it removed one by one, rather than with their files.
    """

    inserted: int | None = None
    updated: int | None = None
    deleted: int | None = None

    @property
    def total(self) -> int | None:
        """Return the sum of what is known, None where nothing is."""
        known = [count for count in self if count is not None]
        return sum(known) if known else None


class Commit(NamedTuple):
    """One version of a table.

    Attributes:
        version: Its number.
        time: When it was committed, UTC.
        operation: What was done, in the writer's words: WRITE, MERGE, OPTIMIZE, ...
        rows: What became of the rows.
        metrics: What its writer measured, by the writer's names.
        note: Its user metadata.
        writer: The program that wrote it.
    """

    version: int
    time: datetime
    operation: str
    rows: Changes = Changes()
    metrics: Mapping[str, Any] = MappingProxyType({})
    note: str | None = None
    writer: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the commit as JSON data."""
        return {
            **self._asdict(),
            "time": self.time.isoformat(),
            "rows": self.rows._asdict(),
            "metrics": dict(self.metrics),
        }


def history(location: Location, limit: int | None = None) -> list[Commit]:
    """Return the commits of a table, newest first, as far back as its log reaches.

    Args:
        location: Where the table is.
        limit: How many at most.

    Raises:
        DatasetNotFound: There is no table.
    """
    if location.path is None:
        from deltalake import DeltaTable

        return [_commit(info["version"], info) for info in DeltaTable(location.uri).history(limit)]
    newest = newest_version(location.path)
    if newest < 0:
        raise DatasetNotFound(f"There is no delta table at {location.shown}", looked_up=(location.shown,))
    commits: list[Commit] = []
    for version in range(newest, -1, -1):
        text = _text(location.path, version)
        if text is None or len(commits) == limit:
            break
        commits.append(_read(version, text))
    return commits


def commit_of(table: Path, write: WriteId, after: int = -1) -> Commit | None:
    """Return the commit of a write, None where it has not come to one.

    Args:
        table: The table's folder.
        write: The write.
        after: A version that is older than the write.
    """
    for version in range(newest_version(table), after, -1):
        text = _text(table, version)
        if text is None:
            return None
        if write.mark in text:
            return _read(version, text)
    return None


def check_files(table: Path, write: WriteId, name: str, after: int) -> None:
    """Look whether a cluster has written to this machine's table, and not to one of the same path elsewhere.

    Args:
        table: The table's folder.
        write: The write.
        name: The dataset.
        after: The newest version before it.

    Raises:
        NodeError: There is no table here, or a file is not that the write's commit names.
    """
    from tauro.io.reach import lost

    newest = newest_version(table)
    if newest < 0:
        raise lost(name, "there is no table")
    for version in range(newest, after, -1):
        text = _text(table, version)
        if text is None:
            return
        if write.mark in text:
            missing = [path for path in _added(text) if not (table / path).exists()]
            if missing:
                raise lost(name, f"{len(missing)} of the files that its log names are missing, as {missing[0]}")
            return


def _added(text: str) -> Iterator[str]:
    """Yield the files of a table that a commit adds."""
    from urllib.parse import unquote

    for line in text.splitlines():
        if line.startswith('{"add"'):
            path = unquote(json.loads(line)["add"]["path"])
            if not path.startswith("/") and "://" not in path:
                yield path


def is_committed(session: SparkSession, uri: str, write: WriteId) -> bool:
    """Say whether a write came to its commit in a table that only the engine can reach."""
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    log = session.read.text(f"{uri}/{LOG}/*.json")
    return bool(log.where(F.contains(F.col("value"), F.lit(write.mark))).limit(1).count())


def _text(table: Path, version: int) -> str | None:
    """Return what a commit's file holds, None where the log has been cleaned up to there."""
    try:
        return (table / LOG / f"{version:020}.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _read(version: int, text: str) -> Commit:
    for line in text.splitlines():
        if '"commitInfo"' in line:
            action = json.loads(line)
            if "commitInfo" in action:
                return _commit(version, action["commitInfo"])
    return Commit(version, datetime.fromtimestamp(0, UTC), "UNKNOWN")


def _commit(version: int, info: Mapping[str, Any]) -> Commit:
    metrics: Mapping[str, Any] = info.get("operationMetrics") or {}
    operation = str(info.get("operation") or "UNKNOWN")
    moment = info.get("inCommitTimestamp") or info.get("timestamp") or 0
    return Commit(
        version=version,
        time=datetime.fromtimestamp(moment / 1000, UTC),
        operation=operation,
        rows=_changes(operation, metrics),
        metrics=metrics,
        note=info.get("userMetadata"),
        writer=info.get("engineInfo") or info.get("clientVersion"),
    )


def _changes(operation: str, metrics: Mapping[str, Any]) -> Changes:
    if operation == "MERGE":
        return Changes(*(_first(metrics, names) for names in _OF_MERGE))
    inserted, updated, deleted = (_first(metrics, names) for names in _OF_OTHERS)
    # An UPDATE, a DELETE or an OPTIMIZE also tells how many rows it copied.
    return Changes(inserted if operation in _WITH_ROWS else None, updated, deleted)


def _first(metrics: Mapping[str, Any], names: Iterable[str]) -> int | None:
    """Return a metric by one of its names; Apache Spark writes numbers as text."""
    return next((int(metrics[name]) for name in names if name in metrics), None)
