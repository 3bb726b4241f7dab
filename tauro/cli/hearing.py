"""Who hears what supervised processes print: a verbose user, and a file that is named."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tauro.errors import TauroError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tauro.cli.console import Console


@contextmanager
def output_hearer(console: Console) -> Iterator[Callable[[str], None] | None]:
    """Yield what is told every line that processes print; None when nobody wants them.

    Raises:
        UnsafePath: The file that --log-file names breaks the path rules.
    """
    from tauro.cli.log import named_file

    file = named_file(console)
    hearers: list[Callable[[str], None]] = [console.talk] if console.verbose else []
    if file is not None:
        hearers.append(file.write)

    def heard(line: str) -> None:
        for hear in hearers:
            with suppress(OSError, TauroError):  # a full disk must not end what is supervised
                hear(line)

    try:
        yield heard if hearers else None
    finally:
        if file is not None:
            file.close()
