"""``tauro config diff``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from tauro.cli.colour import paint
from tauro.cli.completion import complete_environments
from tauro.cli.manual import Command, Manual
from tauro.cli.opening import introduce, project_folder, tell_warnings
from tauro.cli.options import logging_options, output_option, place_options
from tauro.cli.render import clean
from tauro.cli.settings_text import column_width, masked, value_text
from tauro.config.differences import MISSING, Difference, differences
from tauro.project import Project
from tauro.security.redaction import Redactor

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.errors import Place

_MANUAL = Manual(
    examples=("tauro config diff dev prod", "tauro config diff sandbox sandbox_alice --output json"),
    see=("tauro config show --help", "docs/environments.md"),
)


@click.command("diff", cls=Command, manual=_MANUAL, short_help="Compare two environments.")
@click.argument("env1", shell_complete=complete_environments)
@click.argument("env2", shell_complete=complete_environments)
@place_options
@output_option
@logging_options
@click.pass_obj
def command(console: Console, env1: str, env2: str, where: Where) -> None:
    """Compare the settings of two environments as they take effect, value by value. Secrets are masked."""
    folder = project_folder(console, where)
    first, second = (Project.open(folder, env, config_type=where.config_type) for env in (env1, env2))
    for project in (first, second):
        introduce(console, project)
    console.redact = Redactor(first.config.secrets | second.config.secrets)
    tell_warnings(console, dict.fromkeys((*first.warnings, *second.warnings)))
    found = [_masked(one, console) for one in differences(first.config, second.config)]
    data = {"schema": 1, "from": first.env, "to": second.env, "differences": [_data(one) for one in found]}
    console.data(data, _text(first.env, second.env, found))


def _masked(found: Difference, console: Console) -> Difference:
    key = str(found.path[-1])
    before, after = (
        value if value is MISSING else masked(value, console.redact, key) for value in (found.before, found.after)
    )
    return found._replace(before=before, after=after)


def _data(found: Difference) -> dict[str, Any]:
    data: dict[str, Any] = {"section": found.section, "path": list(found.path), "change": found.change}
    if found.before is not MISSING:
        data |= {"before": found.before, "before_at": found.before_at and found.before_at.to_dict()}
    if found.after is not MISSING:
        data |= {"after": found.after, "after_at": found.after_at and found.after_at.to_dict()}
    return data


def _text(first: str, second: str, found: list[Difference]) -> str:
    if not found:
        return f"'{first}' and '{second}' have the same settings."
    sides = [(f"{one.section}.{'.'.join(map(str, one.path))}", _sides(one)) for one in found]
    width = column_width(text for _, values in sides for text, _ in values)
    lines = [_paint(f"--- {first}"), _paint(f"+++ {second}")]
    for name, values in sides:
        lines.append(clean(name))
        lines.extend(_paint(clean(f"  {text:<{width}}  {place}".rstrip())) for text, place in values)
    return "\n".join(lines)


def _sides(found: Difference) -> list[tuple[str, str]]:
    """Return the lines of a difference: sign and value, and where it is written."""
    both: tuple[tuple[str, Any, Place | None], ...] = (
        ("-", found.before, found.before_at),
        ("+", found.after, found.after_at),
    )
    return [(f"{sign} {value_text(value)}", str(place or "")) for sign, value, place in both if value is not MISSING]


def _paint(line: str) -> str:
    return paint(line, stream=sys.stdout, fg="red" if line.lstrip().startswith("-") else "green")
