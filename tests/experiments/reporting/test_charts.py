"""The figures: well formed, escaped, and no text on another one."""

from xml.etree import ElementTree

import pytest

from dilemmas.experiments.reporting.charts import Dumbbell, GapRow, dumbbells, gaps, lines

HOSTILE = "<script>alert(1)</script> [/red] ]]> | `x` [a](http://b) \x1b[31m \u202e \ud800"
LONG = "against a player with a name that nobody would give " * 3

FIGURES = {
    "dumbbells": dumbbells(
        HOSTILE,
        HOSTILE,
        {
            HOSTILE: [Dumbbell(LONG, 0.5, 0.5, 0.5), Dumbbell("x", None, 1, 0, muted=True)],
            LONG: [Dumbbell("y", 0, 1, 0)],
        },
    ),
    "gaps": gaps(
        HOSTILE,
        HOSTILE,
        [
            GapRow(LONG, 0.5, (-3.0, 0.7), 0.2, "0.50 [−3.00, 0.70]"),
            GapRow(HOSTILE, -2.0, None, -5.0, "−2.00", hollow=True),
        ],
    ),
    "lines": lines(
        LONG,
        HOSTILE,
        {f"{i} {LONG}": {LONG: [0.2] * 999, "teacher": [1.0], HOSTILE: [0, 1], f"2 {LONG}": []} for i in range(5)},
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_well_formed_titled_and_escaped(name: str) -> None:
    root = ElementTree.fromstring(FIGURES[name].encode())
    space = "{http://www.w3.org/2000/svg}"
    assert [child.tag for child in root[:2]] == [f"{space}title", f"{space}desc"]
    assert {child.tag.removeprefix(space) for child in root.iter()} <= {
        *("svg", "title", "desc", "style", "g", "text", "line", "circle", "path", "polyline"),
    }
    assert "nan" not in FIGURES[name]


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
