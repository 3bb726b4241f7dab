"""``tauro config``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tauro.cli.cli import CommandGroup
from tauro.cli.opening import inspect_project, open_project, tell_warnings
from tauro.cli.options import logging_options, output_option, project_options
from tauro.cli.render import table
from tauro.config.graph import graph_of
from tauro.config.model import PipelineConfig, ProjectConfig, canonical
from tauro.config.report import report_error

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where


@click.group("config", cls=CommandGroup, short_help="Inspect and validate a project's configuration.")
def command() -> None:
    """Inspect and validate a project's configuration. Runs none of the project's code."""


@command.command("list-pipelines", short_help="List the pipelines.")
@project_options
@output_option
@logging_options
@click.pass_obj
def list_pipelines(console: Console, where: Where) -> None:
    """List the pipelines of an environment."""
    project = open_project(console, where)
    pipelines = project.pipelines.values()
    rows = [
        (pipeline.name, pipeline.type, str(len(pipeline.nodes)), pipeline.description or "") for pipeline in pipelines
    ]
    data = {"schema": 1, "env": project.env, "pipelines": [_summary(pipeline) for pipeline in pipelines]}
    console.data(data, table(("Pipeline", "Type", "Nodes", "Description"), rows, right=(2,)))


def _summary(pipeline: PipelineConfig) -> dict[str, Any]:
    return {
        "name": pipeline.name,
        "type": pipeline.type,
        "nodes": list(pipeline.nodes),
        "description": pipeline.description,
        "tags": list(pipeline.tags),
    }


@command.command("pipeline-info", short_help="Describe a pipeline.")
@project_options
@click.option("--pipeline", required=True, metavar="NAME", help="Pipeline to describe.")
@output_option
@logging_options
@click.pass_obj
def pipeline_info(console: Console, pipeline: str, where: Where) -> None:
    """Describe a pipeline: its nodes, what they wait for, what they read and write."""
    from tauro.exec.plan import find_pipeline

    project = open_project(console, where)
    data = _information(project.config, find_pipeline(project.config, pipeline))
    console.data(data, _information_text(data))


def _information(config: ProjectConfig, pipeline: PipelineConfig) -> dict[str, Any]:
    nodes = config.nodes_of(pipeline)
    graph = graph_of(nodes)
    place = config.place("pipelines", pipeline.name, key=True)
    datasets = dict.fromkeys(canonical(name) for node in nodes.values() for name in (*node.inputs, *node.outputs))
    return {
        "schema": 1,
        "env": config.env,
        **_summary(pipeline),
        "defined_at": str(place) if place else None,
        "nodes": [
            {
                "name": name,
                "function": ".".join(node.target) if node.target else None,
                "waits_for": [*graph.upstream[name], *graph.outside[name]],
                "inputs": list(node.inputs),
                "outputs": list(node.outputs),
                "tags": list(node.tags),
                "description": node.description,
            }
            for name, node in nodes.items()
        ],
        "datasets": [_dataset(config, name) for name in datasets],
    }


def _dataset(config: ProjectConfig, name: str) -> dict[str, Any]:
    found = config.dataset(name)
    written = config.outputs.get(name)
    return {
        "name": name,
        "format": found.format if found else None,
        "filepath": found.filepath if found else None,
        "write_mode": written.write_mode if written else None,
        "stored": found is not None,
    }


def _information_text(data: dict[str, Any]) -> str:
    head = [("Pipeline", data["name"]), ("Type", data["type"]), ("Description", data["description"] or "-")]
    head += [
        ("Tags", ", ".join(data["tags"]) or "-"),
        ("Environment", data["env"]),
        ("Defined at", data["defined_at"] or "-"),
    ]
    lines = [f"{label + ':':<13}{value}" for label, value in head]
    rows = [
        tuple(", ".join(node[key]) or "-" if isinstance(node[key], list) else node[key] or "-" for key in _NODE_COLUMNS)
        for node in data["nodes"]
    ]
    lines += ["", table(("Node", "Function", "Waits for", "Inputs", "Outputs", "Tags"), rows)]
    stored = [
        (item["name"], item["format"] or "in memory", item["filepath"] or "-", item["write_mode"] or "-")
        for item in data["datasets"]
    ]
    lines += ["", table(("Dataset", "Format", "Filepath", "Write mode"), stored)]
    return "\n".join(lines)


_NODE_COLUMNS = ("name", "function", "waits_for", "inputs", "outputs", "tags")


@command.command("validate", short_help="Validate every section.")
@project_options
@output_option
@logging_options
@click.pass_obj
def validate(console: Console, where: Where) -> None:
    """Validate every section of the configuration, in one report."""
    project, of_values = inspect_project(console, where)
    faults = [*of_values, *project.validate()]
    if any(not fault.warning for fault in faults):
        raise report_error(faults)
    if not console.json:
        tell_warnings(console, tuple(faults))
    counts = {"pipelines": len(project.pipelines), "nodes": len(project.config.nodes)}
    counts["datasets"] = len({*project.config.inputs, *project.config.outputs})
    text = f"The configuration is valid in environment '{project.env}': " + ", ".join(
        f"{n} {what}" for what, n in counts.items()
    )
    console.data(
        {"schema": 1, "valid": True, "env": project.env, **counts, "faults": [fault.to_dict() for fault in faults]},
        text,
    )
