"""How a worker talks to its supervisor: JSON, one message a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Lines:
    """Parts of a stream in, whole lines out."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that are complete now."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        yield from whole


def message(kind: str, **values: Any) -> bytes:
    """Return a message of the worker as it is sent."""
    return json.dumps({"message": kind, **values}, ensure_ascii=True).encode() + b"\n"
