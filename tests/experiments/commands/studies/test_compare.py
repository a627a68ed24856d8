"""Finished studies are reported again and compared; anything else is refused in words."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dilemmas.envs.errors import InputError
from dilemmas.experiments.commands.studies import compare, report
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.recipe_files import load_recipe

CLOSED = {"gap_closed": 0.75, "interval": [0.7, 0.8], "null": 0.3, "transfer": 0.45, "transfer_interval": None}


def finished(folder: Path) -> tuple[Recipe, dict[str, Any]]:
    """A study whose student closed .75 of the gap within the sample, with a correlation of .5."""
    results = {
        "alignment": {"within": CLOSED | {"estimate": "exact"}},
        "pattern": [{"set": "within", "tuned": 0.5}],
        "label_mass": [{"set": "within", "model": "tuned", "mean": 0.9}],
    }
    return load_recipe("miniatures" if folder.name == "one" else "study"), results


def test_runs_stand_side_by_side_with_what_differs_in_their_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "finished_study", finished)
    result = CliRunner().invoke(compare.command, ["runs/one", "runs/other"], catch_exceptions=False)
    assert "0.75" in result.stdout
    assert "models.teacher" in result.stdout
    found = json.loads(CliRunner().invoke(compare.command, ["one", "other", "--json"]).stdout)
    assert found["runs"]["other"]["within"] == CLOSED | {"estimate": "exact", "correlation": 0.5, "label_mass": 0.9}
    assert any(line.startswith("models.teacher") for line in found["differences"]["other"])


@pytest.mark.parametrize("words", [[], ["runs/one"], ["runs/one", "runs/one"]])
def test_there_is_something_to_compare(words: list[str]) -> None:
    with pytest.raises(InputError, match="two or more different run folders"):
        CliRunner().invoke(compare.command, words, catch_exceptions=False)


def test_a_study_is_compared_with_itself_under_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "finished_study", finished)
    (tmp_path / "one").mkdir()
    (tmp_path / "link").symlink_to("one")
    with pytest.raises(InputError, match=r"link is given twice, also as .*one"):
        CliRunner().invoke(compare.command, [str(tmp_path / "one"), str(tmp_path / "link")], catch_exceptions=False)


def test_what_is_no_finished_study_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no study; name a run folder"):
        CliRunner().invoke(report.command, [str(tmp_path)], catch_exceptions=False)
    (tmp_path / "recipe.json").write_text("{}")
    with pytest.raises(InputError, match="not finished; repeat the command"):
        CliRunner().invoke(report.command, [str(tmp_path)], catch_exceptions=False)
