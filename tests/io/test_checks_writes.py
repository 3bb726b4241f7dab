"""Checks on the way to a table: every write mode and type, one computation, and errors of somebody else."""

import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from tauro.config.dates import Window
from tauro.config.model import DatasetConfig
from tauro.errors import NodeError, Place
from tauro.io.checks import (
    CheckFailed,
    CheckReport,
    CheckResult,
    Scope,
    check_read,
    checked_write,
    needs_spark,
    side_table,
)
from tauro.io.formats import Target
from tauro.io.registry import direct_format

SPEC = importlib.util.spec_from_file_location("checks_play", Path(__file__).with_name("checks_play.py"))
play = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(play)

JANUARY = Window(date(2025, 1, 1), date(2025, 1, 31))
OLD = pl.DataFrame({"id": [1, 2], "d": ["2024-12-31", "2025-01-05"], "v": [1, 2]})
NEW = pl.DataFrame({"id": [2, 3, 4], "d": ["2025-01-05", "2025-01-06", "2025-01-06"], "v": [20, 30, -1]})
GOOD = {"range": {"column": "v", "min": 0}}  # row 4 is bad


@pytest.fixture(params=["polars", "embedded"])
def frame_of(request, session):
    """Return what makes a frame of each way."""
    return play.on_polars if request.param == "polars" else play.on_spark(session)


@pytest.fixture
def scope(tmp_path, frame_of):
    return play.scope(tmp_path / "spool", frame_of)


def store_checked(dataset, frame, settings, scope):
    """Write a frame with checks as a run does it; return the outcome and the rows that are put aside."""
    target = Target(dataset.location, dataset.config, JANUARY)
    with checked_write(frame, play.checks_of(settings), scope) as checked:
        if isinstance(checked.frame, pl.LazyFrame):
            written = direct_format(dataset.format).write(checked.frame, target)
            assert written is not None
        else:
            dataset.format.write(checked.frame, target)
        outcome = checked.outcome()
        return outcome.report, play.rows_of(outcome.quarantine)


def rows(dataset):
    found = pl.from_arrow(DeltaTable(dataset.location.path).to_pyarrow_table())
    return sorted(found.select("id", "d", "v").rows())


MODES = {
    "append": ({"write_mode": "append"}, [*OLD.rows(), *NEW.rows()[:2]]),
    "overwrite": ({}, NEW.rows()[:2]),
    "replaceWhere": ({"overwrite_strategy": "replaceWhere", "partition_by": "d"}, [OLD.rows()[0], *NEW.rows()[:2]]),
    "dynamic": ({"overwrite_strategy": "dynamic", "partition_by": "d"}, [OLD.rows()[0], *NEW.rows()[:2]]),
    "merge": ({"write_mode": "merge", "merge_keys": "id"}, [OLD.rows()[0], *NEW.rows()[:2]]),
}


@pytest.fixture
def table(store, frame_of, request):
    """Return a dataset with the old rows, written in some way from now on."""

    def make(mode, *, is_new=False):
        settings = MODES[mode][0]
        if not is_new:
            store("delta", partition_by=settings.get("partition_by", [])).write(OLD)
        dataset = store("delta", **settings).dataset
        if frame_of is play.on_polars and not direct_format(dataset.format).writes(dataset.location, dataset.config):
            pytest.skip("goes by way of Spark")
        return dataset

    return make


@pytest.mark.parametrize("mode", MODES)
def test_bad_rows_are_put_aside_and_the_good_ones_written(table, frame_of, scope, mode):
    dataset = table(mode)
    report, aside = store_checked(dataset, frame_of(NEW), [{**GOOD, "on_failure": "quarantine"}], scope)
    assert rows(dataset) == sorted(MODES[mode][1])
    assert [(row["id"], row["v"], row["_tauro_reason"]) for row in aside] == [(4, -1, "range(v)")]
    assert (report.rows, report.quarantined, report.dropped) == (3, 1, 0)


