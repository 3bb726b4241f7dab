"""What engines and kinds of frames do not do alike, and why: published in docs/datasets.md, held by the suite.

A difference that is listed and is none any more is a failure, as one is that is not listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

SPARK = "Apache Spark"
CONNECT = "Apache Spark by Spark Connect"
STANDALONE = "a cluster of Apache Spark"
READ_BY_THE_OTHER = "what Apache Spark has written, on the embedded engine"
DIRECT = ("polars.DataFrame", "polars.LazyFrame", "pandas.DataFrame", "pyarrow.Table")


class Difference(NamedTuple):
    """A difference from what the embedded engine does with its own frames.

    Attributes:
        what: What is different, for people.
        of: Who differs: ``Apache Spark``, or kinds of frames.
        shown: The cases that show it, and in which parts: ``write``, ``stored``, ``read``; of a wide case with
            the column.
    """

    what: str
    of: tuple[str, ...]
    shown: Mapping[str, tuple[str, ...]]


FILES = ("csv", "json", "parquet")


def _of_files(name: str, *parts: str) -> dict[str, tuple[str, ...]]:
    return {f"{format_}: {name}": parts for format_ in FILES}


def _columns(part: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{part} {name}" for name in names)


_NUMBERS = ("double", "large", "small_double", "infinite", "time_in_ms")
_WHERE = ("v >= 3", "NOT (v < 3)", "v IN (3, 4)", "v BETWEEN 3 AND 4", "d >= '2025-01-31'", "v = 3 OR v = 4",
          "v >= 3, and nobody knows")  # fmt: skip

DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "Files partitioned by decimals or times are written by Apache Spark; the embedded engine refuses them. "
        "Delta tables take both.",
        (SPARK,),
        {**_of_files("parted by decimals", "write", "stored"), **_of_files("parted by moments", "write", "stored")},
    ),
    Difference(
        "A null in a partition column of files is stored by Apache Spark, as Hive does; the embedded engine "
        "refuses it. Delta tables take it.",
        (SPARK,),
        _of_files("parted by a null", "write", "stored", "read"),
    ),
    Difference(
        "Apache Spark writes large, small and infinite numbers into texts as `1.0E20` and `Infinity`, the embedded "
        "engine as `1e20` and `inf`: in CSV, and in the names of partitions. A schema reads the same number.",
        (SPARK,),
        {
            **_of_files("parted by broken numbers", "stored", "read"),
            "delta: parted by broken numbers": ("stored",),
            "csv: types": (*_columns("stored", *_NUMBERS), *_columns("read", *_NUMBERS)),
        },
    ),
    Difference(
        "Times in texts always have six digits behind the second on Apache Spark; those of milliseconds have three "
        "on the embedded engine. They are the same times.",
        (SPARK,),
        {"json: types": ("read time_in_ms",), "delta: parted by moments": ("stored",)},
    ),
    Difference(
        "JSON: NaN and infinities are written as null by the embedded engine, as texts by Apache Spark.",
        (SPARK,),
        {"json: types": (*_columns("stored", "no_number", "infinite"), *_columns("read", "no_number", "infinite"))},
    ),
    Difference(
        "Without a schema the engines infer types of their own: whole numbers beyond 64 bits of JSON are a double or "
        "a decimal, numbers of CSV with `inferSchema` a bigint or an int.",
        (SPARK, READ_BY_THE_OTHER),
        {"json: types": ("read unsigned64",), "csv: read: inferred types": ("read",)},
    ),
    Difference(
        "CSV: a number with blanks around it is a number for the embedded engine; Apache Spark refuses it, as all "
        "that it does not understand.",
        (SPARK,),
        {"csv: read: loose values": ("read",)},
    ),
    Difference(
        "Columns of JSON without a schema stand in the order of the first object on the embedded engine, in that of "
        "their names on Apache Spark.",
        (SPARK, READ_BY_THE_OTHER),
        {"json: odd names": ("read",), "json: read: no schema": ("read",)},
    ),
    Difference(
        "JSON with `multiLine: true` is for Apache Spark; the embedded engine refuses it.",
        (SPARK,),
        {"json: many lines": ("read",)},
    ),
    Difference(
        "A Delta column whose name has a blank or one of `,;{}()=` is refused by Apache Spark.",
        (SPARK,),
        {"delta: a name with a blank": ("write", "stored", "read")},
    ),
    Difference(
        "How many rows an overwrite of a part of a Delta table has written is not known of every engine: "
        "where it is not, a summary has `-`.",
        (SPARK,),
        {"delta: no rows for the dates": ("write",)},
    ),
    Difference(
        "How many rows an overwrite of a part of a Delta table has written is told of frames that are written "
        "directly, where Spark's are counted with those beside them.",
        DIRECT,
        {f"delta: where {where}": ("write",) for where in _WHERE},
    ),
)


def listed(name: str, of: str) -> set[str]:
    """Return the parts of a case in which somebody is known to differ."""
    return {part for one in DIFFERENCES if of in one.of for part in one.shown.get(name, ())}


def differing(of: str) -> set[str]:
    """Return the cases in which somebody is known to differ."""
    return {name for one in DIFFERENCES if of in one.of for name in one.shown}
