"""``tauro config schema``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option
from tauro.config.discovery import SECTIONS

if TYPE_CHECKING:
    from tauro.cli.console import Console

_MANUAL = Manual(
    examples=("tauro config schema --section nodes > nodes.schema.json", "tauro config schema"),
    see=("docs/configuration.md",),
)


@click.command("schema", cls=Command, manual=_MANUAL, short_help="Print the JSON Schema of the settings.")
@click.option("--section", type=click.Choice(SECTIONS), help="This section only.")
@output_option
@logging_options
@click.pass_obj
def command(console: Console, section: str | None) -> None:
    """Print the JSON Schema of a section's files, for editors; of all sections by name, without --section.

    It takes ${references} wherever a value stands, and null, which removes what a layer below has.
    """
    from tauro.config.json_schema import schemas, section_schema

    found = schemas() if section is None else section_schema(section)
    console.data(found, json.dumps(found, indent=2))
