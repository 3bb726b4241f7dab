"""How the shell's commands run in a kernel: on its session, and with values in place of text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tauro.cli.console import Console
from tauro.cli.host import Host

if TYPE_CHECKING:
    from pathlib import Path

    from tauro.errors import Fault
    from tauro.exec.results import RunResult
    from tauro.project import Project
    from tauro_magics.session import Session


class KernelHost(Host):
    """A kernel: it goes on when a command has ended, and so does its session.

    Args:
        session: The kernel's session.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    def open(self, folder: Path, env: str | None, config_type: str | None) -> tuple[Project, tuple[Fault, ...]]:
        """Open a project on the kernel's session."""
        return self.session.inspect(folder, env, config_type=config_type)

    def leave(self, project: Project, result: RunResult | None) -> None:
        """Leave the session as it is: the next run finds it warm."""


@dataclass
class KernelConsole(Console):
    """Keeps what a command shows as a value, where no form was asked for.

    Attributes:
        values: What was shown.
    """

    values: list[Any] = field(default_factory=list)

    def data(self, value: dict[str, Any], text: str, *, masked: bool = False, of: Any = None) -> None:
        """Keep what the data was made of; print what has no form but text."""
        if of is None or self.output != "text":
            super().data(value, text, masked=masked)
        else:
            self.values.append(of)
