"""What a query reads: names in its text, each with the dataset that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.config.schema import Invalid, describe

if TYPE_CHECKING:
    from tauro.config.model import ProjectConfig


class Views:
    """A mapping of names to datasets, or datasets by their own names; pairs of both in the model."""

    def parse(self, value: Any) -> tuple[tuple[str, str], ...]:
        if isinstance(value, dict):
            pairs = [(str(view), self._name(dataset, (view,))) for view, dataset in value.items()]
        else:
            in_list = isinstance(value, list)
            items = value if in_list else [value]
            names = [self._name(item, (index,) if in_list else ()) for index, item in enumerate(items)]
            pairs = [(name.replace("/", ".").rpartition(".")[2], name) for name in names]
        seen: set[str] = set()
        for view, dataset in pairs:
            if view.casefold() in seen:
                raise Invalid(f"Two datasets have the name '{view}' in the query", "Write a mapping: {name: dataset}.")
            if not view or "`" in view:
                raise Invalid(f"'{view}' is no name for '{dataset}' in a query")
            seen.add(view.casefold())
        return tuple(pairs)

    def json_schema(self) -> dict[str, Any]:
        names = {"type": "array", "items": {"type": "string"}}
        return {"anyOf": [{"type": "string"}, names, {"type": "object", "additionalProperties": {"type": "string"}}]}

    def _name(self, value: Any, path: tuple[str | int, ...]) -> str:
        if not isinstance(value, str) or not value.strip():
            raise Invalid(f"Expected the name of a dataset, found {describe(value)}", path=path)
        return value


def datasets_behind(config: ProjectConfig, name: str) -> tuple[str, ...]:
    """Return the datasets that are read for a dataset that is a query, and for those of them that are one, in turn.

    It is itself among them where queries read each other in a circle.

    Args:
        config: The project's configuration.
        name: The dataset's canonical name.
    """
    found: dict[str, None] = {}
    pending = [name]
    while pending:
        dataset = config.dataset(pending.pop())
        if dataset is not None and dataset.format == "query":
            names = [view.replace("/", ".") for _, view in dataset.views]
            pending += [view for view in names if view not in found]
            found.update(dict.fromkeys(names))
    return tuple(found)
