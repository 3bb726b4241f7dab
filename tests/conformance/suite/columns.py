"""One column for each type that Polars has and a table keeps."""

from datetime import date, datetime
from decimal import Decimal

import pandas as pd
import polars as pl

MOMENT = datetime(2024, 3, 31, 1, 30, 0, 123456)  # noqa: DTZ001 - without a zone on purpose

COLUMNS = {
    "bool": pl.Series([True, None]),
    "tiny": pl.Series([-128, None], dtype=pl.Int8),
    "small": pl.Series([-32768, None], dtype=pl.Int16),
    "int": pl.Series([-(2**31), None], dtype=pl.Int32),
    "big": pl.Series([2**63 - 1, None]),
    "unsigned8": pl.Series([255, None], dtype=pl.UInt8),
    "unsigned16": pl.Series([65535, None], dtype=pl.UInt16),
    "unsigned32": pl.Series([2**32 - 1, None], dtype=pl.UInt32),
    "unsigned64": pl.Series([2**64 - 1, None], dtype=pl.UInt64),
    "float": pl.Series([0.1, None], dtype=pl.Float32),
    "double": pl.Series([1e300, -0.0]),
    "large": pl.Series([1e20, 123456789012345680.0]),
    "small_double": pl.Series([1e-7, 0.001]),
    "no_number": pl.Series([float("nan"), None]),
    "infinite": pl.Series([float("-inf"), float("inf")]),
    "text": pl.Series(['é, "q"\nl', None]),
    "blanks": pl.Series([" a ", "\t"]),
    "backslashes": pl.Series(["a\\", 'a\\"b']),
    "signs": pl.Series(["🚲 \u200b", "x'y#"]),
    "empty_text": pl.Series(["", None]),
    "bytes": pl.Series([b"\x00\xff", None]),
    "day": pl.Series([date(1, 1, 1), date(9999, 12, 31)]),
    "day_before_1582": pl.Series([date(1500, 2, 28), None]),
    "time_in_utc": pl.Series([MOMENT, None]).dt.replace_time_zone("UTC"),
    "time_elsewhere": pl.Series([MOMENT, None]).dt.replace_time_zone("America/New_York"),
    "time_without_zone": pl.Series([MOMENT, MOMENT.replace(year=1)]),
    "time_in_ms": pl.Series([MOMENT, None], dtype=pl.Datetime("ms")),
    "time_in_ns": pl.Series([MOMENT, None], dtype=pl.Datetime("ns")),
    "decimal": pl.Series([Decimal("-0.05"), None], dtype=pl.Decimal(10, 2)),
    "wide_decimal": pl.Series([Decimal("1.5"), None], dtype=pl.Decimal(38, 10)),
    "category": pl.Series(["a", None], dtype=pl.Categorical),
    "enum": pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
    "nothing": pl.Series([None, None]),
    "list": pl.Series([[1, None], None]),
    "list_of_texts": pl.Series([["a"], []]),
    "list_of_unsigned": pl.Series([[255], None], dtype=pl.List(pl.UInt8)),
    "list_of_categories": pl.Series([["a"], None], dtype=pl.List(pl.Categorical)),
    "array": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int32, 2)),
    "structure": pl.Series([{"a": 1, "b": "x"}, None]),
    "structure_of_times": pl.Series([{"t": MOMENT}, None]),
    "list_of_structures": pl.Series([[{"a": 1, "b": [1.5]}], None]),
    "map": pl.Series([{"a": 1}, None], dtype=pl.Map(pl.String, pl.Int64)),
}


def table_of(*, without: tuple[str, ...] = ()) -> pl.DataFrame:
    """Return a frame of the columns whose names do not begin with one of ``without``, and ``id``."""
    return pl.DataFrame({"id": [1, 2], **{name: it for name, it in COLUMNS.items() if not name.startswith(without)}})


# Formats of text have no nested columns and no bytes.
PLAIN = table_of(without=("list", "array", "structure", "map", "bytes"))

# What only pandas has.
PANDAS = {
    "ints with a gap": pd.Series([1, None]),
    "nullable ints": pd.Series([1, None], dtype="Int64"),
    "floats with nan": pd.Series([1.5, float("nan")]),
    "objects": pd.Series(["a", None], dtype=object),
    "objects with nan": pd.Series(["a", float("nan")], dtype=object),
    "bools with a gap": pd.Series([True, None], dtype=object),
    "category": pd.Series(["a", "b"], dtype="category"),
    "category of ints": pd.Series([1, 2], dtype="category"),
    "nanoseconds": pd.Series([pd.Timestamp("2024-01-01 00:00:00.123456789"), None]),
    "a zone": pd.Series([pd.Timestamp("2024-01-01", tz="Europe/Berlin"), None]),
    "days": pd.Series([date(2024, 1, 1), None]),
    "decimals": pd.Series([Decimal("1.10"), None]),
    "lists": pd.Series([[1], None]),
    "dicts": pd.Series([{"a": 1}, None]),
    "bytes": pd.Series([b"a", None]),
    "unsigned": pd.Series([1, 255], dtype="uint8"),
    "nothing": pd.Series([None, None], dtype=object),
}
