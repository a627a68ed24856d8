"""Figures of a study as SVG: cooperation, gaps closed, and time series.

Every role has its own shape in addition to its colour, so figures can be read without colour. Numbers are fractions
from 0 to 1 unless stated otherwise.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from math import floor
from typing import TypeVar

from dilemmas.experiments.reporting.svg import (
    WIDTH,
    Scale,
    circle,
    diamond,
    fit,
    line,
    place,
    svg,
    text,
    tick,
    written_width,
    xml,
)
from dilemmas.experiments.reporting.uncertainty.intervals import Interval

Value = TypeVar("Value")

BESIDE = 500.0
"""Width from which labels are beside the scale, in user units."""
MOST_LABEL = 300.0
"""Maximum width of labels beside the scale."""
STYLES = 6
"""Number of line styles."""
LINES = {"teacher": 0, "untuned": 1, "tuned": 2}
"""Line styles of the roles; other series take the remaining styles in order."""


@dataclass(frozen=True, slots=True)
class Dumbbell:
    """Cooperation of three models in one scenario."""

    label: str
    """Name of the scenario."""
    teacher: float | None
    """Cooperation of the teacher, from 0 to 1; None is not drawn."""
    untuned: float | None
    """Cooperation of the untuned student, or None."""
    tuned: float | None
    """Cooperation of the tuned student, or None."""
    muted: bool = False
    """Draw it faintly: the scenario is excluded from the aggregate figures."""


@dataclass(frozen=True, slots=True)
class GapRow:
    """Gap closed on one set of scenarios, from one kind of estimate."""

    label: str
    """Name of the set."""
    value: float
    """Gap closed by the tuned student."""
    interval: Interval | None
    """95% interval, if known."""
    null: float
    """Gap closed by the null player."""
    numbers: str
    """Value and interval, printed at the right."""
    hollow: bool = False
    """Draw a hollow dot: a sampled estimate."""


@dataclass(frozen=True, slots=True)
class RowLayout:
    """Labelled rows beside a common scale; on a narrow page each label is above its row."""

    left: float
    """Left end of the scale, in user units."""
    right: float
    """Right end of the scale."""
    step: float
    """Height of a row."""
    label: float
    """Right end of labels beside the scale; 0 if they are above their rows."""
    room: float
    """Width of labels."""

    def middle(self, top: float, row: int) -> float:
        """Height of the marks of a row, below the top of the first row."""
        return top + self.step * row + (self.step / 2 if self.label else self.step - 11)

    def written(self, words: str, y: float) -> str:
        """The label of the row whose marks have this height."""
        short = fit(words, self.room, 13)
        return text(self.label, y + 4, short, "", "end") if self.label else text(8, y - 13, short)


def row_layout(labels: Iterable[str], numbers: Iterable[str], width: float, step: float) -> RowLayout:
    """The layout of rows with these labels, and numbers at their right. `step`: height of a row on a wide page."""
    written = max((written_width(words, 13) for words in numbers), default=0.0)
    if width < BESIDE:
        room = width - 16 - written - (12 if written else 0)
        return RowLayout(14, width - 14, 38, 0, room)
    room = min(MOST_LABEL, max((written_width(words, 13) for words in labels), default=0.0))
    return RowLayout(22 + room, width - 18 - written, step, 8 + room, room + 1)


def dumbbells(title: str, description: str, groups: Mapping[str, Sequence[Dumbbell]], width: float = WIDTH) -> str:
    """Cooperation of teacher, untuned and tuned student in every scenario, by group."""
    marks = [
        (lambda x, y: line(x + 4, y - 8, x + 4, y + 8, "teacher"), 12, "teacher"),
        (lambda x, y: circle(x + 6, y, "untuned"), 15, "student, untuned"),
        (lambda x, y: circle(x + 6, y, "tuned"), 15, "student, tuned"),
    ]
    body, top = legend(marks, 20, width)
    y = top + 34
    grid = row_layout([row.label for rows in groups.values() for row in rows], (), width, 21)
    scale = Scale(0, 1, grid.left, grid.right)
    for heading, rows in groups.items():
        bottom = y + 26 + grid.step * len(rows)
        body += [line(scale(x), y + 22, scale(x), bottom - 4, "grid") for x in (0, 0.25, 0.5, 0.75, 1)]
        body.append(text(8, y + 15, fit(heading, width - 16, 13), "bold"))
        for i, row in enumerate(rows):
            body += _dumbbell(row, scale, grid.middle(y + 24, i), grid)
        y = bottom + 8
    ticks = [(0.0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1.0, "1")]
    for height in (top + 30, y + 8):
        body += [text(scale(x), height, mark, "soft small", "middle") for x, mark in ticks]
    body.append(text(scale(0.5), y + 28, "probability of cooperating", "soft small", "middle"))
    return svg(title, description, y + 38, body, width=width)


def gaps(title: str, description: str, rows: Sequence[GapRow], width: float = WIDTH) -> str:
    """Gap closed with intervals, the null player marked, and numbers at the right."""
    marks = [
        (lambda x, y: circle(x + 6, y, "tuned"), 15, "tuned student, 95% interval"),
        (lambda x, y: diamond(x + 6, y, "null"), 17, "null player: the teacher's mean rate"),
    ]
    body, top = legend(marks, 20, width)
    top += 40
    grid = row_layout([row.label for row in rows], [row.numbers for row in rows], width, 32)
    bottom = top + grid.step * len(rows)
    lowest = min([0.0, *(min(row.value, row.null, *(row.interval or ())) for row in rows)])
    scale = Scale(max(-1.0, floor(lowest * 4) / 4), 1, grid.left, grid.right - (0 if grid.label == 0 else 10))
    for x in _steps(scale.low, 1):
        body.append(line(scale(x), top - 6, scale(x), bottom, "axis" if x in (0, 1) else "grid"))
        body.append(text(scale(x), bottom + 16, tick(x), "soft small", "middle"))
    body.append(text(scale(0), top - 13, "as untuned", "soft small", "start" if scale.low == 0 else "middle"))
    body.append(text(scale(1), top - 13, "as the teacher", "soft small", "end"))
    for i, row in enumerate(rows):
        y = grid.middle(top, i)
        body += [*_gap(row, scale, y), grid.written(row.label, y)]
        body.append(text(width - 6, y + 4 if grid.label else y - 13, row.numbers, "", "end"))
    body.append(text(scale((scale.low + 1) / 2), bottom + 36, "gap closed", "soft small", "middle"))
    return svg(title, description, bottom + 46, body, width=width)


Band = Sequence[Interval | None]
"""An interval of every value of a line; None where it is unknown."""


def lines(
    title: str,
    description: str,
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    x_title: str = "round",
    first: int = 1,
    bands: Mapping[str, Mapping[str, Band]] | None = None,
    width: float = WIDTH,
) -> str:
    """Fractions over time.

    Parameters
    ----------
    title, description
        Of the figure.
    panels
        Title of each panel -> name of each line -> values. Lines named teacher, untuned and tuned have fixed styles.
    x_title
        Unit of time.
    first
        Time of the first value.
    bands
        Intervals of the values, in the same form as `panels`; lines without them have none.
    width
        Of the figure, in user units.
    """
    styles = _styles(list(dict.fromkeys(name for series in panels.values() for name in series)))
    keys, top = _line_legend(styles, width)
    columns = min(3, max(1, len(panels)), max(1, int(width // 240)))
    across, height = width / columns, 300 if len(panels) == 1 else 190
    body = [text(8, 20, fit(title, width - 16, 13), "bold"), *keys]
    for i, (heading, series) in enumerate(panels.items()):
        corner = (30 + across * (i % columns), top + height * (i // columns))
        body.append(text(corner[0] + (across - 46) / 2, corner[1] + height - 16, x_title, "soft small", "middle"))
        spread = (bands or {}).get(heading, {})
        body += _panel(heading, series, spread, styles, corner, (across - 46, height), first)
    return svg(title, description, top + height * -(-len(panels) // columns), body, width=width)


def leading(series: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """Reduce many shares to the number of line styles: those with the largest maxima, and the sum of the others."""
    if len(series) <= STYLES:
        return dict(series)
    large = sorted(series, key=lambda name: (-max(series[name]), name))[: STYLES - 1]
    others = [values for name, values in series.items() if name not in large]
    together = [sum(values) for values in zip(*others, strict=True)]
    return {name: series[name] for name in large} | {f"the {len(others)} others": together}


def _dumbbell(row: Dumbbell, scale: Scale, y: float, grid: RowLayout) -> Iterator[str]:
    yield '<g class="muted"><title>excluded from the aggregate figures</title>' if row.muted else "<g>"
    yield grid.written(row.label, y)
    if row.untuned is not None and row.tuned is not None:
        yield line(scale(row.untuned), y, scale(row.tuned), y, "link")
    if row.teacher is not None:
        yield line(scale(row.teacher), y - 8, scale(row.teacher), y + 8, "teacher")
    if row.untuned is not None:
        yield circle(scale(row.untuned), y, "untuned")
    if row.tuned is not None:
        yield circle(scale(row.tuned), y, "tuned")
    yield "</g>"


Mark = Callable[[float, float], str]
"""Draws a mark from its left end and the height of its middle."""


def legend(items: Sequence[tuple[Mark, float, str]], y: float, width: float) -> tuple[list[str], float]:
    """Elements of a legend, which wraps, and the height of its last row. `items`: mark, its width, and its meaning."""
    body, x = [], 8.0
    for mark, size, label in items:
        words = fit(label, width - size - 24, 13)
        needed = size + 8 + written_width(words, 13)
        if x > 8 and x + needed > width - 8:
            x, y = 8.0, y + 22
        body += [mark(x, y), text(x + size + 4, y + 4, words)]
        x += needed + 22
    return body, y


def _gap(row: GapRow, scale: Scale, y: float) -> Iterator[str]:
    yield diamond(scale(row.null), y, "null")
    if row.interval:
        low, high = row.interval
        yield line(scale(low), y, scale(high), y, "whisker")
        for end in (low, high):
            if scale.low <= end <= scale.high:  # no cap beyond the axis
                yield line(scale(end), y - 5, scale(end), y + 5, "whisker")
    if row.value >= scale.low:
        yield circle(scale(row.value), y, "hollow" if row.hollow else "tuned")


def _panel(
    heading: str,
    series: Mapping[str, Sequence[float]],
    spread: Mapping[str, Band],
    styles: Mapping[str, int],
    corner: tuple[float, float],
    size: tuple[float, float],
    first: int,
) -> Iterator[str]:
    (x, y), (width, height) = corner, size
    last = first - 1 + max((len(values) for values in series.values()), default=1)
    across, down = Scale(first, max(first + 1, last), x, x + width), Scale(0, 1, y + height - 34, y + 30)
    yield text(x, y + 17, fit(heading, width, 13))
    for mark in (0, 0.5, 1):
        yield line(x, down(mark), x + width, down(mark), "grid")
        yield text(x - 6, down(mark) + 4, tick(mark), "soft small", "end")
    yield text(x, y + height - 16, str(first), "soft small", "start")
    if last > first:
        yield text(x + width, y + height - 16, str(last), "soft small", "end")
    for name, ends in spread.items():
        yield from _band(ends, styles[name], across, down, first)
    for name, values in series.items():
        points = [(across(first + i), down(value)) for i, value in _thinned(values)]
        if len(points) == 1:
            points.append((points[0][0] + 6, points[0][1]))  # a single value is drawn as a dash
        path = " ".join(f"{place(px)},{place(py)}" for px, py in points)
        yield f'<polyline class="l{styles[name]}" points="{path}"><title>{xml(name)}</title></polyline>'


def _band(ends: Band, style: int, across: Scale, down: Scale, first: int) -> Iterator[str]:
    """The area between the ends of the intervals; it is interrupted where one is unknown."""
    for known, part in groupby(_thinned(ends), key=lambda one: one[1] is not None):
        if known:
            found = [(across(first + i), interval) for i, interval in part if interval]
            edge = [(x, down(high)) for x, (_, high) in found] + [(x, down(low)) for x, (low, _) in reversed(found)]
            yield f'<path class="band b{style}" d="M{"L".join(f"{place(x)} {place(y)}" for x, y in edge)}z"/>'


def _thinned(values: Sequence[Value], most: int = 400) -> list[tuple[int, Value]]:
    """(index, value) of at most about `most` evenly spaced points, including the last."""
    stride = max(1, len(values) // most)
    kept = sorted({*range(0, len(values), stride), len(values) - 1}) if len(values) else []
    return [(i, values[i]) for i in kept]


def _styles(names: Sequence[str]) -> dict[str, int]:
    free = [style for style in range(STYLES) if style not in {LINES[name] for name in names if name in LINES}]
    others = [name for name in names if name not in LINES]
    styles = {name: LINES[name] for name in names if name in LINES}
    return styles | {name: free[i % len(free)] for i, name in enumerate(others)}


def _line_legend(styles: Mapping[str, int], width: float) -> tuple[list[str], float]:
    """Elements of the legend, which wraps, and the height below it."""
    items = [(partial(_sample_of, style), 30.0, fit(name, 240, 13)) for name, style in styles.items()]
    body, y = legend(items, 44, width)
    return body, y + 18


def _sample_of(style: int, x: float, y: float) -> str:
    """A piece of a line of this style."""
    return f'<polyline class="l{style}" points="{place(x)},{place(y)} {place(x + 28)},{place(y)}"/>'


def _steps(low: float, high: float) -> list[float]:
    return [low + i / 4 for i in range(round((high - low) * 4) + 1)]
