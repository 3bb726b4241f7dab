"""``tauro config show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tauro.cli.manual import Command, Manual
from tauro.cli.opening import open_project
from tauro.cli.options import logging_options, output_option, project_options
from tauro.cli.settings_text import masked, settings_text
from tauro.config.discovery import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.config.document import KeyPath
    from tauro.config.model import ProjectConfig

_MANUAL = Manual(
    examples=(
        "tauro config show --env dev",
        "tauro config show --env sandbox_alice --section global_settings --origin",
        "tauro config show --env prod --output json",
    ),
    see=("tauro config diff --help", "docs/environments.md"),
)


@click.command("show", cls=Command, manual=_MANUAL, short_help="Show the settings of an environment.")
@project_options
@click.option("--section", type=click.Choice(SECTIONS), help="This section only.")
@click.option("--origin", is_flag=True, help="Say of each value where it is written.")
@output_option
@logging_options
@click.pass_obj
def command(console: Console, *, section: str | None, origin: bool, where: Where) -> None:
    """Show the settings of an environment as they take effect.

    All layers are laid over each other and every reference is resolved; secrets are masked. The
    text is YAML that reads back as the same settings.
    """
    config = open_project(console, where).config
    data, text = settings_data(config, SECTIONS if section is None else (section,), origin=origin)
    console.data(data, text, masked=True)


def settings_data(config: ProjectConfig, sections: Sequence[str], *, origin: bool) -> tuple[dict[str, Any], str]:
    """Return the settings of an environment as JSON data and as text, with their secrets masked.

    Args:
        config: The settings.
        sections: Which of them.
        origin: Whether to say of each value where it is written.
    """
    values = {name: masked(config.values[name], config.redact) for name in sections}
    data = {"schema": 1, "env": config.env, "layers": list(config.layers), "sections": values}
    if origin:
        data["origins"] = list(_origins(config, sections))
    return data, settings_text(values, _note(config) if origin else None)


def _note(config: ProjectConfig) -> Callable[[KeyPath], str]:
    def note(path: KeyPath) -> str:
        section, *rest = path
        return str(config.place(str(section), *rest) or "") if rest else ""

    return note


def _origins(config: ProjectConfig, sections: Sequence[str]) -> Iterator[dict[str, Any]]:
    for section in sections:
        for path in _leaves(config.values[section], ()):
            place = config.place(section, *path)
            if place is not None:
                yield {"section": section, "path": list(path), "place": place.to_dict()}


def _leaves(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif path:
        yield path
