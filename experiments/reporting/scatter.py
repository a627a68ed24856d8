"""Scatter plots of rates of two students against those of their teacher, as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dilemmas.experiments.reporting.charts import legend
from dilemmas.experiments.reporting.svg import WIDTH, Scale, circle, fit, line, svg, text, tick, xml


@dataclass(frozen=True, slots=True)
class ScatterPoint:
    """The rates of three models in one scenario, from 0 to 1; one without all three is not drawn."""

    label: str
    """Name of the scenario."""
    teacher: float | None
    untuned: float | None
    tuned: float | None


def scatter(title: str, description: str, panels: Mapping[str, Sequence[ScatterPoint]], width: float = WIDTH) -> str:
    """Rates of the students against those of the teacher, with the diagonal.

    Parameters
    ----------
    title, description
        Of the figure.
    panels
        Title of each panel -> its points.
    width
        Of the figure, in user units.
    """
    marks = [
        (lambda x, y: circle(x + 6, y, "untuned"), 15, "student, untuned"),
        (lambda x, y: circle(x + 6, y, "tuned"), 15, "student, tuned"),
    ]
    body, top = legend(marks, 20, width)
    columns = min(2 if width < WIDTH else 4, max(1, len(panels)))
    across = (width - 8) / columns
    side = min(across - 44, 260)
    height = side + 60
    for i, (heading, points) in enumerate(panels.items()):
        corner = (34 + across * (i % columns), top + 26 + height * (i // columns))
        body += _panel(heading, points, corner, side)
    return svg(title, description, top + 26 + height * -(-len(panels) // columns), body, width=width)


def _panel(heading: str, points: Sequence[ScatterPoint], corner: tuple[float, float], side: float) -> Iterator[str]:
    x, y = corner
    across, down = Scale(0, 1, x, x + side), Scale(0, 1, y + 14 + side, y + 14)
    yield text(x, y + 4, fit(heading, side, 13), "bold")
    for mark in (0, 0.5, 1):
        yield line(across(0), down(mark), across(1), down(mark), "grid")
        yield line(across(mark), down(0), across(mark), down(1), "grid")
        yield text(x - 5, down(mark) + 4, tick(mark), "soft small", "end")
        yield text(across(mark), down(0) + 16, tick(mark), "soft small", "middle")
    yield line(across(0), down(0), across(1), down(1), "axis")
    yield text(across(0.5), down(0) + 34, "teacher", "soft small", "middle")
    for point in points:
        if point.teacher is not None and point.untuned is not None and point.tuned is not None:
            yield f"<g><title>{xml(point.label)}</title>"
            yield circle(across(point.teacher), down(point.untuned), "untuned", 4)
            yield circle(across(point.teacher), down(point.tuned), "tuned", 4)
            yield "</g>"