@pytest.mark.parametrize("check", [GOOD, {"unique": "d"}, {"row_count": {"min": 4}}, {**GOOD, "max_failures": 0.1}],
                         ids=["range", "unique", "row_count", "share"])  # fmt: skip
@pytest.mark.parametrize("mode", MODES)
def test_a_failure_leaves_the_table_as_it_was_without_a_new_version(table, frame_of, scope, mode, check):
    dataset = table(mode)
    with pytest.raises(CheckFailed, match="does not pass its checks"):
        store_checked(dataset, frame_of(NEW), [check], scope)
    assert rows(dataset) == OLD.rows()
    assert DeltaTable(dataset.location.path).version() == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_new_table_needs_its_rows_to_pass_too(table, frame_of, scope, mode):
    dataset = table(mode, is_new=True)
    with pytest.raises(CheckFailed):
        store_checked(dataset, frame_of(NEW), [GOOD, {"not_empty": True}], scope)
    assert not dataset.exists or rows(dataset) == []
    fine = NEW.filter(pl.col("v") > 0)
    report, _ = store_checked(dataset, frame_of(fine), [GOOD, {"not_empty": True}, {"unique": "id"}], scope)
    assert rows(dataset) == fine.rows()
    assert report.rows == len(fine)


@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_files_are_written_with_the_rows_that_pass_or_stay_as_they_were(store, frame_of, scope, format_, mode):
    store_checked(store(format_).dataset, frame_of(OLD), [GOOD], scope)
    dataset = store(format_, write_mode=mode).dataset
    files = {file: file.read_bytes() for file in dataset.location.path.rglob("*.*")}
    for checks in ([GOOD], [GOOD, {"not_empty": True}], [{"row_count": {"max": 2}}]):
        with pytest.raises(CheckFailed):
            store_checked(dataset, frame_of(NEW), checks, scope)
        assert {file: file.read_bytes() for file in dataset.location.path.rglob("*.*")} == files
    store_checked(dataset, frame_of(NEW), [{**GOOD, "on_failure": "drop"}], scope)
    read = store(format_, section="input").catalog.read("t", "polars.DataFrame").value
    assert len(read) == (4 if mode == "append" else 2)


# -- what passes through ----------------------------------------------------------------------------

A_DAY, A_TIME = date(2025, 1, 31), datetime(2025, 1, 31, 12, 0, 0, 123456)  # noqa: DTZ001 - one of the types
EVERY_TYPE = pa.schema(
    {
        "id": pa.int32(), "b": pa.int8(), "s": pa.int16(), "l": pa.int64(), "f": pa.float32(), "d": pa.float64(),
        "n": pa.decimal128(10, 2), "t": pa.string(), "o": pa.bool_(), "y": pa.binary(), "dd": pa.date32(),
        "ts": pa.timestamp("us", "UTC"), "tn": pa.timestamp("us"), "a": pa.list_(pa.int32()),
        "aa": pa.list_(pa.struct({"x": pa.int32(), "y": pa.string()})), "m": pa.map_(pa.string(), pa.int32()),
        "r": pa.struct({"x": pa.list_(pa.float64())}),
    }
)  # fmt: skip
A_ROW = [1, 1, 1, 1, 1.5, 1.5, Decimal("1.50"), "text", True, b"\x00\xff", A_DAY, A_TIME.replace(tzinfo=UTC), A_TIME,
         [1, None], [{"x": 1, "y": "z"}, None], [("a", 1), ("b", None)], {"x": [1.5]}]  # fmt: skip


@pytest.fixture
def of_every_type(session):
    """Return a frame of two rows: one has all kinds of values, one has none."""
    columns = [pa.array([value, None], field.type) for value, field in zip(A_ROW, EVERY_TYPE, strict=True)]
    return session.createDataFrame(pa.Table.from_arrays(columns, schema=EVERY_TYPE))


@pytest.mark.parametrize("on_failure", ["error", "warn", "quarantine"])
def test_rows_of_every_type_pass_as_they_are(session, of_every_type, tmp_path, on_failure):
    frame = of_every_type
    checks = play.checks_of([{"range": {"column": "id", "min": 0}, "on_failure": on_failure}])
    with checked_write(frame, checks, play.scope(tmp_path, play.on_spark(session))) as checked:
        assert checked.frame.schema == frame.schema
        assert checked.frame.toArrow().equals(frame.toArrow())


