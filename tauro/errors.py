"""One exception tree; every branch names its exit code.

::

    TauroError                    1  GENERAL_ERROR
    ├── ConfigurationError        2  CONFIGURATION_ERROR
    │   └── SettingsNotFound
    ├── ValidationError           3  VALIDATION_ERROR
    │   ├── UnknownEnvironment
    │   ├── StreamNotFound
    │   └── UsageFault
    ├── ExecutionError            4  EXECUTION_ERROR
    │   ├── PipelineNotFound
    │   ├── NodeNotFound
    │   ├── RunNotFound
    │   ├── ScheduleNotFound
    │   ├── DatasetNotFound
    │   ├── StoreHeld
    │   ├── NodeError
    │   └── RunFailed
    ├── DependencyError           5  DEPENDENCY_ERROR
    │   ├── EngineUnavailable
    │   └── Unsupported
    └── SecurityError             6  SECURITY_ERROR
        └── UnsafePath

An error carries data, not prose: what happened, where, what was looked up, the nearest
valid names and how to mend it. The doors (console, notebook) draw it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Place(NamedTuple):
    """A position in a file that a person can go to.

    Attributes:
        file: Path as a person would type it from the project's root.
        line: Line number, from 1.
        column: Column number, from 1.
        text: The line itself, for quoting; None when it is not at hand.
    """

    file: str
    line: int
    column: int
    text: str | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def to_dict(self) -> dict[str, Any]:
        """Return the position as JSON data, without the quoted text."""
        return {"file": self.file, "line": self.line, "column": self.column}


class Fault(NamedTuple):
    """One thing that is wrong in a project's configuration.

    Attributes:
        id: Stable name of the kind of fault, such as ``unknown-key``.
        message: What is wrong, in one sentence.
        exit_code: The exit code of this kind of fault (2, 3 or 5).
        place: Where it is, when it is at a place.
        looked_up: What was searched, in order.
        nearest: The nearest valid names.
        hint: How to mend it.
        warning: True when a run may go on all the same.
    """

    id: str
    message: str
    exit_code: int = 3
    place: Place | None = None
    looked_up: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()
    hint: str | None = None
    warning: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the fault as JSON data."""
        return {
            "id": self.id,
            "severity": "warning" if self.warning else "error",
            "message": self.message,
            "place": self.place.to_dict() if self.place else None,
            "looked_up": list(self.looked_up),
            "nearest": list(self.nearest),
            "hint": self.hint,
        }


class Details(NamedTuple):
    """What an error knows beside its message; the keyword arguments of every TauroError."""

    place: Place | None = None
    looked_up: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()
    hint: str | None = None
    faults: tuple[Fault, ...] = ()


class TauroError(Exception):
    """The root of all errors that Tauro raises on purpose.

    Args:
        message: What happened, in one sentence without a final full stop.
        **details: The fields of :class:`Details`.
    """

    code: ClassVar[str] = "GENERAL_ERROR"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = Details(**details)

    @property
    def hint(self) -> str | None:
        """How to mend it, or None."""
        return self.details.hint

    @property
    def place(self) -> Place | None:
        """Where it is, or None."""
        return self.details.place

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Every single fault, when the error is a report of several."""
        return self.details.faults

    def to_dict(self) -> dict[str, Any]:
        """Return the error as JSON data, in the shape of ``--output json``."""
        details = self.details
        return {
            "code": self.code,
            "exit_code": self.exit_code,
            "message": self.message,
            "place": details.place.to_dict() if details.place else None,
            "looked_up": list(details.looked_up),
            "nearest": list(details.nearest),
            "hint": details.hint,
            "faults": [fault.to_dict() for fault in details.faults],
        }


class ConfigurationError(TauroError):
    """A settings file is missing, unreadable or not in its format."""

    code = "CONFIGURATION_ERROR"
    exit_code = 2


class SettingsNotFound(ConfigurationError):
    """No settings index was found where one was looked for."""


class ValidationError(TauroError):
    """What was given is well-formed but not valid: a type, a range, a name, a date, an option."""

    code = "VALIDATION_ERROR"
    exit_code = 3


class UnknownEnvironment(ValidationError):
    """The environment's name is not one that the project or the program knows."""


