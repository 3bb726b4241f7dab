"""A machine of the tests: ``host_play.py PROJECT`` serves the store of TAURO_DB_URL until it is ended."""

import logging
import os
import sys

from tauro.orchestrate.control import Orchestrator
from tauro.orchestrate.scheduler import start_scheduler
from tauro.orchestrate.site import Timing

TIMING = Timing(lease=4.0, renew=0.5, look=0.1, grace=1.0, retry_delay=0.1)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with Orchestrator.open(sys.argv[1], environ=os.environ, timing=TIMING) as control:
        start_scheduler(control, poll_interval=0.2)
