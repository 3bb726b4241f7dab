"""Apache Spark with delta-spark and the embedded engine leave the same tables, count and refuse the same."""

import importlib.util
from pathlib import Path

import polars as pl
import pytest

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


def _loaded():
    spec = importlib.util.spec_from_file_location("delta_play", Path(__file__).with_name("delta_play.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def played(tmp_path_factory, apache_spark, engine):
    """Return what the writes came to, by engine."""
    made = {name: [{"sql": sql} for sql in statements] for name, (statements, _) in MADE.items()}
    by_spark = apache_spark.ask("delta", steps={**CASES, **made})
    return {"local": _loaded().play_all(engine, CASES, tmp_path_factory.mktemp("local")), "spark": by_spark()}


@pytest.mark.parametrize("case", CASES)
def test_both_engines_leave_the_same_table(played, case):
    embedded, spark = (played[engine][case] for engine in ("local", "spark"))
    assert embedded["columns"] == spark["columns"]
    assert embedded["rows"] == spark["rows"]


@pytest.mark.parametrize("case", CASES)
def test_both_engines_tell_the_same(played, case):
    embedded, spark = (played[engine][case] for engine in ("local", "spark"))
    if case == "replaceWhere outside":
        assert all("outside" in str(told[-1]) for told in (embedded["told"], spark["told"]))
    elif case == "an empty text":
        assert all("empty text in the partition column 'd'" in told[-1] for told in (embedded["told"], spark["told"]))
    else:
        assert embedded["told"] == spark["told"]


def test_the_cases_are_what_they_seem(played):
    """What both engines do alike could still be wrong."""
    told = {case: played["spark"][case]["told"] for case in CASES}
    assert told["replaceWhere"] == [3, 2]
    assert told["dynamic"][:3] == [3, 2, 0]
    assert "'w' (string) is new" in told["dynamic"][3]
    assert told["merge"][:3] == [3, 2, None]
    assert "id = 1 (2 rows)" in told["merge"][3]
    assert told["repeated"] == [3, 3, None, 1, 1]
    assert played["spark"]["repeated"]["rows"] == [["2024-12-31", 1, 10], ["2025-01-01", 2, 20]]
    assert played["spark"]["dynamic"]["columns"]["w"] == "String"
    assert played["spark"]["maintained"]["newest"] == "OPTIMIZE"


@pytest.mark.parametrize("case", MADE)
def test_a_table_with_features_that_only_apache_spark_makes_is_read_added_to_and_merged(played, store, case):
    path = played["spark"][case]["path"]
    expected = MADE[case][1]
    assert sorted(store("delta", section="input", filepath=path).read().rows()) == expected
    more = pl.DataFrame({"id": [90, 91], "v": [0, 0]})
    assert store("delta", filepath=path, write_mode="append").write(more) == 2
    assert store("delta", filepath=path, write_mode="merge", merge_keys="id").write(more.with_columns(v=1)) == 2
    assert sorted(store("delta", section="input", filepath=path).read().rows()) == [*expected, (90, 1), (91, 1)]
