"""Checks of a run's datasets: those of an input as it is read, those of an output with its write."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tauro.config.model import canonical
from tauro.io.checks import CheckFailed, Outcome, Scope, UnfitCheck, check_read, checked_write
from tauro.io.delta.commits import WriteId
from tauro.io.frames import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from tauro.config.check_rules import Check
    from tauro.config.model import DatasetConfig
    from tauro.errors import Place
    from tauro.io.checks import CheckReport
    from tauro.io.formats import Written
    from tauro.io.stored import StoredDataset

_LOGGER = logging.getLogger(__name__)


class Storage(Protocol):
    """Reads and writes stored datasets as they are: without their checks."""

    def load(self, stored: StoredDataset, kind: str) -> Any:
        """Return a dataset as a frame: ``spark``, or ``polars.LazyFrame``."""

    def store(self, stored: StoredDataset, frame: Any, write: WriteId | None) -> object:
        """Write a frame."""


class _Seen(NamedTuple):
    """What was found of an input.

    Attributes:
        report: What its checks have found.
        place: Where the check is written that failed.
        frames: The rows that pass, by the kind of the frame.
    """

    report: CheckReport
    place: Place | None
    frames: dict[str | None, Any]


@dataclass(frozen=True)
class Checker:
    """Checks the datasets of one run. May be called from several threads.

    Attributes:
        run: The run's id.
        now: When it began, with a zone.
        folder: A private folder for what must wait for the end of a write.
        references: The datasets that checks compare with, by canonical name.
        place: Returns where a check of a dataset is written.
        redact: Hides secrets in a text.
        chain: The run that a chain of resumed runs began with; this one, if not given.
    """

    run: str
    now: datetime
    folder: Path
    references: Mapping[str, StoredDataset]
    place: Callable[[DatasetConfig, Check], Place | None]
    redact: Callable[[str], str] = str
    chain: str | None = None
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)
    _locks: dict[str, Lock] = field(default_factory=dict)
    _adding: Lock = field(default_factory=Lock)

    def write(
        self,
        stored: StoredDataset,
        frame: Any,
        write: WriteId | None,
        *,
        put: Callable[[Any], Written | None],
        storage: Storage,
    ) -> Written | None:
        """Write a frame with its checks, then add the rows that they put aside to the side table.

        Who is killed between the two finds the rows again when the run is resumed: the write is not
        repeated then, or all of it is, and the side table knows its own.

        Args:
            stored: The dataset.
            frame: A DataFrame of Spark, or a lazy one of Polars.
            write: What tells the write from others.
            put: Writes the frame that it is given; None where it cannot, and nothing is done.
            storage: Reads references, writes side tables.

        Raises:
            CheckFailed: A check does not pass; what there was is as it was.
        """
        scope = self._scope(stored, storage)
        with self._placed(stored), checked_write(frame, stored.config.all_checks, scope) as checked:
            written = put(checked.frame)
            if written is None:
                return None
            outcome = checked.outcome()
            aside = None if write is None else write._replace(id=f"{write.id}/quarantine")
            return written._replace(checks=self._settle(stored, outcome, aside, storage))

    def read(self, stored: StoredDataset, frame: Any, storage: Storage) -> tuple[Any, CheckReport]:
        """Return the rows of an input that pass its checks, and what became of the others.

        However many nodes read it, its checks are made once in a run.

        Raises:
            CheckFailed: A check does not pass.
        """
        with self._locks.setdefault(stored.name, Lock()), self._placed(stored):
            seen = self._seen.get(stored.name)
            if seen is None:
                seen = self._seen[stored.name] = self._look(stored, frame, storage)
            if seen.report.failures:
                raise CheckFailed(seen.report, seen.place)
            kind = kind_of(frame)
            if kind not in seen.frames:
                seen.frames[kind] = self._again(stored, frame, seen.report, storage)
            return seen.frames[kind], seen.report

    def _look(self, stored: StoredDataset, frame: Any, storage: Storage) -> _Seen:
        try:
            outcome = check_read(frame, stored.config.all_checks, self._scope(stored, storage))
        except CheckFailed as failure:
            return _Seen(failure.report, failure.place, {})
        # A resumed run, or a second attempt, may find what an earlier one could commit and not tell.
        repeats = self.chain is not None or stored.name in self._tried
        self._tried.add(stored.name)
        write = WriteId(f"{self.chain or self.run}/{stored.name}/quarantine", repeats=repeats)
        return _Seen(self._settle(stored, outcome, write, storage), None, {kind_of(frame): outcome.frame})

    def _again(self, stored: StoredDataset, frame: Any, report: CheckReport, storage: Storage) -> Any:
        """Return the rows that pass, in a frame of another kind than the one that was looked at."""
        if not report.dropped + report.quarantined:
            return frame
        return check_read(frame, stored.config.all_checks, self._scope(stored, storage)).frame

    def _settle(self, stored: StoredDataset, outcome: Outcome, write: WriteId | None, storage: Storage) -> CheckReport:
        """Put bad rows aside, log what is to be known, and return the report."""
        report = outcome.report
        if stored.side is not None and outcome.quarantine is not None:
            report = report._replace(quarantine=stored.side.location.shown)
            with self._adding:  # several datasets may have one side table
                put_aside(stored.side, outcome.quarantine, write, storage)
        for warning in report.warnings:
            _LOGGER.warning("%s", warning)
        return report

    @contextmanager
    def _placed(self, stored: StoredDataset) -> Iterator[None]:
        """Tell with an error where the check is written that does not fit."""
        try:
            yield
        except UnfitCheck as error:
            raise error.at(self.place(stored.config, error.check)) from None

    def _scope(self, stored: StoredDataset, storage: Storage) -> Scope:
        return Scope(
            dataset=stored.name,
            run=self.run,
            now=self.now,
            folder=self.folder,
            reference=lambda name, kind: storage.load(self.references[canonical(name)], kind),
            redact=self.redact,
            place=partial(self.place, stored.config),
        )


def put_aside(side: StoredDataset, rows: Any, write: WriteId | None, storage: Storage) -> None:
    """Add rows to a side table.

    Raises:
        Exception: Whatever keeps them from being written; it says that the others are written.
    """
    try:
        storage.store(side, rows, write)
    except Exception as error:
        error.add_note(f"while adding the rows that do not pass to {side.location.shown}; the others are written")
        raise
