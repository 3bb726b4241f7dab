"""What completes a value of the command line, from what can be read of the project that is meant.

Each ``complete_...`` is given to an option or argument as its ``shell_complete``. It runs none of the
project's code, prints nothing, writes nothing and raises nothing: what cannot be read is not
proposed. Which project, environment and pipeline are meant is taken from the options that stand on
the command line already and from their variables, as the command itself does.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any

from tauro.errors import TauroError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import click
    from click.shell_completion import CompletionItem

    from tauro.cli.completion.glance import Glance
    from tauro.store.states import RunState

    # What the command line says so far, and the beginning of the word -> values, each with a word about it.
    Propose = Callable[[Mapping[str, Any], str], Iterable[tuple[str, str]]]
    Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

# Nobody reads more of them in a shell.
_MAX_RUNS = 50
# A file that is larger takes longer to read than its descriptions are worth.
_MAX_DESCRIBED_BYTES = 64 * 1024


def _completer(propose: Propose) -> Completer:
    """Return click's kind of completer for a function that proposes values."""

    @wraps(propose)
    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        items: list[CompletionItem] = []
        # What was proposed before something could not be read stays.
        with suppress(TauroError, OSError, ValueError):
            for value, about in propose(context.params, incomplete):
                # What comes from a project must not steer the terminal.
                if value.startswith(incomplete) and value.isprintable():
                    items.append(CompletionItem(value, help=_one_line(about) or None))
        return items

    return complete


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


