"""Plans and runs streams of projects in a process of one JVM: a request is a line of JSON, and so is its answer."""

import json
import math
import os
import signal
import sys
import traceback
from contextlib import suppress
from datetime import date
from pathlib import Path

from tauro.config.loading import resolve
from tauro.errors import TauroError
from tauro.exec.ml import MlOptions
from tauro.streaming.plan import plan_streams
from tauro.streaming.run import reset_checkpoints, run_pipeline
from tauro.streaming.settings import read_settings
from tauro.streaming.stop import Stop

ANSWER = os.fdopen(os.dup(1), "w", buffering=1)
ENGINES = {}


def answer(request):
    root = Path(request["root"])
    config, faults = resolve(
        read_settings(root, request.get("config", "streams.py"), "base"), environ=os.environ, today=date(2025, 1, 1)
    )
    assert [fault for fault in faults if not fault.warning] == []
    plan, engine = plan_streams(config, request.get("pipeline", "p"), ml=MlOptions(**request.get("ml", {})))
    if request.get("reset"):
        return {"moved": [str(path) for path in reset_checkpoints(plan, "exec-20250126-001")]}
    engine = ENGINES.setdefault("one", engine)
    stop, events = Stop(), []

    def tell(event):
        events.append(event.to_dict())
        progress = events[-1].get("progress", {"batch": -1, "total_rows": 0})
        if (
            events[-1]["event"] == request.get("stop_at")
            or progress["batch"] >= request.get("stop_at_batch", math.inf)
            or progress["total_rows"] >= request.get("stop_at_rows", math.inf)
        ):
            stop.request(60)
        if events[-1]["event"] == request.get("kill_spark_at"):
            os.kill(java(), signal.SIGKILL)

    result = run_pipeline(plan, engine, root / ".tauro", tell=tell, stop=stop, execution_id="exec-20250101-001")
    return {
        "state": result.state,
        "events": events,
        "failures": {end.stream: end.failure.to_dict() for end in result.queries if end.failure},
        "active": 0 if "kill_spark_at" in request else len(engine.session().streams.active),
    }


def java():
    """Return the JVM that this process has started."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            name, _, rest = stat.read_text().partition(" (")[2].rpartition(") ")
            if name == "java" and rest.split()[1] == str(os.getpid()):
                return int(stat.parent.name)
    raise AssertionError


def main():
    os.dup2(2, 1)  # what Spark prints is no answer
    for line in sys.stdin:
        try:
            told = answer(json.loads(line))
        except TauroError as error:
            told = {"error": error.to_dict()}
        except Exception:  # noqa: BLE001 - the test shows it
            told = {"broken": traceback.format_exc()}
        print(json.dumps(told, default=str), file=ANSWER, flush=True)


if __name__ == "__main__":
    main()
