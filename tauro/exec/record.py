"""Each run's record on disk: its events as JSON lines, and its summary."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tauro.errors import ExecutionError, RunNotFound, SecurityError, nearest
from tauro.exec.events import Event, NodeProgressed, RunEnded
from tauro.security.private import open_private, private_directory, replace_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tauro.exec.results import RunResult


_FINGERPRINT = "fingerprint.json"


@dataclass(frozen=True)
class RunRecord:
    """The record of one run; a listener of its events.

    Attributes:
        run_id: The run's id, ``run-<timestamp>``, which is also its folder's name.
        folder: Where it is kept.
        events: The open file of events.
    """

    run_id: str
    folder: Path
    events: IO[str]

    def __call__(self, event: Event) -> None:
        """Write an event; it is with the system when this returns.

        Raises:
            ExecutionError: The disk is full, or the like.
        """
        if isinstance(event, NodeProgressed):
            return
        with _written(self.folder):
            self.events.write(json.dumps(event.to_dict(), ensure_ascii=False) + "\n")
            self.events.flush()
            if isinstance(event, RunEnded):
                self.events.close()

    def keep(self, fingerprint: Mapping[str, Any]) -> None:
        """Write what the run depends on; raise as a call does."""
        with _written(self.folder):
            replace_private(self.folder / _FINGERPRINT, json.dumps(fingerprint, ensure_ascii=False) + "\n")

    def finish(self, result: RunResult) -> None:
        """Write the run's summary; raise as a call does."""
        with _written(self.folder):
            replace_private(self.folder / "summary.json", json.dumps(result.to_dict(), ensure_ascii=False) + "\n")


def new_record(
    state: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, run_id: str | None = None
) -> RunRecord:
    """Make the record of a new run; its id is unique among all processes.

    The file of events is locked for as long as the run's process lives: a run without summary whose
    file is not locked was killed.

    Args:
        state: The program's state folder.
        now: The time, with its zone.
        run_id: Its id, where that is known to be new.

    Raises:
        FileExistsError: There is a record of the id that was given.
        ExecutionError: The disk is full, or the like.
    """
    runs = private_directory(private_directory(state) / "runs")
    moment = now()
    while True:
        name = run_id or f"run-{moment.strftime('%Y%m%d-%H%M%S-%f')}"
        folder = runs / name
        try:
            with _written(folder):
                folder.mkdir(mode=0o700)
                events = open_private(folder / "events.jsonl")
        except FileExistsError:
            if run_id is not None:
                raise
            moment += timedelta(microseconds=1)
        else:
            fcntl.flock(events, fcntl.LOCK_EX)
            return RunRecord(name, folder, events)


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Tell whose record it is that cannot be written: a run that leaves none could not be resumed."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise ExecutionError(
            f"The record of run '{folder.name}' cannot be written: {error.strerror}",
            looked_up=(str(folder),),
            hint="Make room there, or set TAURO_STATE_DIR to another folder.",
        ) from error


def read_fingerprint(state: Path, run_id: str) -> dict[str, Any]:
    """Return what a run depended on; nothing for one that has no such record."""
    try:
        with _opened(state / "runs" / run_id / _FINGERPRINT) as file:
            found = json.load(file)
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def read_summary(state: Path, run_id: str) -> dict[str, Any]:
    """Return the summary of a run that has ended; of one that was killed, what its events tell.

    Raises:
        RunNotFound: There is no such run.
        ExecutionError: It still runs.
    """
    runs = state / "runs"
    if not run_id.startswith("run-") or Path(run_id).name != run_id:
        raise RunNotFound(f"'{run_id}' is no run id", hint="A run id looks like run-20250126-101530-123456.")
    try:
        with suppress(FileNotFoundError), _opened(runs / run_id / "summary.json") as file:
            return _checked(json.load(file))
        with suppress(FileNotFoundError), _opened(runs / run_id / "events.jsonl") as file:
            return _checked(_summary_of_killed(file, run_id))
    except (ValueError, KeyError, TypeError) as error:
        message = f"The record of run '{run_id}' is damaged: {error!r}"
        raise ExecutionError(message, looked_up=(str(runs / run_id),), hint="Run its pipeline anew.") from None
    known = sorted((file.parent.name for file in runs.glob("*/events.jsonl")), reverse=True)
    raise RunNotFound(
        f"There is no run '{run_id}'",
        looked_up=(str(runs),),
        nearest=nearest(run_id, known),
        hint=f"The last run was {known[0]}." if known else "This project has no runs yet.",
    )


def resumed_by(state: Path, run_id: str) -> str | None:
    """Return the completed run that has done what another left undone, directly or by way of further runs."""
    found = {run_id}
    # Ids begin with the time: what resumes a run comes behind it.
    for file in sorted((state / "runs").glob("run-*/summary.json")):
        name = file.parent.name
        if name <= run_id:
            continue
        with suppress(OSError, ValueError, SecurityError), _opened(file) as opened:
            summary = json.load(opened)
            if isinstance(summary, dict) and summary.get("resumes") in found:
                if summary.get("state") == "completed":
                    return name
                found.add(name)
    return None


def _checked(summary: Any) -> dict[str, Any]:
    """Return a summary that has all that resuming needs; raise KeyError or TypeError otherwise."""
    for key in ("pipeline", "env", "start_date", "end_date"):
        if not isinstance(summary[key], str):
            raise TypeError(key)
    for outcome in summary["nodes"]:
        _ = outcome["node"], outcome["state"]
    return dict(summary)


def _opened(path: Path) -> IO[str]:
    try:
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), encoding="utf-8")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SecurityError(f"{path} cannot be opened: {error.strerror}") from None


def _summary_of_killed(events: IO[str], run_id: str) -> dict[str, Any]:
    """Return the summary of a run that never came to write its own: nodes without an end were cancelled."""
    try:
        fcntl.flock(events, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ExecutionError(f"Run '{run_id}' is still running", hint="Wait for it, or end it.") from None
    started: dict[str, Any] = {}
    ended: dict[str, dict[str, Any]] = {}
    for line in events:
        if not line.endswith("\n"):
            break  # the kill came in the middle of it
        event = json.loads(line)
        if event["event"] == "run_started":
            started = event
        elif "state" in event and "node" in event:
            ended[event["node"]] = event
    if not started:
        raise RunNotFound(f"Run '{run_id}' was killed before it started", hint="Run its pipeline again.")
    nodes = [ended.get(name, {"node": name, "state": "cancelled"}) for name in started["nodes"]]
    return {**started, "state": "cancelled", "nodes": nodes}
