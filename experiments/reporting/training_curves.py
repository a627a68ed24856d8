"""How a student was trained, as figure and table: from the record of its adapter.

Losses have no common range: each panel has a scale from 0 to its largest value.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import floor, isfinite, log10
from pathlib import Path
from typing import Any

from dilemmas.envs.data_files import check_value, read_json
from dilemmas.envs.errors import InputError
from dilemmas.envs.validation import Count
from dilemmas.experiments.reporting.page import Figure, Section, Table
from dilemmas.experiments.reporting.svg import WIDTH, Scale, circle, fit, line, place, responsive, svg, text, tick
from dilemmas.training.lora import LOSS_UNITS

ROWS = 12
"""Most rows of the table."""
REMEDY = "restore it from a copy, or tune the adapter again"


Points = Sequence[tuple[float, float]]
"""Places and values of a curve; values are finite, 0 or more."""
HEIGHT, LEFT, RIGHT = 200, 52.0, 20.0
"""Height of a panel, and room at its sides, in user units."""
MOST_POINTS = 400
"""Most points that are drawn of a curve; those between are left out evenly."""
MARKED = 30
"""Most points that are drawn as dots too."""


@dataclass(frozen=True, slots=True)
class RecordedCourse:
    """What the record of an adapter says of its training."""

    losses: tuple[float, ...]
    """Loss of each step, in `unit`."""
    held_out: tuple[tuple[Count, float], ...]
    """Completed steps, and the divergence on held-out situations after them, in nats; may be empty."""
    unit: str = "nats"
    """Unit of the loss."""


def read_course(path: Path, error: type[InputError]) -> RecordedCourse | None:
    """The course of a training from the record of its adapter; None without one; an error if it is damaged."""
    if not path.is_file():
        return None
    record = read_json(path, dict[str, Any], error, REMEDY)
    known = {"losses": record.get("losses", []), "held_out": record.get("held_out", [])}
    settings = record.get("settings")
    method = settings.get("method") if isinstance(settings, dict) else None
    known["unit"] = LOSS_UNITS.get(str(method), "nats")
    found = check_value(known, RecordedCourse, str(path), error)
    if not all(map(isfinite, (*found.losses, *(value for _, value in found.held_out)))):
        raise error(f"{path}: needs finite losses; {REMEDY}")
    return found if found.losses else None


def training_sections(course: RecordedCourse | None) -> list[Section]:
    """Curves of the loss and, if it was measured, of the divergence on held-out situations."""
    if course is None:
        return []
    losses = [(float(step), max(0.0, loss)) for step, loss in enumerate(course.losses, 1)]
    panels = {f"loss, in {course.unit}": losses}
    caption = "Loss of every step of training."
    if course.held_out:
        panels["divergence on held-out situations, in nats"] = [(float(s), max(0.0, d)) for s, d in course.held_out]
        caption += (
            " Beside it, the Kullback-Leibler divergence of the student's actions from the teacher's, in situations"
            " that it was not taught."
        )
    figure = Figure(responsive(partial(curves, "How the student was trained", caption, panels)), caption)
    return [Section("Training of the student", (figure, _numbers(course)))]


def _numbers(course: RecordedCourse) -> Table:
    """The curves in numbers, at some of their steps."""
    measured = dict(course.held_out)
    steps = sorted(measured.keys() & set(range(len(course.losses) + 1))) or [*range(1, len(course.losses) + 1)]
    rows = [
        (str(step), f"{course.losses[step - 1]:.4f}" if step else "–", *([f"{measured[step]:.4f}"] if measured else []))
        for step in _spread(steps)
    ]
    columns = ("after step", "loss", *(["divergence, held out"] if measured else []))
    return Table("Course of the training", columns, tuple(rows), words=0, missing="no loss before the first step")


def _spread(steps: Sequence[int]) -> list[int]:
    """At most `ROWS` of the steps, with the first and the last."""
    if len(steps) <= ROWS:
        return list(steps)
    return [steps[round(place * (len(steps) - 1) / (ROWS - 1))] for place in range(ROWS)]


def curves(
    title: str, description: str, panels: Mapping[str, Points], x_title: str = "step", width: float = WIDTH
) -> str:
    """One curve a panel, by the title of the panel. `width`: of the figure, in user units."""
    columns = min(len(panels), 2 if width >= WIDTH else 1)
    across = width / columns
    last = max((x for points in panels.values() for x, _ in points), default=1.0)
    body = [text(8, 20, fit(title, width - 16, 13), "bold")]
    for number, (heading, points) in enumerate(panels.items()):
        left, top = across * (number % columns), 30.0 + HEIGHT * (number // columns)
        body += _curve(heading, points, x_title, max(1.0, last), (left + LEFT, left + across - RIGHT), top)
    return svg(title, description, 30 + HEIGHT * -(-len(panels) // columns), body, width=width)


def _curve(
    heading: str, points: Points, x_title: str, last: float, sides: tuple[float, float], top: float
) -> Iterator[str]:
    highest = _round_up(max((value for _, value in points), default=0.0))
    across, down = Scale(0, last, *sides), Scale(0, highest, top + HEIGHT - 44, top + 30)
    yield text(sides[0], top + 16, fit(heading, sides[1] - sides[0], 13))
    for mark in (0, highest / 2, highest):
        yield line(sides[0], down(mark), sides[1], down(mark), "grid")
        yield text(sides[0] - 6, down(mark) + 4, tick(mark), "soft small", "end")
    for x, anchor in ((0.0, "start"), (last, "end")):
        yield text(across(x), top + HEIGHT - 26, f"{x:g}", "soft small", anchor)
    yield text(sum(sides) / 2, top + HEIGHT - 26, x_title, "soft small", "middle")
    shown = [*points[: -1 : max(1, len(points) // MOST_POINTS)], *points[-1:]]
    yield f'<polyline class="l2" points="{" ".join(f"{place(across(x))},{place(down(y))}" for x, y in shown)}"/>'
    if len(points) <= MARKED:
        yield from (circle(across(x), down(y), "tuned", 3) for x, y in points)


def _round_up(value: float) -> float:
    """The least number of the form 1, 2, 4, 6, 8 times a power of ten that is not below the value; 1 for 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(factor * power for factor in (1, 2, 4, 6, 8, 10, 20) if factor * power >= value)
