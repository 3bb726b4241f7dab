"""Plays writes on one engine; Apache Spark does so in a process of its own."""

from datetime import date
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from tauro.config.dates import Window
from tauro.config.model import DatasetConfig
from tauro.config.report import Report, SectionReport
from tauro.config.schema import build
from tauro.errors import TauroError
from tauro.io.delta.commits import WriteId, history
from tauro.io.delta.format import DeltaFormat
from tauro.io.formats import Target
from tauro.io.location import Location

JANUARY = Window(date(2025, 1, 1), date(2025, 1, 31))
DELTA = DeltaFormat()


ROWS = "SELECT * FROM VALUES (1, '2024-12-31', 10), (2, '2025-01-01', 20), (3, '2025-01-31', 30) AS t(id, d, v)"
NEW = "SELECT * FROM VALUES (2, '2025-01-01', 21), (4, '2025-01-15', 41) AS t(id, d, v)"
NONE = "SELECT * FROM VALUES (2, '2025-01-01', 21) AS t(id, d, v) WHERE id > 9"
WIDER = "SELECT *, 'w' AS w FROM VALUES (2, '2025-01-01', 21), (4, '2025-01-15', 41) AS t(id, d, v)"
PARTED = {"partition_by": "d"}
MERGE = {"write_mode": "merge", "merge_keys": "id"}
ADDED = {"update": {"v": "source.v + target.v"}}


def steps(*writes):
    return [{"settings": {"format": "delta", **settings}, "rows": rows, **more} for settings, rows, more in writes]


CASES = {
    "replaceWhere": steps((PARTED, ROWS, {}), ({**PARTED, "overwrite_strategy": "replaceWhere"}, NEW, {})),
    "replaceWhere outside": steps(
        (PARTED, ROWS, {}), ({**PARTED, "overwrite_strategy": "replaceWhere"}, ROWS, {})
    ),
    "replaceWhere of some rows in a file": steps(
        ({}, ROWS, {}),
        ({"overwrite_strategy": "replaceWhere", "replace_predicate": "id = 2"}, NEW + " WHERE id = 2", {}),
    ),
    "dynamic": steps(
        (PARTED, ROWS, {}),
        ({**PARTED, "overwrite_strategy": "dynamic"}, NEW, {}),
        ({**PARTED, "overwrite_strategy": "dynamic"}, NONE, {}),
        ({**PARTED, "overwrite_strategy": "dynamic"}, WIDER, {}),
        ({**PARTED, "overwrite_strategy": "dynamic", "merge_schema": True}, WIDER, {}),
    ),
    "merge": steps(
        ({**MERGE, **PARTED}, ROWS, {}),
        (MERGE, NEW, {}),
        (MERGE, NONE, {}),
        (MERGE, "SELECT 1 AS id, 'x' AS d, 1 AS v UNION ALL SELECT 1, 'y', 2", {}),
        (MERGE, WIDER, {}),
        ({**MERGE, "merge_schema": True}, WIDER, {}),
        ({**MERGE, "when_matched": [{"delete": True, "condition": "source.v = 41"}, ADDED]}, NEW, {}),
        ({**MERGE, "when_matched": {"update": {"v": "source.d"}}}, NEW, {}),
    ),
    "repeated": steps(
        ({"write_mode": "append"}, ROWS, {"id": "a"}),
        ({"write_mode": "append"}, ROWS, {"id": "a", "repeats": True}),
        ({"write_mode": "append"}, ROWS, {"id": "a", "repeats": True, "elsewhere": True}),
        ({**MERGE, "when_matched": "delete"}, "SELECT 3 AS id, 'x' AS d, 1 AS v", {"id": "b"}),
        ({**MERGE, "when_matched": "delete"}, "SELECT 3 AS id, 'x' AS d, 1 AS v", {"id": "b", "repeats": True}),
    ),
    "columns": steps(
        ({}, "SELECT 1 AS id, 'x' AS n", {}),
        ({"write_mode": "append"}, "SELECT int(null) AS id, string(null) AS n", {}),
        ({"write_mode": "append"}, "SELECT 1 AS id", {}),
        ({"write_mode": "append"}, "SELECT 1L AS id, 'x' AS n", {}),
        ({"write_mode": "append", "merge_schema": True}, "SELECT 2 AS id, 'y' AS n, 'z' AS m", {}),
    ),
    "an empty text": steps((PARTED, ROWS, {}), ({"write_mode": "append"}, "SELECT 1 AS id, '' AS d, 1 AS v", {})),
    "maintained": steps(
        ({"write_mode": "append"}, ROWS, {}),
        ({"write_mode": "append", "optimize": True, "vacuum": True}, ROWS, {}),
    ),
}  # fmt: skip

