"""Figures of numbers with intervals: over a quantity, and as rows of dots."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, floor, log10

from dilemmas.experiments.reporting.charts import RowLayout, legend, row_layout
from dilemmas.experiments.reporting.svg import WIDTH, Scale, circle, fit, line, place, svg, text, tick, xml
from dilemmas.experiments.reporting.uncertainty.intervals import Interval

WIDE = 8.0
"""Ratio of the largest to the smallest place from which on the axis is logarithmic."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A value at a place, with its interval."""

    x: float
    """The place."""
    value: float
    """The value."""
    interval: Interval | None = None
    """95% interval, if known."""


@dataclass(frozen=True, slots=True)
class DotRow:
    """A labelled value with its interval."""

    label: str
    """Name of the row."""
    value: float
    """The value."""
    interval: Interval | None
    """95% interval, if known."""
    numbers: str
    """Value and interval, printed at the right."""


def curves_with_intervals(
    title: str,
    description: str,
    panels: Mapping[str, Mapping[str, Sequence[CurvePoint]]],
    x_title: str,
    width: float = WIDTH,
) -> str:
    """Values over a quantity, such as the number of observations.

    Parameters
    ----------
    title, description
        Of the figure.
    panels
        Title of each panel -> name of each line, at most three -> points, at least one in all.
    x_title
        The quantity.
    width
        Of the figure, in user units.
    """
    points = [point for series in panels.values() for line in series.values() for point in line]
    ends = [end for point in points for end in (point.value, *(point.interval or ()))]
    low, high = max(-1.0, floor(min(0.0, *ends) * 4) / 4), max(1.0, ceil(max(ends) * 4) / 4)
    places = sorted({point.x for point in points})
    names = list(dict.fromkeys(name for series in panels.values() for name in series))
    styles = {name: STYLES[number % len(STYLES)] for number, name in enumerate(names)}
    keys, top = legend([(partial(_sample, styles[name]), 30.0, name) for name in names], 44, width)
    columns = min(len(panels), max(1, int(width // 340)))
    across, height = width / columns, 230.0
    body = [text(8, 20, fit(title, width - 16, 13), "bold"), *keys]
    for number, (heading, series) in enumerate(panels.items()):
        x, y = 40 + across * (number % columns), top + 18 + height * (number // columns)
        grid = _Grid(Scale(low, high, y + height - 56, y + 28), _along(places, x + 6, x + across - 62))
        body += [text(x, y + 14, fit(heading, across - 56, 13)), *_axes(grid, places, x, x + across - 56, x_title)]
        for name, line_points in series.items():
            body += _curve(name, line_points, grid, styles[name])
    return svg(title, description, top + 18 + height * -(-len(panels) // columns), body, width=width)


def dots(
    title: str, description: str, groups: Mapping[str, Sequence[DotRow]], x_title: str, width: float = WIDTH
) -> str:
    """Values with their intervals, a row for each below the heading of its group, from 0 or lower to 1 or higher."""
    rows = [row for some in groups.values() for row in some]
    ends = [end for row in rows for end in (row.value, *(row.interval or ()))]
    grid = row_layout([row.label for row in rows], [row.numbers for row in rows], width, 24)
    low, high = floor(min(0.0, *ends) * 4) / 4, ceil(max(1.0, *ends) * 4) / 4
    scale = Scale(max(low, -1.0), min(high, 2.0), grid.left, grid.right - (20 if grid.label else 0))
    body, y = [text(8, 20, fit(title, width - 16, 13), "bold")], 30.0
    for heading, some in groups.items():
        top, bottom = y + 24, y + 24 + grid.step * len(some)
        body.append(text(8, y + 16, fit(heading, width - 16, 13), "bold"))
        marks = [(scale(mark), "axis" if mark in (0, 1) else "grid") for mark in _ticks(scale.low, scale.high)]
        body += [line(x, top, x, bottom, style) for x, style in marks]
        for number, row in enumerate(some):
            body += _dot(row, scale, grid.middle(top, number), grid, width)
        y = bottom + 6
    body += [text(scale(mark), y + 12, tick(mark), "soft small", "middle") for mark in _ticks(scale.low, scale.high)]
    body.append(text(scale((scale.low + scale.high) / 2), y + 32, x_title, "soft small", "middle"))
    return svg(title, description, y + 42, body, width=width)


def _dot(row: DotRow, scale: Scale, y: float, grid: RowLayout, width: float) -> Iterator[str]:
    yield grid.written(row.label, y)
    if row.interval:
        yield line(scale(row.interval[0]), y, scale(row.interval[1]), y, "whisker")
    yield circle(scale(row.value), y, "tuned")
    yield text(width - 6, y + 4 if grid.label else y - 13, row.numbers, "", "end")


STYLES = (2, 1, 3)
"""Styles of lines, in order."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """The two scales of a panel."""

    down: Scale
    along: Mapping[float, float]


def _along(places: Sequence[float], start: float, end: float) -> dict[float, float]:
    """Position of each place: by its logarithm, if they reach far."""
    wide = places[0] > 0 and places[-1] / places[0] >= WIDE
    values = [log10(one) if wide else one for one in places]
    scale = Scale(values[0], max(values[-1], values[0] + 1e-9), start, end)
    return {one: scale(value) for one, value in zip(places, values, strict=True)}


def _axes(grid: _Grid, places: Sequence[float], left: float, right: float, x_title: str) -> Iterator[str]:
    down = grid.down
    for mark in _ticks(down.low, down.high, 0.5 if down.high - down.low > 1 else 0.25):
        yield line(left, down(mark), right, down(mark), "axis" if mark == 0 else "grid")
        yield text(left - 6, down(mark) + 4, tick(mark), "soft small", "end")
    last = -1e9
    for one in places:
        if grid.along[one] - last >= 26:  # else the numbers would overlap
            yield text(grid.along[one], down(down.low) + 17, f"{one:g}", "soft small", "middle")
            last = grid.along[one]
    yield text((left + right) / 2, down(down.low) + 36, x_title, "soft small", "middle")


def _curve(name: str, points: Sequence[CurvePoint], grid: _Grid, style: int) -> Iterator[str]:
    ordered = sorted(points, key=lambda point: point.x)
    for point in ordered:
        if point.interval:
            x = grid.along[point.x]
            yield (
                f'<polyline class="l{style}" style="stroke-dasharray:none" points="'
                + " ".join(f"{place(x)},{place(grid.down(end))}" for end in point.interval)
                + '"/>'
            )
    path = " ".join(f"{place(grid.along[point.x])},{place(grid.down(point.value))}" for point in ordered)
    yield f'<polyline class="l{style}" points="{path}"><title>{xml(name)}</title></polyline>'
    for point in ordered:
        yield circle(grid.along[point.x], grid.down(point.value), f"b{style}", 4)


def _sample(style: int, x: float, y: float) -> str:
    """A piece of a line in the legend."""
    return f'<polyline class="l{style}" points="{place(x)},{place(y)} {place(x + 28)},{place(y)}"/>'


def _ticks(low: float, high: float, step: float = 0.25) -> list[float]:
    return [low + step * number for number in range(round((high - low) / step) + 1)]
