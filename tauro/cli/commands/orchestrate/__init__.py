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
    "schedule-add": (f"{_HERE}.schedule_add", "Add a schedule to a pipeline."),
    "schedule-list": (f"{_HERE}.schedule_list", "List schedules and when they fire next."),
    "schedule-pause": (f"{_HERE}.schedule_pause", "Let a schedule fire no more for now."),
    "schedule-resume": (f"{_HERE}.schedule_resume", "Let a paused schedule fire again."),
    "schedule-update": (f"{_HERE}.schedule_update", "Change a schedule."),
    "schedule-remove": (f"{_HERE}.schedule_remove", "Remove a schedule."),
    "schedule-start": (f"{_HERE}.schedule_start", "Serve schedules and backfills until ended."),
    "backfill": (f"{_HERE}.backfill", "Create runs for windows of the past."),
    "health": (f"{_HERE}.health", "Say whether schedules are served."),
    "db-stats": (f"{_HERE}.db_stats", "Count what the store holds."),
    "db-cleanup": (f"{_HERE}.db_cleanup", "Remove runs and streams that ended long ago."),
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