class StreamNotFound(ValidationError):
    """The store has no execution of a stream of that id."""


class UsageFault(ValidationError):
    """The command line, or the arguments of the Python API, do not fit."""


class ExecutionError(TauroError):
    """Something that was asked for could not be carried out."""

    code = "EXECUTION_ERROR"
    exit_code = 4


class PipelineNotFound(ExecutionError):
    """The project has no pipeline of that name."""


class NodeNotFound(ExecutionError):
    """The pipeline has no node of that name."""


class RunNotFound(ExecutionError):
    """The project has no record of that run."""


class ScheduleNotFound(ExecutionError):
    """The store has no schedule of that id."""


class DatasetNotFound(ExecutionError):
    """A dataset that should be read has no data at its location, or is not known."""


class StoreHeld(ExecutionError):
    """Another process has kept every writer out of the store of runs for too long; nothing was changed."""


class NodeError(ExecutionError):
    """A node's function raised, or returned what its outputs cannot take."""


class RunFailed(ExecutionError):
    """A run ended without completing."""


class DependencyError(TauroError):
    """A package, module, runtime or connector is missing."""

    code = "DEPENDENCY_ERROR"
    exit_code = 5


class EngineUnavailable(DependencyError):
    """The engine that the settings name cannot be started on this machine."""


class Unsupported(DependencyError):
    """The engine, or this version, cannot do what the configuration asks for."""


class SecurityError(TauroError):
    """A security rule forbids it."""

    code = "SECURITY_ERROR"
    exit_code = 6


class UnsafePath(SecurityError):
    """A path breaks the rules for files that are handed to the program."""


def error_of(exit_code: int) -> type[TauroError]:
    """Return the branch of the tree that leaves with ``exit_code``."""
    branches: tuple[type[TauroError], ...] = (
        ConfigurationError,
        ValidationError,
        ExecutionError,
        DependencyError,
        SecurityError,
    )
    return next((branch for branch in branches if branch.exit_code == exit_code), TauroError)


def error_from_dict(data: Mapping[str, Any]) -> TauroError:
    """Return an error of the branch and with the data of the one whose ``to_dict`` gave ``data``: a process told it.

    The lines of its places are left out, and the classes below the branches are not told.
    """
    kind = error_of(data["exit_code"])
    return kind(
        data["message"],
        place=Place(**data["place"]) if data["place"] else None,
        looked_up=tuple(data["looked_up"]),
        nearest=tuple(data["nearest"]),
        hint=data["hint"],
        faults=tuple(_fault_from_dict(fault, kind.exit_code) for fault in data["faults"]),
    )


def _fault_from_dict(data: Mapping[str, Any], exit_code: int) -> Fault:
    return Fault(
        data["id"],
        data["message"],
        exit_code,
        Place(**data["place"]) if data["place"] else None,
        looked_up=tuple(data["looked_up"]),
        nearest=tuple(data["nearest"]),
        hint=data["hint"],
        warning=data["severity"] == "warning",
    )


class TauroWarning(RuntimeWarning):
    """What goes on all the same, in words for people: the console shows it without the line that gave it."""


class Nearest:
    """Finds the nearest names for the faults of a report, until it has compared many.

    A name costs 8 µs: 5,000 faults among 5,000 names would take minutes, and nobody reads so many.

    Args:
        most: How many names are compared; a search that has begun is finished.
    """

    def __init__(self, most: int = 30_000) -> None:
        self._left = most

    @property
    def tired(self) -> bool:
        """True when it finds nothing any more."""
        return self._left <= 0

    def __call__(self, name: str, candidates: Collection[str]) -> tuple[str, ...]:
        """Return up to three of ``candidates``, as :func:`nearest` does; nothing when it is tired."""
        if self.tired:
            return ()
        self._left -= len(candidates)
        return nearest(name, candidates)


def nearest(name: str, candidates: Any) -> tuple[str, ...]:
    """Return up to three of ``candidates`` that look most like ``name``, best first."""
    from difflib import get_close_matches

    by_fold = {str(candidate).casefold(): str(candidate) for candidate in candidates}
    return tuple(by_fold[match] for match in get_close_matches(name.casefold(), by_fold, n=3, cutoff=0.6))
