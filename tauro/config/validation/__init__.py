"""Every fault of a project that is more than the type of one value: references, cycles, code, datasets, streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.config.model import DatasetConfig, PipelineConfig, ProjectConfig, canonical
from tauro.config.report import At, Report
from tauro.config.validation.checks import check_checks, named_by_checks
from tauro.config.validation.code import CodeChecker
from tauro.config.validation.datasets import check_dataset
from tauro.config.validation.pipelines import PipelineChecker, home
from tauro.config.validation.sources import check_function, check_source
from tauro.config.validation.sql import check_sql
from tauro.config.validation.streams import check_checkpoints, check_streams
from tauro.config.views import datasets_behind

if TYPE_CHECKING:
    from tauro.errors import Fault


def check_project(config: ProjectConfig) -> list[Fault]:
    """Return every fault of references, code and datasets in a whole project."""
    report = Report(config.sections, config.broken)
    pipelines, code = PipelineChecker(config, report), CodeChecker(config.root, report)
    for pipeline in config.pipelines.values():
        pipelines.check(pipeline)
        check_streams(config, pipeline, report)
        for name, node in config.inline.get(pipeline.name, {}).items():
            code.check(node, home(config, pipeline, name))
    for name, node in config.nodes.items():
        code.check(node, At("nodes", (name,)))
    for dataset in (*config.inputs.values(), *config.outputs.values()):
        _check_dataset(config, dataset, report, code)
    check_checkpoints(config, report)
    if not config.pipelines and "pipelines" not in config.broken:
        report.add("no-pipelines", "The project has no pipelines", At("pipelines", ()), warning=True)
    return report.faults


def check_pipeline(config: ProjectConfig, pipeline: PipelineConfig) -> list[Fault]:
    """Return every fault that concerns a run of one pipeline."""
    report = Report(config.sections, config.broken)
    PipelineChecker(config, report).check(pipeline)
    check_streams(config, pipeline, report)
    code = CodeChecker(config.root, report)
    nodes = list(config.nodes_of(pipeline).values())
    for node in nodes:
        code.check(node, home(config, pipeline, node.name))
    used = {canonical(name) for node in nodes for name in (*node.inputs, *node.outputs)}
    used |= named_by_checks(config, used)
    used |= {view for name in used for view in datasets_behind(config, name)}
    for dataset in (*config.inputs.values(), *config.outputs.values()):
        if canonical(dataset.name) in used:
            _check_dataset(config, dataset, report, code)
    return report.faults


def _check_dataset(config: ProjectConfig, dataset: DatasetConfig, report: Report, code: CodeChecker) -> None:
    at = At(dataset.section, (dataset.name,))
    check_dataset(config, dataset, report)
    check_sql(dataset, at, report)
    check_source(config, dataset, at, report)
    check_function(dataset, at, code)
    check_checks(config, dataset, report)
