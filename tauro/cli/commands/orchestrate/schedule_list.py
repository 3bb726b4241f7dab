"""``tauro orchestrate schedule-list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.commands.orchestrate.opening import chosen_env, env_filter, explain_nothing, open_runs
from tauro.cli.completion import complete_pipelines
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option, place_options

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=(
        "tauro orchestrate schedule-list",
        "tauro orchestrate schedule-list --pipeline gold_aggregation --firings 10 --past 3",
    ),
    see=("tauro orchestrate schedule-add --help", "docs/orchestration.md"),
)


@click.command("schedule-list", cls=Command, manual=_MANUAL, short_help="List schedules and when they fire next.")
@place_options
@click.option("--pipeline", metavar="NAME", shell_complete=complete_pipelines, help="Schedules of this pipeline only.")
@env_filter("Schedules")
@click.option(
    "--firings",
    type=click.IntRange(0, 100),
    default=5,
    metavar="N",
    help="How many of the next firings are shown.  [default: 5]",
)
@click.option(
    "--past",
    type=click.IntRange(0, 100),
    default=0,
    metavar="N",
    help="How many of the last firings are shown, and what became of them.  [default: 0]",
)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where, *, pipeline: str | None, firings: int, past: int) -> None:
    """List schedules, the oldest first: in words, and with their next firings by the clock of their zone.

    Days on which clocks change are marked, with what that does to the schedule.
    """
    from tauro.cli.commands.orchestrate.data import SCHEMA
    from tauro.cli.commands.orchestrate.schedule_data import view_data
    from tauro.cli.commands.orchestrate.schedule_text import views_text
    from tauro.orchestrate.schedules import list_schedules, past_ticks

    with open_runs(console, where) as runs:
        env = chosen_env(where)
        views = list_schedules(runs, pipeline=pipeline, env=env, count=firings)
        shown = [(view, past_ticks(runs, view.schedule.id, limit=past) if past else []) for view in views]
        text = views_text(shown, runs.clock()) if views else "No schedules."
        console.data({"schema": SCHEMA, "schedules": [view_data(view, ticks) for view, ticks in shown]}, text)
        if not views and pipeline is not None:
            explain_nothing(console, runs, pipeline, env)
