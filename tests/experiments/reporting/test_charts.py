"""The figures: well formed, escaped, no text on another one, and legible on a phone."""

from functools import partial
from xml.etree import ElementTree

import pytest

from dilemmas.experiments.reporting.charts import Dumbbell, GapRow, dumbbells, gaps, lines
from dilemmas.experiments.reporting.svg import NARROW, WIDTH, responsive, tick
from dilemmas.experiments.reporting.training_curves import curves

HOSTILE = "<script>alert(1)</script> [/red] ]]> | `x` [a](http://b) \x1b[31m \u202e \ud800"
LONG = "against a player with a name that nobody would give " * 3

DRAWINGS = {
    "dumbbells": partial(
        dumbbells,
        HOSTILE,
        HOSTILE,
        {
            HOSTILE: [Dumbbell(LONG, 0.5, 0.5, 0.5), Dumbbell("x", None, 1, 0, muted=True)],
            LONG: [Dumbbell("y", 0, 1, 0)],
        },
    ),
    "gaps": partial(
        gaps,
        HOSTILE,
        HOSTILE,
        [
            GapRow(LONG, 0.5, (-3.0, 0.7), 0.2, "0.50 [−3.00, 0.70]"),
            GapRow(HOSTILE, -2.0, None, -5.0, "−2.00", hollow=True),
        ],
    ),
    "curves": partial(
        curves,
        LONG,
        HOSTILE,
        {
            HOSTILE: [(float(x), 7.3e-5 / (x + 1)) for x in range(999)],
            LONG: [(0.0, 1234.0), (50.0, 0.0)],
            "none": [],
            "zero": [(3.0, 0.0)],
        },
    ),
    "lines": partial(
        lines,
        LONG,
        HOSTILE,
        {f"{i} {LONG}": {LONG: [0.2] * 999, "teacher": [1.0], HOSTILE: [0, 1], f"2 {LONG}": []} for i in range(5)},
        bands={f"0 {LONG}": {HOSTILE: [None, (0.2, 1.0)], LONG: [(0.1, 0.3)] * 500 + [None] * 499}},
    ),
}
FIGURES = {f"{name} {width}": draw(width=width) for name, draw in DRAWINGS.items() for width in (WIDTH, NARROW)}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_well_formed_titled_and_escaped(name: str) -> None:
    root = ElementTree.fromstring(FIGURES[name].encode())
    space = "{http://www.w3.org/2000/svg}"
    assert [child.tag for child in root[:2]] == [f"{space}title", f"{space}desc"]
    assert {child.tag.removeprefix(space) for child in root.iter()} <= {
        *("svg", "title", "desc", "style", "g", "text", "line", "circle", "path", "polyline"),
    }
    assert "nan" not in FIGURES[name]


def test_a_curve_goes_through_its_points_on_the_scale_of_its_panel() -> None:
    root = ElementTree.fromstring(curves("", "", {"loss": [(0, 3.0), (1, 1.5), (2, 0)]}).encode())
    space = "{http://www.w3.org/2000/svg}"
    path = root.find(f"{space}polyline").get("points")
    points = [tuple(map(float, point.split(","))) for point in path.split()]
    for first, middle, last in zip(*points, strict=True):
        assert middle == pytest.approx((first + last) / 2, abs=0.1)
    marks = [text.text for text in root.iter(f"{space}text")]
    assert {"0", "2", "4"} <= set(marks), "the scale ends at the next round number"


@pytest.mark.parametrize("name", FIGURES)
def test_no_two_texts_of_a_figure_overlap(name: str) -> None:
    root = ElementTree.fromstring(FIGURES[name].encode())
    boxes = []
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        size = 12 if "small" in text.get("class", "") else 13
        width, x, y = 0.5 * size * len(text.text or ""), float(text.get("x", 0)), float(text.get("y", 0))
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor", "start")]
        boxes.append((left, left + width, y - 0.75 * size, y + 0.2 * size, text.text))
    width, height = map(float, root.get("viewBox", "").split()[2:])
    for i, (left, right, top, bottom, words) in enumerate(boxes):
        assert 0 <= left <= right <= width, words
        assert 0 <= top < bottom <= height, words
        for other in boxes[:i]:
            apart = left >= other[1] or right <= other[0] or top >= other[3] or bottom <= other[2]
            assert apart, (words, other[4])


def test_a_label_is_cut_only_where_there_is_no_room() -> None:
    """The longest context of the study, beside the scale and above it."""
    label = "a negotiation on the environment"
    for width in (WIDTH, NARROW):
        assert label in dumbbells("t", "d", {"Stag hunt": [Dumbbell(label, 0, 1, 0.5)]}, width=width)
        row = GapRow("New contexts, sampled", 0.8, (0.7, 0.9), 0.1, "0.80 [0.70, 0.90]")
        assert row.label in gaps("t", "d", [row], width=width)


def test_letters_are_legible_on_a_page_of_400_pixels() -> None:
    """A figure of a phone fills its page, whose margins take about 40 pixels: letters have 12 pixels or more."""
    page = responsive(DRAWINGS["gaps"])
    assert page.count("<svg") == 2
    scale = (400 - 40) / float(page.split('viewBox="0 0 ')[2].split()[0])
    assert 12 * scale >= 12


def test_a_band_is_drawn_between_the_ends_of_intervals_and_interrupted_where_one_is_unknown() -> None:
    figure = lines("t", "d", {"p": {"tuned": [0.5] * 4}}, bands={"p": {"tuned": [(0, 1), (0, 1), None, (0.4, 0.6)]}})
    assert figure.count('class="band b2"') == 2


def test_only_a_leading_zero_is_left_out() -> None:
    assert [tick(value) for value in (0, 0.25, -0.5, 10.5, 20.25)] == ["0", ".25", "−.5", "10.5", "20.25"]