def test_bad_rows_of_every_type_are_put_aside_as_they_are(session, of_every_type, tmp_path):
    frame = of_every_type
    checks = play.checks_of([{"not_null": "id", "on_failure": "quarantine"}])
    with checked_write(frame, checks, play.scope(tmp_path, play.on_spark(session))) as checked:
        checked.frame.collect()
        aside = checked.outcome().quarantine
        kinds = [field.dataType for field in aside.schema.fields]
        assert kinds[:-3] == [field.dataType for field in frame.schema.fields]
        assert [kind.simpleString() for kind in kinds[-3:]] == ["string", "string", "timestamp"]
        (row,) = aside.collect()
    assert row[:-3] == (None,) * (len(kinds) - 3)


@pytest.mark.parametrize("first", ["cast(null as void)", "1"])
def test_a_column_without_a_type_does_not_take_the_check_with_it(session, store, tmp_path, first):
    frame = session.sql(f"select {first} as nothing, v from values (1), (-1) as t(v)")
    with pytest.raises(CheckFailed):
        store_checked(store("delta").dataset, frame, [GOOD], play.scope(tmp_path, None))
    only = session.sql("select cast(null as void) as v")
    with pytest.raises(CheckFailed):
        store_checked(store("delta").dataset, only, [{"not_null": "v"}], play.scope(tmp_path, None))


@pytest.mark.parametrize(
    "checks",
    [
        [GOOD],
        [{**GOOD, "on_failure": "quarantine"}],
        [{**GOOD, "on_failure": "warn"}, {"unique": "id"}, {"row_count": {"min": 1}}],
    ],
    ids=["error", "quarantine", "all"],
)
def test_what_passes_is_computed_once(session, store, tmp_path, checks):
    log = tmp_path / "computed"

    def seen(batches):
        for batch in batches:
            with log.open("a") as file:
                file.write(f"{batch.num_rows}\n")
            yield batch

    frame = session.createDataFrame(NEW.filter(pl.col("v") > 0).to_arrow()).mapInArrow(
        seen, "id long, d string, v long"
    )
    store_checked(store("delta").dataset, frame, checks, play.scope(tmp_path / "spool", None))
    assert sum(map(int, log.read_text().split())) == 2


def test_a_lazy_frame_is_computed_once(store, tmp_path):
    calls = []

    def seen(batch):
        calls.append(batch.height)
        return batch

    frame = NEW.lazy().map_batches(seen)
    checks = [{**GOOD, "on_failure": "quarantine"}, {"unique": "id"}]
    store_checked(store("delta").dataset, frame, checks, play.scope(tmp_path, play.on_polars))
    assert sum(calls) == len(NEW)


def test_rows_keep_their_order_on_polars(tmp_path):
    frame = pl.LazyFrame({"v": range(200_000)})
    checks = play.checks_of([{"references": {"column": "v", "dataset": "numbers", "key": "key"}, "on_failure": "warn"}])
    with checked_write(frame, checks, play.scope(tmp_path, play.on_polars)) as checked:
        assert checked.frame.collect()["v"].to_list() == list(range(200_000))


def test_many_rows_are_counted_whatever_the_parts_that_the_engine_works_in(session, store, tmp_path):
    frame = session.range(0, 300_000, 1, 4).selectExpr("id", "'2025-01-05' as d", "id % 1000 as v")
    settings = [{"accepted_values": {"column": "v", "values": list(range(1, 1000))}, "on_failure": "quarantine"}]
    report, aside = store_checked(store("delta").dataset, frame, settings, play.scope(tmp_path, None))
    assert (report.rows, report.quarantined, report.results[0].failed) == (300_000, 300, 300)
    assert sorted(row["id"] for row in aside) == list(range(0, 300_000, 1000))
    unique = [{"unique": "v", "on_failure": "warn"}, {"row_count": {"min": 300_000, "max": 300_000}}]
    report, _ = store_checked(store("delta").dataset, frame, unique, play.scope(tmp_path, None))
    assert [result.failed for result in report.results] == [299_000, None]


