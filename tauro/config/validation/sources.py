"""Faults of datasets that are more than files: what a query, a function, a pickle or a database needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.config.model import DatasetConfig, NodeConfig, canonical
from tauro.config.validation.sql import is_query, values_in
from tauro.config.views import datasets_behind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tauro.config.model import ProjectConfig
    from tauro.config.report import At, Report
    from tauro.config.validation.code import CodeChecker

# The run's dates, which every query has.
DATES = ("start_date", "end_date")
# Keys that these formats alone look at.
_OF_FORMATS = {
    "query": frozenset({"query"}),
    "views": frozenset({"query"}),
    "params": frozenset({"query", "python", "foreach_batch"}),
    "module": frozenset({"python", "foreach_batch"}),
    "function": frozenset({"python", "foreach_batch"}),
    "file_format": frozenset({"file_stream"}),
    "allow_untrusted_pickle": frozenset({"pickle"}),
    "catalog_name": frozenset({"table", "unity_catalog"}),
}
_WITHOUT_PATH = frozenset({"query", "python", "table", "jdbc", "console", "memory", "foreach_batch"})
# Each of these options is needed, in one of its spellings.
_OPTIONS = {
    ("xml", "input"): ({"rowtag": "rowTag"},),
    ("jdbc", "input"): ({"url": "url"}, {"dbtable": "dbtable", "query": "query"}),
    ("jdbc", "output"): ({"url": "url"}, {"dbtable": "dbtable"}),
}


def check_source(config: ProjectConfig, dataset: DatasetConfig, at: At, report: Report) -> None:
    """Note every fault of a dataset's source."""
    _check_options(dataset, at, report)
    if dataset.format == "query" and dataset.query is not None:
        _check_values(dataset, at, report)
    elif dataset.format == "query" and not report.raw(at, "query") and dataset.section not in report.broken:
        message = f"{dataset.name}: The dataset has no query"
        report.add("missing-setting", message, at._replace(key=True), hint="Give query: SELECT ...")
    if dataset.format == "pickle" and not dataset.allow_untrusted_pickle and dataset.section not in report.broken:
        message = f"{dataset.name}: To read a pickle executes what stands in it"
        hint = "Set allow_untrusted_pickle: true if you trust whoever made the file."
        report.add("untrusted-pickle", message, at.of("format"), hint=hint)
    if dataset.format == "pickle" and (path := dataset.filepath) is not None:
        outside = "://" in path or not (config.root / path).is_relative_to(config.root)
        if outside:
            message = f"{dataset.name}: A pickle is read from inside the project alone, and '{path}' is outside of it"
            where = at.of(report.spelling(at, "filepath", "path"))
            report.add("filepath", message, where, hint="Move the file into the project, or take another format.")
    if dataset.format == "query":
        _check_views(config, dataset, at, report)
    if dataset.format in ("python", "pickle") and dataset.partition_filter is not None:
        message = f"{dataset.name}: 'partition_filter' has no effect on format {dataset.format}"
        report.add("no-effect", message, at.of("partition_filter"), hint="Filter in the function, or in the node.")


def check_function(dataset: DatasetConfig, at: At, code: CodeChecker) -> None:
    """Note every fault of the function of a dataset: one that reads is handed nothing, one that writes a frame."""
    if dataset.format in ("python", "foreach_batch"):
        inputs = () if dataset.section == "input" else ("frame",)
        settings = {"module": dataset.module, "function": dataset.function, "inputs": inputs}
        what = "dataset" if dataset.format == "python" else "sink"
        code.check_function(NodeConfig(name=dataset.name, **settings), at, what)


def fields_without_effect(dataset: DatasetConfig) -> Iterator[str]:
    """Yield the fields that only other formats look at."""
    if dataset.format is None:
        return
    yield from (field for field, formats in _OF_FORMATS.items() if dataset.format not in formats)
    if dataset.format in _WITHOUT_PATH:
        yield "filepath"
    if dataset.format in ("query", "python", "pickle", "jdbc"):
        yield "schema"


def _check_options(dataset: DatasetConfig, at: At, report: Report) -> None:
    given = {key.lower() for key in dataset.options}
    for choices in _OPTIONS.get((dataset.format or "", dataset.section), ()):
        if given.isdisjoint(choices) and dataset.section not in report.broken:
            names = " or ".join(choices.values())
            message = f"{dataset.name}: Format {dataset.format} needs the option {names}"
            report.add("missing-setting", message, at._replace(key=True), hint=f"Give options: {{{names}: ...}}.")


def _check_values(dataset: DatasetConfig, at: At, report: Report) -> None:
    """Every ``:name`` of a query must have a value."""
    known = (*dataset.params, *DATES)
    for name in values_in(dataset.query or "") if is_query(dataset.query or "") else ():
        if name not in known:
            message = f"{dataset.name}: The query has no value for ':{name}'"
            where = at.of("query")
            report.missing("unknown-parameter", message, where, name=name, known=known, of=[dataset.section])


def _check_views(config: ProjectConfig, dataset: DatasetConfig, at: At, report: Report) -> None:
    for view, name in dataset.views:
        place = at.of("views", view) if isinstance(report.raw(at, "views"), dict) else at.of("views")
        source = config.dataset(canonical(name))
        if source is None:
            message = f"{dataset.name}: Dataset '{name}' is in no input or output section"
            known = [*config.inputs, *config.outputs]
            report.missing("unknown-dataset", message, place, name=name, known=known, of=["input", "output"])
        elif not is_readable(source):
            report.add("format", *unreadable(dataset.name, name, place), hint=HINT_UNREADABLE)
    name = canonical(dataset.name)
    if name in datasets_behind(config, name):
        message = f"{dataset.name}: The query reads itself"
        report.add("cycle", message, at.of("views"), hint="Remove it from views.")


HINT_UNREADABLE = "Describe in the input section, under another name, how it is read."


def is_readable(dataset: DatasetConfig) -> bool:
    """Say whether a dataset can be read: a function that writes cannot read."""
    return dataset.section == "input" or dataset.format not in ("python", "foreach_batch")


def unreadable(reader: str, name: str, at: At) -> tuple[str, At]:
    """Return what is told where somebody reads a dataset that cannot be read, and where."""
    return f"{reader}: Dataset '{name}' is written by a function, which does not read it", at
