"""Whether a cluster sees the disk of this machine: else what it writes to a path lands on its own, and nobody is told.

A path in the settings is a path of this machine, for Tauro, for Polars and for the engine alike. A cluster has to see
the same files under the same path: a shared file system. It is asked before a run starts, on the executors that there
are then; and each write looks whether its rows have come.
"""

from __future__ import annotations

from shutil import rmtree
from typing import TYPE_CHECKING
from uuid import uuid4

from tauro.engines.dialect import is_spread
from tauro.errors import NodeError, Unsupported
from tauro.io.location import address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

# For as many tasks, on as many cores; of more paths Spark would first make a job to list them.
_FILES = 32
_HINT = (
    "Mount the folder on every machine of the cluster under the same path, or keep the data where all of them reach "
    "it: s3://, abfs://, gs://, hdfs://."
)


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
    known = set()
    for place in places:
        folder = next(parent for parent in place.parents if parent.is_dir())
        # What is mounted where differs between machines, so that a path's beginning counts too.
        disk = (folder.stat().st_dev, folder.resolve().parts[:2], folder.parts[:2])
        if disk not in known:
            seen = _try(session, folder)
            known |= set() if seen is None else {disk}
            if seen is not None and seen < _FILES:
                raise Unsupported(
                    f"The cluster of {name} does not see the files of this machine"
                    f"{' on all of its machines' if seen else ''}: {place}",
                    looked_up=(str(folder),),
                    hint=_HINT,
                )


def _try(session: SparkSession, folder: Path) -> int | None:
    """Return how many of the files that are written to a folder the cluster sees; None where none can be written.

    What this machine only reads is not lost on another: there an executor that does not see it fails.
    """
    token = uuid4().hex
    home = folder / f".tauro-{token}"
    files = {f"{token}{number}": home / f"{number}" for number in range(_FILES)}
    try:
        try:
            home.mkdir()
            for word, file in files.items():
                file.write_text(word)
        except OSError:
            return None
        return len(_words_seen(session, [address(file, session) for file in files.values()]) & files.keys())
    finally:
        rmtree(home, ignore_errors=True)


def _words_seen(session: SparkSession, files: list[str]) -> set[str]:
    """Return what the cluster finds in files; those that an executor does not see are left out, and not tried again.

    Raises:
        Unsupported: It cannot read at all.
    """
    from pyspark.errors import PySparkException

    reader = session.read.option("ignoreMissingFiles", "true").option("wholetext", "true")
    try:
        return {row[0] for row in reader.text(files).collect()}
    except PySparkException as error:
        if "PATH_NOT_FOUND" in str(error):  # the driver of a server sees none of them
            return set()
        reason = str(error).partition("\n")[0]
        raise Unsupported(f"The cluster cannot read a file of this machine: {reason}", hint=_HINT) from error


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
