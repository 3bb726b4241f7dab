"""Writes the pages of docs/ that say what the code says: ``make docs``.

The model gives configuration.md, the rules troubleshooting.md, the abilities of engines and the
differences that tests/conformance knows tables in datasets.md.
A test compares them with what is committed, so they are always true.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tauro.config.json_schema import TITLES
from tauro.config.model import WRITE_MODES, DatasetConfig, GlobalSettings, NodeConfig, PipelineConfig
from tauro.config.rules import RULES
from tauro.config.schema import Composed, Group
from tauro.engines.capabilities import FORMATS
from tauro.errors import Unsupported
from tauro.io.python import PythonFormat
from tauro.io.registry import format_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tauro.config.schema import Option, Settings
    from tauro.engines.capabilities import Ability

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py (make docs); changes belong there. -->\n"


def configuration() -> str:
    """Return the configuration reference."""
    parts = [NOTE + (DOCS / "configuration.head.md").read_text(encoding="utf-8").rstrip()]
    parts += [f"## global_settings\n\n{TITLES['global_settings']}.\n\n{_keys(GlobalSettings)}"]
    parts += [f"## pipelines\n\n{TITLES['pipelines']}.\n\n{_keys(PipelineConfig)}"]
    parts += [f"## nodes\n\n{TITLES['nodes']}.\n\n{_keys(NodeConfig)}"]
    parts += [f"## input and output\n\nDatasets by name. Both sections know the same keys.\n\n{_keys(DatasetConfig)}"]
    parts += ["† Read and checked, but not carried out by this version; a warning says so."]
    return "\n\n".join(parts) + "\n"


def troubleshooting() -> str:
    """Return the troubleshooting page."""
    parts = [NOTE + (DOCS / "troubleshooting.head.md").read_text(encoding="utf-8").rstrip()]
    for name, rule in RULES.items():
        parts.append(f"### {name}\n\n**{rule.title}.** {rule.meaning}\n\n*Mend:* {rule.mend}")
    return "\n\n".join(parts) + "\n"


def datasets() -> str:
    """Return the page about datasets."""
    text = (DOCS / "datasets.head.md").read_text(encoding="utf-8").rstrip()
    text = text.replace("<!-- the table of engines -->", _engines())
    return f"{NOTE}{text.replace('<!-- the differences -->', _differences())}\n"


def _differences() -> str:
    """Return what the suite knows not to be alike: it fails where this does not hold."""
    known = runpy.run_path(str(DOCS.parent / "tests/conformance/suite/differences.py"))["DIFFERENCES"]
    lines = ["| what is different | whose |", "|---|---|"]
    for one in known:
        whose = " ".join(f"`{name}`" if "." in name else name for name in one.of)
        lines.append(f"| {one.what} | {whose} |")
    return "\n".join(lines)


def _engines() -> str:
    lines = ["| format | embedded: read | embedded: write | Apache Spark: read | Apache Spark: write | write modes |"]
    lines.append("|---|---|---|---|---|---|")
    notes: dict[str, str] = {}
    for name, support in FORMATS.items():
        cells = [_ability(ability, ability and ability.embedded, notes) for ability in support]
        cells += [_ability(ability, ability and ability.spark, notes, on_spark=True) for ability in support]
        modes = " ".join(f"`{mode}`" for mode in WRITE_MODES if mode in _modes(name))
        lines.append(f"| {name} | {' | '.join(cells)} | {modes} |")
    return "\n".join([*lines, "", *(f"{mark} {note}.  " for note, mark in notes.items())]).rstrip()


def _ability(ability: Ability | None, why: str | None, notes: dict[str, str], *, on_spark: bool = False) -> str:
    if ability is None:
        return ""
    if on_spark and not why and ability.requires is not None:
        why = f"with `spark_config: {{{ability.requires.line}}}`"
        if ability.requires.install:
            why = f"with `{ability.requires.install}`, or {why}"
        return f"yes {_mark(why, notes)}"
    return f"no {_mark(why, notes)}" if why else "yes"


def _mark(note: str, notes: dict[str, str]) -> str:
    return notes.setdefault(note, f"({len(notes) + 1})")


def _modes(name: str) -> frozenset[str]:
    try:
        return PythonFormat.modes if name == "python" else format_named(name).modes
    except Unsupported:
        return frozenset()


def _keys(model: type[Settings]) -> str:
    lines = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in _rows(model, "")]
    return "\n".join(lines)


def _rows(model: type[Settings], prefix: str, *, planned: bool = False) -> Iterator[tuple[str, ...]]:
    options: dict[str, Option] = {option.key: option for option in model.known.values()}
    for key, option in options.items():
        if isinstance(option.kind, Group):
            yield from _rows(option.kind.model, f"{prefix}{key}.", planned=planned or option.planned)
            continue
        also = f" Also written {', '.join(f'`{name}`' for name in option.also)}." if option.also else ""
        mark = " †" if planned or option.planned else ""
        if isinstance(option.kind, Composed):
            takes = "a list of mappings, or mappings by name" if option.kind.many else "a mapping"
            yield f"`{prefix}{key}`{mark}", takes, "", option.doc + also
            yield from _rows(option.kind.model, f"{prefix}{key}.")
            continue
        takes = _takes(option.kind.json_schema())
        yield f"`{prefix}{key}`{mark}", takes, _default(option.default), option.doc + also


def _takes(schema: Mapping[str, Any]) -> str:
    """Say in words what a value must be."""
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "anyOf" in schema:
        # Beside an enumeration stands a pattern for the other cases of its letters.
        choices = [one for one in schema["anyOf"] if "pattern" not in one or "enum" not in schema["anyOf"][0]]
        return " or ".join(dict.fromkeys(map(_takes, choices)))
    if "pattern" in schema:
        return str(schema.get("title", "a date, `today` or `yesterday`"))
    kind = schema.get("type", "anything")
    kinds = kind if isinstance(kind, list) else [kind]
    return " or ".join(_of_type(one, schema) for one in kinds)


def _of_type(kind: str, schema: Mapping[str, Any]) -> str:
    if kind == "array":
        return f"a list of {_takes(schema['items']).removeprefix('a ')}"
    least = f" of at least {schema['minimum']:g}" if schema.get("minimum") else ""
    return {
        "string": "text",
        "boolean": "true or false",
        "object": "a mapping",
        "anything": "anything",
        "integer": "a whole number" + least,
        "number": "a number" + least,
    }[kind]


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value in (None, ()) or value == {} else f"`{value}`"


def main() -> None:
    """Write the pages."""
    (DOCS / "configuration.md").write_text(configuration(), encoding="utf-8")
    (DOCS / "datasets.md").write_text(datasets(), encoding="utf-8")
    (DOCS / "troubleshooting.md").write_text(troubleshooting(), encoding="utf-8")


if __name__ == "__main__":
    main()
