"""The console script on streams whose workers play the project's ``script.json``, in the place of Spark."""

from tauro.cli.cli import main
from tauro.streaming import control
from tauro.streaming.site import Site, Timing

FAST = Timing(beat=0.1, look=0.05, grace=0.4, first_delay=0.05)


def site_of_players(root, state, environ, config_type, _timing):
    """Return where streams are played, without delays."""
    return Site(root, state, environ, config_type, FAST, "fake_worker")


if __name__ == "__main__":
    control.Site = site_of_players
    main()
