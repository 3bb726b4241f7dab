"""Types of columns, shared by the nodes of this package."""

from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses


def known(name):
    """Return a text column in which the word NA stands for nothing."""
    return F.when(F.col(name) != "NA", F.col(name))


def number(name, kind="int"):
    """Return a text column as numbers."""
    return known(name).cast(kind).alias(name)
