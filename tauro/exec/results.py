"""How a run ended: a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from tauro.errors import Place, RunFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from tauro.exec.node import NodeReport
    from tauro.io.checks import CheckReport

RunState = Literal["completed", "failed", "cancelled"]
NodeState = Literal["completed", "failed", "skipped", "cancelled"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a node failed.

    Attributes:
        type: Name of the exception's class.
        message: What it says, without secrets.
        code: Tauro's code of the error.
        place: Where in the project's code it was raised.
        looked_up: What was searched, in order.
        hint: How to mend it.
        traceback: The whole traceback, without secrets.
        transient: True when it may be gone when the same is tried again.
    """

    type: str
    message: str
    code: str
    place: Place | None = None
    looked_up: tuple[str, ...] = ()
    hint: str | None = None
    traceback: str = ""
    transient: bool = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the failure that :meth:`to_dict` was called of; its place has lost the line's text."""
        place = Place(**data["place"]) if data["place"] else None
        return cls(**{**data, "place": place, "looked_up": tuple(data["looked_up"])})

    def to_dict(self) -> dict[str, Any]:
        """Return the failure as JSON data."""
        return {
            "type": self.type,
            "message": self.message,
            "code": self.code,
            "place": self.place.to_dict() if self.place else None,
            "looked_up": list(self.looked_up),
            "hint": self.hint,
            "traceback": self.traceback,
            "transient": self.transient,
        }


@dataclass(frozen=True, slots=True)
class NodeOutcome:
    """How a node ended.

    Attributes:
        node: Its name.
        state: completed, failed, skipped or cancelled.
        seconds: How long it ran.
        rows_in: Rows of all its inputs, None where that is not known without computing.
        rows_out: Rows of all its outputs, None where that is not known without computing.
        failure: Why it failed.
        because_of: The failed node for which it was skipped.
        warnings: What a person should know.
        attempts: How often it was tried.
        checks: What the checks of its inputs and outputs have found; of a node that failed, those it failed for.
        written: Each of its outputs with its rows, None where that is not known without computing.
    """

    node: str
    state: NodeState
    seconds: float = 0.0
    rows_in: int | None = None
    rows_out: int | None = None
    failure: Failure | None = None
    because_of: str | None = None
    warnings: tuple[str, ...] = ()
    attempts: int = 1
    checks: tuple[CheckReport, ...] = ()
    written: tuple[tuple[str, int | None], ...] = ()

    @classmethod
    def of(cls, report: NodeReport, node: str, seconds: float, attempts: int) -> Self:
        """Return the outcome of a node that was completed."""
        return cls(
            node=node,
            state="completed",
            seconds=seconds,
            rows_in=report.rows_in,
            rows_out=report.rows_out,
            warnings=report.warnings,
            attempts=attempts,
            checks=report.checks,
            written=report.written,
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the outcome that :meth:`to_dict` was called of."""
        failure = data.get("failure")
        return cls(
            node=data["node"],
            state=data["state"],
            seconds=data["seconds"],
            rows_in=data["rows_in"],
            rows_out=data["rows_out"],
            failure=None if failure is None else Failure.from_dict(failure),
            because_of=data.get("because_of"),
            warnings=tuple(data.get("warnings", ())),
            attempts=data["attempts"],
            checks=_checks(data["checks"]) if "checks" in data else (),
            written=tuple(data.get("written", {}).items()),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON data."""
        data: dict[str, Any] = {
            "node": self.node,
            "state": self.state,
            "seconds": round(self.seconds, 6),
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "attempts": self.attempts,
        }
        if self.failure is not None:
            data["failure"] = self.failure.to_dict()
        if self.because_of is not None:
            data["because_of"] = self.because_of
        if self.warnings:
            data["warnings"] = list(self.warnings)
        if self.checks:
            data["checks"] = [report.to_dict() for report in self.checks]
        if self.written:
            data["written"] = dict(self.written)
        return data


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended.

    Attributes:
        run_id: Its id, ``run-<timestamp>``.
        pipeline: The pipeline's name.
        env: The environment.
        state: completed, failed or cancelled.
        start_date: First date of the run.
        end_date: Last date of the run.
        started_at: When it began, UTC.
        seconds: How long it took.
        nodes: The outcome of every node, in the plan's order.
        resumes: The run that it goes on with.
        abandoned: True when a node could not be ended and still runs in this process.
        first_run: The run that a chain of resumed runs began with; None for one that resumes nothing.
        options: What tells the model options it was given from others; None where there were none.
        ui: The address of Spark's own pages about it; None where there are none.
    """

    run_id: str
    pipeline: str
    env: str
    state: RunState
    start_date: str
    end_date: str
    started_at: datetime
    seconds: float
    nodes: tuple[NodeOutcome, ...]
    resumes: str | None = None
    abandoned: bool = False
    first_run: str | None = None
    options: str | None = None
    ui: str | None = None

    @property
    def root_causes(self) -> tuple[NodeOutcome, ...]:
        """The nodes that failed by themselves."""
        return tuple(node for node in self.nodes if node.state == "failed")

    def raise_for_state(self) -> RunResult:
        """Return the result of a completed run.

        Raises:
            RunFailed: It was not completed.
        """
        __tracebackhide__ = True  # in pytest the line of the test says more
        if self.state == "completed":
            return self
        first = next((node.failure for node in self.root_causes if node.failure), None)
        reason = f": {first.message}" if first else ""
        raise RunFailed(
            f"Run {self.run_id} of '{self.pipeline}' {'failed' if self.state == 'failed' else 'was cancelled'}{reason}",
            place=first.place if first else None,
            hint=f"Resume it: tauro run --resume {self.run_id}",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON data."""
        return {
            "schema": 1,
            "run_id": self.run_id,
            "pipeline": self.pipeline,
            "env": self.env,
            "state": self.state,
            "start_date": self.start_date,
            "end_date": self.end_date,
            "started_at": self.started_at.isoformat(),
            "seconds": round(self.seconds, 6),
            "resumes": self.resumes,
            "first_run": self.first_run,
            "options": self.options,
            "spark_ui": self.ui,
            "nodes": [node.to_dict() for node in self.nodes],
        }


def _checks(data: Iterable[Mapping[str, Any]]) -> tuple[CheckReport, ...]:
    from tauro.io.checks.report import CheckReport

    return tuple(CheckReport.from_dict(report) for report in data)