def test_several_writes_at_once_count_their_own_rows(session, tmp_path, frame_of):
    def one(number):
        rows = pl.DataFrame({"v": list(range(-number, 50))})
        checks = play.checks_of([{**GOOD, "on_failure": "quarantine"}])
        with checked_write(frame_of(rows), checks, play.scope(tmp_path, frame_of)) as checked:
            kept = len(play.rows_of(checked.frame))
            outcome = checked.outcome()
            return kept, outcome.report.rows, outcome.report.quarantined, len(play.rows_of(outcome.quarantine))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(one, range(1, 17)))
    assert found == [(50, 50 + number, number, number) for number in range(1, 17)]


def test_what_waits_for_the_end_of_a_write_is_gone_behind_it(session, store, tmp_path):
    scope = play.scope(tmp_path / "spool", None)
    store_checked(
        store("delta").dataset, session.createDataFrame(NEW.to_arrow()), [{**GOOD, "on_failure": "quarantine"}], scope
    )
    with pytest.raises(CheckFailed):
        store_checked(store("delta").dataset, session.createDataFrame(NEW.to_arrow()), [{"unique": "d"}], scope)
    assert list((tmp_path / "spool").iterdir()) == []


def test_an_earlier_attempt_s_write_still_gives_its_bad_rows(frame_of, scope):
    """What was committed before a process was killed is not written again, but its side table may lack the rows."""
    with checked_write(frame_of(NEW), play.checks_of([{**GOOD, "on_failure": "quarantine"}]), scope) as checked:
        outcome = checked.outcome()
        assert [row["id"] for row in play.rows_of(outcome.quarantine)] == [4]
    assert outcome.report.quarantined == 1


# -- errors ---------------------------------------------------------------------------------------


def test_a_failure_names_checks_rows_and_examples_and_says_what_helps(frame_of, scope):
    many = pl.DataFrame({"id": range(20), "name": ["x" * 500] * 20})
    checks = [{"range": {"column": "id", "max": 9}}, {"matches": {"column": "name", "pattern": "y*"}}]
    with pytest.raises(CheckFailed) as caught, checked_write(frame_of(many), play.checks_of(checks), scope) as checked:
        play.rows_of(checked.frame)
    message = caught.value.message
    assert message.startswith("The data of 'orders' does not pass its checks: 10 rows of 20 fail range(id) (id = ")
    assert "20 rows of 20 fail matches(name)" in message
    assert [len(result.examples) for result in caught.value.report.results] == [5, 5]
    assert len(message) < 800
    assert "x" * 100 not in message
    assert "quarantine" in caught.value.hint
    assert caught.value.exit_code == 4
    assert json.dumps(caught.value.report.to_dict())


def test_a_failure_tells_where_its_check_is_written(frame_of, tmp_path):
    place = Place("config/base/output.yaml", 3, 7)
    scope = play.scope(tmp_path, frame_of)._replace(place=lambda check: place if check.kind == "range" else None)
    checks = play.checks_of([{"not_null": "id"}, GOOD])
    with pytest.raises(CheckFailed) as caught, checked_write(frame_of(NEW), checks, scope) as checked:
        play.rows_of(checked.frame)
    assert caught.value.place == place


def test_secrets_are_hidden_in_what_is_told(frame_of, tmp_path):
    scope = play.scope(tmp_path, frame_of)._replace(redact=lambda text: text.replace("2025-01-06", "***"))
    checks = play.checks_of([{"accepted_values": {"column": "d", "values": ["2025-01-05"]}}])
    with pytest.raises(CheckFailed) as caught, checked_write(frame_of(NEW), checks, scope) as checked:
        play.rows_of(checked.frame)
    assert "d = '***'" in caught.value.message
    assert "2025-01-06" not in str(caught.value.report.to_dict())


