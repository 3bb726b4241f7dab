"""Runs the streams of a project until it is killed, or they end: for tests that kill it."""

import os
import sys
from datetime import date
from pathlib import Path

from tauro.config.loading import resolve
from tauro.streaming.plan import plan_streams
from tauro.streaming.run import run_pipeline
from tauro.streaming.settings import read_settings
from tauro.streaming.stop import Stop


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main():
    root = Path(sys.argv[1])
    config, _ = resolve(read_settings(root, "streams.py", "base"), environ=os.environ, today=date(2025, 1, 1))
    plan, engine = plan_streams(config, "p")
    result = run_pipeline(
        plan,
        engine,
        root / ".tauro",
        tell=lambda event: say(event.to_dict()["event"]),
        stop=Stop(),
        execution_id="exec-20250101-001",
    )
    engine.close()
    failures = [end.failure.message for end in result.queries if end.failure]
    say(f"END {result.state} {failures}")


if __name__ == "__main__":
    main()
