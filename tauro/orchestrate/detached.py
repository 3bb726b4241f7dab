"""``python -m tauro.orchestrate.detached``: a supervisor that outlives whoever started it.

It answers on stdout, with one line, when the run is its own or cannot be. SIGTERM makes it hand the run back.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tauro.errors import ExecutionError, TauroError, error_of
from tauro.orchestrate.site import Site, Timing
from tauro.processes.detached import answer, answer_no_more, next_answer, spawn
from tauro.processes.output import log_file

if TYPE_CHECKING:
    import subprocess

#: An interpreter starts in a fraction of a second; a store may be held up by others for longer.
ANSWER_SECONDS = 60.0


def launch(site: Site, run_id: str, *, limited: bool = False, once: bool = False) -> subprocess.Popen[bytes]:
    """Start a supervisor for a run in a session of its own, and return its process.

    Args:
        site: Where the run is executed.
        run_id: The run.
        limited: Hold to the run's ``max_active_runs`` and ``available_at``.
        once: Leave after one attempt, whether or not others are left.
    """
    order = {
        "root": str(site.root),
        "state": str(site.state),
        "config_type": site.config_type,
        "timing": site.timing,
        "run_id": run_id,
        "limited": limited,
        "once": once,
    }
    return spawn(
        "tauro.orchestrate.detached", order, log=log_file(site.state, run_id), cwd=site.root, environ=site.environ
    )


def wait_for_claim(process: subprocess.Popen[bytes], seconds: float = ANSWER_SECONDS) -> bool:
    """Wait until a supervisor has claimed its run; False when it could not.

    Args:
        process: From :func:`launch`.
        seconds: How long to wait.

    Raises:
        TauroError: It ended with an error, or did not answer.
    """
    told = next_answer(process, seconds)
    if process.stdout is not None:
        process.stdout.close()
    if told is None:
        raise ExecutionError(
            f"The background process {process.pid} did not start the run",
            hint="tauro orchestrate run-logs tells what it has said.",
        )
    if "error" in told:
        error = told["error"]
        raise error_of(error["exit_code"])(error["message"], hint=error["hint"])
    return bool(told["claimed"])


def main() -> None:
    """Execute the run that stdin names."""
    from tauro.orchestrate.supervisor import Supervisor
    from tauro.processes.stop import Stop
    from tauro.store import open_store

    order = json.loads(sys.stdin.buffer.read())
    site = Site(Path(order["root"]), Path(order["state"]), os.environ, order["config_type"], Timing(*order["timing"]))
    supervisor = Supervisor(site, lambda: open_store(site.state, site.environ))
    try:
        with Stop() as stop, stop.on_signals("handed back"):
            run = supervisor.carry_out(
                order["run_id"],
                stop,
                limited=order["limited"],
                once=order["once"],
                claimed=lambda: _answer(claimed=True),
            )
        if run is None:
            _answer(claimed=False)
    except TauroError as error:
        _answer(error=error.to_dict())
        raise


def _answer(**told: Any) -> None:
    """Tell whoever waits; what comes later is told to nobody."""
    answer(**told)
    answer_no_more()


if __name__ == "__main__":
    main()
