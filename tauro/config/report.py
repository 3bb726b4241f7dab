"""Collects every fault of a configuration, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.errors import Fault, Nearest, TauroError, error_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tauro.config.document import KeyPath
    from tauro.config.overlay import Layered
    from tauro.config.schema import Invalid
    from tauro.errors import Place


# Nobody reads more, and a file could give a fault for each of its lines.
MAX_FAULTS = 5_000


class At(NamedTuple):
    """A value of a section.

    Attributes:
        section: The section's name.
        path: Keys and list indices from the section's root.
        key: True for the place of the key rather than of its value.
    """

    section: str
    path: KeyPath
    key: bool = False

    def of(self, *steps: str | int) -> At:
        """Return a value inside this one."""
        return At(self.section, (*self.path, *steps))


class Report:
    """Collects the faults of a configuration.

    Args:
        sections: The files behind it, for places.
        broken: The sections that could not be read in full: what they lack is not missing.

    Attributes:
        unresolved: Values that hold a reference without a value; nothing more is to be said of them.
        nearest: Finds names that could be meant.
    """

    def __init__(self, sections: Mapping[str, Layered], broken: frozenset[str] = frozenset()) -> None:
        self.sections = sections
        self.broken = broken
        self.faults: list[Fault] = []
        self.unresolved: set[tuple[str, KeyPath]] = set()
        self.nearest = Nearest()
        self._told: set[tuple[str, str, Place | None]] = set()

    def add(self, kind: str, message: str, at: At, **more: Any) -> None:
        """Note a fault, once; ``more`` are further fields of :class:`Fault`."""
        if len(self.faults) >= MAX_FAULTS:
            return
        place = self.sections[at.section].place(at.path, key=at.key)
        if (kind, message, place) not in self._told:
            self._told.add((kind, message, place))
            self.faults.append(Fault(kind, message, place=place, **more))

    def missing(self, kind: str, message: str, at: At, *, name: str, known: Iterable[str], of: Iterable[str]) -> None:
        """Note that ``name`` is not among the ``known``, which the sections ``of`` the project give."""
        if not self.broken.isdisjoint(of):
            return
        if self.nearest.tired:
            self.add(kind, message, at)
            return
        names = sorted(set(known))
        near = self.nearest(name, names)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(names[:10]) or 'none'}."
        self.add(kind, message, at, nearest=near, hint=hint)

    def spelling(self, at: At, *keys: str) -> str:
        """Return which of several keys for one thing the settings use at ``at``; the first, if none."""
        layered = self.sections[at.section]
        return next((key for key in keys if layered.origin((*at.path, key)) is not None), keys[0])

    def raw(self, at: At, *keys: str) -> Any:
        """Return what the files say at ``at`` for the first of ``keys``.

        Where that is something and the model has nothing, the value is faulty and reported already.
        """
        data: Any = self.sections[at.section].data
        for step in at.path:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return None
        return next((data[key] for key in keys if key in data), None) if isinstance(data, dict) else data


class SectionReport(NamedTuple):
    """The reporter of one section, for :func:`tauro.config.schema.build`."""

    report: Report
    section: str

    def invalid(self, path: KeyPath, error: Invalid) -> None:
        """A value is not what its field takes."""
        at = At(self.section, path)
        if (self.section, path) in self.report.unresolved:
            return
        self.report.add("type", located(path, str(error)), at, hint=error.hint, nearest=error.near)

    def unknown(self, path: KeyPath, known: tuple[str, ...]) -> None:
        """A key is not one of the model's."""
        key = str(path[-1])
        hint = None if self.report.nearest.tired else "Remove it. Known keys: " + ", ".join(known) + "."
        near = self.report.nearest(key, known)
        hint = f"Did you mean '{near[0]}'?" if near else hint
        message = located(path[:-1], f"Unknown key '{key}'")
        self.report.add("unknown-key", message, At(self.section, path, key=True), nearest=near, hint=hint)

    def twice(self, path: KeyPath, first: str) -> None:
        """Two keys give the same field."""
        message = located(path[:-1], f"'{path[-1]}' and another key both give '{first}'")
        self.report.add("duplicate-key", message, At(self.section, path, key=True), hint="Keep one of the two.")

    def planned(self, path: KeyPath) -> None:
        """A key is read, but not carried out yet."""
        message = located(path[:-1], f"'{path[-1]}' is not carried out by this version of Tauro")
        self.report.add("not-carried-out", message, At(self.section, path, key=True), warning=True)


def located(path: KeyPath, message: str) -> str:
    """Return a message with the path it speaks of before it."""
    return f"{'.'.join(str(part) for part in path)}: {message}" if path else message


def report_error(faults: Iterable[Fault]) -> TauroError:
    """Return one error that carries every fault; the most fundamental one decides its branch."""
    found = tuple(faults)
    errors = [fault for fault in found if not fault.warning]
    count = f"{len(errors)} faults" if len(errors) != 1 else "1 fault"
    if len(errors) >= MAX_FAULTS:
        count = f"{count} and more"
    branch = error_of(min(fault.exit_code for fault in errors))
    return branch(f"The configuration has {count}", faults=found)
