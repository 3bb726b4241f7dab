"""The page that ``--help`` shows of every command: what it does, options in groups, examples, variables, exit codes.

A command says with ``manual=`` what click does not know of it::

    @click.command("show", cls=Command, short_help="...", manual=Manual(examples=("tauro config show --env dev",)))
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from click.shell_completion import CompletionItem

_NOTHING: Mapping[Any, str] = MappingProxyType({})
_CONTINUED = " \\\n      "


class Manual(NamedTuple):
    """What a page has beside usage, text and options.

    Attributes:
        examples: Command lines that can be typed as they stand; long ones are wrapped by the page.
        variables: Environment variables that matter beside those of options, and what they do.
        exits: Exit codes that mean something of their own here, and what.
        see: Where to read more: other command lines, files, one a line.
    """

    examples: tuple[str, ...]
    variables: Mapping[str, str] = _NOTHING
    exits: Mapping[int, str] = _NOTHING
    see: tuple[str, ...] = ()


class Page(click.Command):
    """Draws the page of a command or group.

    Args:
        manual: What click does not know of it.
    """

    def __init__(self, *args: Any, manual: Manual | None = None, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.manual = manual

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options: those of this command, those that name a project, and those that all share."""
        groups: dict[str, list[tuple[str, str]]] = {"Options": [], "Project": [], "Output and log": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                groups[_group(parameter)].append(record)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records, col_max=24)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples, variables, exit codes and where to read more."""
        if self.manual is None:
            return
        with formatter.section("Examples"):
            for example in self.manual.examples:
                formatter.write(f"  {_wrapped(example, formatter.width)}\n")
        variables = [*self._variables(ctx), *self.manual.variables.items()]
        _write_list(formatter, "Environment variables", variables)
        _write_list(formatter, "Exit codes", [(str(code), text) for code, text in self.manual.exits.items()])
        if self.manual.see:
            with formatter.section("See also"):
                for line in self.manual.see:
                    formatter.write(f"  {line}\n")

    def _variables(self, ctx: click.Context) -> Iterator[tuple[str, str]]:
        """Return how options are given by variables: those that many commands have, and this command's own."""
        options = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
        shared = [str(option.envvar).removeprefix("TAURO_") for option in options if option.envvar]
        own = [str(option.name) for option in options if not option.envvar and not option.is_eager]
        own.sort(key=_is_of_project)
        if shared:
            yield "TAURO_<OPTION>", f"An option for all commands: {', '.join(shared)}."
        if own:
            prefix = f"{ctx.auto_envvar_prefix}_"
            yield f"{prefix}<OPTION>", f"An option of this command, such as {prefix}{own[0].upper()}."


class Command(Page):
    """A command that runs."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Propose options, also where nothing is typed yet: there is nothing else that could stand here."""
        return super().shell_complete(ctx, incomplete or "--")


def _is_of_project(option: str) -> bool:
    from tauro.cli.options import Where  # pages alone need it

    return option in Where._fields


def _group(option: click.Option) -> str:
    if _is_of_project(str(option.name)):
        return "Project"
    # What all commands share goes to the console, and to no command.
    return "Options" if option.expose_value or option.envvar is None else "Output and log"


def _wrapped(example: str, width: int) -> str:
    """Return a command line that goes on in the next line where it is too long, as a shell takes it."""
    lines = [""]
    for part in example.replace(" --", "\n --").split("\n"):
        if len(lines[-1]) + len(part) > width - 8 and lines[-1]:
            lines.append(part.lstrip())
        else:
            lines[-1] += part
    return _CONTINUED.join(lines)


def _write_list(formatter: click.HelpFormatter, title: str, rows: Sequence[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows, col_max=26)
