"""Whether every row of CSV files is one line, so that Apache Spark may read parts of a file at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tauro.io.folders import PACKED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Spark makes no smaller parts; and of more data there are many files, or a look at all of it takes long.
SMALLEST: Final = 4 << 20
LARGEST: Final = 4 << 30
_CHUNK: Final = 16 << 20
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BEGINS_BLANK: Final = rb"\n[\x00-\x09\x0b-\x20]"
_NEWLINE: Final = 10


def are_lines(files: Sequence[Path], options: Mapping[str, Any]) -> bool:
    """Say whether Spark finds the same rows line by line as it does in the text as a whole. Reads the files.

    That is so where no value has a line break, no line ends in another way than with a line feed, and none has nothing
    but blanks. Where it is in doubt, or not worth a look, the answer is no.

    Args:
        files: Files on this machine.
        options: Options of the reader.
    """
    told = {key.lower(): str(value) for key, value in options.items()}
    quote = told.get("quote", '"')
    plain = told.get("encoding", told.get("charset", "utf-8")).lower() in ("utf-8", "utf8")
    if not plain or "linesep" in told or len(quote) != 1 or not quote.isascii():
        return False
    if any(file.suffix in PACKED for file in files):
        return False
    if not SMALLEST < sum(file.stat().st_size for file in files) <= LARGEST:
        return False
    return all(_is_of_lines(file, quote, told.get("escape", quote)) for file in files)


def _is_of_lines(file: Path, quote: str, escape: str) -> bool:
    is_open, before = 0, b"\n"
    with file.open("rb") as data:
        if data.read(3) == _BYTE_ORDER_MARK:
            return False
        data.seek(0)
        while chunk := data.read(_CHUNK):
            if b"\r" in chunk or re.search(_BEGINS_BLANK, before + chunk):
                return False
            before = chunk[-1:]
            if quote.encode() in chunk:
                if escape != quote:  # an escaped quote is none, and may stand behind an escaped escape
                    return False
                is_open, is_within = _count_quotes(chunk, ord(quote), is_open)
                if is_within:
                    return False
            elif is_open and b"\n" in chunk:
                return False
    return not is_open


def _count_quotes(chunk: bytes, quote: int, is_open: int) -> tuple[int, bool]:
    """Return whether a quote is open behind a part of a file, as 1 or 0, and whether one is at the end of a line."""
    import numpy as np

    letters = np.frombuffer(chunk, np.uint8)
    # As many are opened as closed where their number is even; of a byte that overflows the last bit is right.
    counts = np.cumsum(letters == quote, dtype=np.uint8) + np.uint8(is_open)
    return int(counts[-1]) & 1, bool((counts[letters == _NEWLINE] & 1).any())
