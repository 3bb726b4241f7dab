"""Each run's record on disk: its events as JSON lines, and its summary."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tauro.errors import RunNotFound, SecurityError, nearest
from tauro.exec.events import Event, RunEnded
from tauro.security.private import open_private, private_directory, replace_private

if TYPE_CHECKING:
    from collections.abc import Callable

    from tauro.exec.results import RunResult


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
        """Write an event; it is with the system when this returns."""
        self.events.write(json.dumps(event.to_dict(), ensure_ascii=False) + "\n")
        self.events.flush()
        if isinstance(event, RunEnded):
            self.events.close()

    def finish(self, result: RunResult) -> None:
        """Write the run's summary."""
        replace_private(self.folder / "summary.json", json.dumps(result.to_dict(), ensure_ascii=False, indent=2) + "\n")


def new_record(state: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> RunRecord:
    """Make the record of a new run; its id is unique among all processes.

    Args:
        state: The program's state folder.
        now: The time, with its zone.
    """
    runs = private_directory(private_directory(state) / "runs")
    moment = now()
    while True:
        run_id = f"run-{moment.strftime('%Y%m%d-%H%M%S-%f')}"
        folder = runs / run_id
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            moment += timedelta(microseconds=1)
        else:
            return RunRecord(run_id, folder, open_private(folder / "events.jsonl"))


def read_summary(state: Path, run_id: str) -> dict[str, Any]:
    """Return the summary of a run that has ended.

    Raises:
        RunNotFound: There is none.
    """
    runs = state / "runs"
    if not run_id.startswith("run-") or Path(run_id).name != run_id:
        raise RunNotFound(f"'{run_id}' is no run id", hint="A run id looks like run-20250126-101530-123456.")
    try:
        descriptor = os.open(runs / run_id / "summary.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        known = sorted((file.parent.name for file in runs.glob("*/summary.json")), reverse=True)
        hint = f"The last run was {known[0]}." if known else "This project has no runs yet."
        if (runs / run_id).is_dir():
            hint = f"It still runs, or it was killed: {runs / run_id / 'events.jsonl'} says how far it came."
        raise RunNotFound(
            f"There is no summary of run '{run_id}'",
            looked_up=(str(runs),),
            nearest=nearest(run_id, known),
            hint=hint,
        ) from None
    except OSError as error:
        raise SecurityError(f"The summary of run '{run_id}' cannot be opened: {error.strerror}") from None
    with os.fdopen(descriptor, encoding="utf-8") as file:
        summary: dict[str, Any] = json.load(file)
        return summary
