"""``tauro orchestrate``: one module for each of its commands."""

from __future__ import annotations

import click

from tauro.cli.groups import LazyGroup
from tauro.cli.manual import Manual

_HERE = "tauro.cli.commands.orchestrate"
COMMANDS = {
    "run-create": (f"{_HERE}.run_create", "Create a run of a pipeline, to be started later."),
    "run-start": (f"{_HERE}.run_start", "Execute a run."),
    "run-status": (f"{_HERE}.run_status", "Show how a run stands."),
    "run-list": (f"{_HERE}.run_list", "List runs, the newest first."),
    "run-tasks": (f"{_HERE}.run_tasks", "List the nodes of a run."),
    "run-logs": (f"{_HERE}.run_logs", "Print what a run has printed."),
    "run-cancel": (f"{_HERE}.run_cancel", "Cancel a run."),
    "run-retry": (f"{_HERE}.run_retry", "Create a run of what another has left undone."),
    "db-stats": (f"{_HERE}.db_stats", "Count what the store holds."),
    "db-cleanup": (f"{_HERE}.db_cleanup", "Remove runs that ended long ago."),
    "db-vacuum": (f"{_HERE}.db_vacuum", "Give the room of what was removed back to the system."),
    "db-check": (f"{_HERE}.db_check", "Look whether the store is sound."),
    "db-recover": (f"{_HERE}.db_recover", "Save what can be read of a damaged store."),
}
_MANUAL = Manual(
    examples=(
        "tauro orchestrate run-create --pipeline bronze_batch_ingestion --env dev",
        "tauro orchestrate run-start --run-id run-20250126-101530-123456",
        "tauro orchestrate run-list --status failed",
    ),
    variables={
        "TAURO_STATE_DIR": "Folder of the store of runs.  [default: .tauro in the project]",
        "TAURO_DB_URL": "A PostgreSQL database for the store, for several machines: postgresql://...",
    },
    exits={
        2: "The store, or a settings file, is damaged or missing.",
        3: "A value or an option is not valid; the run is not in the state for it.",
        4: "The run failed or was cancelled; no such run, schedule or pipeline.",
    },
    see=("tauro orchestrate run-start --help", "docs/orchestration.md"),
)


@click.group(
    "orchestrate",
    cls=LazyGroup,
    table=COMMANDS,
    manual=_MANUAL,
    short_help="Run pipelines by schedules, and keep track of runs.",
)
def command() -> None:
    """Run pipelines by schedules, and keep track of runs.

    Runs and schedules are kept in a store, a file in the project's .tauro folder: no server is
    needed. Whoever dies, a run is never shown as running when nobody executes it.
    """