@pytest.mark.parametrize("checks", [[GOOD], [{**GOOD, "on_failure": "warn"}]], ids=["error", "warn"])
def test_an_error_of_the_frame_itself_stays_what_it_is(session, tmp_path, checks):
    frame = session.sql("select raise_error('mine') as x, v from values (1) as t(v)")
    with (
        pytest.raises(Exception, match="mine") as caught,
        checked_write(frame, play.checks_of(checks), play.scope(tmp_path, None)) as checked,
    ):
        checked.frame.collect()
    assert not isinstance(caught.value, NodeError)


def test_an_error_of_the_write_stays_what_it_is(frame_of, scope):
    def write():
        with checked_write(frame_of(NEW), play.checks_of([{**GOOD, "on_failure": "warn"}]), scope) as checked:
            play.rows_of(checked.frame)
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        write()


def test_a_frame_that_differs_each_time_is_told_as_such(session, tmp_path):
    log = tmp_path / "once"

    def first_time_only(batches):
        for batch in batches:
            yield batch.slice(0, 0) if log.exists() else batch
            log.touch()

    frame = session.createDataFrame(NEW.to_arrow()).mapInArrow(first_time_only, "id long, d string, v long")
    with (
        pytest.raises(NodeError, match="was not found again") as caught,
        checked_write(frame, play.checks_of([GOOD]), play.scope(tmp_path, None)) as checked,
    ):
        checked.frame.collect()
    assert "random" in caught.value.hint


WRONG = {
    "an unknown column": ({"not_null": "amuont"}, "names the column 'amuont', which is not there", "mean 'amount'?"),
    "a text for a number": ({"range": {"column": "small", "min": "a"}}, "of kind whole with 'a'", "as the column"),
    "a number for a text": ({"accepted_values": {"column": "status", "values": [1]}}, "of kind text with 1", "as the"),
    "a broken number for whole ones": ({"accepted_values": {"column": "id", "values": [1.5]}}, "whole with 1.5", ""),
    "no day": ({"range": {"column": "day", "min": "31.01.2025"}}, "of kind date with '31.01.2025'", "2025-01-31"),
    "truth for a number": ({"accepted_values": {"column": "id", "values": [True]}}, "of kind whole with true", ""),
    "a pattern for numbers": ({"matches": {"column": "id", "pattern": "1"}}, "is for texts", "Cast it"),
    "the age of a number": ({"freshness": {"column": "id", "max_age": "1d"}}, "is for times", "Cast it"),
    "a key that is not there": (
        {"references": {"column": "other", "dataset": "numbers", "key": "kee"}}, "names the column 'kee'", "",
    ),
    "a key of another kind": (
        {"references": {"column": "other", "dataset": "numbers", "key": "word"}}, "compares 'other'", "Cast one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("on_failure", ["error", "warn"])
@pytest.mark.parametrize("case", WRONG)
def test_a_check_that_does_not_fit_the_frame_is_an_error_whatever_its_failures_are(frame_of, scope, case, on_failure):
    check, message, hint = WRONG[case]
    checks = play.checks_of([{**check, "on_failure": on_failure}])
    with pytest.raises(NodeError) as caught, checked_write(frame_of(play.ROWS), checks, scope) as checked:
        play.rows_of(checked.frame)
    assert not isinstance(caught.value, CheckFailed)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_an_expression_that_the_engine_cannot_read_is_told_with_the_columns(session, tmp_path):
    for sql in ("nothing > 1", "nofunction(id) > 1", "id + 1"):
        checks = play.checks_of([{"expression": sql}])
        frame = play.on_spark(session)(play.ROWS)
        with pytest.raises(NodeError, match="expression"), checked_write(frame, checks, play.scope(tmp_path, None)):
            pass


def test_rows_with_a_reason_already_are_not_put_aside_once_more(frame_of, scope):
    frame = frame_of(NEW.with_columns(pl.lit("x").alias("_tauro_reason")))
    with (
        pytest.raises(NodeError, match="_tauro_reason"),
        checked_write(frame, play.checks_of([{**GOOD, "on_failure": "quarantine"}]), scope),
    ):
        pass


# -- what goes by way of Spark, and the side table --------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("id > 1", False),
        ("length(status) > 1", True),
        ("small / 2 > 1", True),
        ("status > 1", True),
        ("id % 2 = 0", True),
    ],
)
def test_sql_that_polars_may_read_differently_needs_spark(session, tmp_path, sql, expected):
    checks = play.checks_of([{"expression": sql}])
    assert needs_spark(play.ROWS, checks) is expected
    assert needs_spark(play.ROWS.lazy(), checks) is expected
    assert not needs_spark(session.range(1), checks)
    if expected:
        with (
            pytest.raises(NodeError, match="frame of Polars"),
            checked_write(play.ROWS, checks, play.scope(tmp_path, None)) as checked,
        ):
            checked.frame.collect()


