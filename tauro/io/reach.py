"""Whether a cluster sees the disk of this machine: else what it writes to a path lands on its own, and nobody is told.

A path in the settings is a path of this machine, for Tauro, for Polars and for the engine alike. A cluster has to see
the same files under the same path: a shared file system. It is asked before a run starts, on the executors that there
are then; and each write looks whether its rows have come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from tauro.engines.dialect import is_spread
from tauro.errors import NodeError, Unsupported
from tauro.io.location import address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

# Enough for a task on every core of a cluster that is not large; each reads a few letters.
_FILES = 64
_HINT = (
    "Mount the folder on every machine of the cluster under the same path, or keep the data where all of them reach "
    "it: s3://, abfs://, gs://, hdfs://."
)


class _Probe(NamedTuple):
    """Files that are looked for.

    Attributes:
        folder: Where they are.
        near: The place of a dataset for which they stand.
        words: What they hold, each another one.
    """

    folder: Path
    near: Path
    words: tuple[str, ...]

    def write(self) -> None:
        self.folder.mkdir()
        for word in self.words:
            (self.folder / word).write_text(word)

    def remove(self) -> None:
        for word in self.words:
            (self.folder / word).unlink(missing_ok=True)
        if self.folder.is_dir():
            self.folder.rmdir()


def check_reach(session: SparkSession, places: Iterable[Path], name: str) -> None:
    """Refuse a run on a cluster that does not see what is at these places.

    Args:
        session: The session, of any engine.
        places: Where local datasets are, or will be.
        name: What a person calls the engine.

    Raises:
        Unsupported: Somebody of the cluster sees other files there, or none.
    """
    if not is_spread(session):
        return
    for place in _one_of_each_disk(places):
        probe = _probe(place)
        try:
            probe.write()
            seen = _words_seen(session, [address(probe.folder / word, session) for word in probe.words])
        except OSError as error:
            message = f"Whether {name} sees the files of this machine cannot be tried: {error}"
            raise Unsupported(message, hint=_HINT) from error
        finally:
            probe.remove()
        if not seen.issuperset(probe.words):
            all_of_them = " on all of its machines" if seen.intersection(probe.words) else ""
            raise Unsupported(
                f"The cluster of {name} does not see the files of this machine{all_of_them}: {probe.near}",
                looked_up=(str(probe.folder.parent),),
                hint=_HINT,
            )


def _probe(place: Path) -> _Probe:
    folder = next(parent for parent in (place, *place.parents) if parent.is_dir())
    token = uuid4().hex
    return _Probe(folder / f".tauro-{token}", place, tuple(f"{token}{number}" for number in range(_FILES)))


def _one_of_each_disk(places: Iterable[Path]) -> Iterator[Path]:
    """Yield one place of each file system, and of those that processes see in their own way."""
    known = set()
    for place in places:
        folder = next(parent for parent in (place, *place.parents) if parent.is_dir())
        # What is mounted where differs between machines, so that a path's beginning counts too.
        disk = (folder.stat().st_dev, folder.resolve().parts[:2], folder.parts[:2])
        if disk not in known:
            known.add(disk)
            yield place


def _words_seen(session: SparkSession, files: list[str]) -> set[str]:
    """Return what the cluster finds in files; those that an executor does not see are left out, and not tried again."""
    from pyspark.errors import PySparkException

    reader = session.read.option("ignoreMissingFiles", "true").option("wholetext", "true")
    try:
        return {row[0] for row in reader.text(files).collect()}
    except PySparkException:  # the driver of a server sees none of them
        return set()


def sent_rows(frame: DataFrame) -> tuple[DataFrame, Callable[[], int | None]]:
    """Return a frame that is the same, and a function that says how many of its rows were sent to be written.

    Only on a cluster anybody counts: elsewhere what is written is there.
    """
    if not is_spread(frame.sparkSession):
        return frame, lambda: None
    from pyspark.sql import Observation
    from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

    seen = Observation()
    return frame.observe(seen, F.count(F.lit(1)).alias("rows")), lambda: int(seen.get["rows"])


def check_arrived(name: str, folder: Path, rows: int | None, sent: int | None) -> None:
    """Refuse a write whose rows are not where they were sent to.

    Args:
        name: The dataset.
        folder: Where this machine looks for its files.
        rows: How many are there, None where nobody has counted.
        sent: How many were sent, None where nobody has counted.

    Raises:
        NodeError: Some are missing.
    """
    if sent is not None and (not folder.is_dir() or (rows is not None and rows < sent)):
        found = f"{rows or 0:,} of {sent:,} rows"
        raise lost(name, f"{found} are there; a machine of the cluster has written the others to a disk of its own")


def lost(name: str, reason: str) -> NodeError:
    """Return what a write is told whose data is elsewhere."""
    return NodeError(f"{name}: What was written is not on this machine: {reason}", hint=_HINT)
