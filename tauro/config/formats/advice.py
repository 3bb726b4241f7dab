"""What the parsers say of a broken text, in words that help to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tauro.config.document import Mark

_JSON = {
    "Expecting value": "Put a value here: a text in double quotes, a number, true, false, null, [...] or {...}.",
    "Expecting property name enclosed in double quotes": "Put a key in double quotes here, or remove the comma before.",
    "Expecting ',' delimiter": "Put a comma between two values, or close what is open.",
    "Expecting ':' delimiter": "Write a colon between key and value.",
    "Extra data": "Remove what follows the value: a file holds one, and JSON has no comments.",
    "Unterminated string starting at": "Close the quote.",
    "Invalid control character at": "Write a line break as \\n and a tab as \\t inside of quotes.",
    "Invalid \\escape": "Write a backslash as \\\\.",
    "Invalid \\uXXXX escape": "Write four hexadecimal digits after \\u.",
}


def of_json(problem: str) -> str | None:
    """Return how to mend what Python's JSON decoder says of a text."""
    return _JSON.get(problem.rstrip(": "))


def unclosed(problem: str, context: str, *, at_end: bool) -> tuple[str, str] | None:
    """Return message and hint for what has no end, None for other faults of YAML.

    libyaml tells that where the text goes on or ends; what is to be mended stands where it opens.
    """
    if "unexpected end of stream" in problem:
        return "The quote that opens here is not closed", "Close it; an apostrophe inside single quotes is written ''."
    if "could not find expected ':'" in problem:
        return "A key has no ':'", "Write 'key: value'."
    if at_end and "flow" in context:
        return "What opens here is not closed", "Close it with ']' or '}'."
    return None


def of_yaml(problem: str, context: str, line: str, column: int, opened: Mark | None) -> tuple[str, str]:
    """Return message and hint for what libyaml says of a text.

    Args:
        problem: What it says.
        context: What it was reading, or an empty text.
        line: The line where it stopped.
        column: Where in the line.
        opened: Where that started which it was reading.
    """
    message = f"{problem}, {context}" if context else problem
    hint = "See that quotes and brackets are closed, and to the indentation."
    if "tab character" in problem or ("cannot start any token" in problem and line[column - 1 :][:1] == "\t"):
        message, hint = "A tab is used for indentation", "Indent with spaces."
    elif "cannot start any token" in problem or context.endswith(("an alias", "an anchor")):
        hint = "Quote the value."
    elif "flow" in context and "${" in line:
        hint = 'Inside [...] and {...} quote a variable: "${NAME}".'
    elif "flow" in context and opened is not None:
        hint = f"It opens at {opened.line}:{opened.column}; close it, or put a comma between its items."
    elif "escape" in problem or "hexdecimal" in problem:
        hint = r"Write a backslash as \\, or use single quotes."
    elif "mapping values are not allowed" in problem:
        hint = "Quote a value that holds ': ', and check the indentation."
    return message, hint