SIDES = {
    "a path": ({"filepath": "data/o/"}, {"filepath": "data/o_quarantine"}, None),
    "three keys": ({"schema": "s", "sub_folder": "f", "table_name": "t"}, {}, ("s", "f", "t_quarantine")),
}


@pytest.mark.parametrize("case", SIDES)
def test_bad_rows_go_beside_the_dataset(open_config, case):
    settings, expected, path = SIDES[case]
    check = {**GOOD, "on_failure": "quarantine"}
    config = open_config(output={"o": {"format": "delta", "options": {"a": "b"}, **settings, "checks": [check]}})
    side = side_table(config, config.outputs["o"])
    assert (side.name, side.format, side.write_mode, side.merge_schema) == ("o_quarantine", "delta", "append", True)
    assert side.options == {"a": "b"}
    assert side.filepath == expected.get("filepath")
    assert side.table_path == path


def test_bad_rows_of_a_name_of_three_parts_go_beside_it(open_config):
    check = {**GOOD, "on_failure": "quarantine"}
    config = open_config(output={"s.f.t": {"format": "parquet", "checks": [check]}})
    assert side_table(config, config.outputs["s.f.t"]).table_path == ("s", "f", "t_quarantine")


def test_bad_rows_go_to_the_output_that_is_named_and_nowhere_without_such_checks(open_config):
    check = {**GOOD, "on_failure": "quarantine", "quarantine": "bad/rows/all"}
    bad = {"format": "delta", "filepath": "data/bad", "write_mode": "append"}
    config = open_config(
        input={"i": {"format": "csv", "filepath": "in.csv", "checks": [check]}},
        output={"bad.rows.all": bad, "o": {"format": "csv", "filepath": "o", "checks": [GOOD]}},
    )
    assert side_table(config, config.inputs["i"]) is config.outputs["bad.rows.all"]
    assert side_table(config, config.outputs["o"]) is None
    assert isinstance(config.outputs["o"], DatasetConfig)


def test_what_is_read_is_lazy_and_leaves_out_bad_rows_each_time(frame_of, scope):
    outcome = check_read(frame_of(NEW), play.checks_of([{**GOOD, "on_failure": "drop"}]), scope)
    assert [sorted(row["id"] for row in play.rows_of(outcome.frame)) for _ in range(2)] == [[2, 3], [2, 3]]
    assert outcome.report.dropped == 1


def test_a_scope_has_a_time_with_a_zone_and_no_place_by_itself(tmp_path):
    scope = Scope("o", "r", datetime(2025, 1, 1, tzinfo=UTC), tmp_path, lambda name, kind: None)
    assert scope.place(play.checks_of([GOOD])[0]) is None
    assert scope.redact("x") == "x"


@pytest.mark.parametrize(
    ("kinds", "hint"),
    [
        (["not_null", "range"], "set on_failure to warn, drop or quarantine."),
        (["not_null", "unique"], "set on_failure to warn."),
        (["row_count"], "set on_failure to warn."),
    ],
)
def test_the_hint_names_only_what_the_failed_checks_can_do(kinds, hint):
    report = CheckReport("t", results=tuple(CheckResult(kind, kind, "failed", 1, "it fails") for kind in kinds))
    assert CheckFailed(report).hint.endswith(hint)
