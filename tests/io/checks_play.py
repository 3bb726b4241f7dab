"""Plays checks on an engine; Apache Spark does so in a process of its own."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl

from tauro.config.checks import CHECKS
from tauro.config.dates import Window
from tauro.config.model import DatasetConfig
from tauro.config.report import Report, SectionReport
from tauro.config.schema import Settings, build, option
from tauro.io.checks import CheckFailed, Scope, check_read, checked_write
from tauro.io.formats import Target
from tauro.io.location import Location
from tauro.io.registry import direct_format, format_named

NOW = datetime(2025, 6, 1, tzinfo=UTC)
NAN = float("nan")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# The rows that all engines look at; `id` names them. Row 8 has nothing but nulls.
ROWS = pl.DataFrame(
    {
        "id": [1, 2, 3, 4, 5, 6, 7, 8],
        "small": [-5, 0, 5, 10, 15, 20, 25, None],
        "amount": [-1.5, 0.0, 0.1, 9.99, 10.0, 10.01, NAN, None],
        "price": [Decimal("0.10"), Decimal("1.00"), Decimal("1.01"), Decimal("2.50"), Decimal("9.99"), Decimal("10.00"),
                  Decimal("-0.01"), None],
        "status": ["new", "paid", "NEW", "", " new", "new\n", "nëw", None],
        "code": ["a1", "A1", "1a", "a1\n", "b22", "\u0661", "a b", None],
        "flag": [True, True, False, True, False, True, True, None],
        "day": [date(2025, 1, d) for d in (1, 2, 3, 4, 5, 6, 7)] + [None],
        "moment": [at(f"2025-01-0{d} 12:00:00.500") for d in (1, 2, 3, 4, 5, 6, 7)] + [None],
        "other": [2, 0, 5, 9, 15, 21, 7, None],
        "odd `na.me": ["x", "x", "y", "y", "z", "z", "z", None],
    },
    schema_overrides={"small": pl.Int32, "price": pl.Decimal(10, 2), "moment": pl.Datetime("us", "UTC")},
)  # fmt: skip
OTHERS = {
    "numbers": pl.DataFrame(
        {"key": [0, 2, 5, 5, None], "word": ["x", "x", "y", "q", "z"]}, schema_overrides={"key": pl.Int32}
    ),
    "words": pl.DataFrame({"status": ["new", "paid", None]}),
    "nothing": pl.DataFrame(schema={"other": pl.Int64}),
}
# Each is a check of rows, and the rows that fail it.
OF_ROWS = {
    "not null": ({"not_null": "status"}, [8]),
    "not null, of several columns": ({"not_null": ["id", "odd `na.me"]}, [8]),
    "values: texts": ({"accepted_values": {"column": "status", "values": ["new", "paid"]}}, [3, 4, 5, 6, 7]),
    "values: whole numbers": ({"accepted_values": {"column": "small", "values": [-5, 0, 5.0, 10, 15]}}, [6, 7]),
    "values: broken numbers": ({"accepted_values": {"column": "amount", "values": [0, 0.1, 9.99]}}, [1, 5, 6, 7]),
    "values: decimals": ({"accepted_values": {"column": "price", "values": [0.1, 1, 2.5]}}, [3, 5, 6, 7]),
    "values: truth": ({"accepted_values": {"column": "flag", "values": [True]}}, [3, 5]),
    "values: days": ({"accepted_values": {"column": "day", "values": ["2025-01-01", "2025-01-07"]}}, [2, 3, 4, 5, 6]),
    "values: times": ({"accepted_values": {"column": "moment", "values": ["2025-01-01 13:00:00.5+01:00"]}},
                      [2, 3, 4, 5, 6, 7]),
    "range: whole numbers": ({"range": {"column": "small", "min": 0, "max": 15}}, [1, 6, 7]),
    "range: broken bounds of whole numbers": ({"range": {"column": "small", "min": 0.5, "max": 14.5}}, [1, 2, 5, 6, 7]),
    "range: strict": ({"range": {"column": "small", "above": 0, "below": 15}}, [1, 2, 5, 6, 7]),
    "range: strict and broken": ({"range": {"column": "small", "above": -0.5, "below": 15.5}}, [1, 6, 7]),
    "range: broken numbers": ({"range": {"column": "amount", "min": 0.1, "max": 10}}, [1, 2, 6, 7]),
    "range: no number is larger than all": ({"range": {"column": "amount", "min": 0}}, [1]),
    "range: decimals": ({"range": {"column": "price", "min": 0.1, "below": 9.99}}, [5, 6, 7]),
    "range: days": ({"range": {"column": "day", "min": "2025-01-02", "below": "2025-01-06"}}, [1, 6, 7]),
    "range: times": ({"range": {"column": "moment", "min": "2025-01-02", "max": "2025-01-05T12:00:00.5Z"}}, [1, 6, 7]),
    "range: texts": ({"range": {"column": "odd `na.me", "above": "x"}}, [1, 2]),
    "matches: all of a text": ({"matches": {"column": "status", "pattern": "new|paid"}}, [3, 4, 5, 6, 7]),
    "matches: in any case": ({"matches": {"column": "status", "pattern": "(?i)new"}}, [2, 4, 5, 6, 7]),
    "matches: digits of all scripts": ({"matches": {"column": "code", "pattern": r"\w?\d+"}}, [3, 4, 7]),
    "matches: any letter but a line feed": ({"matches": {"column": "code", "pattern": "a.*"}}, [2, 3, 4, 5, 6]),
    "matches: anchors of its own": ({"matches": {"column": "status", "pattern": "^new$"}}, [2, 3, 4, 5, 6, 7]),
    "expression: two columns": ({"expression": "small <= other"}, [4, 7]),
    "expression: a sum": ({"expression": "other - small + 1 > 0"}, [4, 7]),
    "expression: and, or, not": ({"expression": "NOT (flag OR small > 10) OR id = 1"}, [2, 4, 5, 6, 7]),
    "expression: what is unknown passes": ({"expression": "small > 0 OR status = 'new'"}, [2]),
    "expression: is null": ({"expression": "small IS NOT NULL AND status IS NOT NULL"}, [8]),
    "expression: between and in": ({"expression": "small BETWEEN 0 AND 15 AND id IN (2, 3, 5)"}, [1, 4, 6, 7, 8]),
    "expression: days and times": (
        {"expression": "day >= DATE '2025-01-02' AND moment < '2025-01-05 13:00:00'"}, [1, 6, 7],
    ),
    "expression: names in any case": ({"expression": "`ODD ``na.me` <> 'z' AND SMALL >= -5"}, [5, 6, 7]),
    "expression: no number": ({"expression": "amount <= 10"}, [6, 7]),
    "references": ({"references": {"column": "other", "dataset": "numbers", "key": "key"}}, [4, 5, 6, 7]),
    "references: a column of the same name": (
        {"references": {"column": "status", "dataset": "words"}}, [3, 4, 5, 6, 7],
    ),
    "references: several columns": (
        {"references": {"column": ["other", "odd `na.me"], "dataset": "numbers", "key": ["key", "word"]}}, [4, 5, 6, 7],
    ),
    "references: to no rows": ({"references": {"column": "other", "dataset": "nothing"}}, [1, 2, 3, 4, 5, 6, 7]),
}  # fmt: skip
BAD = {"range": {"column": "small", "min": 0, "max": 15}}  # rows 1, 6 and 7
WORSE = {"not_null": "status"}  # row 8
# Whole lists of checks: what is written, what is put aside, and what becomes of each check.
LISTS = {
    "an error": ([BAD], None, [], ["failed"]),
    "an error that no row makes": ([{"not_null": "id"}], "all", [], ["passed"]),
    "a warning": ([{**BAD, "on_failure": "warn"}], "all", [], ["warned"]),
    "rows are dropped": ([{**BAD, "on_failure": "drop"}], [2, 3, 4, 5, 8], [], ["dropped"]),
    "rows are put aside": ([{**BAD, "on_failure": "quarantine"}], [2, 3, 4, 5, 8], [1, 6, 7], ["quarantined"]),
    "one is put aside, others are dropped": (
        [{**BAD, "on_failure": "drop"}, {"accepted_values": {"column": "id", "values": [2, 3, 4, 5, 6, 7, 8]},
                                         "on_failure": "quarantine"}],
        [2, 3, 4, 5, 8], [1], ["dropped", "quarantined"],
    ),
    "an error beside rows that are put aside": (
        [{**BAD, "on_failure": "quarantine"}, WORSE], None, [], ["quarantined", "failed"],
    ),
    "an error about a row that is put aside": (
        [{**BAD, "on_failure": "quarantine"}, {"range": {"column": "small", "max": 20}}], None, [],
        ["quarantined", "failed"],
    ),
    "as many as may fail": ([{**BAD, "max_failures": 0.375}], "all", [], ["passed"]),
    "more than may fail": ([{**BAD, "max_failures": 0.37}], None, [], ["failed"]),
    "a warning within its share": ([{**BAD, "on_failure": "warn", "max_failures": 0.5}], "all", [], ["passed"]),
    "a warning beyond its share": ([{**BAD, "on_failure": "warn", "max_failures": 0.1}], "all", [], ["warned"]),
    "few enough are put aside": (
        [{**BAD, "on_failure": "quarantine", "max_failures": 0.375}], [2, 3, 4, 5, 8], [1, 6, 7], ["quarantined"],
    ),
    "too many to be put aside": ([{**BAD, "on_failure": "quarantine", "max_failures": 0.3}], None, [], ["failed"]),
    "too many to be dropped": ([{**BAD, "on_failure": "drop", "max_failures": 0}], None, [], ["failed"]),
    "unique": ([{"unique": "id"}], "all", [], ["passed"]),
    "not unique": ([{"unique": "odd `na.me"}], None, [], ["failed"]),
    "not unique, a warning": ([{"unique": "flag", "on_failure": "warn"}], "all", [], ["warned"]),
    "unique together": ([{"unique": ["flag", "odd `na.me"]}], None, [], ["failed"]),
    "nearly unique": ([{"unique": "odd `na.me", "max_failures": 0.5}], "all", [], ["passed"]),
    "unique among the rows that are written": (
        [{"accepted_values": {"column": "id", "values": [1, 3, 5]}, "on_failure": "drop"}, {"unique": "odd `na.me"}],
        [1, 3, 5], [], ["dropped", "passed"],
    ),
    "enough rows": ([{"row_count": {"min": 8, "max": 8}}], "all", [], ["passed"]),
    "too few rows": ([{"row_count": {"min": 9}}], None, [], ["failed"]),
    "too many rows": ([{"row_count": {"max": 7}}], None, [], ["failed"]),
    "too many rows, a warning": ([{"row_count": {"max": 7}, "on_failure": "warn"}], "all", [], ["warned"]),
    "too few rows are written": (
        [{**BAD, "on_failure": "drop"}, {"row_count": {"min": 6}}], None, [], ["dropped", "failed"],
    ),
    "a row": ([{"not_empty": True}], "all", [], ["passed"]),
    "fresh": ([{"freshness": {"column": "moment", "max_age": "150d"}}], "all", [], ["passed"]),
    "fresh by days": ([{"freshness": {"column": "day", "max_age": "150d"}}], "all", [], ["passed"]),
    "not fresh": ([{"freshness": {"column": "moment", "max_age": "144d"}}], None, [], ["failed"]),
    "not fresh, a warning": ([{"freshness": {"column": "day", "max_age": "1h"}, "on_failure": "warn"}], "all", [],
                             ["warned"]),
    "columns": ([{"required_columns": ["id", "odd `na.me"]}], "all", [], ["passed"]),
    "columns are missing": ([{"required_columns": ["id", "ID", "x"]}], None, [], ["failed"]),
    "columns are missing, a warning": ([{"required_columns": "x", "on_failure": "warn"}, {"not_null": "id"}], "all", [],
                                       ["warned", "passed"]),
    "two checks of one name": ([{**BAD, "on_failure": "warn"}, {**BAD, "on_failure": "warn"}], "all", [],
                               ["warned", "warned"]),
}  # fmt: skip
# Of an empty frame.
EMPTY = {
    "every check of rows": ([check for check, _ in OF_ROWS.values()], "passed"),
    "every check of rows that puts aside": (
        [{**check, "on_failure": "quarantine"} for check, _ in OF_ROWS.values()],
        "passed",
    ),
    "no row": ([{"not_empty": True}], "failed"),
    "no row of at most one": ([{"row_count": {"max": 1}}], "passed"),
    "unique": ([{"unique": "id"}], "passed"),
    "a share": ([{**BAD, "max_failures": 0.1}], "passed"),
    "fresh": ([{"freshness": {"column": "day", "max_age": "1d"}}], "failed"),
}


# What Apache Spark does in its own way: it keeps frames, and refuses single rows.
FEW = {
    "list: an error", "list: one is put aside, others are dropped", "list: an error beside rows that are put aside",
    "list: too many to be put aside", "list: as many as may fail", "list: unique together", "list: not fresh",
    "list: unique among the rows that are written", "list: too few rows are written", "list: columns are missing",
    "empty: every check of rows that puts aside", "empty: no row", "empty: fresh",
}  # fmt: skip


class _Holder(Settings):
    checks = option(CHECKS, "Checks.", default=())


def checks_of(settings):
    """Return checks as settings say them."""
    report = Report({})
    report.add = refuse
    return build(_Holder, {"checks": settings}, (), SectionReport(report, "output")).checks


def refuse(kind, message, at, **more):
    raise AssertionError(message)


def scope(folder, frame_of):
    return Scope("orders", "run-1", NOW, Path(folder), lambda name, kind: frame_of(OTHERS[name]))


def on_polars(frame):
    return frame.lazy()


def on_spark(session):
    def frame_of(frame):
        arrow = frame.to_arrow()
        if frame.height:
            return session.createDataFrame(arrow)
        columns = ", ".join(
            f"cast(null as {'bigint' if 'int' in str(f.type) else 'string'}) as `{f.name}`" for f in arrow.schema
        )
        return session.sql(f"select {columns}").limit(0)

    return frame_of


def empty(frame_of):
    return frame_of(ROWS).limit(0)


def write(frame, path):
    """Write a frame as its engine does it, in place of what is there."""
    config = DatasetConfig(name="orders", section="output", format="parquet")
    target = Target(Location(str(path), path, path.name), config, Window(date(2025, 1, 1), date(2025, 1, 31)))
    parquet = format_named("parquet")
    if isinstance(frame, pl.LazyFrame):
        direct_format(parquet).write(frame, target)
    else:
        parquet.write(frame, target)


def ids(path):
    return sorted(row for file in path.rglob("*.parquet") for row in pl.read_parquet(file)["id"])


def rows_of(frame):
    """Return the rows of a frame of any engine."""
    if frame is None:
        return []
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    return frame.rows(named=True) if isinstance(frame, pl.DataFrame) else frame.toArrow().to_pylist()


def play_write(frame_of, settings, path, frame=None):
    """Write rows with checks in place of others, and return what came of it."""
    frame = frame_of(ROWS) if frame is None else frame
    path.mkdir()
    pl.DataFrame({"id": [99]}).write_parquet(path / "earlier.parquet")
    try:
        with checked_write(frame, checks_of(settings), scope(path.with_suffix(".spool"), frame_of)) as checked:
            write(checked.frame, path)
            outcome = checked.outcome()
            aside = rows_of(outcome.quarantine)
    except CheckFailed as error:
        return {"there": ids(path), "aside": [], "report": error.report.to_dict(), "error": error.message}
    return {"there": ids(path), **_told(aside, outcome.report)}


def play_read(frame_of, settings):
    """Read rows with checks, and return what came of it."""
    try:
        outcome = check_read(frame_of(ROWS), checks_of(settings), scope("unused", frame_of))
    except CheckFailed as error:
        return {"there": [99], "aside": [], "report": error.report.to_dict(), "error": error.message}
    there = sorted(row["id"] for row in rows_of(outcome.frame))
    return {"there": there, **_told(rows_of(outcome.quarantine), outcome.report)}


def _told(aside, report):
    bad = sorted([row["id"], row["_tauro_reason"], row["_tauro_run"], str(row["_tauro_at"])] for row in aside)
    return {"aside": bad, "report": report.to_dict()}


def all_cases():
    """Return every case by its name: the checks, and whether the frame is empty."""
    cases = {f"rows: {name}": ([{**check, "on_failure": "quarantine"}], False) for name, (check, _) in OF_ROWS.items()}
    return cases | of_lists() | few_cases()


def few_cases():
    """Return some cases by their name, with all checks of rows in one: Apache Spark takes its time for each."""
    every = [{**check, "on_failure": "quarantine"} for check, _ in OF_ROWS.values()]
    return {"every check of rows": (every, False), **{name: case for name, case in of_lists().items() if name in FEW}}


def of_lists():
    cases = {f"list: {name}": (settings, False) for name, (settings, *_) in LISTS.items()}
    return cases | {f"empty: {name}": (settings, True) for name, (settings, _) in EMPTY.items()}


def play_all(frame_of, folder, cases=None):
    """Play cases, written and read."""
    played = {}
    for number, (name, (settings, is_empty)) in enumerate((cases or all_cases()).items()):
        frame = empty(frame_of) if is_empty else None
        played[name] = {"write": play_write(frame_of, settings, Path(folder) / str(number), frame)}
        if not is_empty and not (cases and name == "every check of rows"):
            played[name]["read"] = play_read(frame_of, settings)
    return played
