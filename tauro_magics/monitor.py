"""The monitor of streams: their state, how fast they are and how far behind; stop and restart."""

from __future__ import annotations

import os
from functools import partial
from secrets import token_hex
from threading import Event
from typing import TYPE_CHECKING

from tauro.errors import TauroError
from tauro.report.markup import Html, Markup, joined
from tauro_magics.panels import pictures, sights
from tauro_magics.panels.desk import Desk
from tauro_magics.panels.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from tauro.project import Project
    from tauro.store.records import Stream
    from tauro_magics.panels.gauges import Gauges

EVERY = 1.0  # seconds between two looks at the streams


class StreamMonitor:
    """A panel of a project's streams; the last expression of a cell shows it, and it follows them from then on.

    Where no widgets can be shown it is its own picture as text. Streams run in processes of their own: they go on
    when the kernel ends.

    Args:
        project: The project.
        open_streams: Opens its streams, in the thread that uses them; :class:`tauro.streaming.control.Streams`, if
            not given.
        environ: Environment variables; the process's, if not given. They say where streams are kept.
        stop_timeout: Seconds that the batches of a stream have to end, when it is stopped.
    """

    def __init__(
        self,
        project: Project,
        *,
        open_streams: sights.Opener | None = None,
        environ: Mapping[str, str] | None = None,
        stop_timeout: float = 60.0,
    ) -> None:
        self._project = project
        self._open = open_streams or partial(_streams_of, project, os.environ if environ is None else environ)
        self._stop_timeout = stop_timeout
        self._wanted: str | None = None
        self._note = ""
        self._trouble: TauroError | None = None
        self._sight = sights.Sight()
        self._is_drawn = False
        self._ends = Event()
        self._looks = Event()
        self._is_watching = False
        self._is_wanted = _as_long_as_extension()
        key = token_hex(4)
        self._snapshot = Snapshot(key, self._picture)
        self._gauges = self._widgets(key)
        self._desk = Desk(self._redraw)
        self.refresh()

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams as they were seen last, the newest first."""
        return self._sight.streams

    def refresh(self) -> None:
        """Look at the streams now."""
        try:
            with self._open() as door:
                self._saw(sights.look(door, self._wanted))
        except TauroError as error:
            self._failed(error)
        self._redraw()

    def follow(self) -> None:
        """Look at the streams every second from now on, in a thread.

        It ends when the monitor is closed or the extension is unloaded under which it was made.
        """
        if not self._is_watching and self._desk.loop is not None:
            self._is_watching = True
            self._desk.start(self._watch, "monitor")

    def choose(self, stream_id: str | None) -> None:
        """Show the charts of a stream; None for the newest that runs."""
        self._wanted = stream_id
        self._look_now()

    def stop(self, stream_id: str | None = None) -> None:
        """Stop a stream; the chosen one, if not given. It finishes its batches. Returns at once in a notebook."""
        self._act("Stopping", stream_id, lambda door, name: door.stop(name, timeout=self._stop_timeout))

    def restart(self, stream_id: str | None = None) -> None:
        """Stop a stream and start it again; the chosen one, if not given. Returns at once in a notebook."""
        self._act("Restarting", stream_id, lambda door, name: door.restart(name, timeout=self._stop_timeout))

    def close(self) -> None:
        """Take the monitor away; the picture stays, and so do the streams."""
        self._ends.set()
        self._looks.set()
        self._desk.wait(5.0)
        self._desk.close()
        self._snapshot.update()
        if self._gauges is not None:
            self._gauges.close()
            self._gauges = None

    def __repr__(self) -> str:
        return f"StreamMonitor({str(self._project.root.name)!r})"

    def _ipython_display_(self) -> None:
        self._snapshot.publish(None if self._gauges is None else self._gauges.box, repr(self))
        if self._gauges is not None:
            self.follow()

    @property
    def _goes_on(self) -> bool:
        return not self._ends.is_set() and self._is_wanted()

    @property
    def _chosen(self) -> str | None:
        """The stream that is picked; what was seen last may still be about another."""
        seen = {stream.id for stream in self._sight.streams}
        return self._wanted if self._wanted in seen else self._sight.chosen

    @property
    def _make(self) -> Markup:
        return Markup(self._project.config.redact)

    def _widgets(self, key: str) -> Gauges | None:
        """Return the widgets, None where ipywidgets is not installed."""
        try:
            from tauro_magics.panels.gauges import Gauges
        except ModuleNotFoundError as error:
            if error.name != "ipywidgets":
                raise
            return None
        return Gauges(
            key,
            chosen=lambda stream_id: self._desk.do(partial(self.choose, stream_id)),
            stop=lambda: self._desk.do(self.stop),
            restart=lambda: self._desk.do(self.restart),
        )

    def _watch(self) -> None:
        """Look, and tell what is seen; in a thread. A store that is busy or away for a while is looked at again."""
        while self._goes_on:
            try:
                with self._open() as door:
                    while self._goes_on:
                        self._desk.tell(partial(self._saw, sights.look(door, self._wanted)))
                        self._looks.wait(EVERY)
                        self._looks.clear()
            except TauroError as error:
                self._desk.tell(partial(self._failed, error))
                self._ends.wait(EVERY)

    def _act(self, doing: str, stream_id: str | None, act: Callable[[sights.Door, str], Stream]) -> None:
        chosen = stream_id or self._chosen
        if chosen is None:
            return

        def carry_out() -> Stream:
            with self._open() as door:
                return act(door, chosen)

        self._note, self._is_drawn = f"{doing} {chosen} ...", False
        self._desk.ask(doing.lower(), carry_out, then=self._acted, failed=self._failed)
        if self._desk.loop is None:
            self._desk.wait()
        else:
            self._redraw()

    def _acted(self, stream: Stream) -> None:
        self._note, self._trouble = f"{stream.id} is {stream.status}.", None
        self._look_now()

    def _look_now(self) -> None:
        self._is_drawn = False
        if self._is_watching:
            self._looks.set()
        else:
            self.refresh()

    def _saw(self, sight: sights.Sight) -> None:
        states = [stream.status for stream in self._sight.streams]
        self._sight, self._trouble, self._is_drawn = sight, None, False
        if states != [stream.status for stream in sight.streams]:
            self._snapshot.update()

    def _failed(self, error: TauroError) -> None:
        self._note, self._trouble, self._is_drawn = "", error, False

    def _redraw(self) -> None:
        if self._gauges is None or self._is_drawn:
            return
        self._is_drawn = True
        sight = self._sight
        self._gauges.offer([(f"{one.id} · {one.new.pipeline}", one.id) for one in sight.streams], self._chosen)
        self._gauges.act(can_stop=sight.stream is not None and not sight.stream.is_over, can_start=bool(sight.streams))
        self._gauges.status.value = self._make("div", self._make("span", self._told(), role="status"))
        self._gauges.table.value = sights.table_of(self._make, sight)
        self._gauges.charts.value = self._closely()

    def _told(self) -> str:
        running = sum(not stream.is_over for stream in self._sight.streams)
        return self._note or f"{running} of {len(self._sight.streams)} streams run."

    def _closely(self) -> Html:
        if self._trouble is not None:
            return pictures.error_picture(self._make, self._trouble)
        trouble = sights.trouble_of(self._make, self._sight.stream)
        return joined(trouble, sights.charts_of(self._make, self._sight))

    def _picture(self) -> tuple[str, str]:
        """Return what a notebook keeps, as HTML and as text."""
        html = joined(sights.table_of(self._make, self._sight), self._closely())
        if self._trouble is not None:
            from tauro.cli.render import error_text

            return html, self._make.plain(error_text(self._trouble))
        return html, self._make.plain(sights.text_of(self._sight))


def _as_long_as_extension() -> Callable[[], bool]:
    """Return what says whether the extension is loaded; always true where it is not loaded now."""
    from IPython.core.getipython import get_ipython

    manager = getattr(get_ipython(), "extension_manager", None)
    loaded: set[str] = set() if manager is None else manager.loaded
    return (lambda: "tauro_magics" in loaded) if "tauro_magics" in loaded else (lambda: True)


def _streams_of(project: Project, environ: Mapping[str, str]) -> AbstractContextManager[sights.Door]:
    from tauro.streaming.control import Streams

    return Streams.open(project.root, environ=environ)
