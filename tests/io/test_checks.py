"""Checks mean the same on every engine and kind of frame: what is written, what is put aside, what is told."""

import importlib.util
from pathlib import Path

import pytest

PLAY = Path(__file__).with_name("checks_play.py")


def _loaded():
    spec = importlib.util.spec_from_file_location("checks_play", PLAY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


play = _loaded()
ALL = play.ROWS["id"].to_list()


@pytest.fixture(scope="module")
def played(session, tmp_path_factory):
    """Return what came of every case, by the way that its frames go."""
    return {
        "polars": play.play_all(play.on_polars, tmp_path_factory.mktemp("polars")),
        "embedded": play.play_all(play.on_spark(session), tmp_path_factory.mktemp("embedded")),
    }


@pytest.fixture(scope="module")
def on_apache_spark(apache_spark):
    """Return what came of every case on Apache Spark, in a process of its own."""
    return apache_spark.ask("checks")()


def outcomes(found):
    return [result["outcome"] for result in found["report"]["results"]]


def without_order(found):
    """Return what came of a case; which rows are shown, and in which order, is nobody's promise."""
    results = [{**result, "examples": sorted(result["examples"])} for result in found["report"]["results"]]
    return {**found, "report": {**found["report"], "results": results}, "error": None}


@pytest.mark.parametrize("way", ["polars", "embedded"])
@pytest.mark.parametrize("verb", ["write", "read"])
@pytest.mark.parametrize("case", play.OF_ROWS)
def test_a_check_finds_the_rows_that_fail_it_and_lets_nulls_pass(played, way, verb, case):
    _, bad = play.OF_ROWS[case]
    found = played[way][f"rows: {case}"][verb]
    assert [row[0] for row in found["aside"]] == bad
    assert found["there"] == [row for row in ALL if row not in bad]
    (result,) = found["report"]["results"]
    assert (result["outcome"], result["failed"]) == ("quarantined", len(bad))
    assert 0 < len(result["examples"]) <= 5
    assert {tuple(row[1:3]) for row in found["aside"]} == {(result["name"], "run-1")}
    assert all(row[3].startswith("2025-06-01 00:00:00") for row in found["aside"])


@pytest.mark.parametrize("way", ["polars", "embedded"])
@pytest.mark.parametrize("verb", ["write", "read"])
@pytest.mark.parametrize("case", play.LISTS)
def test_what_is_done_about_a_failure_is_what_the_settings_say(played, way, verb, case):
    """Where a check fails, 99 is there: the earlier data."""
    _, there, aside, expected = play.LISTS[case]
    found = played[way][f"list: {case}"][verb]
    assert found["there"] == (ALL if there == "all" else [99] if there is None else there)
    assert [row[0] for row in found["aside"]] == aside
    # A missing column is told before anything else is looked at.
    assert outcomes(found) == expected
    assert ("error" in found) == (there is None)


@pytest.mark.parametrize("way", ["polars", "embedded"])
@pytest.mark.parametrize("case", play.EMPTY)
def test_checks_of_no_rows_at_all(played, way, case):
    _, expected = play.EMPTY[case]
    found = played[way][f"empty: {case}"]["write"]
    assert set(outcomes(found)) == {expected}
    assert found["there"] == ([99] if expected == "failed" else [])


@pytest.mark.parametrize("case", play.all_cases())
def test_all_ways_come_to_the_same(played, case):
    polars, embedded = played["polars"][case], played["embedded"][case]
    for verb, found in polars.items():
        assert without_order(found) == without_order(told_as_polars(embedded[verb], found))


def told_as_polars(found, other):
    """Where all rows pass, nobody may have counted them."""
    rows = other["report"]["rows"] if found["report"]["rows"] is None else found["report"]["rows"]
    return {**found, "report": {**found["report"], "rows": rows}}


@pytest.mark.parametrize("case", play.few_cases())
def test_apache_spark_comes_to_the_same(played, on_apache_spark, case):
    for verb, spark in on_apache_spark[case].items():
        found = played["embedded"][case][verb]
        assert without_order(told_as_polars(spark, found)) == without_order(told_as_polars(found, spark))
