"""Faults of how a table is written: merges, overwrites of a part, and what is done after a write."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tauro.config.merge import MergeClause
    from tauro.config.model import DatasetConfig, ProjectConfig
    from tauro.config.report import At, Report

_LEAST_RETENTION = 168
_RETENTION_CHECK = "spark.databricks.delta.retentionDurationCheck.enabled"
_OF_MERGES = ("merge_keys", "merge_condition", "when_matched", "when_not_matched")


def check_delta(config: ProjectConfig, dataset: DatasetConfig, at: At, report: Report) -> None:
    """Note every fault of an output that is written in another way than as a whole or by appending."""
    if dataset.section != "output" or dataset.format is None:
        return
    if dataset.write_mode == "merge":
        _check_merge(dataset, at, report)
    _check_strategy(dataset, at, report)
    if dataset.format == "delta":
        _check_maintenance(config, dataset, at, report)


def without_effect(dataset: DatasetConfig) -> Iterator[tuple[str, str]]:
    """Yield the fields of a delta output that nothing is done with, and what they lack."""
    given = vars(dataset)
    if dataset.write_mode != "merge":
        yield from ((field, "write_mode: merge") for field in _OF_MERGES if field in given)
    if "vacuum_retention_hours" in given and not dataset.vacuum:
        yield "vacuum_retention_hours", "vacuum: true"


def _check_merge(dataset: DatasetConfig, at: At, report: Report) -> None:
    name, mode = dataset.name, report.spelling(at, "write_mode", "mode")
    if dataset.format != "delta":
        message = f"{name}: write_mode 'merge' is for delta, not for {dataset.format}"
        report.add("merge", message, at.of(mode), hint="Set format: delta, or another write_mode.", exit_code=5)
        return
    if not dataset.merge_keys and not report.raw(at, "merge_keys"):  # else a fault of its type is told already
        hint = "Give merge_keys, the columns by which a row is known again."
        report.add("merge", f"{name}: write_mode 'merge' needs merge_keys", at.of(mode), hint=hint)
    twice = next((key for key in dataset.merge_keys if dataset.merge_keys.count(key) > 1), None)
    if twice is not None:
        report.add("merge", f"{name}: merge_keys name '{twice}' twice", at.of("merge_keys"), hint="Name it once.")
    if dataset.when_matched == () and dataset.when_not_matched == ():
        message = f"{name}: The merge ignores known rows and new rows, so it does nothing"
        report.add("merge", message, at.of("when_not_matched"), hint="Let it do something with one of the two.")
    for key in ("when_matched", "when_not_matched"):
        _check_order(dataset, getattr(dataset, key) or (), at.of(key), report)


def _check_order(dataset: DatasetConfig, clauses: tuple[MergeClause, ...], at: At, report: Report) -> None:
    """Note a clause that is never reached."""
    for index, clause in enumerate(clauses[:-1]):
        if clause.condition is None:
            message = f"{dataset.name}: What stands behind a {clause.action} without condition is never done"
            report.add("merge", message, at.of(index + 1), hint="Give it a condition, or write it last.")
            return


def _check_strategy(dataset: DatasetConfig, at: At, report: Report) -> None:
    """Note why a part of a table cannot be overwritten as it is told; all of it would be overwritten else."""
    strategy = dataset.overwrite_strategy
    if strategy not in ("replaceWhere", "dynamic"):
        return
    where = at.of("overwrite_strategy")
    if dataset.format != "delta":
        message = f"{dataset.name}: overwrite_strategy '{strategy}' is for delta; {dataset.format} is overwritten whole"
        hint = "Set format: delta, or leave out overwrite_strategy."
        report.add("partial-overwrite", message, where, hint=hint, exit_code=5)
    elif dataset.write_mode != "overwrite":
        message = f"{dataset.name}: overwrite_strategy has no effect with write_mode '{dataset.write_mode}'"
        hint = "Set write_mode: overwrite, or leave out overwrite_strategy."
        report.add("partial-overwrite", message, where, hint=hint)
    elif dataset.overwrite_schema:
        message = f"{dataset.name}: overwrite_schema is for whole tables, and '{strategy}' overwrites a part"
        hint = "Add columns by merge_schema: true, or leave out one of the two."
        report.add("partial-overwrite", message, at.of("overwrite_schema"), hint=hint)
    elif strategy == "dynamic" and not dataset.partition_by:
        message = f"{dataset.name}: overwrite_strategy 'dynamic' overwrites partitions, and there is no partition_by"
        report.add("partial-overwrite", message, where, hint="Give partition_by, the columns of the partitions.")


def _check_maintenance(config: ProjectConfig, dataset: DatasetConfig, at: At, report: Report) -> None:
    both = next((column for column in dataset.zorder_by if column in dataset.partition_by), None)
    if both is not None:
        message = f"{dataset.name}: zorder_by names '{both}', which is a partition column and one value in each file"
        report.add("maintenance", message, at.of("zorder_by"), hint="Leave it out of zorder_by.")
    checked = str(config.settings.spark_config.get(_RETENTION_CHECK, True)).lower() != "false"
    if dataset.vacuum and dataset.vacuum_retention_hours < _LEAST_RETENTION and checked:
        message = (
            f"{dataset.name}: vacuum_retention_hours is {dataset.vacuum_retention_hours:g}, and below "
            f"{_LEAST_RETENTION} a reader may lose the files of the version that it reads"
        )
        hint = f"Give {_LEAST_RETENTION} or more; spark_config: {{{_RETENTION_CHECK}: false}} allows less."
        report.add("maintenance", message, at.of("vacuum_retention_hours"), hint=hint)
