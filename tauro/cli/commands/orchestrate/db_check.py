"""``tauro orchestrate db-check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.commands.orchestrate.opening import open_runs
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options
from tauro.errors import ConfigurationError

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=("tauro orchestrate db-check",),
    exits={0: "The store is sound.", 2: "It is not."},
    see=("tauro orchestrate db-recover --help", "docs/orchestration.md"),
)


@click.command("db-check", cls=Command, manual=_MANUAL, short_help="Look whether the store is sound.")
@place_options
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where) -> int:
    """Look whether the store is sound: its file, its references, and whether the events lead to the states.

    Every change of a state is written with an event; all events in their order must give what is
    stored. Nothing is changed.
    """
    from tauro.cli.commands.orchestrate.store_text import counted, problem_data
    from tauro.cli.render import table

    with open_runs(console, where) as runs:
        found, stats = runs.store.check(), runs.store.stats
        if not found:
            events = stats().events
    sound = not found
    text = (
        f"The store is sound: its file, its references, and {counted(events, 'event')} that lead to its states."
        if sound
        else table(("Kind", "Subject", "Message"), [tuple(problem) for problem in found])
    )
    console.data({"schema": 1, "sound": sound, "problems": [problem_data(problem) for problem in found]}, text)
    if sound:
        return 0
    error = ConfigurationError(
        f"The store has {counted(len(found), 'fault')}",
        hint="tauro orchestrate db-recover saves what can be read, and keeps the old file.",
    )
    console.tell(error)
    return error.exit_code
