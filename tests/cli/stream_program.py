"""The console script on streams whose workers play the project's ``script.json``, in the place of Spark."""

from functools import partial

from tauro.cli.cli import main
from tauro.streaming import control

control.Site = partial(control.Site, worker="fake_worker")

if __name__ == "__main__":
    main()
