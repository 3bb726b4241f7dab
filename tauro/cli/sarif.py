"""A report of faults as SARIF 2.1.0, the form that code hosts show beside the lines of a change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tauro import __version__
from tauro.config.rules import RULES, Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tauro.errors import Fault

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# Code hosts want every rule described, also those of errors that are no faults of a configuration.
_EARLY = "The project could not be looked at any further, so there may be more faults behind this one."


def sarif_log(faults: Sequence[Fault], root: Path | None) -> dict[str, Any]:
    """Return a report as a SARIF log.

    Args:
        faults: The faults.
        root: The project's folder; paths are told from the current folder, as code hosts want them.
    """
    ids = sorted({fault.id for fault in faults})
    driver = {"name": "Tauro", "version": __version__, "rules": [_rule(name) for name in ids]}
    results = [_result(fault, ids.index(fault.id), _prefix(root)) for fault in faults]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _prefix(root: Path | None) -> str:
    if root is None:
        return ""
    relative = os.path.relpath(root.absolute(), Path.cwd())
    return "" if relative == "." else f"{Path(relative).as_posix()}/"


def _rule(name: str) -> dict[str, Any]:
    rule = RULES.get(name) or Rule(name.replace("-", " ").capitalize(), _EARLY, "Mend what the message says.")
    return {
        "id": name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.meaning},
        "help": {"text": rule.mend, "markdown": f"{rule.meaning}\n\n**Mend:** {rule.mend}"},
    }


def _result(fault: Fault, index: int, prefix: str) -> dict[str, Any]:
    text = fault.message if fault.hint is None else f"{fault.message}. {fault.hint}"
    result: dict[str, Any] = {
        "ruleId": fault.id,
        "ruleIndex": index,
        "level": "warning" if fault.warning else "error",
        "message": {"text": text},
    }
    if fault.place is not None:
        region: dict[str, Any] = {"startLine": fault.place.line, "startColumn": fault.place.column}
        if fault.place.text is not None:
            region["snippet"] = {"text": fault.place.text}
        artifact = {"uri": _uri(prefix + fault.place.file)}
        result["locations"] = [{"physicalLocation": {"artifactLocation": artifact, "region": region}}]
    return result


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/._-~")
