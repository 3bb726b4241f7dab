"""Settings of checks: what each takes, what is refused where it is written, and what only a whole project tells."""

import pytest

from tauro.config.check_rules import (
    AcceptedValues,
    Expression,
    Freshness,
    Matches,
    NotNull,
    Range,
    References,
    RequiredColumns,
    RowCount,
    Unique,
)
from tauro.project import Project

OUTPUT = "config/base/output.yaml"
HEAD = "o:\n  format: delta\n  filepath: data/o\n"


@pytest.fixture
def inspect(project):
    """Return the checks of a project's output ``o``, and every fault of the project."""

    def run(*lines, environ=None, **sections):
        text = HEAD + "".join(f"  {line}\n" for line in lines)
        opened, of_values = Project.inspect(project(**{"output": text, **sections}), environ=environ or {})
        return opened.config.outputs["o"].all_checks, [*of_values, *opened.validate()]

    return run


GOOD = {
    "not_null: a": (NotNull(columns=("a",)), "not_null(a)"),
    "not_null: [a, b c]": (NotNull(columns=("a", "b c")), "not_null(a, b c)"),
    "unique: [a, b]": (Unique(columns=("a", "b")), "unique(a, b)"),
    "accepted_values: {column: a, values: [x, y]}": (
        AcceptedValues(column="a", values=("x", "y")), "accepted_values(a)",
    ),
    "accepted_values: {column: a, values: [1, 2.5]}": (
        AcceptedValues(column="a", values=(1, 2.5)), "accepted_values(a)",
    ),
    "accepted_values: {column: a, values: [true]}": (AcceptedValues(column="a", values=(True,)), "accepted_values(a)"),
    "range: {column: a, min: 0, max: 10}": (Range(column="a", min=0, max=10), "range(a)"),
    "range: {column: a, above: -1.5, below: 2}": (Range(column="a", above=-1.5, below=2), "range(a)"),
    "range: {column: a, min: 2025-01-01}": (Range(column="a", min="2025-01-01"), "range(a)"),
    "range: {column: a, min: 5, max: 5}": (Range(column="a", min=5, max=5), "range(a)"),
    "matches: {column: a, pattern: '[a-z]+'}": (Matches(column="a", pattern="[a-z]+"), "matches(a)"),
    "expression: b  >= a": (Expression(sql="b  >= a"), "expression(b >= a)"),
    f"expression: {'a' * 80} > 1": (Expression(sql=f"{'a' * 80} > 1"), f"expression({'a' * 57}...)"),
    "references: {column: a, dataset: i}": (References(columns=("a",), dataset="i"), "references(a)"),
    "references: {columns: [a, b], dataset: i, keys: [c, d]}": (
        References(columns=("a", "b"), dataset="i", key=("c", "d")), "references(a, b)",
    ),
    "required_columns: [a, b]": (RequiredColumns(columns=("a", "b")), "required_columns(a, b)"),
    "not_empty: yes": (RowCount(min=1), "not_empty"),
    "row_count: {min: 1, max: 100}": (RowCount(min=1, max=100), "row_count"),
    "freshness: {column: a, max_age: 2d}": (Freshness(column="a", max_age=172_800), "freshness(a)"),
    "freshness: {column: a, max_age: ' 1.5H '}": (Freshness(column="a", max_age=5_400), "freshness(a)"),
}  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_a_check_is_read_as_it_is_written(inspect, text):
    (check,), faults = inspect("checks:", f"  - {text}")
    assert faults == []
    assert (check.rule, check.name) == GOOD[text]
    assert (check.kind, check.on_failure, check.max_failures, check.quarantine) == (
        text.split(":")[0],
        "error",
        None,
        None,
    )
    assert check.path == ("checks", 0, check.kind)


def test_what_is_done_about_a_failure_is_read_beside_the_check(inspect):
    checks, faults = inspect(
        "checks:",
        "  - {not_null: a, name: whole, on_failure: Quarantine, max_failures: 0.01}",
        "  - {unique: a, on_failure: warn, max_failures: 1}",
    )
    assert faults == []
    assert [(check.name, check.on_failure, check.max_failures) for check in checks] == [
        ("whole", "quarantine", 0.01),
        ("unique(a)", "warn", 1),
    ]


