"""How long the console script takes to start, against a one-command Click program.

Both are started by the same interpreter through the same console script. The reference does
nothing but greet; so the ratio says what Tauro's own modules and the reading of a project cost.
A person waits for every completion at a prompt: what these take beyond the reference is bounded in
seconds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from measure import (
    Fact,
    Figure,
    arguments,
    console_script,
    environment,
    fastest,
    generated_project,
    in_child,
    report,
    scratch,
    write_files,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_HELLO = '''\
import click


@click.command()
@click.version_option("1.0", prog_name="hello")
def main():
    """Greet."""
    click.echo("Hello")
'''
_UNWANTED = ("pyspark", "pysail", "pandas", "IPython", "rich", "loguru")
_PROBE = """\
import json, sys
from tauro.cli.cli import invoke
code = invoke(sys.argv[1:])
print(json.dumps({"code": code, "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""
_CONFIG = {
    "config list-pipelines": ("config", "list-pipelines", "--env", "dev"),
    "config validate": ("config", "validate", "--env", "dev"),
}
_FINISHED = """
    WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?)
    INSERT INTO runs (id, pipeline, env, retries, priority, state, attempt, epoch, cancel_requested, available_at,
        created_at, started_at, ended_at, changed_at)
    SELECT 'run-2025-' || i, 'p' || (i % 20), 'prod', 0, 0, 'completed', 1, 1, 0, i, i, i, i, i FROM numbers"""
# They look into a store with a million finished runs; at the last one.
_RUNS = {
    "orchestrate run-list": ("orchestrate", "run-list"),
    "orchestrate run-status": ("orchestrate", "run-status", "--run-id", "LAST"),
    "orchestrate run-tasks": ("orchestrate", "run-tasks", "--run-id", "LAST"),
}
# A thousand streams have ended long ago, and one runs.
_STREAMS = {
    "stream status": ("stream", "status"),
    "stream status of one": ("stream", "status", "--config", "config/streaming.py", "--execution-id", "LAST"),
    "stream logs": ("stream", "logs", "--execution-id", "LAST"),
}
# The command line that a shell asks about: its script sets the variable and gives the line.
_COMPLETIONS = {
    "an option": "tauro run --pi",
    "--env": "tauro run --env ",
    "--pipeline": "tauro run --env dev --pipeline ",
    "--node": "tauro run --env dev --pipeline silver_transformation --node ",
}
BOUND_START = 1.25
BOUND_CONFIG = 2.0
BOUND_RUNS = 1.6
BOUND_COMPLETION_SECONDS = 0.05


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=15)
    with scratch() as folder:
        write_files(folder, {"hello_program.py": _HELLO})
        hello = console_script(folder, "hello", "hello_program")
        tauro = console_script(folder, "tauro", "tauro.cli.cli")
        project = generated_project(folder)
        last = finished_runs(project, 1_000_000)
        looks = _filled(_RUNS, last) | _filled(_STREAMS, streams(project, 1_000))
        pairs = {
            "--help": (("--help",), ("--help",), BOUND_START),
            "--version": (("--version",), ("--version",), BOUND_START),
            **{name: (command, (), BOUND_CONFIG) for name, command in _CONFIG.items()},
            **{name: (command, (), BOUND_RUNS) for name, command in looks.items()},
        }
        candidates = {}
        for name, (ours, theirs, _) in pairs.items():
            candidates[f"tauro {name}"] = in_child([*tauro, *ours], cwd=project)
            candidates[f"hello {name}"] = in_child([*hello, *theirs], cwd=project)
        asking = ["/usr/bin/env", "_TAURO_COMPLETE=line"]
        for name, line in _COMPLETIONS.items():
            candidates[name] = in_child([*asking, *tauro, line], cwd=project)
        candidates["hello"] = in_child([*asking, *hello], cwd=project)
        times = fastest(candidates, options.runs)
        figures = [
            Figure(f"tauro {name}", times[f"tauro {name}"], times[f"hello {name}"], bound)
            for name, (_, _, bound) in pairs.items()
        ]
        figures += [
            Figure(f"completion of {name}", times[name] - times["hello"], BOUND_COMPLETION_SECONDS, 1.0, "beyond hello")
            for name in _COMPLETIONS
        ]
        looking = (("--help",), ("--version",), *_CONFIG.values(), *looks.values())
        facts = [light(command, project) for command in looking]
    return report(figures, facts, as_json=options.json)


def _filled(lines: Mapping[str, Sequence[str]], last: str) -> dict[str, tuple[str, ...]]:
    """Return command lines with an id in its place."""
    return {name: tuple(last if word == "LAST" else word for word in line) for name, line in lines.items()}


def streams(project: Path, count: int) -> str:
    """Put streams that have ended into the project's store, and return the id of the last one, which runs here."""
    from tauro.processes.identity import this_process
    from tauro.store import open_store
    from tauro.store.records import NewStream, Progress

    now = datetime.now(UTC)
    with open_store(project / ".tauro", {}) as store:
        for _ in range(count):
            made = store.create_stream(NewStream("real_time_processing", "base"), now=now - timedelta(days=30))
            store.request_stop(made.id, timeout=0, now=now - timedelta(days=30))
        last = store.create_stream(NewStream("real_time_processing", "base"), now=now).id
        epoch = store.claim_stream(last, this_process(), lease=timedelta(hours=1), now=now) or 0
        batches = [
            Progress("n", number, now + timedelta(seconds=number), 10, 5.0, 5.0, 10 * number, 0.2)
            for number in range(100)
        ]
        store.keep_stream(last, epoch, lease=timedelta(hours=1), now=now, batches=batches)
    return last


def finished_runs(project: Path, count: int) -> str:
    """Put finished runs into the project's store, and return the id of the last one, which has a task."""
    from tauro.orchestrate.control import Orchestrator
    from tauro.processes.identity import this_process
    from tauro.store.records import NewRun, TaskEnded, TasksPlanned, TaskStarted
    from tauro.store.sqlite import SqliteDatabase

    with Orchestrator.open(project, environ={}) as runs:
        database = SqliteDatabase(runs.site.state)
        with database.write() as sql:
            sql.change(_FINISHED, count - 1)  # one by one would take minutes
        database.close()
        store, now = runs.store, runs.clock()
        run_id = store.create_run(NewRun("silver_transformation", "dev"), now=now).run.id
        epoch = store.claim(run_id, this_process(), lease=timedelta(seconds=30), now=now) or 0
        changes = (TasksPlanned(("extract",), now), TaskStarted("extract", now))
        store.record(run_id, epoch, (*changes, TaskEnded("extract", now, "completed", 10, 10)))
        store.finish(run_id, epoch, "completed", now=now)
    return run_id


def light(command: Sequence[str], project: Path) -> Fact:
    """Say whether a command does without the modules that take long to load."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *command],
        cwd=project,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    seen = json.loads(done.stdout.splitlines()[-1])
    loaded = [name for name in _UNWANTED if name in seen["modules"]]
    note = f"it loads {', '.join(loaded)}" if loaded else "" if seen["code"] == 0 else f"exit code {seen['code']}"
    return Fact(f"tauro {' '.join(command)} loads none of {', '.join(_UNWANTED)}", not note, note)


if __name__ == "__main__":
    sys.exit(main())
