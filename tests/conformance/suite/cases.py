"""Every case, by its name."""

import os

from suite.differences import CONNECT, SPARK, STANDALONE, differing
from suite.reading import all_reads
from suite.writing import all_writes

CASES = all_writes() | all_reads()
LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
# Apache Spark takes its time: unless there is much of it, it plays a part of them, and all that are known to differ.
BY_APACHE_SPARK = tuple(
    name
    for index, (name, case) in enumerate(CASES.items())
    if LONG or case.wide or index % 4 == 0 or name in differing(SPARK)
)
# A cluster computes as the same program does in one process; what differs is who writes and what is handed over.
BY_CLUSTER = {
    CONNECT: tuple(name for index, name in enumerate(BY_APACHE_SPARK) if LONG or index % 6 == 0),
    STANDALONE: BY_APACHE_SPARK if LONG else (),
}


def folder_of(name):
    """Return the name of a case's folder: what it is called has signs that are none for paths."""
    return f"{list(CASES).index(name):03}"
