"""A plan and a run's result as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.cli.commands.run.checks import checks_found, checks_note, planned_checks
from tauro.cli.render import error_text, table
from tauro.engines.settings import TAURO
from tauro.errors import DependencyError, ExecutionError, TauroError, error_of
from tauro.security.redaction import MASK, is_secret_key

if TYPE_CHECKING:
    from tauro.engines.settings import Setting
    from tauro.exec.plan import RunPlan
    from tauro.exec.results import NodeOutcome, RunResult
    from tauro.io.stored import StoredDataset

_MOST_NAMES = 10
_WIDEST_VALUE = 60
_CODES = {error_of(code).code: error_of(code) for code in range(1, 7)}


def plan_text(plan: RunPlan) -> str:
    """Return what a run would do: nodes in order, datasets read and written, dates, engine."""
    window = plan.config.window
    lines = [
        f"Plan of '{plan.pipeline.name}' in {plan.config.env}",
        f"  Dates:   {window.start} to {window.end}",
        f"  Engine:  {plan.engine}, up to {plan.max_parallel_nodes} nodes at once",
    ]
    if plan.resumes:
        lines.append(f"  Resumes: {plan.resumes}")
    lines.extend(("", f"Nodes ({len(plan.nodes)})"))
    rows = [(str(number), node.name, _after(node.upstream, node.outside)) for number, node in enumerate(plan.nodes, 1)]
    lines.append(_indented(table(("#", "Node", "After"), rows, right=(0,))))
    if plan.reads:
        lines.extend(("", "Reads"))
        made = {output for node in plan.nodes for output in node.config.outputs}
        found = [_read_row(stored, made) for stored in plan.reads.values()]
        lines.append(_indented(table(("Dataset", "Format", "Location", "Data"), found)))
    if plan.writes:
        lines.extend(("", "Writes"))
        effects = [_write_row(stored) for stored in plan.writes.values()]
        lines.append(_indented(table(("Dataset", "Format", "Location", "Effect"), effects)))
    checks = planned_checks(plan)
    if checks:
        lines.extend(("", "Checks", _indented(checks)))
    # The embedded engine's own one, where nobody has said anything, tells nobody anything.
    if plan.config.settings.mode != "local" or any(setting.set_by != TAURO for setting in plan.settings):
        rows = [_setting_row(setting) for setting in plan.settings]
        lines.extend(("", "Settings of Spark", _indented(table(("Setting", "Value", "Set by"), rows))))
    if plan.in_memory:
        shown = plan.in_memory[:_MOST_NAMES]
        more = f" and {len(plan.in_memory) - len(shown)} more" if len(plan.in_memory) > len(shown) else ""
        lines.extend(("", f"In memory: {', '.join(shown)}{more}"))
    lines.extend(("", "Nothing was run or written."))
    return "\n".join(lines)


def _after(upstream: tuple[str, ...], outside: tuple[str, ...]) -> str:
    return ", ".join((*upstream, *(f"({name}: not in this run)" for name in outside))) or "-"


def _read_row(stored: StoredDataset, made: set[str]) -> tuple[str, str, str, str]:
    data = "found" if stored.exists else "MISSING"
    if stored.location.path is None:
        data = "not checked"
    elif stored.config.name in made:
        data = "made in this run"
    return stored.name, stored.format.name, stored.location.shown, data


def _write_row(stored: StoredDataset) -> tuple[str, str, str, str]:
    return stored.name, stored.format.name, stored.location.shown, _effect(stored)


def _effect(stored: StoredDataset) -> str:
    """Say what a write does to the data that is there."""
    mode = stored.config.write_mode
    if not stored.exists:
        return f"{mode} (new)"
    if mode == "overwrite" and stored.config.overwrite_strategy == "replaceWhere":
        return "overwrites the rows of the dates" if stored.config.replace_predicate is None else "overwrites some rows"
    return {"overwrite": "OVERWRITES", "append": "appends", "ignore": "leaves as it is", "error": "FAILS"}[mode]


def _setting_row(setting: Setting) -> tuple[str, str, str]:
    long = len(setting.value) > _WIDEST_VALUE
    value = MASK if is_secret_key(setting.key) else setting.value
    shown = f"{value[: _WIDEST_VALUE - 3]}..." if long else value
    return setting.key, shown, f"{setting.set_by}, over {', '.join(setting.over)}" if setting.over else setting.set_by


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def summary_text(result: RunResult) -> str:
    """Return how each node of a run ended."""
    head = (
        f"Run {result.run_id} of '{result.pipeline}' in {result.env} "
        f"({result.start_date} to {result.end_date}): {result.state} in {result.seconds:.2f} s"
    )
    rows = [
        (node.node, node.state, f"{node.seconds:.2f}", _count(node.rows_in), _count(node.rows_out), _note(node))
        for node in result.nodes
    ]
    text = f"{head}\n\n{table(('Node', 'State', 'Seconds', 'Rows in', 'Rows out', ''), rows, right=(2, 3, 4))}"
    if result.ui is not None:
        text = f"{text}\n\nSpark UI: {result.ui}"
    found = checks_found(report for node in result.nodes for report in node.checks)
    return f"{text}\n\nChecks\n{_indented(found)}" if found else text


def _count(rows: int | None) -> str:
    return "-" if rows is None else f"{rows:,}"


def _note(node: NodeOutcome) -> str:
    if node.because_of is not None:
        return f"because '{node.because_of}' failed"
    tried = (f"{node.attempts} attempts",) if node.attempts > 1 else ()
    checked = checks_note(node.checks)
    return "; ".join((*tried, *((checked,) if checked else ()), *node.warnings))


def failure_text(result: RunResult, *, verbose: bool) -> str:
    """Return why a run did not complete, and the command that resumes it."""
    parts = []
    for node in result.root_causes:
        parts.append(error_text(_node_error(node)))
        if verbose and node.failure is not None:
            parts.append(node.failure.traceback)
    if result.state == "cancelled":
        parts.append(error_text(ExecutionError("The run was cancelled")))
    return "\n".join((*parts, f"Hint: {_resume(result)}"))


def run_error(result: RunResult) -> TauroError:
    """Return the error that a run which did not complete ends with: its first root cause.

    It is a DependencyError when nothing but missing packages made the run fail: a retry would not help.
    """
    causes = [_node_error(node) for node in result.root_causes]
    only_missing = bool(causes) and all(isinstance(cause, DependencyError) for cause in causes)
    kind = DependencyError if only_missing else ExecutionError
    if result.state == "cancelled" or not causes:
        return kind("The run was cancelled", hint=_resume(result))
    first = causes[0]
    return kind(first.message, place=first.place, looked_up=first.details.looked_up, hint=_resume(result))


def _node_error(node: NodeOutcome) -> TauroError:
    failure = node.failure
    if failure is None:
        return ExecutionError(f"Node '{node.node}' failed")
    kind = _CODES.get(failure.code, ExecutionError)
    message = f"Node '{node.node}' failed: {failure.message}"
    return kind(message, place=failure.place, looked_up=failure.looked_up, hint=failure.hint)


def _resume(result: RunResult) -> str:
    return f"Resume with: tauro run --resume {result.run_id}"
