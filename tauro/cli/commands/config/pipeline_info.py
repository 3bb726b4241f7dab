"""``tauro config pipeline-info``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tauro.cli.commands.config.list_pipelines import pipeline_data
from tauro.cli.completion import complete_pipelines
from tauro.cli.manual import Command, Manual
from tauro.cli.opening import open_project
from tauro.cli.options import logging_options, output_option, project_options
from tauro.cli.render import table
from tauro.config.graph import graph_of
from tauro.config.model import PipelineConfig, ProjectConfig, canonical
from tauro.drawing import Vertex

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.security.redaction import Redactor

_MANUAL = Manual(
    examples=(
        "tauro config pipeline-info --env dev --pipeline silver_transformation",
        "tauro config pipeline-info --pipeline silver_transformation --graph text",
        "tauro config pipeline-info --pipeline silver_transformation --graph svg > pipeline.svg",
    ),
    exits={4: "There is no such pipeline."},
    see=("tauro run --help, for --dry-run", "docs/configuration.md"),
)


@click.command("pipeline-info", cls=Command, manual=_MANUAL, short_help="Describe a pipeline, or draw it.")
@project_options
@click.option(
    "--pipeline", required=True, metavar="NAME", shell_complete=complete_pipelines, help="Pipeline to describe."
)
@click.option(
    "--graph",
    type=click.Choice(("text", "mermaid", "svg")),
    help="Draw which node waits for which, in place of the description.",
)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, *, pipeline: str, graph: str | None, where: Where) -> None:
    """Describe a pipeline: its nodes, what they wait for, what they read and write.

    With --graph it is drawn: as text for a terminal, as Mermaid for documents, or as an SVG picture.
    """
    from tauro.exec.plan import find_pipeline

    config = open_project(console, where).config
    found = find_pipeline(config, pipeline)
    data = _information(config, found)
    if graph is None:
        console.data(data, _information_text(data))
    else:
        drawing = _drawn(config, found, graph, console.redact)
        console.data({"schema": 1, "env": config.env, "pipeline": pipeline, "graph": drawing}, drawing)


def _drawn(config: ProjectConfig, pipeline: PipelineConfig, kind: str, redact: Redactor) -> str:
    nodes = config.nodes_of(pipeline)
    graph = graph_of(nodes, config)
    outside = dict.fromkeys(name for names in graph.outside.values() for name in names)
    vertices = [Vertex(name, outside=True) for name in outside]
    for name, node in nodes.items():
        # Before they are drawn: escaped letters would hide a secret from the console's own look.
        function = (redact(".".join(node.target)),) if node.target else ()
        vertices.append(Vertex(name, (*graph.upstream[name], *graph.outside[name]), function))
    if kind == "svg":
        from tauro.drawing.svg import svg_graph

        return svg_graph(vertices, title=f"Pipeline {pipeline.name}")
    if kind == "mermaid":
        from tauro.drawing.mermaid import mermaid_graph

        return mermaid_graph(vertices)
    from tauro.drawing.text import text_graph

    return text_graph(vertices)


def _information(config: ProjectConfig, pipeline: PipelineConfig) -> dict[str, Any]:
    nodes = config.nodes_of(pipeline)
    graph = graph_of(nodes, config)
    place = config.place("pipelines", pipeline.name, key=True)
    datasets = dict.fromkeys(canonical(name) for node in nodes.values() for name in (*node.inputs, *node.outputs))
    return {
        "schema": 1,
        "env": config.env,
        **pipeline_data(pipeline),
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
