"""Faults of datasets: format, place, keys without effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.config.model import FORMATS, READ_FORMATS, WRITE_FORMATS, DatasetConfig, ProjectConfig, canonical
from tauro.config.report import At, Report
from tauro.config.validation.delta import check_delta, without_effect
from tauro.config.validation.sources import fields_without_effect

if TYPE_CHECKING:
    from collections.abc import Iterator

# Fields that only a write, or only a delta table looks at.
_OF_DELTA_WRITES = frozenset(
    {"merge_schema", "overwrite_schema", "merge_keys", "merge_condition", "when_matched", "when_not_matched"}
    | {"optimize", "zorder_by", "vacuum", "vacuum_retention_hours"}
)
_OF_WRITES = _OF_DELTA_WRITES | {"write_mode", "partition_by", "overwrite_strategy", "replace_predicate"}
_OF_DELTA = _OF_DELTA_WRITES | {"version", "timestamp"}
_STORED_IN_FILES = frozenset({"csv", "json", "parquet", "delta", "orc", "avro", "text", "xml", "pickle"})
_SHAPE = "schema.sub_folder.table"


def check_dataset(config: ProjectConfig, dataset: DatasetConfig, report: Report) -> None:
    """Note every fault of a dataset."""
    at = At(dataset.section, (dataset.name,))
    _check_format(dataset, at, report)
    check_delta(config, dataset, at, report)
    of_format = f" of format {dataset.format}" if dataset.format else ""
    useless = [(field, f"on an {dataset.section}{of_format}") for field in _without_effect(dataset)]
    if dataset.section == "output" and dataset.format == "delta":
        useless += [(field, f"without {lacking}") for field, lacking in without_effect(dataset)]
    for field, why in useless:
        names = [name for name, option in DatasetConfig.known.items() if option.field == field]
        key = report.spelling(at, *names)
        message = f"{dataset.name}: '{key}' has no effect {why}"
        hint = "Remove it." if field != "sub_folder" else "Remove it, or give table_name too."
        report.add("no-effect", message, at.of(key)._replace(key=True), hint=hint, warning=True)
    twin = config.inputs.get(canonical(dataset.name)) if dataset.section == "output" else None
    # A file that could not be read may have what makes the two one.
    is_whole = report.broken.isdisjoint(("input", "output"))
    if twin is not None and is_whole and (twin.format, twin.filepath) != (dataset.format, dataset.filepath):
        message = f"{dataset.name}: The dataset is in the input section too, at another place or in another format"
        hint = "Keep one of the two, or give them two names."
        report.add("two-definitions", message, at._replace(key=True), hint=hint)


def _check_format(dataset: DatasetConfig, at: At, report: Report) -> None:
    formats = READ_FORMATS if dataset.section == "input" else WRITE_FORMATS
    if dataset.format is None:
        if report.raw(at, "format") or dataset.section in report.broken:
            return
        hint = f"Give one of: {', '.join(formats)}."
        report.add("no-format", f"{dataset.name}: The dataset has no format", at._replace(key=True), hint=hint)
    elif dataset.format in FORMATS and dataset.format not in formats:
        verb = "read" if dataset.section == "input" else "written"
        hint = f"Give one of: {', '.join(formats)}."
        report.add("format", f"{dataset.name}: Format '{dataset.format}' cannot be {verb}", at.of("format"), hint=hint)
    elif dataset.format in _STORED_IN_FILES:
        _check_place(dataset, at, report)


def _check_place(dataset: DatasetConfig, at: At, report: Report) -> None:
    name, path = dataset.name, dataset.filepath
    if path is None and dataset.table_path is not None:
        _check_parts(dataset, at, report)
    elif path is None:
        if dataset.section not in report.broken:
            message = f"{name}: The dataset has neither filepath nor table_name, and its name is not {_SHAPE}"
            report.add("no-filepath", message, at._replace(key=True), hint="Give filepath.")
    elif not path.strip("./ "):
        message = f"{name}: The path '{path}' names no file or folder of its own"
        where = at.of(report.spelling(at, "filepath", "path"))
        report.add("filepath", message, where, hint="Give the path of the data.")
    elif "://" not in path and ".." in path.split("/"):
        where = at.of(report.spelling(at, "filepath", "path"))
        report.add("filepath", f"{name}: The path climbs by '..'", where, hint="Give its whole path.")


def _check_parts(dataset: DatasetConfig, at: At, report: Report) -> None:
    """A part such as '.' would make the folder of other tables its own."""
    keys = ("schema", "sub_folder", "table_name") if dataset.table_name is not None else ()
    for part in dataset.table_path or ():
        if not part.strip("./ "):
            key = next((key for key in keys if getattr(dataset, key) == part), None)
            where = at._replace(key=True) if key is None else at.of(key)
            message = f"{dataset.name}: '{part}' names no folder of the table's own"
            report.add("filepath", message, where, hint="Give the name of a folder.")


def _without_effect(dataset: DatasetConfig) -> Iterator[str]:
    """Yield the fields that nothing is done with, where a reader of the file would expect it."""
    useless = set(_OF_WRITES) if dataset.section == "input" else set()
    if dataset.format not in (None, "delta"):
        useless |= _OF_DELTA
    elif dataset.columns is not None:
        useless.add("schema")
    if dataset.table_name is None:
        useless.add("sub_folder")
    useless.update(fields_without_effect(dataset))
    yield from sorted(useless & vars(dataset).keys())