def test_checks_can_be_given_by_name(inspect):
    checks, faults = inspect(
        "checks:",
        "  whole: {not_null: a}",
        "  positive: {range: {column: b, min: 0}, on_failure: drop}",
        "  other: {unique: a, name: apart}",
    )
    assert faults == []
    assert [(check.name, check.kind, check.path) for check in checks] == [
        ("whole", "not_null", ("checks", "whole", "not_null")),
        ("positive", "range", ("checks", "positive", "range")),
        ("apart", "unique", ("checks", "other", "unique")),
    ]


def test_a_fault_of_a_check_with_a_name_is_told_where_it_is_written(inspect):
    _, faults = inspect("checks:", "  whole: {not_null: a}", "  rang: {column: a, min: 0}")
    assert {(fault.id, fault.place.line) for fault in faults} == {("unknown-key", 6)}
    _, (fault,) = inspect("checks: {rang: {range: {column: a}}}")
    assert (fault.id, "needs a bound" in fault.message) == ("type", True)


def test_an_environment_changes_one_check_of_several(project):
    base = f"{HEAD}  checks: {{whole: {{not_null: a}}, apart: {{unique: a}}}}\n"
    over = "o: {checks: {apart: {on_failure: warn}}}\n"
    root = project(files={"config/dev/output.yaml": over}, output=base)
    checks = Project.open(root, "dev", environ={}).config.outputs["o"].checks
    assert {check.name: check.on_failure for check in checks} == {"whole": "error", "apart": "warn"}


def test_one_check_needs_no_list_and_a_check_can_be_turned_off(inspect):
    checks, faults = inspect("checks: {not_null: a}")
    assert (len(checks), faults) == (1, [])
    assert inspect("checks: [{not_empty: false}]") == ((), [])
    assert inspect("checks: []") == ((), [])


def test_the_original_s_form_comes_to_the_same_checks(inspect):
    checks, faults = inspect(
        "validation: {required_columns: [a, b], check_empty: true, min_rows: 2, max_rows: 9, not_null: a,",
        "  unique: [a, b]}",
        "checks: [{not_empty: true}]",
    )
    assert faults == []
    assert [(check.kind, check.rule, check.path) for check in checks] == [
        ("required_columns", RequiredColumns(columns=("a", "b")), ("validation", "required_columns")),
        ("not_null", NotNull(columns=("a",)), ("validation", "not_null")),
        ("unique", Unique(columns=("a", "b")), ("validation", "unique")),
        ("not_empty", RowCount(min=1), ("validation", "check_empty")),
        ("row_count", RowCount(min=2), ("validation", "min_rows")),
        ("row_count", RowCount(max=9), ("validation", "max_rows")),
        ("not_empty", RowCount(min=1), ("checks", 0, "not_empty")),
    ]
    assert {check.on_failure for check in checks} == {"error"}
    assert [check.name for check in checks if check.kind == "row_count"] == ["min_rows", "max_rows"]


