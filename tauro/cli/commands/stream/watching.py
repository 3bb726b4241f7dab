"""What is drawn in place: a line for a stream in the foreground, and a picture that is looked at again and again."""

from __future__ import annotations

import os
import select
import sys
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, NamedTuple

from tauro.cli.commands.stream.text import live_line
from tauro.streaming.events import QueryProgressed, StreamChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tauro.cli.console import Console
    from tauro.streaming.events import StreamEvent
    from tauro.streaming.progress import Progress

_REDRAWS_PER_SECOND = 4
_LOOK_SECONDS = 0.5


class Picture(NamedTuple):
    """What is seen at a moment.

    Attributes:
        text: The picture.
        key: What makes it another one; the time that passes does not.
        is_last: Whether it will not change any more.
    """

    text: str
    key: object
    is_last: bool


class Line:
    """A listener that knows what a stream does now.

    Attributes:
        stream_id: The stream, as soon as it has been told.
    """

    def __init__(self) -> None:
        self.stream_id: str | None = None
        self._since = monotonic()
        self._status = "STARTING"
        self._queries: dict[str, Progress] = {}

    def __call__(self, event: StreamEvent) -> None:
        if isinstance(event, StreamChanged):
            self.stream_id = event.stream_id
            self._status = event.state.upper()
        elif isinstance(event, QueryProgressed):
            self._queries[event.stream] = event.progress

    @property
    def text(self) -> str:
        """What it does, in one line."""
        return live_line(self._status, monotonic() - self._since, list(self._queries.values()))


@contextmanager
def drawn(console: Console, line: Line) -> Iterator[None]:
    """Draw a line in place on a terminal; in a pipe, or when silence or every detail is wanted, nothing."""
    if not sys.stderr.isatty() or console.quiet or console.verbose:
        yield
        return
    from rich.console import Console as RichConsole
    from rich.live import Live
    from rich.text import Text

    def picture() -> Text:
        return Text.from_ansi(line.text, no_wrap=True, overflow="crop")

    with Live(
        get_renderable=picture,
        console=RichConsole(stderr=True),
        refresh_per_second=_REDRAWS_PER_SECOND,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield


def watch(console: Console, look: Callable[[], Picture]) -> None:
    """Draw a picture until it is the last, Ctrl-C, or nobody reads it.

    On a terminal it is drawn in place, in a pipe when it has changed.

    Args:
        console: How to talk.
        look: Gives the picture as it is now.
    """
    with suppress(KeyboardInterrupt):  # that is how it is left
        (_watch_on_terminal if sys.stdout.isatty() else _watch_in_pipe)(console, look)


def reader() -> Callable[[], bool]:
    """Return what says whether anybody still reads what is written to stdout; behind head(1) soon nobody does."""
    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):  # no file
        return lambda: True
    poll = select.poll()
    poll.register(number, 0)
    first = os.fstat(number)

    def is_there() -> bool:
        # After a write that nobody took, the console writes to nowhere.
        is_same = os.path.samestat(first, os.fstat(number))
        return is_same and not any(events & select.POLLERR for _, events in poll.poll(0))

    return is_there


def _watch_on_terminal(console: Console, look: Callable[[], Picture]) -> None:
    from rich.console import Console as RichConsole
    from rich.live import Live
    from rich.text import Text

    def drawing(picture: Picture) -> Text:
        return Text.from_ansi(console.redact(picture.text), no_wrap=True, overflow="crop")

    with Live(console=RichConsole(), auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        while True:
            picture = look()
            live.update(drawing(picture), refresh=True)
            if picture.is_last:
                return
            sleep(_LOOK_SECONDS)


def _watch_in_pipe(console: Console, look: Callable[[], Picture]) -> None:
    shown: object = None
    is_read = reader()
    while is_read():
        picture = look()
        if picture.key != shown:
            console.data({}, f"{picture.text}\n")
            shown = picture.key
        if picture.is_last:
            return
        sleep(_LOOK_SECONDS)
