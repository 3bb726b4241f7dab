"""Named points at which tests end the process as a power cut would."""

from __future__ import annotations

import os


def crash_point(name: str) -> None:
    """Kill this process when ``TAURO_CRASH_AT`` is ``name``; without ``TAURO_TESTING=1`` do nothing."""
    if os.environ.get("TAURO_TESTING") == "1" and os.environ.get("TAURO_CRASH_AT") == name:
        os.kill(os.getpid(), 9)
