"""What a cell lays over a project is tried first: it stays only when it makes no fault that was not there before."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tauro.config.report import report_error
from tauro_magics.overlays import laid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tauro.cli.options import Where
    from tauro.errors import Fault
    from tauro.project import Project
    from tauro_magics.host import KernelConsole
    from tauro_magics.overlays import Overlay
    from tauro_magics.session import Session


@contextmanager
def tried(session: Session, new: Sequence[Overlay]) -> Iterator[None]:
    """Lay overlays over the others; take them back when the block raises."""
    kept = session.overlays
    for overlay in new:
        session.overlays = laid(session.overlays, overlay)
    try:
        yield
    except BaseException:
        session.overlays = kept
        raise


def checked(console: KernelConsole, where: Where, folder: Path, new: Sequence[Overlay]) -> tuple[Project, Project]:
    """Return the project without and with the newest overlays.

    Raises:
        TauroError: They make faults that were not there before.
    """
    session = console.session
    with_them, session.overlays = session.overlays, tuple(one for one in session.overlays if one not in new)
    try:
        before, known = _inspected(session, where, folder)
    finally:
        session.overlays = with_them
    after, faults = _inspected(session, where, folder)
    console.redact = after.config.redact
    wrong = [fault for fault in faults if not fault.warning and fault[:2] not in {one[:2] for one in known}]
    if wrong:
        raise report_error(wrong)
    return before, after


def _inspected(session: Session, where: Where, folder: Path) -> tuple[Project, list[Fault]]:
    project, faults = session.inspect(folder, where.env, config_type=where.config_type)
    return project, [*faults, *project.validate()]
