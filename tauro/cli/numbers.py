"""Numbers on the command line, within bounds that a store and a clock can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from click import Context, Parameter

#: The largest number of retries, nodes or runs that somebody can mean.
MOST: Final = 100_000
#: The longest time that somebody waits, in seconds: a year.
LONGEST: Final = 365 * 86_400.0


class Seconds(click.FloatRange):
    """Seconds within bounds. Unlike Click's own it refuses nan, which is within all of them."""

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> float:
        """Return the number."""
        found = float(super().convert(value, param, ctx))
        if found != found:  # noqa: PLR0124 - nan alone
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return found


class Span(click.FloatRange):
    """A length of time up to now, in seconds: ``90s``, ``15m``, ``1h30m``, ``7d``."""

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> float:  # noqa: ARG002 - click's signature
        """Return its seconds.

        Raises:
            ValidationError: It is none; tells how one is written.
        """
        from tauro.orchestrate.interval import interval_seconds

        return float(interval_seconds(str(value)))
