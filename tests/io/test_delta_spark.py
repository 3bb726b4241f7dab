"""Apache Spark with delta-spark and the embedded engine leave the same tables, count and refuse the same."""

import importlib.util
from pathlib import Path

import polars as pl
import pytest


def _loaded():
    spec = importlib.util.spec_from_file_location("delta_play", Path(__file__).with_name("delta_play.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


play = _loaded()
CASES, MADE = play.CASES, play.MADE


@pytest.fixture(scope="module")
def played(tmp_path_factory, apache_spark, engine):
    """Return what the writes came to, by engine."""
    by_spark = apache_spark.ask("delta")
    return {"local": play.play_all(engine, CASES, tmp_path_factory.mktemp("local")), "spark": by_spark()}


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
