"""A case: files that are there, writes one after the other, and reads of what is there then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.io.frames import KINDS, SPARK

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

EVERY_KIND = (SPARK, *KINDS)


class Write(NamedTuple):
    """A write.

    Attributes:
        frame: The rows.
        settings: Settings of the dataset beside its format and place.
        says: What it is refused with, as a regular expression; empty for one that is done.
        code: The exit code that it is refused with.
    """

    frame: pl.DataFrame
    settings: Mapping[str, Any] = {}
    says: str = ""
    code: int = 4


class Read(NamedTuple):
    """A read; attributes as those of a write. One of the format ``query`` names the dataset ``t``."""

    settings: Mapping[str, Any] = {}
    says: str = ""
    code: int = 4


class Case(NamedTuple):
    """Something that all engines and kinds of frames do alike.

    Attributes:
        format: The format of the dataset.
        writes: What is written, in this order.
        reads: What is read then.
        files: What is there before, by path.
        kinds: The kinds of frames that it is played with on the embedded engine.
        wide: Whether its columns stand for themselves, and are compared one by one.
        place: Where the dataset is.
    """

    format: str
    writes: tuple[Write, ...] = ()
    reads: tuple[Read, ...] = (Read(),)
    files: Mapping[str, str] = {}
    kinds: tuple[str, ...] = EVERY_KIND
    wide: bool = False
    place: str = "data/t"


class Refusal(NamedTuple):
    """What was said in place of being done.

    Attributes:
        code: The exit code of a run that meets it.
        text: The message.
    """

    code: int
    text: str


class Played(NamedTuple):
    """What came of a case.

    Attributes:
        writes: For each write how many rows were told, or why it was not done.
        stored: What is there then, as a reader tells that has no part in writing it; None where nothing is.
        reads: For each read a pyarrow.Table, or why there is none.
    """

    writes: tuple[int | Refusal | None, ...]
    stored: Any
    reads: tuple[Any, ...]
