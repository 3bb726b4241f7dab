"""``python -m tauro.streaming.detached``: a supervisor that outlives whoever started it.

It answers on stdout when it has its stream, and when that is active, has ended or has failed. SIGTERM stops the stream.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tauro.errors import TauroError
from tauro.processes.detached import answer, answer_no_more, spawn
from tauro.streaming.site import Site, Timing, log_of

if TYPE_CHECKING:
    import subprocess

    from tauro.streaming.events import StreamEvent


def launch(site: Site, stream_id: str) -> subprocess.Popen[bytes]:
    """Start the supervisor of a stream in a session of its own, and return its process."""
    order = {
        "root": str(site.root),
        "state": str(site.state),
        "config_type": site.config_type,
        "timing": site.timing,
        "worker": site.worker,
        "stream_id": stream_id,
    }
    log = log_of(site.state, stream_id)
    return spawn("tauro.streaming.detached", order, log=log, cwd=site.root, environ=site.environ)


def main() -> None:
    """Supervise the stream that stdin names."""
    from tauro.processes.stop import Stop
    from tauro.store import open_store
    from tauro.streaming.supervisor import Supervisor

    order = json.loads(sys.stdin.buffer.read())
    root, state = Path(order["root"]), Path(order["state"])
    site = Site(root, state, os.environ, order["config_type"], Timing(*order["timing"]), order["worker"])
    supervisor = Supervisor(site, lambda: open_store(state, os.environ), listeners=(_tell,))
    try:
        with Stop() as stop, stop.on_signals("cancelled"):
            error = supervisor.carry_out(order["stream_id"], stop)
    except TauroError as raised:
        answer(error=raised.to_dict())
        raise
    if error is not None:
        answer(error=error.to_dict())


def _tell(event: StreamEvent) -> None:
    from tauro.streaming.events import StreamChanged

    if not isinstance(event, StreamChanged):
        return
    if event.state == "starting":
        answer(claimed=True)
    elif event.state in ("active", "stopped", "completed"):
        answer(state=event.state)
        answer_no_more()


if __name__ == "__main__":
    main()
