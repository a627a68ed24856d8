"""Reports of experiments show what results.json holds, and figures place numbers where they belong."""

import re
from pathlib import Path
from typing import Any

import pytest

from dilemmas.experiments.series.curves import CurvePoint, DotRow, curves_with_intervals, dots
from dilemmas.experiments.series.report import report_of, terminal_report, write_series_report


def row(variant: str, what: str, mean: float, where: str = "within") -> dict[str, Any]:
    interval = [mean - 0.1, mean + 0.1]
    return {"variant": variant, "where": where, "what": what, "mean": mean, "interval": interval}


def results(**changes: Any) -> dict[str, Any]:
    measures = [row(name, what, mean) for name in ("10", "300") for what, mean in (("gap_closed", 0.4), ("null", 0.3))]
    return {
        "name": "sizes",
        "question": "How many <b>answers</b>?",
        "teacher": "T",
        "student": "S",
        "recipe": "R",
        "axis": "answers per scenario",
        "seeds": [0, 1],
        "commands": {"10": ["replicate --observations 10"], "300": ["replicate"]},
        "measures": measures,
        "differences": [row("300", "gap_closed", 0.25) | {"against": "10"}],
        "limits": [{"text": "It is high.", "passed": True, "warning": True}],
        "then": [],
    } | changes


def test_question_limits_and_numbers_are_in_both_reports_as_text(tmp_path: Path) -> None:
    write_series_report(tmp_path, results())
    page, text = ((tmp_path / f"report.{kind}").read_text(encoding="utf-8") for kind in ("html", "md"))
    assert "&lt;b&gt;answers&lt;/b&gt;" in page
    assert "<b>answers" not in page
    for part in ("0.25 [0.15, 0.35]", "300 minus 10", "It is high.", "dilemmas replicate --observations 10"):
        assert part in page.replace("&nbsp;", " ")
        assert part in text


def test_numeric_variants_are_drawn_over_their_axis_and_others_as_rows() -> None:
    over = next(section for section in report_of(results()) if section.title == "Overview")
    assert "answers per scenario" in over.blocks[0].svg  # type: ignore[union-attr]
    assert "null player" in over.blocks[0].svg  # type: ignore[union-attr]
    beside = next(section for section in report_of(results(axis="")) if section.title == "Overview")
    assert ">Within sample</text>" in beside.blocks[0].svg  # type: ignore[union-attr]
    assert "answers per scenario" not in beside.blocks[0].svg  # type: ignore[union-attr]


def test_what_is_the_same_in_all_variants_is_told_once_and_no_difference() -> None:
    same = results(differences=[row("300", "gap_closed", 0.0) | {"against": "10", "interval": [0.0, 0.0]}])
    tables = [block for section in terminal_report(same) for block in section.blocks if hasattr(block, "rows")]
    assert [cells[0] for table in tables for cells in table.rows] == ["all"]


def numbers(pattern: str, svg: str) -> list[float]:
    return [float(one) for one in re.findall(pattern, svg)]


def test_places_that_reach_far_are_drawn_by_their_logarithm() -> None:
    """10, 100 and 1000 are equally far apart; 1, 2 and 3 are, too."""
    for places in ((10, 100, 1000), (1, 2, 3)):
        points = [CurvePoint(x, 0.5) for x in places]
        found = numbers(r'cx="([\d.]+)"', curves_with_intervals("t", "d", {"panel": {"line": points}}, "x"))
        assert found[2] - found[1] == pytest.approx(found[1] - found[0], abs=0.2)


def test_a_point_of_a_curve_is_between_the_ends_of_its_interval_and_on_its_grid() -> None:
    svg = curves_with_intervals(
        "t", "d", {"panel": {"line": [CurvePoint(1, 0.5, (0.25, 0.75)), CurvePoint(2, 1.0)]}}, "x"
    )
    heights = numbers(r'cy="([\d.]+)"', svg)
    top, *_, bottom = sorted({float(y) for y in re.findall(r'y1="([\d.]+)"', svg)})
    assert heights[1] == top
    assert heights[0] == pytest.approx((top + bottom) / 2, abs=0.1)


def test_a_dot_is_drawn_by_its_value() -> None:
    svg = dots("t", "d", {"g": [DotRow(f"{value}", value, None, "") for value in (0.0, 0.5, 1.0)]}, "x")
    first, middle, last = numbers(r'cx="([\d.]+)"', svg)
    assert middle == pytest.approx((first + last) / 2, abs=0.1)
    assert first < last