# Tables that only Apache Spark makes, and what the embedded engine must then read.
CREATE = "CREATE TABLE TABLE_HERE"
MADE = {
    "deletion vectors": (
        [
            f"{CREATE} (id BIGINT, v BIGINT) USING delta TBLPROPERTIES (delta.enableDeletionVectors = true)",
            "INSERT INTO TABLE_HERE SELECT /*+ COALESCE(1) */ id, id * 2 FROM range(6)",
            "DELETE FROM TABLE_HERE WHERE id < 4",
        ],
        [(4, 8), (5, 10)],
    ),
    "a renamed column": (
        [
            f"{CREATE} (id BIGINT, w BIGINT) USING delta TBLPROPERTIES (delta.columnMapping.mode = 'name')",
            "INSERT INTO TABLE_HERE VALUES (1, 2)",
            "ALTER TABLE TABLE_HERE RENAME COLUMN w TO v",
        ],
        [(1, 2)],
    ),
    "a widened column": (
        [
            f"{CREATE} (id INT, v BIGINT) USING delta TBLPROPERTIES (delta.enableTypeWidening = true)",
            "INSERT INTO TABLE_HERE VALUES (1, 2)",
            "ALTER TABLE TABLE_HERE ALTER COLUMN id TYPE BIGINT",
        ],
        [(1, 2)],
    ),
}


def all_cases():
    """Return every case, and those that only Apache Spark can make."""
    return CASES | {name: [{"sql": sql} for sql in statements] for name, (statements, _) in MADE.items()}


def play(session, step, path):
    """Write, and return how many rows were told, or the error; or execute a statement of the engine's own."""
    if "sql" in step:
        session.sql(step["sql"].replace("TABLE_HERE", f"delta.`{path}`")).collect()
        return None
    config = build(DatasetConfig, step["settings"], (), SectionReport(Report({}), "output"), name="t", section="output")
    local = Location(str(path), path, "t")
    location = local if not step.get("elsewhere") else Location(f"file://{path}", None, "t")
    write = WriteId(step.get("id", f"{step}"), step.get("repeats", False))
    target = Target(location, config, JANUARY, write)
    try:
        return DELTA.write(session.sql(step["rows"]), target)
    except TauroError as error:
        return error.message
    except Exception as error:  # noqa: BLE001 - the engine's own
        return f"{type(error).__name__}: outside" if "outside of what" in str(error) else f"{error}"


def table(path):
    frame = pl.from_arrow(DeltaTable(path).to_pyarrow_table())
    frame = frame.select(sorted(frame.columns))
    kinds = {name: str(kind) for name, kind in frame.schema.items()}
    return {"columns": kinds, "rows": sorted(map(list, frame.rows()), key=repr)}


def play_all(engine, cases, folder):
    """Return for each case what its steps were told, and what has become of its table."""
    session, results = engine.session(), {}
    for case, steps in cases.items():
        path = Path(folder) / case
        told = [play(session, step, path) for step in steps]
        newest = history(Location(str(path), path, "t"), 1)[0]
        own = {} if "sql" in steps[0] else table(path)  # other readers do not know all that the engine makes
        results[case] = {"told": told, "newest": newest.operation, "path": str(path), **own}
    return results
