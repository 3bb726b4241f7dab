"""``tauro config``: one module for each of its commands."""

from __future__ import annotations

import click

from tauro.cli.groups import LazyGroup

COMMANDS = {
    "list-configs": ("tauro.cli.commands.config.list_configs", "List the projects below a folder."),
    "list-pipelines": ("tauro.cli.commands.config.list_pipelines", "List the pipelines."),
    "pipeline-info": ("tauro.cli.commands.config.pipeline_info", "Describe a pipeline, or draw it."),
    "validate": ("tauro.cli.commands.config.validate", "Validate every section."),
    "show": ("tauro.cli.commands.config.show", "Show the settings of an environment."),
    "diff": ("tauro.cli.commands.config.diff", "Compare two environments."),
    "schema": ("tauro.cli.commands.config.schema", "Print the JSON Schema of the settings."),
    "clear-cache": ("tauro.cli.commands.config.clear_cache", "Forget which projects were found."),
}


@click.group("config", cls=LazyGroup, table=COMMANDS, short_help="Inspect and validate a project's configuration.")
def command() -> None:
    """Inspect and validate a project's configuration. Runs none of the project's code."""
