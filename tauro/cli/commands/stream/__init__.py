"""``tauro stream``: one module for each of its commands."""

from __future__ import annotations

import click

from tauro.cli.groups import LazyGroup
from tauro.cli.manual import Manual

_HERE = "tauro.cli.commands.stream"
COMMANDS = {
    "run": (f"{_HERE}.run", "Start a streaming pipeline."),
    "status": (f"{_HERE}.status", "Show how streams stand."),
    "stop": (f"{_HERE}.stop", "Stop a stream."),
    "restart": (f"{_HERE}.restart", "Stop a stream, and start it again."),
    "logs": (f"{_HERE}.logs", "Print what a stream has printed."),
}
_MANUAL = Manual(
    examples=(
        "tauro stream run --config config/streaming.py --pipeline real_time_processing",
        "tauro stream status",
        "tauro stream logs --follow",
        "tauro stream stop --execution-id exec-20250126-001",
    ),
    variables={
        "TAURO_STATE_DIR": "Folder of the store and of the logs of streams.  [default: .tauro in the project]",
        "TAURO_DB_URL": "A PostgreSQL database for the store, for several machines: postgresql://...",
        "JAVA_HOME": "The Java that Apache Spark is started with.",
    },
    exits={
        2: "The store, or a settings file, is damaged or missing.",
        3: "A value or an option is not valid; no such stream; another stream has its checkpoint.",
        4: "The stream failed, was stopped in the foreground, or still runs; no such pipeline.",
        5: "A package, Java or a connector is missing.",
    },
    see=("tauro stream run --help", "docs/streaming.md"),
)


@click.group(
    "stream", cls=LazyGroup, table=COMMANDS, manual=_MANUAL, short_help="Run streaming pipelines, and watch them."
)
def command() -> None:
    """Run streaming pipelines, and watch them.

    A stream runs in the background and outlives its terminal. Its worker is started again when it
    crashes, and goes on from its checkpoint. Whoever dies, a stream is never shown as active when
    nothing of it runs.
    """
