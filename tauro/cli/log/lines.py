"""Log records as lines of text or JSON: one line for one record, whatever the record holds, and no secrets."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.security.redaction import MASK, Redactor, is_secret_name

if TYPE_CHECKING:
    from tauro.exec.log import LogContext

# What the standard library itself puts on a record; everything else was given with ``extra``. loguru's own
# ``extra`` comes as one mapping.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "extra", "traceback"}
_OF_ENTRY = frozenset({"time", "level", "component", "message", "traceback"})
_NO_TEXT = "(its text cannot be shown)"


class Entry(NamedTuple):
    """What is told of one record, without secrets.

    Attributes:
        created: Seconds since the epoch.
        level: Name of its level.
        component: Name of its logger.
        message: Its message, as it was logged.
        fields: Its context: run and node, and what the code gave with it.
        traceback: That of its exception; empty without one.
    """

    created: float
    level: str
    component: str
    message: str
    fields: dict[str, Any]
    traceback: str


def entry_of(record: logging.LogRecord, context: LogContext) -> Entry:
    """Return what is told of a record that belongs to ``context``."""
    redact = Redactor(context.secrets)
    return Entry(
        created=record.created,
        level=redact(str(record.levelname)),
        component=redact(str(record.name)),
        message=redact(_message(record)),
        fields=_fields(record, context, redact),
        traceback=redact(_traceback(record)),
    )


def text_line(entry: Entry) -> str:
    """Return an entry as text: time, level, component, message, context.

    Further lines of the message and the traceback follow, indented: nothing that is logged can look
    like another record.
    """
    seconds = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.created))
    head, *rest = _printable(entry.message.rstrip()).split("\n")
    rest.extend(_printable(entry.traceback.rstrip()).split("\n") if entry.traceback else ())
    fields = "".join(f" | {_one_line(key)}={_one_line(str(value))}" for key, value in entry.fields.items())
    level, component = _one_line(entry.level), _one_line(entry.component)
    first = f"{seconds}.{int(entry.created % 1 * 1000):03d} | {level:<8} | {component} | {head}{fields}"
    return "\n    ".join((first, *rest))


def json_line(entry: Entry) -> str:
    """Return an entry as a JSON object in ASCII, with its context as keys of their own."""
    told: dict[str, Any] = {
        "time": datetime.fromtimestamp(entry.created, UTC).isoformat(timespec="milliseconds"),
        "level": entry.level,
        "component": entry.component,
        "message": entry.message,
        **{f"{key}_" if key in _OF_ENTRY else key: value for key, value in entry.fields.items()},
    }
    if entry.traceback:
        told["traceback"] = entry.traceback
    return json.dumps(told)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - arguments that do not fit, or whose own text fails, are foreign code
        return f"{_text(record.msg)} {_text(record.args)}"


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - the value and its text are foreign code
        return _NO_TEXT


def _traceback(record: logging.LogRecord) -> str:
    told = [_text(getattr(record, "traceback", "")), record.stack_info or ""]
    if record.exc_info and record.exc_info[0] is not None:
        try:
            told.append(logging.Formatter().formatException(record.exc_info))
        except Exception:  # noqa: BLE001 - so is an exception
            told.append(_NO_TEXT)
    return "\n".join(part for part in told if part)


def _fields(record: logging.LogRecord, context: LogContext, redact: Redactor) -> dict[str, Any]:
    """Return the record's context; what the code gives cannot take the place of run and node."""
    given = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    of_loguru = getattr(record, "extra", None)
    given.update(of_loguru if isinstance(of_loguru, dict) else {})
    fields: dict[str, Any] = {key: redact(value) for key, value in context.fields.items()}
    for key, value in given.items():
        name = redact(_text(key))
        fields[f"{name}_" if name in context.fields else name] = MASK if is_secret_name(name) else _plain(value, redact)
    return fields


def _plain(value: object, redact: Redactor) -> Any:
    """Return a value that JSON has: numbers as they are, anything else as its text."""
    if value is None or isinstance(value, bool):
        return value
    text = _text(value)
    shown = redact(text)
    is_number = isinstance(value, (int, float)) and text not in (_NO_TEXT, "nan", "inf", "-inf")
    return value if is_number and shown == text else shown


def _printable(text: str) -> str:
    """Return a text that can neither steer a terminal nor begin a line unseen; line feeds and tabs stay."""
    text = text.replace("\r\n", "\n")
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _one_line(text: str) -> str:
    return _printable(text).replace("\n", "\\n")