@_completer
def complete_environments(params: Mapping[str, Any], _incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose the standard environments, and those of the project and of the user's variable."""
    from tauro.config import environments

    project = _project(params)
    found = [*environments.STANDARD, *(project.environments() if project else ())]
    with suppress(TauroError):
        found += environments.allowed(os.environ)
    for name in dict.fromkeys(found):
        below = environments.chain(name)[:-1]
        about = f"over {' and '.join(below)}" if below else "what all others lie over"
        lacking = bool(below) and project is not None and not project.has_settings(name)
        yield name, f"{about}, without settings of its own" if lacking else about


@_completer
def complete_pipelines(params: Mapping[str, Any], _incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose the pipelines of the environment."""
    for name, pipeline in _section(params, "pipelines").items():
        yield name, _description(pipeline)


@_completer
def complete_streaming_pipelines(params: Mapping[str, Any], _incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose the pipelines that have streams, of the environment, or of the settings that ``--config`` names."""
    config, project = params.get("config"), _project(params)
    if config is None or project is None:
        for name, pipeline in _section(params, "pipelines").items():
            if _get(pipeline, "type") in ("streaming", "hybrid"):
                yield name, _description(pipeline)
    elif config.endswith(".py"):
        from tauro.cli.completion.python_settings import pipelines_of
        from tauro.security.paths import read_beneath

        with suppress(SyntaxError):
            yield from pipelines_of(read_beneath(project.root, config).decode())


@_completer
def complete_nodes(params: Mapping[str, Any], _incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose the nodes of the pipeline; of all pipelines, while none is chosen."""
    return _described_nodes(params)


@_completer
def complete_node_lists(params: Mapping[str, Any], incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose nodes as :func:`complete_nodes`, one after the other, parted by commas."""
    return _next_of_list(_described_nodes(params), incomplete)


@_completer
def complete_tag_lists(params: Mapping[str, Any], incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose the tags of the nodes that :func:`complete_nodes` proposes, parted by commas."""
    settings = _section(params, "nodes")
    nodes = {name: inline.get("tags") or _get(settings.get(name), "tags") for name, inline in _nodes(params).items()}
    having: dict[str, list[str]] = {}
    for name, tags in nodes.items():
        for tag in tags if isinstance(tags, list) else [tags]:
            if isinstance(tag, str):
                having.setdefault(tag, []).append(name)
    return _next_of_list(((tag, f"tag of {', '.join(names)}") for tag, names in having.items()), incomplete)


@_completer
def complete_runs(params: Mapping[str, Any], incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose the ids of runs, the newest first, each with its pipeline, environment and state."""
    project = _project(params)
    if project is not None:
        fitting = (name for name in project.runs(os.environ) if name.startswith(incomplete))
        for name in islice(fitting, _MAX_RUNS):
            yield name, project.about_run(name, os.environ)


def complete_stored_runs(*states: RunState) -> Completer:
    """Return what proposes the runs of the store in these states, or in any; the newest first."""

    @_completer
    def complete(params: Mapping[str, Any], incomplete: str) -> Iterator[tuple[str, str]]:
        from tauro.cli.completion.stored import stored_runs

        project = _project(params)
        for run in stored_runs(project.root, states, most=_MAX_RUNS) if project else ():
            if run.id.startswith(incomplete):
                yield run.id, f"{run.new.pipeline} in {run.new.env}: {run.state}"

    return complete


def complete_streams(*, live: bool | None = None) -> Completer:
    """Return what proposes the streams of the store, the newest first: those that run, that have ended, or any."""

    @_completer
    def complete(params: Mapping[str, Any], incomplete: str) -> Iterator[tuple[str, str]]:
        from tauro.cli.completion.stored import stored_streams

        project = _project(params)
        for stream in stored_streams(project.root, live=live, most=_MAX_RUNS) if project else ():
            if stream.id.startswith(incomplete):
                yield stream.id, f"{stream.new.pipeline} in {stream.new.env}: {stream.status}"

    return complete


@_completer
def complete_schedules(params: Mapping[str, Any], _incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose the schedules of the store."""
    from tauro.cli.completion.stored import stored_schedules

    project = _project(params)
    for schedule in stored_schedules(project.root) if project else ():
        new = schedule.new
        paused = "" if schedule.enabled else ", paused"
        yield schedule.id, f"{new.pipeline} in {new.env}: {new.kind} {new.expression}{paused}"


@_completer
def complete_backfills(params: Mapping[str, Any], _incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose the backfills of the newest runs of the store."""
    from tauro.cli.completion.stored import stored_runs

    project = _project(params)
    runs = stored_runs(project.root, (), most=_MAX_RUNS) if project else []
    for backfill, run in {run.new.backfill_id: run for run in runs}.items():
        if backfill is not None:
            yield backfill, f"{run.new.pipeline} in {run.new.env}"


@_completer
def complete_kinds(_params: Mapping[str, Any], _incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose the kinds of schedules."""
    yield "INTERVAL", "every so many seconds"
    yield "CRON", "at times of the clock"


@_completer
def complete_zones(_params: Mapping[str, Any], incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose time zones, when a letter is typed: there are six hundred."""
    from zoneinfo import available_timezones

    for name in sorted(available_timezones()) if incomplete else ("UTC",):
        yield name, ""


@_completer
def complete_templates(_params: Mapping[str, Any], _incomplete: str) -> Iterable[tuple[str, str]]:
    """Propose the templates of projects."""
    from tauro.scaffold.generator import TEMPLATES

    return TEMPLATES.items()


def complete_folders(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell propose folders."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


def complete_files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell propose files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def _project(params: Mapping[str, Any]) -> Glance | None:
    """Look at the project that the command line means so far."""
    from tauro.cli.completion.glance import glance
    from tauro.config.search import Wanted

    return glance(params.get("base_path") or ".", Wanted(*(params.get(name) for name in Wanted._fields)))


def _section(params: Mapping[str, Any], name: str, **limits: int) -> dict[str, Any]:
    project = _project(params)
    found = project.section(name, params.get("env"), **limits) if project else {}
    return {key: value for key, value in found.items() if isinstance(key, str)}


def _described_nodes(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    settings = _section(params, "nodes", max_bytes=_MAX_DESCRIBED_BYTES)
    for name, inline in _nodes(params).items():
        yield name, _description(inline) or _description(settings.get(name))


def _nodes(params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the nodes of the pipeline that is meant, or of all, with what the pipeline itself says of each."""
    pipelines = _section(params, "pipelines")
    chosen = params.get("pipeline")
    nodes: dict[str, dict[str, Any]] = {}
    for pipeline in pipelines.values() if chosen is None else [pipelines.get(chosen)]:
        listed = _get(pipeline, "nodes")
        for item in listed if isinstance(listed, list) else [listed]:
            name, inline = (item.get("name"), item) if isinstance(item, dict) else (item, {})
            if isinstance(name, str):
                nodes[name] = inline
    return nodes


def _next_of_list(proposals: Iterable[tuple[str, str]], incomplete: str) -> Iterator[tuple[str, str]]:
    """Propose what can follow the last comma, behind all that stands before it."""
    before, comma, _ = incomplete.rpartition(",")
    taken = before.split(",")
    for value, about in proposals:
        if value not in taken:
            yield f"{before}{comma}{value}", about


def _description(settings: Any) -> str:
    text = _get(settings, "description")
    return text if isinstance(text, str) else ""


def _get(settings: Any, key: str) -> Any:
    return settings.get(key) if isinstance(settings, dict) else None
