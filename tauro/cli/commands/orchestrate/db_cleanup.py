"""``tauro orchestrate db-cleanup``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from tauro.cli.commands.orchestrate.opening import open_runs
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=("tauro orchestrate db-cleanup --days 30 --dry-run", "tauro orchestrate db-cleanup --days 30"),
    see=("tauro orchestrate db-vacuum --help", "docs/orchestration.md"),
)
_MOST_DAYS = 365_000


@click.command("db-cleanup", cls=Command, manual=_MANUAL, short_help="Remove runs and streams that ended long ago.")
@place_options
@click.option(
    "--days",
    type=click.IntRange(0, _MOST_DAYS),
    required=True,
    metavar="N",
    help="Remove what ended more than so many days ago.",
)
@click.option("--dry-run", is_flag=True, help="Count what would be removed; remove nothing.")
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, *, days: int, dry_run: bool) -> None:
    """Remove runs and streams that ended long ago, with all that belongs to them, and the ticks of that time.

    The records of plain "tauro run" of that time are removed, too: they can no longer be resumed.

    Runs that are pending or running stay, and so do schedules and streams that run. It takes a thousand runs at a time,
    so that no other process waits for it.
    """
    from tauro.cli.commands.orchestrate.data import SCHEMA
    from tauro.cli.commands.orchestrate.store_text import cleaned_text
    from tauro.cli.moments import iso

    with open_runs(console, where) as runs:
        before = runs.clock() - timedelta(days=days)
        cleaned = runs.cleanup(before=before, dry_run=dry_run)
    data = {"schema": SCHEMA, "dry_run": dry_run, "before": iso(before), **cleaned._asdict()}
    console.data(data, cleaned_text(cleaned, before, dry_run=dry_run))
