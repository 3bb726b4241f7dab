"""Faults of merges, of overwrites of a part, and of what is done after a write: told before anything runs."""

import pytest

from tauro.project import Project

OUTPUT = "config/base/output.yaml"


@pytest.fixture
def check(project):
    """Return every fault of a project whose output 'o', or input 'i', has these lines."""

    def run(*lines, format_="delta", settings="{}", section="output"):
        head = f"{section[0]}:\n  format: {format_}\n  filepath: data/{section}\n"
        text = head + "".join(f"  {line}\n" for line in lines)
        opened, of_values = Project.inspect(project(global_settings=settings, **{section: text}), environ={})
        return [*of_values, *opened.validate()]

    return run


MERGE = ("write_mode: merge", "merge_keys: id")
DYNAMIC = "overwrite_strategy: dynamic"

# The lines of an output; the id of its fault, exit code, line and column, and a part of the message.
FAULTS = {
    "a merge has no keys": (["mode: merge"], ("merge", 3, "4:9", "needs merge_keys")),
    "a merge has no key in its list": (
        ["write_mode: merge", "merge_keys: []"], ("merge", 3, "4:15", "needs merge_keys")
    ),
    "a merge has a key twice": (
        ["write_mode: merge", "merge_keys: [a, b, a]"], ("merge", 3, "5:15", "name 'a' twice")
    ),
    "a merge ignores everything": (
        [*MERGE, "when_matched: ignore", "when_not_matched: ignore"], ("merge", 3, "7:21", "it does nothing")
    ),
    "a clause is never reached": (
        [*MERGE, "when_matched:", "  - update", "  - {delete: true, condition: source.gone}"],
        ("merge", 3, "8:7", "behind a update without condition is never done"),
    ),
    "a merge's further condition is two statements": (
        [*MERGE, "merge_condition: 'true; drop table x'"], ("sql", 3, "6:20", "'merge_condition' must be one expr")
    ),
    "a clause's condition is no SQL": (
        [*MERGE, "when_matched: {condition: 'a >'}"], ("sql", 3, "6:32", "'when_matched.condition' cannot be read")
    ),
    "an expression in a list of clauses holds a query": (
        [*MERGE, "when_matched:", "  - update: {v: '(SELECT 1)'}"],
        ("sql", 3, "7:19", "'when_matched.0.update.v' must be an expression without a query inside"),
    ),
    "an inserted value ends the statement": (
        [*MERGE, "when_not_matched: {insert: {v: '1); DELETE FROM t --'}}"],
        ("sql", 3, "6:36", "'when_not_matched.insert.v' cannot be read"),
    ),
    "dynamic without partitions": ([DYNAMIC], ("partial-overwrite", 3, "4:23", "there is no partition_by")),
    "dynamic with another mode": (
        [DYNAMIC, "partition_by: d", "write_mode: append"], ("partial-overwrite", 3, "4:23", "no effect with")
    ),
    "a part is overwritten and the schema too": (
        [DYNAMIC, "partition_by: d", "overwrite_schema: true"], ("partial-overwrite", 3, "6:21", "is for whole tables")
    ),
    "files are ordered by a partition": (
        ["partition_by: [d, e]", "zorder_by: [a, e]"], ("maintenance", 3, "5:14", "zorder_by names 'e'")
    ),
    "vacuum keeps too little": (
        ["vacuum: true", "vacuum_retention_hours: 167"], ("maintenance", 3, "5:27", "is 167, and below 168")
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_write_that_cannot_be_done_as_told_is_one_fault_at_its_place(check, case):
    lines, (kind, code, place, message) = FAULTS[case]
    (fault,) = check(*lines)
    assert (fault.id, fault.exit_code, str(fault.place), fault.warning) == (kind, code, f"{OUTPUT}:{place}", False)
    assert fault.message.startswith("o: ")
    assert message in fault.message
    assert fault.hint


@pytest.mark.parametrize("strategy", ["dynamic", "replaceWhere"])
@pytest.mark.parametrize("format_", ["parquet", "csv", "json"])
def test_a_part_of_plain_files_is_not_overwritten_and_the_whole_neither(check, strategy, format_):
    """An engine would overwrite all of it."""
    (fault,) = check(f"overwrite_strategy: {strategy}", "partition_by: d", format_=format_)
    assert (fault.id, fault.exit_code, str(fault.place)) == ("partial-overwrite", 5, f"{OUTPUT}:4:23")
    assert f"is for delta; {format_} is overwritten whole" in fault.message


def test_plain_files_are_not_merged(check):
    (fault,) = [fault for fault in check(*MERGE, format_="parquet") if not fault.warning]
    assert (fault.id, fault.exit_code, str(fault.place)) == ("merge", 5, f"{OUTPUT}:4:15")
    assert "is for delta, not for parquet" in fault.message


def test_delta_sparks_own_switch_allows_a_shorter_retention(check):
    switch = "spark_config: {spark.databricks.delta.retentionDurationCheck.enabled: false}"
    assert not check("vacuum: true", "vacuum_retention_hours: 1", settings=switch)


@pytest.mark.parametrize(
    ("line", "lacking"),
    [
        ("merge_keys: id", "write_mode: merge"),
        ("merge_condition: target.a > 1", "write_mode: merge"),
        ("when_matched: ignore", "write_mode: merge"),
        ("when_not_matched: insert", "write_mode: merge"),
        ("vacuum_retention_hours: 100", "vacuum: true"),
    ],
)
def test_a_key_that_lacks_another_is_told_and_harms_nothing(check, line, lacking):
    (fault,) = check(line)
    assert (fault.id, fault.warning, str(fault.place)) == ("no-effect", True, f"{OUTPUT}:4:3")
    assert fault.message == f"o: '{line.partition(':')[0]}' has no effect without {lacking}"


@pytest.mark.parametrize(
    "line", ["optimize: true", "vacuum: true", "zorder_by: a", "merge_keys: a", "when_matched: delete"]
)
def test_keys_of_delta_outputs_are_told_where_they_do_nothing(check, line):
    key = line.partition(":")[0]
    (fault,) = check(line, format_="parquet")
    assert (fault.id, fault.warning, fault.message) == (
        "no-effect", True, f"o: '{key}' has no effect on an output of format parquet"
    )  # fmt: skip
    (fault,) = check(line, section="input")
    assert fault.message == f"i: '{key}' has no effect on an input of format delta"


def test_what_is_told_well_has_no_fault(check):
    assert not check(DYNAMIC, "partition_by: d", "optimize: true", "zorder_by: [a, b]", "vacuum: true")
    clauses = "when_matched: [{delete: true, condition: source.gone}, {update: {v: source.v + target.v, w: 1}}]"
    new = "when_not_matched: {insert: {id: source.id, v: upper(source.v)}, condition: not source.gone}"
    assert not check(*MERGE, "merge_condition: target.d >= '2025-01-01'", clauses, new)
