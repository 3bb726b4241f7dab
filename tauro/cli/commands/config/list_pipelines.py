"""``tauro config list-pipelines``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tauro.cli.manual import Command, Manual
from tauro.cli.opening import open_project
from tauro.cli.options import logging_options, output_option, project_options
from tauro.cli.render import table

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.config.model import PipelineConfig

_MANUAL = Manual(
    examples=("tauro config list-pipelines --env dev", "tauro config list-pipelines --output json"),
    see=("tauro config pipeline-info --help", "docs/environments.md"),
)


@click.command("list-pipelines", cls=Command, manual=_MANUAL, short_help="List the pipelines.")
@project_options
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where) -> None:
    """List the pipelines of an environment."""
    project = open_project(console, where)
    pipelines = project.pipelines.values()
    rows = [
        (pipeline.name, pipeline.type, str(len(pipeline.nodes)), pipeline.description or "") for pipeline in pipelines
    ]
    data = {"schema": 1, "env": project.env, "pipelines": [pipeline_data(pipeline) for pipeline in pipelines]}
    console.data(data, table(("Pipeline", "Type", "Nodes", "Description"), rows, right=(2,)))


def pipeline_data(pipeline: PipelineConfig) -> dict[str, Any]:
    """Return what a pipeline is, as JSON data."""
    return {
        "name": pipeline.name,
        "type": pipeline.type,
        "nodes": list(pipeline.nodes),
        "description": pipeline.description,
        "tags": list(pipeline.tags),
    }
