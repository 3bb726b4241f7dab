"""``tauro stream run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from tauro.cli.commands.stream.opening import config_name, config_option, open_streams, start_options
from tauro.cli.completion import complete_streaming_pipelines, complete_streams
from tauro.cli.manual import Command, Manual
from tauro.cli.numbers import MOST
from tauro.cli.options import logging_options, output_option, project_options
from tauro.errors import ExecutionError, TauroError, UsageFault

if TYPE_CHECKING:
    from tauro.cli.console import Console
    from tauro.cli.options import Where
    from tauro.store.records import NewStream, Stream
    from tauro.streaming.control import Streams

_MANUAL = Manual(
    examples=(
        "tauro stream run --config config/streaming.py --pipeline real_time_processing",
        "tauro stream run --config config/streaming.py --pipeline real_time_processing --mode sync",
        """tauro stream run --pipeline ml_stream --model-version v1.0.0 --hyperparams '{"learning_rate": 0.01}'""",
        "tauro stream run --resume exec-20250126-001",
    ),
    variables={
        "JAVA_HOME": "The Java that Apache Spark is started with.  [default: java on PATH, then that of tauro[java]]",
        "TAURO_STATE_DIR": "Folder of the store and of the logs of streams.  [default: .tauro in the project]",
    },
    exits={
        0: "The stream is active, or has completed.",
        2: "A settings file is missing or not in its format.",
        3: "A value or an option is not valid; another stream has its checkpoint, or too many run.",
        4: "It failed, was not active in time, or was stopped in the foreground; no such pipeline.",
        5: "A package, Java or a connector is missing.",
        6: "A path breaks a rule.",
    },
    see=("tauro stream status --help", "tauro stream logs --help", "docs/streaming.md"),
)
# A stream that is started again has its own.
_OF_STREAM = ("env", "pipeline", "model_version", "hyperparams", "max_restarts")


@click.command("run", cls=Command, manual=_MANUAL, short_help="Start a streaming pipeline.")
@project_options
@config_option(
    "The settings of the stream: a Python file, or a settings index; from the project's folder.  "
    "[default: the project's own]"
)
@click.option("--pipeline", metavar="NAME", shell_complete=complete_streaming_pipelines, help="Pipeline to start.")
@click.option(
    "--mode",
    type=click.Choice(("async", "sync")),
    default="async",
    help="async: in the background; returns when it is active. sync: here, to its end.  [default: async]",
)
@click.option("--model-version", metavar="VERSION", help="Version of the model, for nodes that take ml_context.")
@click.option("--hyperparams", metavar="JSON", help="Hyperparameters as a JSON object; they win over the settings.")
@click.option(
    "--resume",
    metavar="ID",
    shell_complete=complete_streams(live=False),
    help="Start a stream that has ended again, as the same execution.",
)
@click.option(
    "--reset-checkpoint",
    is_flag=True,
    help="Begin anew: move its checkpoints aside, and read sources from their start.",
)
@click.option(
    "--max-restarts",
    type=click.IntRange(0, MOST),
    default=10,
    metavar="N",
    help="How often its worker is started again within 15 minutes before it is given up.  [default: 10]",
)
@start_options
@output_option
@logging_options
@click.pass_obj
def command(console: Console, /, where: Where, **options: Any) -> int:
    """Start a streaming pipeline, and print the id of its execution.

    It outlives this command: its worker is started again when it crashes, and goes on from its
    checkpoint. With --mode sync it runs here; Ctrl-C and SIGTERM stop it when the batch it is at is
    done. What it prints goes to its log; --verbose shows it here.
    """
    _check(options)
    with open_streams(console, where, options["config"]) as streams:
        what = options["resume"] or _new(streams, where, options)
        if options["mode"] == "sync":
            return _run_here(console, streams, what, reset=options["reset_checkpoint"])
        _start(console, streams, what, options)
        return 0


def _check(options: dict[str, Any]) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageFault: They do not.
    """
    source = click.get_current_context().get_parameter_source
    if options["resume"] is not None:
        given = [name for name in _OF_STREAM if source(name) is ParameterSource.COMMANDLINE]
        if given:
            names = ", ".join("--" + name.replace("_", "-") for name in given)
            raise UsageFault(f"--resume takes {names} from the stream that it starts again", hint="Leave them out.")
    elif options["pipeline"] is None:
        raise UsageFault("Missing option '--pipeline'", hint="Name a pipeline of type streaming or hybrid.")
    if options["mode"] == "sync" and options["no_wait"]:
        raise UsageFault("--mode sync and --no-wait exclude each other", hint="Leave one of the two out.")


def _new(streams: Streams, where: Where, options: dict[str, Any]) -> NewStream:
    from tauro.cli.hyperparams import hyperparams_of
    from tauro.config.environments import BASE, normalise
    from tauro.store.records import NewStream

    config = options["config"]
    return NewStream(
        options["pipeline"],
        normalise(BASE if where.env is None else where.env),
        config if config is None else config_name(streams.site.root, where, config),
        options["model_version"],
        hyperparams_of(options["hyperparams"]),
        options["reset_checkpoint"],
        options["max_restarts"],
    )


def _start(console: Console, streams: Streams, what: NewStream | str, options: dict[str, Any]) -> None:
    from tauro.cli.commands.stream.data import SCHEMA, stream_data
    from tauro.cli.commands.stream.text import stream_line

    waiting = {"wait": not options["no_wait"], "timeout": options["start_timeout"]}
    try:
        if isinstance(what, str):
            stream = streams.resume(what, reset_checkpoint=options["reset_checkpoint"], **waiting)
        else:
            stream = streams.start(what, **waiting)
    except KeyboardInterrupt:
        console.note("It goes on starting in the background: tauro stream status")
        raise
    now = streams.clock()
    console.data({"schema": SCHEMA, **stream_data(stream, now)}, stream.id)
    console.note(stream_line(stream, now))


def _run_here(console: Console, streams: Streams, what: NewStream | str, *, reset: bool) -> int:
    from tauro.cli.commands.stream.text import stream_line
    from tauro.cli.commands.stream.watching import Line, drawn
    from tauro.cli.hearing import output_hearer

    line = Line()
    try:
        with drawn(console, line), output_hearer(console) as heard:
            stream = streams.run_here(what, reset_checkpoint=reset, listeners=(line,), heard=heard)
    except TauroError:
        if line.stream_id is not None:
            _tell(console, streams, streams.get(line.stream_id))
        raise
    _tell(console, streams, stream)
    if not console.json:
        console.note(stream_line(stream, streams.clock()))
    if stream.state == "completed":
        return 0
    hint = f"Go on: tauro stream run --resume {stream.id}"
    error = ExecutionError(f"Stream {stream.id} was stopped", hint=hint)
    return console.fail(error, hint)


def _tell(console: Console, streams: Streams, stream: Stream) -> None:
    from tauro.cli.commands.stream.data import SCHEMA, stream_data

    console.data({"schema": SCHEMA, **stream_data(stream, streams.clock())}, stream.id)
