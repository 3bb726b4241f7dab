"""Lets a kernel show values of the engine, which itself knows of no notebook; taken away again without a trace."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from tauro_magics.views import View

# Where a type is, and which function of views/engine.py shows it. Neither is imported before there is such a value.
_VIEWS = {
    ("tauro.exec.plan", "RunPlan"): "plan_view",
    ("tauro.exec.results", "RunResult"): "result_view",
    ("tauro.config.model", "ProjectConfig"): "config_view",
    ("tauro.errors", "Fault"): "fault_view",
    ("tauro.project", "Project"): "project_view",
    ("tauro.orchestrate.schedules", "ScheduleView"): "schedule_view",
    ("tauro.store.records", "Run"): "run_view",
    ("tauro.store.records", "Schedule"): "schedule_view",
    ("tauro.store.records", "Stream"): "stream_view",
    ("tauro.streaming.plan", "StreamPlan"): "stream_plan_view",
}


def register(shell: InteractiveShell) -> None:
    """Let a kernel show the engine's values; those inside of lists too, as text."""
    bundles, text = _formatters(shell)
    for (module, name), function in _VIEWS.items():
        view = _view(function)
        bundles.for_type_by_name(module, name, _bundle(view))
        text.for_type_by_name(module, name, _pretty(view))


def unregister(shell: InteractiveShell) -> None:
    """Let a kernel show these values as before."""
    for formatter in _formatters(shell):
        for module, name in _VIEWS:
            formatter.pop(f"{module}.{name}", None)


def _formatters(shell: InteractiveShell) -> tuple[Any, Any]:
    found = shell.display_formatter
    return found.mimebundle_formatter, found.formatters["text/plain"]  # type: ignore[union-attr]


def _view(function: str) -> Callable[[Any], View]:
    def view(value: Any) -> View:
        made: View = getattr(import_module("tauro_magics.views.engine"), function)(value)
        return made

    return view


def _bundle(view: Callable[[Any], View]) -> Callable[[Any], dict[str, Any]]:
    return lambda value: view(value).bundle()


def _pretty(view: Callable[[Any], View]) -> Callable[[Any, Any, bool], None]:
    def pretty(value: Any, printer: Any, cycle: bool) -> None:  # noqa: ARG001, FBT001 - IPython's signature
        printer.text(view(value).text)

    return pretty
