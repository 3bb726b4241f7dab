"""``tauro engine list``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option
from tauro.cli.render import table

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.engines.overview import Standing

_MANUAL = Manual(
    examples=("tauro engine list", "tauro engine list --output json"),
    see=("tauro engine info --help", "tauro engine doctor --help", "docs/engines.md"),
)


@click.command("list", cls=Command, manual=_MANUAL, short_help="List the engines, and whether each can be used here.")
@output_option
@logging_options
@click.pass_obj
def command(console: Console) -> None:
    """List the engines, how each is chosen in global_settings, and whether it can be used on this machine.

    Nothing is started, and a cluster is not asked whether it is there.
    """
    from tauro.engines.overview import standings

    found = standings(os.environ)
    console.data({"schema": 1, "engines": [standing_data(standing) for standing in found]}, _text(found))


def standing_data(standing: Standing) -> dict[str, Any]:
    """Return how an engine stands, as JSON data."""
    kind, obstacle = standing.kind, standing.obstacle
    return {
        "name": kind.name,
        "mode": kind.mode,
        "spark_master": kind.master,
        "meaning": kind.meaning,
        "usable": obstacle is None,
        "why": obstacle.message if obstacle is not None else None,
        "hint": obstacle.hint if obstacle is not None else None,
    }


def _text(found: list[Standing]) -> str:
    rows = [(one.kind.name, "no" if one.obstacle else "yes", one.kind.settings, one.kind.meaning) for one in found]
    lines = [table(("Engine", "Usable", "global_settings", "What it is"), rows)]
    names: dict[tuple[str, str], list[str]] = {}
    for one in found:
        if one.obstacle is not None:
            names.setdefault((one.obstacle.message, one.obstacle.hint or ""), []).append(one.kind.name)
    for (why, hint), engines in names.items():
        lines.append(f"\n{', '.join(engines)}: {why}.")
        lines.extend([f"  Hint: {hint}"] if hint else [])
    return "\n".join(lines)
