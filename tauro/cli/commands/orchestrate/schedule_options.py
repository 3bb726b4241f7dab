"""Options that several commands for schedules share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

from tauro.cli.completion import complete_kinds, complete_schedules, complete_zones
from tauro.cli.numbers import MOST

F = TypeVar("F", bound=Callable[..., Any])

schedule_id_option = click.option(
    "--schedule-id",
    metavar="SCHEDULE",
    required=True,
    shell_complete=complete_schedules,
    help="The schedule, such as schedule-20250126-101530-123456.",
)
kind_option = partial(
    click.option,
    "--schedule-kind",
    metavar="KIND",
    shell_complete=complete_kinds,
)
expression_option = partial(click.option, "--expression", metavar="TEXT")


def rule_options(*, of_creation: bool) -> Callable[[F], F]:
    """Return a decorator that adds what a schedule has beside its kind and expression.

    Args:
        of_creation: Whether options that are not given have a default; else they leave things as they are.
    """

    def default(value: Any) -> Any:
        return value if of_creation else None

    def about(value: Any) -> str:
        return f"  [default: {value if of_creation else 'as it is'}]"

    options = (
        click.option(
            "--timezone",
            metavar="ZONE",
            default=default("UTC"),
            shell_complete=complete_zones,
            help=f"Whose clock and days are meant, such as Europe/Berlin.{about('UTC')}",
        ),
        click.option(
            "--catchup",
            type=click.Choice(("latest", "all", "skip"), case_sensitive=False),
            metavar="POLICY",
            default=default("latest"),
            help="What becomes of firings that were missed: the latest is run, all are, or none (skip)."
            f"{about('latest')}",
        ),
        click.option(
            "--max-active-runs",
            type=click.IntRange(1, MOST),
            metavar="N",
            default=default(1),
            help=f"How many runs of the pipeline may run at once; a firing beyond them is passed over.{about(1)}",
        ),
        click.option(
            "--retries",
            type=click.IntRange(0, MOST),
            metavar="N",
            default=default(0),
            help=f"How often a run is tried again.{about(0)}",
        ),
        click.option(
            "--max-concurrency",
            type=click.IntRange(1, MOST),
            metavar="N",
            help=f"How many nodes of a run run at once.{about('global_settings')}",
        ),
    )

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
