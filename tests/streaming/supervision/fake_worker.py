"""A worker without Spark: it plays the script of its project, and tells what a real one tells.

``script.json`` has a list of acts for each start; the last one is for all further starts. What each start was given is
added to ``starts``.
"""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tauro.processes.beginning import begin
from tauro.processes.messages import message
from tauro.store import open_store
from tauro.streaming.work import Work


class Play:
    def __init__(self, work, tell):
        self.work = work
        self.tell = tell
        self.is_asked = False
        signal.signal(signal.SIGTERM, self.asked)

    def asked(self, *_):
        self.is_asked = True

    def active(self, _):
        self.tell(message("active"))

    def opened(self, secrets):
        self.tell(message("opened", secrets=secrets))

    def says(self, text):
        sys.stdout.write(f"{text}\n")

    def batch(self, number):
        at = datetime.now(UTC).isoformat()
        progress = {
            "batch": number, "at": at, "input_rows": 10, "input_rows_per_second": 5.0, "processed_rows_per_second": 7.5,
            "total_rows": 10 * number, "seconds": 0.25, "phases": {"addBatch": 200}, "watermark": None, "lag": 1.5,
            "sources": [{"source": "files", "rows": 10, "start": "1", "end": "2", "latest": None, "behind": {}}],
            "state_rows": 3, "output_rows": 9,
        }  # fmt: skip
        event = {"event": "query_progressed", "at": at, "stream": "a", "progress": progress}
        self.tell(message("event", event=event))

    def batches(self, count):
        for number in range(count):
            self.batch(number)

    def speaks(self, count):
        """Tell of batches, and print beside each."""
        for number in range(count):
            os.write(1, b"about to tell\n")
            self.batch(number)
            self.sleep(0.01)

    def batch_nodes_done(self, _):
        event = {"event": "run_ended", "at": datetime.now(UTC).isoformat(), "run_id": "r", "state": "completed"}
        self.tell(message("event", event={**event, "seconds": 1.0}))

    def reset(self, moved):
        self.tell(message("reset", moved=moved))

    def nonsense(self, _):
        self.tell(b"no json\n{}\n")

    def sleep(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.01)

    def beats(self, seconds):
        """Go on until asked to end, and so many seconds longer."""
        while not self.is_asked:
            self.tell(message("beat"))
            self.sleep(0.05)
        self.sleep(seconds)
        self.result("stopped")

    def deaf(self, _):
        while True:
            time.sleep(1)

    def spawns(self, _):
        subprocess.Popen(["sleep", "600"], start_new_session=True, stdout=subprocess.DEVNULL)

    def crash(self, _):
        os.kill(os.getpid(), signal.SIGKILL)

    def leave(self, code):
        os._exit(code)

    def admit(self, limit):
        with open_store(Path(self.work.state), os.environ) as store:
            if store.admit_stream(self.work.execution_id, self.work.epoch, limit=limit):
                self.refuse([3, "too many"])

    def refuse(self, told):
        self.result("failed", told, refused=True)

    def fail(self, told):
        self.result("failed", told)

    def result(self, state, told=None, *, refused=False):
        error = None
        if told is not None:
            error = {"exit_code": told[0], "message": told[1], "place": None, "looked_up": [], "nearest": [],
                     "hint": "a hint", "faults": []}  # fmt: skip
        self.tell(message("result", state=state, error=error, refused=refused))
        os._exit(0)

    def completes(self, _):
        self.result("completed")


def main(events, lifeline):
    work = Work.from_json(sys.stdin.buffer.read())
    tell = begin(events, lifeline, work.mark)
    tell(message("began", pid=os.getpid()))
    root = Path(work.root)
    with (root / f"starts.{work.execution_id}").open("a+") as file:
        file.seek(0)
        number = len(file.readlines())
        file.write(json.dumps({**work._asdict(), "pid": os.getpid(), "tmp": os.environ["TMPDIR"]}) + "\n")
    script = json.loads((root / "script.json").read_text())
    play = Play(work, tell)
    for act in script[min(number, len(script) - 1)]:
        name, value = act if isinstance(act, list) else (act, None)
        getattr(play, name)(value)
    play.beats(0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
