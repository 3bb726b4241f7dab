"""``tauro config``: one module for each of its commands."""

from __future__ import annotations

import click

from tauro.cli.groups import LazyGroup
from tauro.cli.manual import Manual

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
_MANUAL = Manual(
    examples=("tauro config validate --env dev", "tauro config list-pipelines --env dev"),
    variables={"TAURO_ALLOWED_ENVS": "More environments that are valid, parted by commas."},
    exits={2: "A settings file is missing or not in its format.", 3: "A value or a reference is not valid."},
    see=("tauro config validate --help", "docs/configuration.md", "docs/environments.md"),
)


@click.group(
    "config",
    cls=LazyGroup,
    table=COMMANDS,
    manual=_MANUAL,
    short_help="Inspect and validate a project's configuration.",
)
def command() -> None:
    """Inspect and validate a project's configuration. Runs none of the project's code."""
