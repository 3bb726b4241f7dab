"""What a kernel keeps between its cells: the engine's session, and what cells have laid over the files."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from tempfile import TemporaryDirectory

    from tauro.engines import Engine
    from tauro.errors import Fault
    from tauro.exec.imports import Stamps
    from tauro.project import Project
    from tauro_magics.overlays import Overlays
    from tauro_magics.run import Run


class Session:
    """One for each kernel. Projects are read anew by every command; all of them compute on one engine.

    Attributes:
        draws: Whether a front end may show pictures that change.
        last_run: The run that ended last.
        overlays: What cells have laid over the files of projects, until the kernel ends.
    """

    def __init__(self, *, draws: bool = False) -> None:
        self.draws = draws
        self.last_run: Run | None = None
        self.overlays: Overlays = ()
        self._engine: Engine | None = None
        self._code: Stamps = {}
        self._scratch: TemporaryDirectory[str] | None = None
        self._made_for: Mapping[str, Any] = {}

    def project(self, env: str | None = None, folder: str | Path = ".", *, config_type: str | None = None) -> Project:
        """Return the project at a folder, or around it, as its files and cells say now.

        Args:
            env: The environment; ``$TAURO_ENV`` if not given, else ``base``.
            folder: A folder of the project; the kernel's own, if not given.
            config_type: Which settings index, where there are several.

        Raises:
            TauroError: It has faults; carries all of them.
        """
        from tauro.config.report import report_error

        project, faults = self.inspect(Path(folder), env, config_type=config_type)
        if any(not fault.warning for fault in faults):
            raise report_error(list(faults))
        return project

    def inspect(
        self, folder: Path, env: str | None, *, config_type: str | None = None
    ) -> tuple[Project, tuple[Fault, ...]]:
        """Return a project in spite of its faults, and these. Arguments as :meth:`project`."""
        from tauro.config.root import find_root
        from tauro_magics.overlays import documents
        from tauro_magics.project import KernelProject

        if self._engine is not None:
            self._engine.revive()
        over = documents(self.overlays, find_root(folder), env)
        project, faults = KernelProject.inspect(
            folder, env, config_type=config_type, over=over, engines=self._engine_for
        )
        project.around = self.running
        return project, faults

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let a run find the project's code as it is now, though this process has imported it before."""
        from tauro.exec.imports import code_stamps, forget_changed

        forget_changed(self._code)
        try:
            yield
        finally:
            self._code = code_stamps()

    def show(self, values: Iterable[Any]) -> None:
        """Display values of a cell that fails: it has no value of its own."""
        from IPython.display import display

        for value in values:
            display(value)  # type: ignore[no-untyped-call]

    @property
    def scratch(self) -> Path:
        """A folder for values of this kernel; it goes when the session is closed."""
        if self._scratch is None:
            from tempfile import TemporaryDirectory

            self._scratch = TemporaryDirectory(prefix="tauro-notebook-")
        return Path(self._scratch.name)

    def close(self) -> None:
        """End the engine's session, and let go of what was kept."""
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None
        self._close_engine()

    def _close_engine(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _engine_for(self, mode: str, **settings: Any) -> Engine:
        """Return the engine that is there, when it is one of this kind; else another one in its place."""
        from tauro.engines import engine_for

        wanted = {"mode": mode, **settings}
        if self._engine is None or wanted != self._made_for:
            self._close_engine()
            self._engine = engine_for(mode, **settings)
            self._made_for = wanted
        return self._engine