# What is wrong: the entry, the fault's id, where it is in the entry's line, a part of the message and of the hint.
WRONG = {
    "no check": ("{}", "type", "{", "Expected one of not_null, unique,", "an entry of the list"),
    "nothing but a name": ("{name: x}", "type", "{", "found none", "an entry"),
    "two checks": ("{not_null: a, unique: b}", "type", "{", "found not_null and unique", "an entry"),
    "an unknown check": ("{not_nul: a}", "unknown-key", "not_nul", "Unknown key 'not_nul'", "not_null"),
    "no columns": ("{not_null: []}", "type", "[]", "at least one column", None),
    "an unknown key inside": (
        "{range: {colum: a, min: 1}}", "unknown-key", "colum", "checks.0.range: Unknown key", "column",
    ),
    "no column": ("{range: {min: 1}}", "type", "{min", "'range' needs 'column'", "Give column"),
    "no values": (
        "{accepted_values: {column: a}}", "type", "{column", "'accepted_values' needs 'values'", "Give values",
    ),
    "an empty list of values": ("{accepted_values: {column: a, values: []}}", "type", "[]", "an empty one", None),
    "a single value": ("{accepted_values: {column: a, values: x}}", "type", "x}", "a list of values, found 'x'", None),
    "values of two kinds": (
        "{accepted_values: {column: a, values: [1, x]}}", "type", "[1", "several kinds", "texts, numbers",
    ),
    "a null value": ("{accepted_values: {column: a, values: [x, null]}}", "type", "null", "found nothing", "not_null"),
    "a word that is read differently": (
        "{accepted_values: {column: a, values: [no]}}", "type", "no]", "'no' is read", '"no"',
    ),
    "no bound": ("{range: {column: a}}", "type", "{column", "'range' needs a bound", "min, max, above or below"),
    "no bound of rows": ("{row_count: {}}", "type", "{}", "'row_count' needs a bound", "min or max"),
    "two lower bounds": ("{range: {column: a, min: 1, above: 2}}", "type", "2}", "exclude each other", "Keep one"),
    "bounds of two kinds": ("{range: {column: a, min: 1, max: x}}", "type", "{column", "two kinds", None),
    "bounds without a value between": (
        "{range: {column: a, min: 5, max: 4}}", "type", "{column", "No value is within", "mend",
    ),
    "strict bounds that are one": ("{range: {column: a, min: 5, below: 5}}", "type", "{column", "No value", "mend"),
    "rows without a number between": ("{row_count: {min: 5, max: 4}}", "type", "{min", "No value is within", "mend"),
    "a bound that is true": ("{range: {column: a, min: true}}", "type", "true", "found true", None),
    "a pattern of one engine": (
        "{matches: {column: a, pattern: '(?=a)'}}", "type", "'(?=", "'(?=' is not read", "all engines",
    ),
    "a pattern that is not closed": (
        "{matches: {column: a, pattern: '(a'}}", "type", "'(a", "not closed", "all engines",
    ),
    "keys that are fewer": (
        "{references: {column: [a, b], dataset: i, key: c}}", "type", "c}",
        "'key' names 1 columns and 'column' 2", None,
    ),
    "no age": ("{freshness: {column: a, max_age: 5}}", "type", "5}", "a length of time, found 5", "36h"),
    "an age of nothing": ("{freshness: {column: a, max_age: 0d}}", "type", "0d", "a length of time", "36h"),
    "an age of another unit": ("{freshness: {column: a, max_age: 2y}}", "type", "2y", "a length of time", "36h"),
    "an unknown action": ("{not_null: a, on_failure: ignore}", "type", "ignore", "error, warn, drop, quarantine", None),
    "one of equal rows is dropped": (
        "{unique: a, on_failure: drop}", "type", "drop", "which of the rows", "drop_duplicates",
    ),
    "no row is put aside": (
        "{not_empty: true, on_failure: quarantine}", "type", "quarantine", "no bad row", "error or warn",
    ),
    "a share of no rows": (
        "{row_count: {min: 1}, max_failures: 0.1}", "type", "0.1", "no share of rows", "Leave it out",
    ),
    "more than all rows": ("{not_null: a, max_failures: 1.5}", "type", "1.5", "from 0 to 1", "0.01"),
    "a place for what is not put aside": ("{not_null: a, quarantine: o}", "type", "o}", "no effect", "Add that"),
    "SQL that is no condition": (
        "{expression: 'a >'}", "sql", ">'}", "o: 'expression' cannot be read", "Correct the SQL",
    ),
    "SQL with an end": ("{expression: 'a > 1; drop table x'}", "sql", "'a >", "must be one expression", "Correct"),
    "SQL with a query": ("{expression: 'a in (select b from c)'}", "sql", "'a in", "without a query inside", "Correct"),
    "SQL about other rows": ("{expression: 'sum(a) > 1'}", "sql", "'sum", "must be about one row; SUM(a)", "Correct"),
    "SQL with a window": (
        "{expression: 'row_number() over (order by a) = 1'}", "sql", "'row", "about one row", "Correct",
    ),
    "an unknown dataset": (
        "{references: {column: a, dataset: ii}}", "unknown-dataset", "ii",
        "Dataset 'ii' is not known", "Did you mean 'i'?",
    ),
    "an unknown side table": (
        "{not_null: a, on_failure: quarantine, quarantine: q}", "unknown-dataset", "q}",
        "Output 'q' is not known", "Known: o",
    ),
    "the dataset as its own side table": (
        "{not_null: a, on_failure: quarantine, quarantine: o}", "check", "o}",
        "to the dataset itself", "another output",
    ),
    "the dataset as what it is compared with": (
        "{references: {column: a, dataset: o}}", "check", "o}",
        "compared with themselves as they were before", "that has the keys",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_check_is_told_where_it_is_written(inspect, case):
    entry, kind, where, message, help_ = WRONG[case]
    _, faults = inspect("checks:", f"  - {entry}")
    (fault,) = faults
    line = f"    - {entry}"
    assert (fault.id, fault.exit_code, fault.place.file, fault.place.line) == (kind, 3, OUTPUT, 5)
    assert line[fault.place.column - 1 :].startswith(where) or line[fault.place.column - 1 :].startswith("'" + where)
    assert message in fault.message
    assert help_ is None or help_ in (fault.hint or "")


def test_every_fault_of_every_check_is_told_at_once(inspect):
    _, faults = inspect(
        "checks:", "  - {range: {column: a}}", "  - {not_nul: a}", "  - {unique: a, on_failure: drop, max_failures: 7}"
    )
    assert [(fault.place.line, fault.id) for fault in faults] == [
        (5, "type"),
        (6, "unknown-key"),
        (7, "type"),
        (7, "type"),
    ]


def test_a_faulty_value_is_told_once(inspect):
    _, faults = inspect("checks: [{range: {column: 5, min: [1]}}]")
    assert [fault.message.partition(":")[0] for fault in faults] == ["o.checks.0.range.column", "o.checks.0.range.min"]


@pytest.mark.parametrize("text", ["5", "x", "[x]", "[5]", "[[{not_null: a}]]"])
def test_what_is_no_mapping_is_no_check(inspect, text):
    checks, (fault,) = inspect(f"checks: {text}")
    assert checks == ()
    assert "Expected a mapping" in fault.message


def test_a_key_of_the_original_s_form_that_is_not_known_gets_the_nearest_one(inspect):
    _, (fault,) = inspect("validation: {min_row: 5}")
    assert (fault.id, fault.nearest[0]) == ("unknown-key", "min_rows")


def test_references_give_bounds_values_and_shares(inspect):
    checks, faults = inspect(
        "checks:",
        "  - {range: {column: a, min: '${LOW}', max: 10}, max_failures: '${SHARE}'}",
        "  - {accepted_values: {column: a, values: ['${LOW}', x]}}",
        environ={"LOW": "5", "SHARE": "0.5"},
    )
    assert faults == []
    assert [checks[0].rule.min, checks[0].max_failures, checks[1].rule.values] == ["5", 0.5, ("5", "x")]


def test_two_checks_have_two_names(inspect):
    _, (fault,) = inspect("checks: [{not_null: a, name: x}, {unique: a, name: x}]")
    assert (fault.id, "Two checks are called 'x'" in fault.message) == ("check", True)
    assert inspect("checks: [{not_null: a}, {not_null: a}]")[1] == []


def test_bad_rows_go_to_one_place(inspect):
    aside = "{not_null: a, on_failure: quarantine, quarantine: bad}"
    bad = "bad: {format: delta, filepath: data/bad, write_mode: append}\n"
    other = "{unique: b}, {matches: {column: b, pattern: x}, on_failure: quarantine}"
    text = f"{HEAD}  checks: [{aside}]\n{bad}"
    assert inspect(output=text)[1] == []
    _, (fault,) = inspect(output=f"{HEAD}  checks: [{aside}, {other}]\n{bad}")
    assert (fault.id, "several places" in fault.message) == ("check", True)


def test_a_side_table_is_added_to(inspect):
    checks = "  checks: [{not_null: a, on_failure: quarantine, quarantine: bad}]\n"
    _, (fault,) = inspect(output=f"{HEAD}{checks}bad: {{format: csv, filepath: b}}\n")
    assert (fault.id, fault.hint) == ("check", "Give 'bad' write_mode: append.")


def test_a_side_table_has_no_checks_of_its_own(inspect):
    checks = "  checks: [{not_null: a, on_failure: quarantine, quarantine: bad}]\n"
    side = "bad: {format: csv, filepath: b, write_mode: append, checks: [{not_empty: true}]}\n"
    _, (fault,) = inspect(output=f"{HEAD}{checks}{side}")
    assert (fault.id, fault.hint) == ("check", "Take the checks of 'bad' away.")


def test_bad_rows_of_an_input_need_a_place(inspect):
    text = "i:\n  format: csv\n  filepath: data/i.csv\n  checks: [{not_null: a, on_failure: quarantine}]\n"
    _, (fault,) = inspect(input=text)
    assert (fault.id, fault.place.line, "does not say where bad rows go" in fault.message) == ("check", 4, True)


def test_a_reference_to_an_output_under_either_spelling_is_known(inspect):
    text = f"{HEAD}  checks: [{{references: {{column: a, dataset: s/f/t}}}}]\ns.f.t: {{format: delta}}\n"
    assert inspect(output=text)[1] == []
