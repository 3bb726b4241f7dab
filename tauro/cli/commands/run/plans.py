"""The plans that a command line of ``tauro run`` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from tauro.cli.hyperparams import hyperparams_of
from tauro.errors import UsageFault


class Plans(Sequence[Any]):
    """The plans of a command line, one for each window; each is made when it is looked at, and the first one once."""

    def __init__(self, project: Any, options: dict[str, Any]) -> None:
        self._project = project
        self._pipeline = options["pipeline"]
        self._selection = _selection(options)
        self._ml = ml_options(options)
        window = project.window(options["start_date"], options["end_date"])
        self._windows = [window] if options["split"] is None else window.split(options["split"])

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: Any) -> Any:
        return self._first if index == 0 else self._made(index)

    @cached_property
    def _first(self) -> Any:
        return self._made(0)

    def _made(self, index: int) -> Any:
        window = self._windows[index]
        return self._project.plan(
            self._pipeline,
            start_date=window.start.isoformat(),
            end_date=window.end.isoformat(),
            selection=self._selection,
            ml=self._ml,
        )


def _selection(options: dict[str, Any]) -> Any:
    from tauro.exec.selection import Selection

    def names(option: str) -> tuple[str, ...]:
        found = tuple(name.strip() for name in (options[option] or "").split(",") if name.strip())
        if options[option] is not None and not found:
            raise UsageFault(f"--{option.replace('_', '-')} is empty", hint="Give names, parted by commas.")
        return found

    if options["node"] is not None and options["nodes"] is not None:
        raise UsageFault("--node and --nodes cannot both be given", hint="--nodes takes several, parted by commas.")
    nodes = names("nodes") if options["node"] is None else (options["node"],)
    return Selection(nodes, names("from_nodes"), names("to_nodes"), names("tags"), options["only_missing"])


def ml_options(options: dict[str, Any]) -> Any:
    """Return what --model-version and --hyperparams say.

    Raises:
        UsageFault: The hyperparameters are no JSON object.
    """
    from tauro.exec.ml import MlOptions

    return MlOptions(options["model_version"], hyperparams_of(options["hyperparams"]))
