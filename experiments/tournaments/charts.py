"""The figures of a tournament, as SVG: heat maps of players by players, and scores with their intervals.

The colours of heat maps are those of ColorBrewer's YlGnBu (Harrower & Brewer 2003, Cartographic J. 40:27), whose order
is visible with any colour vision; on dark pages the order is reversed, so that large values always contrast with the
page.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import floor, inf, log10

from dilemmas.experiments.reporting.svg import LETTER, WIDTH, Scale, circle, line, place, svg, text, written_width, xml
from dilemmas.experiments.reporting.terminal_text import shortened
from dilemmas.experiments.reporting.uncertainty.intervals import Interval

LEVELS = 21
"""Colours of a heat map: steps of 5% of its scale."""
RAMP = ("ffffd9", "edf8b1", "c7e9b4", "7fcdbb", "41b6c4", "1d91c0", "225ea8", "253494", "081d58")
"""From the lowest to the highest value."""
SMALLEST = 8.0
"""Minimum font size, in user units."""
LABELS = 150.0
"""Width of names for which a heat map of any size has room, in user units."""
LONGEST = 300.0
"""Maximum width of names."""
CELL = 44.0
"""Width of cells beside names that need more room."""
MOST_NARROW = 6
"""Columns of the largest heat map that fits a narrow page."""
LINE = 20.0
"""Height of a line of the key."""
DIGIT = 0.58
"""Width of a digit, as a share of the font size."""

Show = Callable[[float], str]
"""Writes a number."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Numbers by row and column, at least one of each."""

    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float | None]]
    """Shape (rows, columns); None for a missing value, which is drawn as a dash."""
    ends: Interval
    """Ends of the colour scale, in the unit of the values."""
    unit: str
    """Meaning of the numbers."""
    joint: str
    """Preposition between row and column, such as ``against``."""
    shows: Sequence[Show]
    """Formats of a number, the best one first: cells use the first that fits, or none."""
    missing: str = "no value"
    """What None means."""
    least: float = -inf
    """Cells with smaller values have no number."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The score of one player."""

    label: str
    value: float
    interval: Interval | None
    """Interval of the score; None draws no whiskers."""
    numbers: str
    """Text of score and interval, printed at the right."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """Geometry of a heat map, in user units."""

    left: float
    top: float
    width: float
    """Of a cell."""
    height: float
    size: float
    """Font size of names."""
    upwards: bool
    """Whether the names of the columns are rotated to read from bottom to top."""
    room: float
    """Height of rotated names."""


def heat_map(title: str, description: str, heat: HeatMap, width: float = WIDTH) -> str:
    """A cell for every row and column, coloured by its number; long names are shortened in their middle.

    `width`: below that of a wide page, for at most `MOST_NARROW` columns.
    """
    grid = _grid(heat, width)
    body = [*_key(heat, width), *_columns(heat, grid), *_rows(heat, grid)]
    show, size = _numbers(heat, grid)
    for i, (name, values) in enumerate(zip(heat.rows, heat.values, strict=True)):
        for j, (other, value) in enumerate(zip(heat.columns, values, strict=True)):
            x, y = grid.left + grid.width * j, grid.top + grid.height * i
            said = heat.missing if value is None else heat.shows[0](value)
            body.append(
                f'<g class="{_level(value, heat.ends)}"><title>{xml(f"{name} {heat.joint} {other}: {said}")}</title>'
            )
            body.append(_cell(x, y, grid.width, grid.height, value is None))
            if show and value is not None and value >= heat.least:
                body.append(
                    text(x + grid.width / 2, y + grid.height / 2 + 0.35 * size, show(value), "", "middle", size)
                )
            body.append("</g>")
    return svg(title, description, grid.top + grid.height * len(heat.rows) + 6, body, _heat_style(), width)


def scores(title: str, description: str, unit: str, rows: Sequence[ScoreRow], width: float = WIDTH) -> str:
    """A dot for each score, with whiskers if it is uncertain and the numbers at the right."""
    above = width < WIDTH  # names and numbers above the dots
    step, size = (38, 13.0) if above else (24, 13.0) if len(rows) <= 24 else (16, 11.0)
    written = max(written_width(row.numbers, size) for row in rows)
    left = 8 if above else 20 + min(LONGEST, max(written_width(row.label, size) for row in rows))
    right = width - (16 if above else 24 + written)
    top, bottom = 24, 28 + step * len(rows)
    marks = ticks(*_reach(rows))
    scale = Scale(marks[0], marks[-1], left + 8, right)
    body = []
    for mark in marks:
        body.append(line(scale(mark), top, scale(mark), bottom, "grid"))
        number = f"{mark:g}".replace("-", "−")
        body += [text(scale(mark), y, number, "soft small", "middle") for y in (top - 8, bottom + 16)]
    for i, row in enumerate(rows):
        y = top + 2 + (step * (i + 1) - 11 if above else step * (i + 0.5))
        words = y - 12 if above else y + 0.35 * size
        body += [*_dot(row, scale, y, size), text(width - 6, words, row.numbers, "", "end", size)]
        if above:
            body.append(text(8, words, _short(row.label, width - 28 - written, size), "", "start", size))
        else:
            body.append(text(left - 6, words, _short(row.label, left - 10, size), "", "end", size))
    body.append(text((left + right) / 2, bottom + 34, unit, "soft small", "middle"))
    return svg(title, description, bottom + 44, body, width=width)


def ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Two or more evenly spaced round numbers, from at most `low` to at least `high`."""
    if high - low < 1e-9 * max(1.0, abs(low), abs(high)):  # equal up to rounding
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / (most - 2)
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), -floor(-high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _short(name: str, room: float, size: float) -> str:
    """A name shortened to a width, in user units."""
    return shortened(name, int(room / (LETTER * size)))


def _grid(heat: HeatMap, page: float) -> _Grid:
    height = min(30.0, (WIDTH - LABELS) / len(heat.columns))
    size = min(12.0, max(SMALLEST, 0.86 * height))
    room = page - CELL * len(heat.columns)
    if page == WIDTH:
        room = min(LONGEST, max(LABELS, room))
    left = 10 + min(room - 10, max(written_width(name, size) for name in heat.rows))
    width = min(140.0, (page - left - 2) / len(heat.columns))
    longest = max(written_width(name, size) for name in heat.columns)
    upwards = longest > width - 4
    top = 46 + (LINE if page < WIDTH and _has_missing(heat) else 0)
    return _Grid(left, top + (min(room, longest) if upwards else size), width, height, size, upwards, room)


def _columns(heat: HeatMap, grid: _Grid) -> Iterator[str]:
    for j, name in enumerate(heat.columns):
        x = grid.left + grid.width * (j + 0.5)
        if grid.upwards:
            yield text(
                x + 0.35 * grid.size, grid.top - 5, _short(name, grid.room, grid.size), "", "start", grid.size, True
            )
        else:
            yield text(x, grid.top - 6, name, "", "middle", grid.size)


def _rows(heat: HeatMap, grid: _Grid) -> Iterator[str]:
    for i, name in enumerate(heat.rows):
        y = grid.top + grid.height * (i + 0.5) + 0.35 * grid.size
        yield text(grid.left - 5, y, _short(name, grid.left - 8, grid.size), "", "end", grid.size)


def _numbers(heat: HeatMap, grid: _Grid) -> tuple[Show | None, float]:
    """Format and font size of the numbers in cells; None if they would be too small to read."""
    values = [value for row in heat.values for value in row if value is not None]
    for show in heat.shows:
        longest = max(len(show(value)) for value in (*values, 1))
        size = min(12.0, 0.7 * grid.height, 0.72 * grid.width / (longest * DIGIT))
        if size >= SMALLEST:
            return show, size
    return None, 0.0


def _has_missing(heat: HeatMap) -> bool:
    return any(value is None for row in heat.values for value in row)


def _key(heat: HeatMap, page: float) -> Iterator[str]:
    """The colour scale with its ends, and the meaning of a dash, which on a narrow page is below."""
    x, y, step = 8.0, 20.0, 9.0 if page == WIDTH else 5.0
    low, high = (heat.shows[0](end) for end in heat.ends)
    yield text(x, 20, low, "soft small")
    x += written_width(low, 12) + 10
    for level in range(LEVELS):
        yield f'<g class="h{level}">{_cell(x + step * level, 10, step, 12)}</g>'
    x += step * LEVELS + 6
    yield text(x, 20, f"{high} {heat.unit}", "soft small")
    x, y = (x + written_width(f"{high} {heat.unit}", 13) + 24, y) if page == WIDTH else (8.0, y + LINE)
    if _has_missing(heat):
        yield f'<g class="none">{_cell(x, y - 11, 18, 14, missing=True)}</g>'
        yield text(x + 26, y, heat.missing, "soft small")


def _cell(x: float, y: float, width: float, height: float, missing: bool = False) -> str:
    across = f"m0 {place(height)}l{place(width)} -{place(height)}" if missing else ""
    return f'<path d="M{place(x)} {place(y)}h{place(width)}v{place(height)}h-{place(width)}z{across}"/>'


def _level(value: float | None, ends: Interval) -> str:
    """CSS class of a cell with this value."""
    return "none" if value is None else f"h{round(Scale(*ends, 0, LEVELS - 1)(value))}"


@cache
def _heat_style() -> str:
    light, dark = (_rules([_colour(i / (LEVELS - 1)) for i in range(LEVELS)][::way]) for way in (1, -1))
    none = ".fig .none path{fill:none;stroke:var(--rule)}"
    return f"\n{none}{light}\n@media(prefers-color-scheme:dark){{{dark}}}\n"


def _rules(colours: Sequence[tuple[int, ...]]) -> str:
    """Fills of the levels, each with black or white text, whichever has more contrast."""
    fills = "".join(f".fig .h{i} path{{fill:#{bytes(colour).hex()}}}" for i, colour in enumerate(colours))
    dark = [_luminance(colour) < 0.18 for colour in colours]  # luminance with the same contrast to black and to white
    inks = (",".join(f".fig .h{i} text" for i, one in enumerate(dark) if one is kind) for kind in (True, False))
    return fills + "".join(f"{which}{{fill:{ink}}}" for which, ink in zip(inks, ("#fff", "#000"), strict=True))


def _colour(share: float) -> tuple[int, ...]:
    """Red, green and blue, from 0 to 1, at a position of the colour scale."""
    below = min(int(share * (len(RAMP) - 1)), len(RAMP) - 2)
    part = share * (len(RAMP) - 1) - below
    return tuple(
        round(a + part * (b - a))
        for a, b in zip(bytes.fromhex(RAMP[below]), bytes.fromhex(RAMP[below + 1]), strict=True)
    )


def _luminance(colour: Sequence[int]) -> float:
    """Relative luminance according to WCAG 2, from 0 to 1."""
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _reach(rows: Sequence[ScoreRow]) -> Interval:
    """Lowest and highest value that the axis must contain."""
    values = [end for row in rows for end in (row.value, *(row.interval or ()))]
    return min(values), max(values)


def _dot(row: ScoreRow, scale: Scale, y: float, size: float) -> Iterator[str]:
    if row.interval:
        low, high = map(scale, row.interval)
        yield line(low, y, high, y, "whisker")
        for end in (low, high):
            yield line(end, y - 0.3 * size, end, y + 0.3 * size, "whisker")
    yield circle(scale(row.value), y, "tuned", 5 if size > 12 else 3)
