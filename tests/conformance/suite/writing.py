"""Cases of writes."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl

from suite.columns import PLAIN, table_of
from suite.model import Case, Read, Write

ONE = pl.DataFrame({"id": [1, 2], "v": ["a", None]})
TWO = pl.DataFrame({"id": [3], "v": ["é, 'x'"]})
DAYS = pl.DataFrame({"d": ["2024-12-31", "2025-01-01", "2025-01-31", "2025-02-01", None], "v": [1, 2, 3, 4, 5]})
KNOWN = DAYS.drop_nulls()
NINES = DAYS[1:3].with_columns(v=pl.lit(9, pl.Int64))
FILES = ("csv", "json", "parquet")
TABLES = (*FILES, "delta")
TYPED = ("parquet", "delta")
APPEND = {"write_mode": "append"}
ONE_AS_DDL = Read({"schema": "id BIGINT, v STRING"})


def each(formats, named):
    """Return cases for several formats: ``named`` makes those of one."""
    return {f"{format_}: {name}": case for format_ in formats for name, case in named(format_).items()}


def _types(format_):
    frame = table_of() if format_ in TYPED else PLAIN if format_ == "csv" else table_of(without=("nothing", "bytes"))
    return {"types": Case(format_, (Write(frame),), wide=True)}


def _modes(format_):
    # Nothing but the rows says which columns a folder of JSON has.
    told = {"schema": "id BIGINT, v STRING"} if format_ == "json" else {}
    append, ignore, error = ({"write_mode": mode, **told} for mode in ("append", "ignore", "error"))
    first = Write(ONE, told)
    return {
        "overwritten": (first, Write(TWO, told)),
        "added to": (Write(ONE, append), Write(TWO, append)),
        "left alone": (Write(ONE, ignore), Write(TWO, ignore)),
        "not touched": (Write(ONE, error), Write(TWO, error, "write_mode is 'error'")),
        "added in another order": (first, Write(TWO.select("v", "id"), append)),
        "added with smaller numbers": (first, Write(TWO.cast({"id": pl.Int16}), append)),
        "nothing but nulls is added": (first, Write(TWO.with_columns(v=None), append)),
        "emptied": (first, Write(ONE.clear(), told)),
        "nothing is added": (first, Write(ONE.clear(), append)),
        "added to nothing": (Write(ONE.clear(), told), Write(TWO, append)),
    }


MISFITS = {
    "a text": (TWO.with_columns(id=pl.lit("text")), "'id' is string, in the table bigint"),
    "a broken number": (TWO.with_columns(id=pl.lit(1.5)), "'id' is double, in the table bigint"),
    "a column less": (TWO.select("id"), "'v' is missing"),
    "a column more": (TWO.with_columns(w=pl.lit(1)), "'w' .*is new|'w' is new"),
    "another case of letters": (TWO.rename({"id": "ID"}), "'ID' is 'id' in the table|'ID' is new"),
}
NARROW = {
    "a wider decimal": (pl.Decimal(10, 2), Decimal("1.234"), pl.Decimal(10, 3)),
    "a bigger number": (pl.Int32, 2**40, pl.Int64),
    "a moment for a day": (pl.Date, datetime(2025, 1, 1, 5, tzinfo=UTC), pl.Datetime("us", "UTC")),
    "a number for a truth": (pl.Boolean, 1, pl.Int32),
}


def _misfits(format_):
    cases = {f"refused: {name}": (Write(ONE), Write(wrong, APPEND, says)) for name, (wrong, says) in MISFITS.items()}
    for name, (kind, value, wider) in NARROW.items():
        there = pl.DataFrame({"v": pl.Series([None], dtype=kind)})
        wrong = pl.DataFrame({"v": pl.Series([value], dtype=wider)})
        cases[f"refused: {name}"] = (Write(there), Write(wrong, APPEND, "'v' is .*, in the table"))
    return cases


PARTS = {
    "texts": pl.Series(["x", "y z", "é", "a/b%"]),
    "numbers": pl.Series([1, 0, -5, 1], dtype=pl.Int32),
    "truths": pl.Series([True, False, False, True]),
    "days": pl.Series([date(2025, 1, 1), date(2025, 2, 1)] * 2),
    "decimals": pl.Series([Decimal("1.10"), Decimal("-2.00")] * 2, dtype=pl.Decimal(10, 2)),
    "moments": pl.Series([datetime(2025, 1, 1, 5, 6, 7, 890000, UTC), datetime(2025, 1, 1, tzinfo=UTC)] * 2),
    "broken numbers": pl.Series([1.5, float("inf"), 1e20, -0.25]),
}


def _parts(format_):
    cases = {}
    for name, values in PARTS.items():
        frame = pl.DataFrame({"d": values, "id": [1, 2, 3, 4], "e": ["p", "q", "p", "q"]})
        settings = {"partition_by": ["d", "e"]}
        says = "hive partitions with datatype" if format_ != "delta" and name in ("decimals", "moments") else ""
        cases[f"parted by {name}"] = (Write(frame, settings, says), Write(frame, {**settings, **APPEND}, says))
    if format_ != "delta":
        null = pl.DataFrame({"d": [1, None], "id": [1, 2]})
        cases["parted by a null"] = (Write(ONE), Write(null, {"partition_by": ["d"]}, "partition column 'd'"))
    return cases


def _named(format_):
    blank = pl.DataFrame({"a b": [1]})
    odd = pl.DataFrame({"ä": [1], "a.b": [2], "c-d": [3], "`e`": [4], "select": [5]})
    nested = pl.DataFrame({"id": [1], "s": [{"a": 1, "b": [{"c": "x"}]}]})
    cases = {"odd names": (Write(odd), Write(odd, APPEND)), "a name with a blank": (Write(blank),)}
    if format_ in TYPED:
        cases["nested and added to"] = (Write(nested), Write(nested, APPEND))
    return cases


def _plain(format_):
    return _modes(format_) | _parts(format_) | _named(format_) | (_misfits(format_) if format_ in TYPED else {})


def of_files(format_):
    """Return the cases of writes that each format has."""
    reads = (ONE_AS_DDL,) if format_ == "json" else (Read(),)
    own = {name: Case(format_, writes) for name, writes in _plain(format_).items()}
    modes = _modes(format_)
    cases = {name: case._replace(reads=reads) if name in modes else case for name, case in own.items()}
    return _types(format_) | {name: _without_reads(case) for name, case in cases.items()}


def _without_reads(case):
    """Return a case without reads where none of its writes is done."""
    return case._replace(reads=()) if all(write.says for write in case.writes) else case


def _where(predicate=None, **more):
    asked = {} if predicate is None else {"replace_predicate": predicate}
    return {"overwrite_strategy": "replaceWhere", **asked, **more}


PARTED = {"partition_by": ["d"]}
DATED = _where(**PARTED)
DYNAMIC = {**PARTED, "overwrite_strategy": "dynamic"}
MERGE = {"write_mode": "merge", "merge_keys": "id"}
ORDERS = pl.DataFrame({"id": [1, 2, 3], "d": ["2024-12-31", "2025-01-01", "2025-01-31"], "v": [10, 20, 30]})
NEWER = pl.DataFrame({"id": [2, 4], "d": ["2025-01-01", "2025-01-15"], "v": [21, 41]})
WIDER = NEWER.with_columns(w=pl.lit("w"))
TWICE = pl.DataFrame({"id": [1, 1], "d": ["x", "y"], "v": [1, 2]})
OUTSIDE = "outside"
DELTA = {
    "new columns": (Write(ONE), Write(TWO.with_columns(w=pl.lit(1.5)), {**APPEND, "merge_schema": True})),
    "missing columns": (Write(ONE), Write(TWO.select("v"), {**APPEND, "merge_schema": True})),
    "other columns": (Write(ONE), Write(pl.DataFrame({"id": ["t"], "w": [1]}), {"overwrite_schema": True})),
    "columns in another order": (Write(ONE), Write(TWO.select("v", "id"), {"overwrite_schema": True})),
    "other partitions": (Write(TWO, {"partition_by": ["v"]}),
                         Write(TWO, {"partition_by": ["id"], "overwrite_schema": True})),
    "no partitions any more": (Write(TWO, {"partition_by": ["v"]}), Write(TWO, {"overwrite_schema": True})),
    "the table's own partitions": (Write(TWO, {"partition_by": ["v"]}), Write(TWO, APPEND)),
    "other partitions without leave": (Write(TWO, {"partition_by": ["v"]}), Write(TWO, {"partition_by": ["id"]}, ".")),
    "other columns without leave": (Write(ONE), Write(pl.DataFrame({"id": ["t"], "w": [1]}), {}, ".")),
    "nothing but nulls": (Write(ONE.with_columns(n=None)), Write(TWO.with_columns(n=None), APPEND)),
    "a new field inside": (Write(pl.DataFrame({"s": [{"a": 1}]})),
                           Write(pl.DataFrame({"s": [{"a": 1, "b": 2}]}), {**APPEND, "merge_schema": True}, "'s' is")),
    "the dates of the run": (Write(DAYS, PARTED), Write(NINES, DATED)),
    "a row outside of them": (Write(DAYS, PARTED), Write(DAYS[1:4], DATED, OUTSIDE)),
    "a row without a date": (Write(DAYS, PARTED), Write(DAYS[[1, 4]], DATED, OUTSIDE)),
    "the first rows of the dates": (Write(DAYS[1:3], DATED),),
    "a first row outside": (Write(DAYS[1:4], DATED, OUTSIDE),),
    "no rows for the dates": (Write(DAYS, PARTED), Write(DAYS.clear(), DATED)),
    "an empty text as a partition": (Write(pl.DataFrame({"id": [1], "v": [""]}), {"partition_by": ["v"]},
                                           "empty text in the partition column 'v'"),),
    "bytes as a partition": (Write(pl.DataFrame({"id": [1], "v": [b"ab"]}), {"partition_by": ["v"]}, "."),),
    "nothing as a partition": (Write(ONE, {"partition_by": ["v"]}),),
    "dynamic": (Write(ORDERS, PARTED), Write(NEWER, DYNAMIC), Write(NEWER.clear(), DYNAMIC),
                Write(WIDER, DYNAMIC, "'w' .*is new"), Write(WIDER, {**DYNAMIC, "merge_schema": True})),
    "dynamic with a null": (Write(DAYS, PARTED), Write(DAYS[[1, 4]].with_columns(v=pl.lit(7, pl.Int64)), DYNAMIC)),
    "dynamic at first": (Write(ORDERS, DYNAMIC),),
    "merged": (Write(ORDERS, {**MERGE, **PARTED}), Write(NEWER, MERGE), Write(NEWER.clear(), MERGE),
               Write(TWICE, MERGE, r"id = 1 \(2 rows\)"), Write(WIDER, MERGE, "'w' .*is new"),
               Write(WIDER, {**MERGE, "merge_schema": True})),
    "merged by conditions": (
        Write(ORDERS), Write(NEWER, {**MERGE, "when_matched": [
            {"delete": True, "condition": "source.v = 21"}, {"update": {"v": "source.v + target.v"}}]}),
        Write(NEWER, {**MERGE, "when_matched": {"update": {"v": "source.d"}}}, ".")),
    "merged with a null": (Write(ORDERS), Write(NEWER.with_columns(id=pl.Series([None, 4])), MERGE, ".")),
    "by names that need quotes": (Write(pl.DataFrame({"a.b": ["x'", "y"], "v": [1, 2]}), {"partition_by": ["a.b"]}),
                                  Write(pl.DataFrame({"a.b": ["x'"], "v": [3]}), _where("`a.b` = 'x\\''"))),
}  # fmt: skip
PREDICATES = ["v >= 3", "NOT (v < 3)", "v IN (3, 4)", "v BETWEEN 3 AND 4", "d >= '2025-01-31'", "v = 3 OR v = 4"]
INSIDE = pl.DataFrame({"d": ["2025-01-31"], "v": [3]})


def of_delta():
    """Return the cases of writes that only Delta tables have."""
    cases = {f"delta: {name}": _without_reads(Case("delta", writes)) for name, writes in DELTA.items()}
    for predicate in PREDICATES:
        cases[f"delta: where {predicate}"] = Case("delta", (Write(KNOWN), Write(INSIDE, _where(predicate))))
    cases["delta: where v >= 3, and nobody knows"] = Case(
        "delta", (Write(DAYS.with_columns(v=pl.Series([1, None, 3, 4, 5]))), Write(INSIDE, _where("v >= 3")))
    )
    return cases


def lines(*values):
    """Return a frame of lines."""
    return pl.DataFrame({"value": pl.Series(values, dtype=pl.String)})


def of_text():
    """Return the cases of lines of text."""
    return {
        "text: lines": Case("text", (Write(lines("", " é ", "a,b")), Write(lines("x"), APPEND))),
        "text: a break": Case("text", (Write(lines("a")), Write(lines("a\nb"), {}, "line break"))),
        "text: a null": Case("text", (Write(lines("a")), Write(lines(None), {}, "null"))),
        "text: no lines": Case("text", (Write(lines("a")), Write(lines()))),
        "text: two columns": Case("text", (Write(lines("a").with_columns(b=1), {}, "."),), ()),
        "text: no text": Case("text", (Write(pl.DataFrame({"value": [1]}), {}, "."),), ()),
    }


def all_writes():
    """Return every case of writes by its name."""
    return each(TABLES, of_files) | of_delta() | of_text()
