"""What checks have found: a value for the summary, the record and the error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from tauro.config.check_rules import OF_ROWS
from tauro.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tauro.config.check_rules import Check
    from tauro.errors import Place

Outcome = Literal["passed", "failed", "warned", "dropped", "quarantined"]
_TOLD = 5


class CheckResult(NamedTuple):
    """What became of a check.

    Attributes:
        name: What it is called.
        kind: What it looks at, by its key in the settings.
        outcome: ``passed``; ``failed``, so that nothing is written; ``warned``; or what was done with the bad rows.
        failed: How many rows fail it; None for a check that no row by itself fails.
        message: What is wrong, in one sentence; None where nothing is.
        examples: Values of some of these rows.
    """

    name: str
    kind: str
    outcome: Outcome = "passed"
    failed: int | None = None
    message: str | None = None
    examples: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True where nothing was wrong, or no more than is allowed."""
        return self.outcome == "passed"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the result that :meth:`to_dict` was called of."""
        return cls(**{name: data[name] for name in cls._fields})._replace(examples=tuple(data["examples"]))

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON data."""
        return {**self._asdict(), "passed": self.passed, "examples": list(self.examples)}


class CheckReport(NamedTuple):
    """What the checks of a dataset have found.

    Attributes:
        dataset: Its name.
        rows: How many rows were looked at; None where all passed and nobody counted them.
        dropped: How many of them were left out.
        quarantined: How many of them are for the side table.
        results: What became of each check, in the order of the settings.
        quarantine: Where the side table is, when rows were added to it.
    """

    dataset: str
    rows: int | None = None
    dropped: int = 0
    quarantined: int = 0
    results: tuple[CheckResult, ...] = ()
    quarantine: str | None = None

    @property
    def kept(self) -> int | None:
        """How many rows are handed on or written, where they were counted."""
        return None if self.rows is None else self.rows - self.dropped - self.quarantined

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The checks for which nothing is written."""
        return tuple(result for result in self.results if result.outcome == "failed")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of rows that did not pass, though the rest is written."""
        return tuple(
            f"'{self.dataset}': {told(result)}" for result in self.results if result.outcome not in ("passed", "failed")
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the report that :meth:`to_dict` was called of."""
        return cls(**data)._replace(results=tuple(CheckResult.from_dict(result) for result in data["results"]))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {**self._asdict(), "results": [result.to_dict() for result in self.results]}


class UnfitCheck(NodeError):
    """A check does not fit the data: a column is missing, or of another kind.

    Attributes:
        check: The check.
    """

    def __init__(self, check: Check, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.check = check

    def at(self, place: Place | None) -> UnfitCheck:
        """Return the error with the place where its check is written."""
        self.details = self.details._replace(place=place)
        return self


class CheckFailed(NodeError):
    """Data breaks a check whose failures are errors: nothing of it is written, or handed to a node.

    Attributes:
        report: What the checks have found.
        transient: False: the same data fails again, whatever the engine made of the failure.
    """

    transient = False

    def __init__(self, report: CheckReport, place: Place | None = None) -> None:
        failures = report.failures
        shown = "; ".join(told(result) for result in failures[:_TOLD])
        more = f"; and {len(failures) - _TOLD} more" if len(failures) > _TOLD else ""
        super().__init__(
            f"The data of '{report.dataset}' does not pass its checks: {shown}{more}",
            place=place,
            hint=f"Nothing is changed. Mend the data; or set on_failure to {_ways_out(failures)}.",
        )
        self.report = report


def _ways_out(failures: Sequence[CheckResult]) -> str:
    """Return what ``on_failure`` may be of checks: only rows that fail by themselves can be left out."""
    return "warn, drop or quarantine" if all(result.kind in OF_ROWS for result in failures) else "warn"


def told(result: CheckResult) -> str:
    """Return a result as a person reads it."""
    be = "is" if result.failed == 1 else "are"
    done = {"dropped": f", and {be} left out", "quarantined": f", and {be} put aside"}.get(result.outcome, "")
    examples = f" ({'; '.join(result.examples)})" if result.examples else ""
    return f"{result.message}{done}{examples}"
