"""Faults of checks on datasets that are more than the type of one value: SQL, other datasets, names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.config.check_rules import Expression, References
from tauro.config.model import WRITE_FORMATS, canonical
from tauro.config.report import At
from tauro.config.validation.sql import check_row_condition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tauro.config.check_rules import Check
    from tauro.config.model import DatasetConfig, ProjectConfig
    from tauro.config.report import Report

# A side table of these needs no settings of its own: it lies beside the dataset.
_IN_FOLDERS = frozenset({"csv", "json", "parquet", "delta", "orc", "avro"})


def check_checks(config: ProjectConfig, dataset: DatasetConfig, report: Report) -> None:
    """Note every fault of a dataset's checks."""
    at = At(dataset.section, (dataset.name,))
    names: dict[str, Check] = {}
    places: set[str | None] = set()
    for check in dataset.all_checks:
        where = at.of(*check.path)
        if isinstance(check.rule, Expression):
            check_row_condition(check.rule.sql, f"{dataset.name}: '{check.kind}'", where, report)
        if isinstance(check.rule, References):
            _known(config, check.rule.dataset, dataset, where.of("dataset"), report)
        own = at.of(*check.path[:-1], "name")
        if report.raw(own) is not None and names.setdefault(check.name, check) is not check:
            message = f"{dataset.name}: Two checks are called '{check.name}'"
            report.add("check", message, own, hint="Give each a name of its own.")
        if check.on_failure == "quarantine":
            places.add(check.quarantine and canonical(check.quarantine))
            _check_quarantine(config, dataset, check, report)
    if len(places) > 1:
        message = f"{dataset.name}: Its bad rows would go to several places"
        hint = "Give all its checks the same quarantine, or none."
        report.add("check", message, at.of("checks")._replace(key=True), hint=hint)


def named_by_checks(config: ProjectConfig, names: Iterable[str]) -> set[str]:
    """Return the datasets that checks of others name: those that they compare with, and those for bad rows."""
    found: set[str] = set()
    for name in names:
        for dataset in (config.inputs.get(name), config.outputs.get(name)):
            for check in dataset.all_checks if dataset is not None else ():
                other = check.rule.dataset if isinstance(check.rule, References) else None
                found.update(canonical(each) for each in (other, check.quarantine) if each is not None)
    return found


def _known(config: ProjectConfig, name: str, dataset: DatasetConfig, at: At, report: Report) -> None:
    if canonical(name) == canonical(dataset.name):
        message = f"{dataset.name}: Its rows would be compared with themselves as they were before"
        report.add("check", message, at, hint="Name the dataset that has the keys.")
    elif config.dataset(canonical(name)) is None:
        message = f"{dataset.name}: Dataset '{name}' is not known"
        known = [*config.inputs, *config.outputs]
        report.missing("unknown-dataset", message, at, name=name, known=known, of=("input", "output"))


def _check_quarantine(config: ProjectConfig, dataset: DatasetConfig, check: Check, report: Report) -> None:
    """Note that there is nowhere to put bad rows."""
    entry = At(dataset.section, (dataset.name, *check.path[:-1]))
    if check.quarantine is None:
        reason = "an input may lie where nothing can be written" if dataset.section == "input" else None
        if reason is None and dataset.format in WRITE_FORMATS and dataset.format not in _IN_FOLDERS:
            reason = f"{dataset.format} has no place beside a dataset"
        if reason is not None:
            message = f"{dataset.name}: The check '{check.name}' does not say where bad rows go: {reason}"
            report.add("check", message, entry.of("on_failure"), hint="Name an output by quarantine.")
        return
    name, at = canonical(check.quarantine), entry.of("quarantine")
    if name not in config.outputs:
        message = f"{dataset.name}: Output '{check.quarantine}' is not known"
        known = list(config.outputs)
        report.missing("unknown-dataset", message, at, name=check.quarantine, known=known, of=("output",))
    elif name == canonical(dataset.name):
        report.add("check", f"{dataset.name}: Bad rows would go to the dataset itself", at, hint="Name another output.")
    elif config.outputs[name].all_checks:
        message = f"{dataset.name}: The bad rows in '{check.quarantine}' would not be checked, though it has checks"
        report.add("check", message, at, hint=f"Take the checks of '{check.quarantine}' away.")
    elif config.outputs[name].write_mode != "append":
        message = f"{dataset.name}: The bad rows in '{check.quarantine}' would be lost with the next ones"
        hint = f"Give '{check.quarantine}' write_mode: append."
        report.add("check", message, at, hint=hint)
