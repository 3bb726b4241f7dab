"""Figures over time as a line chart: inline SVG that takes its colours from the style sheet of panels."""

from __future__ import annotations

from itertools import chain
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Final, NamedTuple

from tauro.report.markup import Html
from tauro_magics.panels.looks import SERIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from tauro.report.markup import Markup

_WIDTH, _HEIGHT = 320.0, 112.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 6.0, 8.0, 18.0
_MOST_POINTS: Final = 120
_UNITS: Final = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"))


class Series(NamedTuple):
    """One line of a chart.

    Attributes:
        name: What it is called.
        points: Times and values, in the order of time.
    """

    name: str
    points: Sequence[tuple[datetime, float]]


def line_chart(make: Markup, title: str, unit: str, series: Sequence[Series]) -> Html:
    """Return a chart with its newest value.

    Args:
        make: Makes elements.
        title: What is shown.
        unit: What stands behind a value. Seconds, ``s``, become minutes, hours or days where they are many.
        series: Its lines; each has the colour of its place.
    """
    if unit == "s":
        most = max((value for lines in series for _, value in lines.points), default=0.0)
        size, unit = _unit(most)
        series = [Series(lines.name, [(at, value / size) for at, value in lines.points]) for lines in series]
    newest = [lines.points[-1][1] for lines in series if lines.points]
    total = f"{short(sum(newest) if unit.endswith('/s') else max(newest))} {unit}" if newest else "\N{EN DASH}"
    told = "; ".join(f"{lines.name}: {short(lines.points[-1][1])} {unit}" for lines in series if lines.points)
    label = make.text(f"{title}: {told or 'no values yet'}")
    inside = "".join(_inside(series))
    picture = Html(f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{label}">{inside}</svg>')
    return make(
        "figure",
        make("figcaption", make("span", title), make("b", total)),
        picture,
        class_="tauro-chart",
    )


def legend(make: Markup, names: Sequence[str]) -> Html:
    """Return which colour belongs to whom."""
    items = (
        make("span", make("i", class_=f"tauro-c{place % len(SERIES)}", style="background:var(--c)"), name)
        for place, name in enumerate(names)
    )
    return make("div", *items, class_="tauro-legend")


def short(value: float) -> str:
    """Return a value with three digits: ``0.25``, ``12.5``, ``1,250``, ``48.2 k``."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / (1e3 if letter == 'k' else limit):.3g} {letter}"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def span(seconds: float) -> str:
    """Return a span of time with three digits: ``0.25 s``, ``12 min``, ``30 h``, ``660 d``."""
    size, unit = _unit(seconds)
    return f"{short(float(f'{seconds / size:.3g}'))} {unit}"


def _unit(seconds: float) -> tuple[float, str]:
    """Return the unit of time that a span is told in, and how many seconds it has."""
    return next(((size, unit) for size, unit in _UNITS if seconds >= 2 * size), (1.0, "s"))


def ceiling(value: float) -> float:
    """Return the next round value that is not below: 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return float(next(step for step in (1, 2, 5, 10) if step * power >= value * 0.999_999) * power)


def _inside(series: Sequence[Series]) -> Iterator[str]:
    points = list(chain.from_iterable(lines.points for lines in series))
    top = ceiling(max((value for _, value in points), default=0.0))
    for share in (0.0, 0.5, 1.0):
        y = _y(share * top, top)
        yield f'<path class="tauro-grid" d="M{_LEFT:g} {y:.1f}H{_WIDTH - _RIGHT:g}"/>'
        yield f'<text x="{_LEFT - 5:g}" y="{y + 3.5:.1f}" text-anchor="end">{short(share * top)}</text>'
    if not points:
        return
    first, last = min(at for at, _ in points), max(at for at, _ in points)
    span = max((last - first).total_seconds(), 1e-9)
    for place, lines in enumerate(series):
        drawn = _thinned(lines.points)
        told = " ".join(
            f"{_LEFT + (_WIDTH - _LEFT - _RIGHT) * (at - first).total_seconds() / span:.1f},{_y(value, top):.1f}"
            for at, value in drawn
        )
        yield f'<polyline class="tauro-c{place % len(SERIES)}" points="{told}"/>'
    for at, x, anchor in ((first, _LEFT, "start"), (last, _WIDTH - _RIGHT, "end")):
        yield f'<text x="{x:g}" y="{_HEIGHT - 4:g}" text-anchor="{anchor}">{at.astimezone():%H:%M:%S}</text>'


def _y(value: float, top: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / top)


def _thinned(points: Sequence[tuple[datetime, float]]) -> list[tuple[datetime, float]]:
    """Return at most so many points; of those that stand together the highest, as peaks are what one looks for."""
    size = ceil(len(points) / _MOST_POINTS) or 1
    groups = (points[start : start + size] for start in range(0, len(points), size))
    return [max(group, key=lambda point: point[1]) for group in groups]
