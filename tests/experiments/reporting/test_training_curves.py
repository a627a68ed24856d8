"""The report shows how the student was trained, as the record of its adapter says."""

import json
from pathlib import Path
from typing import Any

import pytest

from dilemmas.experiments.reporting.page import html, markdown
from dilemmas.experiments.reporting.training_curves import read_course, training_sections
from dilemmas.experiments.run_folder import RunError


def record_of(folder: Path, **record: Any) -> Path:
    path = folder / "training.json"
    path.write_text(json.dumps({"settings": {}, **record}))
    return path


def test_losses_and_divergences_are_drawn_and_in_a_table(tmp_path: Path) -> None:
    losses = [2.0 / (step + 1) for step in range(30)]
    run = record_of(tmp_path, losses=losses, held_out=[[0, 0.5], [15, 0.125], [30, 0.25]])
    sections = training_sections(read_course(run, RunError))
    page, text = html("", sections), markdown("", sections)
    assert page.count("<polyline") == 2 * 2, "two curves, on wide and on narrow pages"
    assert "| 15 | 0.1333 | 0.1250 |" in text
    assert "| 0 | – | 0.5000 |" in text


def test_without_held_out_situations_there_is_one_curve(tmp_path: Path) -> None:
    run = record_of(tmp_path, losses=[1.0] * 500)
    sections = training_sections(read_course(run, RunError))
    assert html("", sections).count("<polyline") == 2
    rows = [line for line in markdown("", sections).splitlines() if line.startswith("| ")]
    assert rows[2].startswith("| 1 |")
    assert rows[-1].startswith("| 500 |")
    assert len(rows) == 2 + 12


def test_a_student_that_was_not_trained_has_no_section(tmp_path: Path) -> None:
    assert training_sections(read_course(tmp_path / "training.json", RunError)) == []


@pytest.mark.parametrize(
    "record",
    [{"losses": "many"}, {"losses": [1.0], "held_out": [[1]]}, {"losses": [float("nan")]}, {"losses": [1e999]}],
)
def test_a_damaged_record_is_named(record: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"training\.json"):
        read_course(record_of(tmp_path, **record), RunError)
