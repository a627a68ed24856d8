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


def compared(monkeypatch: pytest.MonkeyPatch, **settings: dict[str, Any]) -> tuple[str, list[str]]:
    """What is printed of runs one and other, whose recipes have these settings, and the differences of the JSON."""
    _, results = finished(Path("one"))
    monkeypatch.setattr(
        compare, "finished_study", lambda folder: (load_recipe("miniatures", settings[folder.name]), results)
    )
    shown = CliRunner().invoke(compare.command, ["one", "other"], catch_exceptions=False).stdout
    found = json.loads(CliRunner().invoke(compare.command, ["one", "other", "--json"]).stdout)
    return " ".join(shown.split()), found["differences"]["other"]


@pytest.mark.parametrize(
    ("one", "other", "line"),
    [
        (
            {"scenarios.sets": ["within", "new_game"]},
            {"scenarios.sets": ["within", "new_context", "new_game"]},
            'scenarios.sets: "new_context" only in other',
        ),
        (
            {"matches.games": ["harmony", "stag_hunt"]},
            {"matches.games": ["harmony", "snowdrift"]},
            'matches.games: "stag_hunt" only in one, "snowdrift" only in other',
        ),
        (
            {"scenarios.sets": ["within", "new_game"]},
            {"scenarios.sets": ["new_game", "within"]},
            'scenarios.sets: "within", "new_game" in one, "new_game", "within" in other',
        ),
        ({}, {"lora.rank": 8}, "lora.rank: 16 in one, 8 in other"),
        ({}, {"lora.targets": ["q_proj"]}, 'lora.targets: "q_proj" only in other'),
        (
            {"prompting.template": "study"},
            {"prompting.template": {"base": "study", "name": "mine", "motivation": "Tell me why."}},
            'prompting.template: "study" in one, its own "mine" in other',
        ),
    ],
)
def test_a_difference_names_the_runs_and_compares_lists_as_wholes(
    one: dict[str, Any], other: dict[str, Any], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, listed = compared(monkeypatch, one=one, other=other)
    assert listed == [line]
    assert line in shown


def test_answers_that_are_not_drawn_are_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    soft = {"lora.method": "soft"}
    exact = soft | {"prompting.sampled": False}
    _, listed = compared(monkeypatch, one=soft | {"observations": 50}, other=exact)
    assert listed == ["observations: 50 in one, 0 in other", "prompting.sampled: true in one, false in other"]
    _, listed = compared(monkeypatch, one=exact | {"observations": 50}, other=exact | {"seed": 7})
    assert listed == ["seed: 0 in one, 7 in other"]


def test_the_table_says_how_its_figures_were_estimated_and_what_a_dash_means(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, results = finished(Path("one"))
    nothing = dict.fromkeys(CLOSED) | {"estimate": "sampled"}
    undefined = results | {"alignment": {"within": nothing, "new_game": nothing}}
    undefined["pattern"] = [{"set": name, "tuned": None} for name in ("within", "new_game")]
    found = {"one": results, "other": undefined}
    monkeypatch.setattr(compare, "finished_study", lambda folder: (recipe, found[folder.name]))
    shown = CliRunner().invoke(compare.command, ["one", "other"], env={"COLUMNS": "200"}, catch_exceptions=False).stdout
    within, new_game = shown.split("New games")[:2]
    assert ["one", "exact", "0.75"] in [line.split()[:3] for line in within.splitlines()]
    assert ["other", "sampled", *"––––", "0.90"] in [line.split() for line in within.splitlines()]
    assert "not measured" not in shown
    assert "teacher and untuned student are not known to differ in any scenario" in " ".join(within.split())
    assert "one" not in [line.split()[0] for line in new_game.splitlines() if line.strip()]
    assert "one: has no such scenarios." in new_game
    assert "from the models' own probabilities (exact), or from replies (sampled)" in " ".join(shown.split())


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
