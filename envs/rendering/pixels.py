"""Drawing of filled boxes and text on an array of pixels, with numpy only."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Shape (height, width, 3): red, green, blue."""
Colour = tuple[int, int, int]
"""Red, green, blue, each from 0 to 255."""

GLYPHS = {
    " ": "0000000000", "0": "3E5149453E", "1": "00427F4000", "2": "4261514946", "3": "2141454B31",
    "4": "1814127F10", "5": "2745454539", "6": "3C4A494930", "7": "0171090503", "8": "3649494936",
    "9": "064949291E", "A": "7E1111117E", "B": "7F49494936", "C": "3E41414122", "D": "7F4141221C",
    "E": "7F49494941", "F": "7F09090901", "G": "3E4149497A", "H": "7F0808087F", "I": "00417F4100",
    "J": "2040413F01", "K": "7F08142241", "L": "7F40404040", "M": "7F020C027F", "N": "7F0408107F",
    "O": "3E4141413E", "P": "7F09090906", "Q": "3E4151215E", "R": "7F09192946", "S": "4649494931",
    "T": "01017F0101", "U": "3F4040403F", "V": "1F2040201F", "W": "3F4038403F", "X": "6314081463",
    "Y": "0708700807", "Z": "6151494543", ".": "0060600000", ",": "0050300000", "-": "0808080808",
    "+": "08083E0808", "%": "2313086462", ":": "0036360000", "!": "00005F0000", '"': "0007000700",
    "#": "147F147F14", "$": "242A7F2A12", "&": "3649552250", "'": "0005030000", "(": "001C224100",
    ")": "0041221C00", "*": "14083E0814", "/": "2010080402", ";": "0056360000", "<": "0814224100",
    "=": "1414141414", ">": "0041221408", "?": "0201510906", "@": "324979413E", "[": "007F414100",
    "\\": "0204081020", "]": "0041417F00", "^": "0402010204", "_": "4040404040", "`": "0001020400",
    "{": "0008364100", "|": "00007F0000", "}": "0041360800", "~": "1008081008",
}  # fmt: skip
"""Characters 5 pixels wide and 7 high: one byte per column from the left, its lowest bit at the top."""
UNKNOWN = "7F4141417F"
"""An empty box, for a character without a glyph."""
ADVANCE = 6
"""Distance from one character to the next, in pixels at scale 1."""


def canvas(height: int, width: int, colour: Colour) -> Picture:
    """A new picture filled with one colour."""
    picture = np.empty((height, width, 3), dtype=np.uint8)
    picture[:] = colour
    return picture


def fill(picture: Picture, x: int, y: int, width: int, height: int, colour: Colour) -> None:
    """Fill a box whose upper left corner is (x, y), clipped to the picture."""
    picture[y : y + height, x : x + width] = colour


def text_width(text: str, scale: int) -> int:
    """Width of a text in pixels."""
    return max(0, len(text) * ADVANCE - 1) * scale


def write(picture: Picture, x: int, y: int, text: str, colour: Colour, scale: int = 2) -> None:
    """Write a text in capitals with its upper left corner at (x, y), clipped to the picture."""
    for i, letter in enumerate(text.upper()):
        left = x + i * ADVANCE * scale
        if left < 0:
            continue
        ink = np.kron(_glyph(letter), np.ones((scale, scale), dtype=bool))  # (7 * scale, 5 * scale)
        spot = picture[y : y + 7 * scale, left : left + 5 * scale]
        spot[ink[: spot.shape[0], : spot.shape[1]]] = colour


def right(picture: Picture, x: int, y: int, text: str, colour: Colour, scale: int = 2) -> None:
    """Write a text right-aligned at x."""
    write(picture, x - text_width(text, scale), y, text, colour, scale)


def centred(picture: Picture, x: int, y: int, text: str, colour: Colour, scale: int = 2) -> None:
    """Write a text centred at x."""
    write(picture, x - text_width(text, scale) // 2, y, text, colour, scale)


def fitted(picture: Picture, x: int, y: int, width: int, height: int, text: str, colour: Colour) -> None:
    """Write a text in the middle of a box, in the larger type that fits its width; nothing where none does."""
    scale = next((scale for scale in (2, 1) if text_width(text, scale) <= width - 2), 0)
    if scale:
        centred(picture, x + width // 2, y + (height - 7 * scale) // 2, text, colour, scale)


@cache
def _glyph(letter: str) -> NDArray[np.bool_]:
    """Pixels of a character that are drawn, shape (7, 5)."""
    columns = np.frombuffer(bytes.fromhex(GLYPHS.get(letter, UNKNOWN)), dtype=np.uint8)
    ink: NDArray[np.bool_] = (columns >> np.arange(7)[:, None]) & 1 == 1
    return ink


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """A mixture of two colours with `share`, from 0 to 1, of the first one."""
    red, green, blue = (round(share * a + (1 - share) * b) for a, b in zip(first, second, strict=True))
    return red, green, blue
