"""Which engine is behind a session: Sail misreads some things that Apache Spark does not."""

from __future__ import annotations

from typing import Any

# Where the answer is kept: it is asked for with every read and write.
_ANSWER = "_tauro_is_sail"


def is_connected(session: Any) -> bool:
    """Say whether a session is that of a Spark Connect server, and not one in a JVM of this process."""
    return type(session).__module__.startswith("pyspark.sql.connect")


def is_sail(session: Any) -> bool:
    """Say whether a session is computed by Sail: the embedded engine, or a server or cluster of it.

    The server is asked once. Every application of Apache Spark has an id, and Sail has none.
    """
    if not is_connected(session):
        return False
    known: bool | None = getattr(session, _ANSWER, None)
    if known is None:
        known = session.conf.get("spark.app.id", None) is None
        setattr(session, _ANSWER, known)
    return known


def is_spread(session: Any) -> bool:
    """Say whether Apache Spark computes for a session in processes that may be on other machines."""
    if is_connected(session):
        return not is_sail(session)
    return not is_local(str(session.sparkContext.master))


def is_local(master: str) -> bool:
    """Say whether a master of Apache Spark stands for this process alone: ``local``, ``local[4]``."""
    return master == "local" or master.startswith("local[")
