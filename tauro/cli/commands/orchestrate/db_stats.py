"""``tauro orchestrate db-stats``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.commands.orchestrate.opening import open_runs
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=("tauro orchestrate db-stats", "tauro orchestrate db-stats --output json"),
    exits={2: "The store is damaged, or of a newer version."},
    see=("tauro orchestrate db-cleanup --help", "docs/orchestration.md"),
)


@click.command("db-stats", cls=Command, manual=_MANUAL, short_help="Count what the store holds.")
@place_options
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where) -> None:
    """Count what the store holds: runs and tasks by state, schedules, ticks, events, its size and place."""
    from tauro.cli.commands.orchestrate.store_text import stats_data, stats_text

    with open_runs(console, where) as runs:
        runs.reap()
        stats = runs.store.stats()
        console.data(stats_data(stats), stats_text(stats, runs.clock()))
