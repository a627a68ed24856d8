"""Figures as self-contained inline SVG: no scripts, no fonts to fetch, light and dark.

Colours are after Okabe & Ito 2008, which people with any colour vision can tell apart; every role also has
a shape of its own, so that a figure can be read without colour. Numbers are fractions from 0 to 1 unless
said otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import floor
from zlib import crc32

from understudy.experiments.intervals import Interval
from understudy.experiments.plain_text import one_line

WIDTH = 760
"""Width of every figure, in user units; a figure scales to the page."""

STYLE = """
.fig{--ink:#1c1c1a;--soft:#62625d;--rule:#dddcd6;--paper:#fff;--untuned:#b84e00;--tuned:#0068a8;--null:#a13a7a;
--s3:#007a5a;--s4:#8a6d00;--s5:#5b4fa8;display:block;width:100%;height:auto;font-variant-numeric:tabular-nums;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;font-size:13px}
@media(prefers-color-scheme:dark){.fig{--ink:#ecebe6;--soft:#a6a59e;--rule:#3a3a37;--paper:#1a1a18;
--untuned:#f2a35c;--tuned:#62b8f0;--null:#e08dbd;--s3:#4cc9a0;--s4:#e3c54a;--s5:#b0a4f5}}
.fig text{fill:var(--ink)}.fig .soft{fill:var(--soft)}.fig .small{font-size:12px}.fig .bold{font-weight:600}
.fig .grid{stroke:var(--rule)}.fig .axis{stroke:var(--soft)}.fig .muted{opacity:.4}
.fig .teacher{stroke:var(--ink);stroke-width:3}.fig .link{stroke:var(--tuned);stroke-width:2;opacity:.4}
.fig .untuned{fill:var(--paper);stroke:var(--untuned);stroke-width:2}.fig .tuned{fill:var(--tuned)}
.fig .hollow{fill:var(--paper);stroke:var(--tuned);stroke-width:2}
.fig .null{fill:var(--paper);stroke:var(--null);stroke-width:2}.fig .whisker{stroke:var(--tuned);stroke-width:2}
.fig polyline{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.fig .l0{stroke:var(--ink);stroke-width:2.6}.fig .l1{stroke:var(--untuned);stroke-dasharray:6 4}
.fig .l2{stroke:var(--tuned)}.fig .l3{stroke:var(--s3);stroke-dasharray:2 4}
.fig .l4{stroke:var(--s4);stroke-dasharray:9 3 2 3}.fig .l5{stroke:var(--s5);stroke-dasharray:12 4}
"""

LINES = {"teacher": 0, "untuned": 1, "tuned": 2}
"""Line style of the known roles; other series take the styles in turn."""


@dataclass(frozen=True, slots=True)
class Dumbbell:
    """One scenario: three models' cooperation."""

    label: str
    teacher: float | None
    """From 0 to 1; None draws nothing."""
    untuned: float | None
    tuned: float | None
    muted: bool = False
    """Draw it faintly: the scenario is left out of the figures."""


@dataclass(frozen=True, slots=True)
class GapRow:
    """Gap closed on one set of scenarios by one estimate."""

    label: str
    value: float
    interval: Interval | None
    null: float
    """The null player's gap closed."""
    numbers: str
    """Value and interval as they are written at the right."""
    hollow: bool = False
    """Draw the dot hollow: a sampled estimate."""


def dumbbells(title: str, description: str, groups: Mapping[str, Sequence[Dumbbell]]) -> str:
    """Cooperation of teacher, untuned and tuned student in every scenario, in groups with a heading each."""
    left, right, top, step = 226, WIDTH - 18, 62, 21
    scale = _Scale(0, 1, left, right)
    body = _role_legend()
    y = top
    for heading, rows in groups.items():
        bottom = y + 26 + step * len(rows)
        body += [_line(scale(x), y + 22, scale(x), bottom - 4, "grid") for x in (0, 0.25, 0.5, 0.75, 1)]
        body.append(_text(8, y + 15, _fit(heading, left - 16, 13), "bold"))
        for i, row in enumerate(rows):
            body += _dumbbell(row, scale, y + 26 + step * i + step // 2 - 2, left)
        y = bottom + 8
    ticks = [(0.0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1.0, "1")]
    for height in (top + 15, y + 8):
        body += [_text(scale(x), height, mark, "soft small", "middle") for x, mark in ticks]
    body.append(_text(scale(0.5), y + 28, "probability of cooperating", "soft small", "middle"))
    return _svg(title, description, y + 38, body)


def gaps(title: str, description: str, rows: Sequence[GapRow]) -> str:
    """Gap closed with interval whiskers, the null player marked, the numbers at the right."""
    left, right, top, step = 226, WIDTH - 172, 66, 32
    bottom = top + step * len(rows)
    lowest = min([0.0, *(min(row.value, row.null, *(row.interval or ())) for row in rows)])
    scale = _Scale(max(-1.0, floor(lowest * 4) / 4), 1, left, right)
    body = [_circle(16, 20, "tuned"), _text(28, 24, "tuned student, 95% interval")]
    body += [_diamond(236, 20, "null"), _text(250, 24, "null player: the teacher's mean rate everywhere")]
    for x in _steps(scale.low, 1):
        body.append(_line(scale(x), top - 6, scale(x), bottom, "axis" if x in (0, 1) else "grid"))
        body.append(_text(scale(x), bottom + 16, _tick(x), "soft small", "middle"))
    body.append(_text(scale(0), top - 13, "as untuned", "soft small", "start" if scale.low == 0 else "middle"))
    body.append(_text(scale(1), top - 13, "as the teacher", "soft small", "end"))
    for i, row in enumerate(rows):
        body += _gap(row, scale, top + step * i + step // 2, left)
    body.append(_text(scale((scale.low + 1) / 2), bottom + 36, "gap closed", "soft small", "middle"))
    return _svg(title, description, bottom + 46, body)


def lines(
    title: str, description: str, panels: Mapping[str, Mapping[str, Sequence[float]]], x_title: str = "round"
) -> str:
    """Fractions over time, one panel per key and one line per series; time counts from 1 in `x_title`s.

    Series called teacher, untuned and tuned are drawn in their own styles.
    """
    styles = _styles(list(dict.fromkeys(name for series in panels.values() for name in series)))
    legend, top = _line_legend(styles)
    columns = min(3, max(1, len(panels)))
    width, height = WIDTH / columns, 300 if columns == 1 else 190
    body = [_text(8, 20, _fit(title, WIDTH - 16, 13), "bold"), *legend]
    for i, (heading, series) in enumerate(panels.items()):
        corner = (30 + width * (i % columns), top + height * (i // columns))
        body.append(_text(corner[0] + (width - 46) / 2, corner[1] + height - 16, x_title, "soft small", "middle"))
        body += _panel(heading, series, styles, corner, (width - 46, height))
    return _svg(title, description, top + height * -(-len(panels) // columns), body)


@dataclass(frozen=True, slots=True)
class _Scale:
    """A linear map of values onto positions, clipped to its ends."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def _dumbbell(row: Dumbbell, scale: _Scale, y: float, left: float) -> Iterator[str]:
    yield '<g class="muted"><title>left out of the figures</title>' if row.muted else "<g>"
    yield _text(left - 14, y + 4, _fit(row.label, left - 24, 13), "", "end")
    if row.untuned is not None and row.tuned is not None:
        yield _line(scale(row.untuned), y, scale(row.tuned), y, "link")
    if row.teacher is not None:
        yield _line(scale(row.teacher), y - 8, scale(row.teacher), y + 8, "teacher")
    if row.untuned is not None:
        yield _circle(scale(row.untuned), y, "untuned")
    if row.tuned is not None:
        yield _circle(scale(row.tuned), y, "tuned")
    yield "</g>"


def _role_legend() -> list[str]:
    marks = [
        (_line(16, 12, 16, 28, "teacher"), 26, "teacher"),
        (_circle(112, 20, "untuned"), 123, "student, untuned"),
        (_circle(264, 20, "tuned"), 275, "student, tuned"),
    ]
    return [part for mark, x, name in marks for part in (mark, _text(x, 24, name))]


def _gap(row: GapRow, scale: _Scale, y: float, left: float) -> Iterator[str]:
    yield _text(left - 14, y + 4, _fit(row.label, left - 22, 13), "", "end")
    yield _diamond(scale(row.null), y, "null")
    if row.interval:
        low, high = row.interval
        yield _line(scale(low), y, scale(high), y, "whisker")
        for end in (low, high):
            if scale.low <= end <= scale.high:  # an end beyond the axis has no cap
                yield _line(scale(end), y - 5, scale(end), y + 5, "whisker")
    if row.value >= scale.low:
        yield _circle(scale(row.value), y, "hollow" if row.hollow else "tuned")
    yield _text(WIDTH - 6, y + 4, row.numbers, "", "end")


def _panel(
    heading: str,
    series: Mapping[str, Sequence[float]],
    styles: Mapping[str, int],
    corner: tuple[float, float],
    size: tuple[float, float],
) -> Iterator[str]:
    (x, y), (width, height) = corner, size
    last = max((len(values) for values in series.values()), default=1)
    across, down = _Scale(1, max(2, last), x, x + width), _Scale(0, 1, y + height - 34, y + 30)
    yield _text(x, y + 17, _fit(heading, width, 13))
    for mark in (0, 0.5, 1):
        yield _line(x, down(mark), x + width, down(mark), "grid")
        yield _text(x - 6, down(mark) + 4, _tick(mark), "soft small", "end")
    yield _text(x, y + height - 16, "1", "soft small", "start")
    if last > 1:
        yield _text(x + width, y + height - 16, str(last), "soft small", "end")
    for name, values in series.items():
        points = [(across(i), down(value)) for i, value in _thinned(values)]
        if len(points) == 1:
            points.append((points[0][0] + 6, points[0][1]))  # a match of one round is a dash
        path = " ".join(f"{_place(px)},{_place(py)}" for px, py in points)
        yield f'<polyline class="l{styles[name]}" points="{path}"><title>{_xml(name)}</title></polyline>'


def _thinned(values: Sequence[float], most: int = 400) -> list[tuple[int, float]]:
    """(time, value) of at most about `most` evenly spaced points, the last one among them."""
    stride = max(1, len(values) // most)
    kept = sorted({*range(0, len(values), stride), len(values) - 1}) if len(values) else []
    return [(i + 1, values[i]) for i in kept]


def _styles(names: Sequence[str]) -> dict[str, int]:
    free = [style for style in range(6) if style not in {LINES[name] for name in names if name in LINES}]
    others = [name for name in names if name not in LINES]
    styles = {name: LINES[name] for name in names if name in LINES}
    return styles | {name: free[i % len(free)] for i, name in enumerate(others)}


def _line_legend(styles: Mapping[str, int]) -> tuple[list[str], float]:
    """The legend's parts, and the height below it; it wraps where a line is full."""
    body, x, y = [], 8.0, 44.0
    for name, style in styles.items():
        label = _fit(name, 240, 13)
        width = 54 + 7.4 * len(label)
        if x + width > WIDTH:
            x, y = 8.0, y + 22
        body.append(f'<polyline class="l{style}" points="{_place(x)},{_place(y)} {_place(x + 28)},{_place(y)}"/>')
        body.append(_text(x + 36, y + 4, label))
        x += width
    return body, y + 18


def _steps(low: float, high: float) -> list[float]:
    return [low + i / 4 for i in range(round((high - low) * 4) + 1)]


def _tick(value: float) -> str:
    return f"{value:g}".replace("-", "−").replace("0.", ".")


def _fit(text: str, width: float, size: float) -> str:
    """Text shortened to a width, by the mean width of a letter."""
    room = int(width / (size * 0.53))
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


def _xml(text: str) -> str:
    return escape(one_line(text))


def _place(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    return f'<text x="{_place(x)}" y="{_place(y)}" class="{style}" text-anchor="{anchor}">{_xml(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    ends = f'x1="{_place(x1)}" y1="{_place(y1)}" x2="{_place(x2)}" y2="{_place(y2)}"'
    return f'<line class="{style}" {ends}/>'


def _circle(x: float, y: float, style: str) -> str:
    return f'<circle class="{style}" cx="{_place(x)}" cy="{_place(y)}" r="5"/>'


def _diamond(x: float, y: float, style: str) -> str:
    return f'<path class="{style}" d="M{_place(x)} {_place(y - 7)}l6 7l-6 7l-6 -7z"/>'


def _svg(title: str, description: str, height: float, body: Sequence[str]) -> str:
    drawing = "".join(body)
    name = f"f{crc32((title + drawing).encode(errors='replace')):08x}"  # other figures on a page, other ids
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="fig" viewBox="0 0 {WIDTH} {_place(height)}" '
        f'role="img" aria-labelledby="{name}t {name}d"><title id="{name}t">{_xml(title)}</title>'
        f'<desc id="{name}d">{_xml(description)}</desc><style>{STYLE}</style>{drawing}</svg>'
    )
