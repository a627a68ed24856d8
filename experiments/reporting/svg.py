"""Primitives of figures: self-contained inline SVG without scripts or external fonts, in light and dark colours.

Colours are based on Okabe & Ito 2008, whose palette is safe for colour-blind readers. All text is escaped here, so text
of models and users is never markup.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol
from zlib import crc32

from rich.cells import cell_len

from dilemmas.experiments.reporting.terminal_text import one_line

WIDTH = 760
"""Width of a figure on a wide page, in user units; figures scale to the page."""
NARROW = 360
"""The same on a narrow page, such as that of a phone."""
LETTER = 0.53
"""Mean width of a letter, as a share of the font size."""

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
.fig .band{opacity:.16;stroke:none}.fig .b0{fill:var(--ink)}.fig .b1{fill:var(--untuned)}.fig .b2{fill:var(--tuned)}
.fig .b3{fill:var(--s3)}.fig .b4{fill:var(--s4)}.fig .b5{fill:var(--s5)}
.fig .l0{stroke:var(--ink);stroke-width:2.6}.fig .l1{stroke:var(--untuned);stroke-dasharray:6 4}
.fig .l2{stroke:var(--tuned)}.fig .l3{stroke:var(--s3);stroke-dasharray:2 4}
.fig .l4{stroke:var(--s4);stroke-dasharray:9 3 2 3}.fig .l5{stroke:var(--s5);stroke-dasharray:12 4}
"""


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from values to positions, clipped to its ends."""

    low: float
    """Lowest value."""
    high: float
    """Highest value."""
    start: float
    """Position of the lowest value."""
    end: float
    """Position of the highest value."""

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def tick(value: float) -> str:
    """A tick label, without a zero before the decimal point."""
    return re.sub(r"^(−?)0\.", r"\1.", f"{value:g}".replace("-", "−"))


class Drawing(Protocol):
    """Draws a figure of a width, in user units."""

    def __call__(self, *, width: float) -> str: ...


def responsive(draw: Drawing) -> str:
    """A figure in both widths; a page shows the one that fits."""
    return f'<div class="wide-page">{draw(width=WIDTH)}</div><div class="narrow-page">{draw(width=NARROW)}</div>'


def written_width(words: str, size: float) -> float:
    """Estimated width of a text; East Asian characters count as two."""
    return cell_len(one_line(words)) * LETTER * size


def fit(words: str, width: float, size: float) -> str:
    """Shorten text to a width, in user units."""
    room = int(width / (size * LETTER))
    return words if len(words) <= room else words[: room - 1].rstrip() + "…"


def xml(words: str) -> str:
    """Escaped text on one line."""
    return escape(one_line(words))


def place(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def text(
    x: float, y: float, words: str, style: str = "", anchor: str = "start", size: float = 0, upwards: bool = False
) -> str:
    """Text at a position; `size` in user units, 0 for the default; `upwards` rotates it to read from bottom to top."""
    more = f' font-size="{place(size)}"' if size else ""
    more += f' transform="rotate(-90 {place(x)} {place(y)})"' if upwards else ""
    return f'<text x="{place(x)}" y="{place(y)}" class="{style}" text-anchor="{anchor}"{more}>{xml(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """A straight line."""
    ends = f'x1="{place(x1)}" y1="{place(y1)}" x2="{place(x2)}" y2="{place(y2)}"'
    return f'<line class="{style}" {ends}/>'


def circle(x: float, y: float, style: str, radius: float = 5) -> str:
    """A circle around a position."""
    return f'<circle class="{style}" cx="{place(x)}" cy="{place(y)}" r="{place(radius)}"/>'


def diamond(x: float, y: float, style: str) -> str:
    """A diamond around a position."""
    return f'<path class="{style}" d="M{place(x)} {place(y - 7)}l6 7l-6 7l-6 -7z"/>'


def svg(title: str, description: str, height: float, body: Sequence[str], style: str = "", width: float = WIDTH) -> str:
    """A complete figure.

    Parameters
    ----------
    title, description
        Read by screen readers.
    height
        In user units.
    body
        SVG elements.
    style
        CSS in addition to that of all figures.
    width
        In user units.
    """
    drawing = "".join(body)
    name = f"f{crc32((title + drawing).encode(errors='replace')):08x}"  # ids must be unique on a page
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="fig" viewBox="0 0 {place(width)} {place(height)}" '
        f'role="img" aria-labelledby="{name}t {name}d"><title id="{name}t">{xml(title)}</title>'
        f'<desc id="{name}d">{xml(description)}</desc><style>{STYLE}{style}</style>{drawing}</svg>'
    )
