"""Figures of a study as SVG: cooperation, gaps closed, and time series.

Every role has its own shape in addition to its colour, so figures can be read without colour. Numbers are fractions
from 0 to 1 unless stated otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor

from dilemmas.experiments.reporting.intervals import Interval
from dilemmas.experiments.reporting.svg import WIDTH, Scale, circle, diamond, fit, line, place, svg, text, tick, xml

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


def dumbbells(title: str, description: str, groups: Mapping[str, Sequence[Dumbbell]]) -> str:
    """Cooperation of teacher, untuned and tuned student in every scenario, by group."""
    left, right, top, step = 226, WIDTH - 18, 62, 21
    scale = Scale(0, 1, left, right)
    body = _role_legend()
    y = top
    for heading, rows in groups.items():
        bottom = y + 26 + step * len(rows)
        body += [line(scale(x), y + 22, scale(x), bottom - 4, "grid") for x in (0, 0.25, 0.5, 0.75, 1)]
        body.append(text(8, y + 15, fit(heading, left - 16, 13), "bold"))
        for i, row in enumerate(rows):
            body += _dumbbell(row, scale, y + 26 + step * i + step // 2 - 2, left)
        y = bottom + 8
    ticks = [(0.0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1.0, "1")]
    for height in (top + 15, y + 8):
        body += [text(scale(x), height, mark, "soft small", "middle") for x, mark in ticks]
    body.append(text(scale(0.5), y + 28, "probability of cooperating", "soft small", "middle"))
    return svg(title, description, y + 38, body)


def gaps(title: str, description: str, rows: Sequence[GapRow]) -> str:
    """Gap closed with intervals, the null player marked, and numbers at the right."""
    left, right, top, step = 226, WIDTH - 172, 66, 32
    bottom = top + step * len(rows)
    lowest = min([0.0, *(min(row.value, row.null, *(row.interval or ())) for row in rows)])
    scale = Scale(max(-1.0, floor(lowest * 4) / 4), 1, left, right)
    body = [circle(16, 20, "tuned"), text(28, 24, "tuned student, 95% interval")]
    body += [diamond(236, 20, "null"), text(250, 24, "null player: the teacher's mean rate everywhere")]
    for x in _steps(scale.low, 1):
        body.append(line(scale(x), top - 6, scale(x), bottom, "axis" if x in (0, 1) else "grid"))
        body.append(text(scale(x), bottom + 16, tick(x), "soft small", "middle"))
    body.append(text(scale(0), top - 13, "as untuned", "soft small", "start" if scale.low == 0 else "middle"))
    body.append(text(scale(1), top - 13, "as the teacher", "soft small", "end"))
    for i, row in enumerate(rows):
        body += _gap(row, scale, top + step * i + step // 2, left)
    body.append(text(scale((scale.low + 1) / 2), bottom + 36, "gap closed", "soft small", "middle"))
    return svg(title, description, bottom + 46, body)


def lines(
    title: str,
    description: str,
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    x_title: str = "round",
    first: int = 1,
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
    """
    styles = _styles(list(dict.fromkeys(name for series in panels.values() for name in series)))
    legend, top = _line_legend(styles)
    columns = min(3, max(1, len(panels)))
    width, height = WIDTH / columns, 300 if columns == 1 else 190
    body = [text(8, 20, fit(title, WIDTH - 16, 13), "bold"), *legend]
    for i, (heading, series) in enumerate(panels.items()):
        corner = (30 + width * (i % columns), top + height * (i // columns))
        body.append(text(corner[0] + (width - 46) / 2, corner[1] + height - 16, x_title, "soft small", "middle"))
        body += _panel(heading, series, styles, corner, (width - 46, height), first)
    return svg(title, description, top + height * -(-len(panels) // columns), body)


def leading(series: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """Reduce many shares to the number of line styles: those with the largest maxima, and the sum of the others."""
    if len(series) <= STYLES:
        return dict(series)
    large = sorted(series, key=lambda name: (-max(series[name]), name))[: STYLES - 1]
    others = [values for name, values in series.items() if name not in large]
    together = [sum(values) for values in zip(*others, strict=True)]
    return {name: series[name] for name in large} | {f"the {len(others)} others": together}


def _dumbbell(row: Dumbbell, scale: Scale, y: float, left: float) -> Iterator[str]:
    yield '<g class="muted"><title>excluded from the aggregate figures</title>' if row.muted else "<g>"
    yield text(left - 14, y + 4, fit(row.label, left - 24, 13), "", "end")
    if row.untuned is not None and row.tuned is not None:
        yield line(scale(row.untuned), y, scale(row.tuned), y, "link")
    if row.teacher is not None:
        yield line(scale(row.teacher), y - 8, scale(row.teacher), y + 8, "teacher")
    if row.untuned is not None:
        yield circle(scale(row.untuned), y, "untuned")
    if row.tuned is not None:
        yield circle(scale(row.tuned), y, "tuned")
    yield "</g>"


def _role_legend() -> list[str]:
    marks = [
        (line(16, 12, 16, 28, "teacher"), 26, "teacher"),
        (circle(112, 20, "untuned"), 123, "student, untuned"),
        (circle(264, 20, "tuned"), 275, "student, tuned"),
    ]
    return [part for mark, x, name in marks for part in (mark, text(x, 24, name))]


def _gap(row: GapRow, scale: Scale, y: float, left: float) -> Iterator[str]:
    yield text(left - 14, y + 4, fit(row.label, left - 22, 13), "", "end")
    yield diamond(scale(row.null), y, "null")
    if row.interval:
        low, high = row.interval
        yield line(scale(low), y, scale(high), y, "whisker")
        for end in (low, high):
            if scale.low <= end <= scale.high:  # no cap beyond the axis
                yield line(scale(end), y - 5, scale(end), y + 5, "whisker")
    if row.value >= scale.low:
        yield circle(scale(row.value), y, "hollow" if row.hollow else "tuned")
    yield text(WIDTH - 6, y + 4, row.numbers, "", "end")


def _panel(
    heading: str,
    series: Mapping[str, Sequence[float]],
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
    for name, values in series.items():
        points = [(across(first + i), down(value)) for i, value in _thinned(values)]
        if len(points) == 1:
            points.append((points[0][0] + 6, points[0][1]))  # a single value is drawn as a dash
        path = " ".join(f"{place(px)},{place(py)}" for px, py in points)
        yield f'<polyline class="l{styles[name]}" points="{path}"><title>{xml(name)}</title></polyline>'


def _thinned(values: Sequence[float], most: int = 400) -> list[tuple[int, float]]:
    """(index, value) of at most about `most` evenly spaced points, including the last."""
    stride = max(1, len(values) // most)
    kept = sorted({*range(0, len(values), stride), len(values) - 1}) if len(values) else []
    return [(i, values[i]) for i in kept]


def _styles(names: Sequence[str]) -> dict[str, int]:
    free = [style for style in range(STYLES) if style not in {LINES[name] for name in names if name in LINES}]
    others = [name for name in names if name not in LINES]
    styles = {name: LINES[name] for name in names if name in LINES}
    return styles | {name: free[i % len(free)] for i, name in enumerate(others)}


def _line_legend(styles: Mapping[str, int]) -> tuple[list[str], float]:
    """Elements of the legend, which wraps, and the height below it."""
    body, x, y = [], 8.0, 44.0
    for name, style in styles.items():
        label = fit(name, 240, 13)
        width = 54 + 7.4 * len(label)
        if x + width > WIDTH:
            x, y = 8.0, y + 22
        body.append(f'<polyline class="l{style}" points="{place(x)},{place(y)} {place(x + 28)},{place(y)}"/>')
        body.append(text(x + 36, y + 4, label))
        x += width
    return body, y + 18


def _steps(low: float, high: float) -> list[float]:
    return [low + i / 4 for i in range(round((high - low) * 4) + 1)]
