"""Real models follow the order and the labels of their options; what they follow is measured, and said first."""

import json
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from numpy.typing import NDArray
from plain_pass import PlainModel

from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.experiments.commands.main import main
from dilemmas.experiments.study.recipe_files import load_recipe

RECIPE = load_recipe("study")
SCENARIOS = RECIPE.sets()["within"]


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What `dilemmas ask` prints about the models' own probabilities."""
    with pytest.raises(SystemExit) as ended:
        main(["ask", *words, "--exact", "--no-comprehension"])
    printed = capsys.readouterr().out
    assert ended.value.code == 0
    return printed


def asked_plainly(path: Path) -> NDArray[np.float64]:
    """Probability that the reply starts with the label of each action, shape (scenarios, label swapped, order, 2)."""
    model = PlainModel(path)
    found = [
        [model.probability(scenario_prompt(template, scenario.game, scenario.context, shown=shown), label)]
        for scenario in SCENARIOS
        for template, shown in RECIPE.ways(scenario.game)
        for label in shown.labels
    ]
    return np.array(found).reshape(len(SCENARIOS), 2, 2, 2)


def explained(rates: NDArray[np.float64], groups: NDArray[np.int64]) -> float:
    """Share of the variance of the rates that lies between groups."""
    between = sum(
        (groups == group).sum() * (rates[groups == group].mean() - rates.mean()) ** 2 for group in np.unique(groups)
    )
    return float(between / ((rates - rates.mean()) ** 2).sum())


def test_what_the_answers_follow_is_measured(referee: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = f"gguf:{referee}"
    found = json.loads(ask(capsys, spec, "--out", str(tmp_path / "run"), "--json"))[spec]["within"]
    shares = asked_plainly(referee)
    rates, masses = shares[..., 0] / shares.sum(axis=-1), shares.sum(axis=-1)
    games = [scenario.game.name for scenario in SCENARIOS]
    contexts = [scenario.context.name for scenario in SCENARIOS]
    levels = {
        "place": np.broadcast_to(np.arange(2), rates.shape),
        "label": np.broadcast_to(np.arange(2)[:, None], rates.shape),
        "game": np.broadcast_to(np.unique(games, return_inverse=True)[1][:, None, None], rates.shape),
        "context": np.broadcast_to(np.unique(contexts, return_inverse=True)[1][:, None, None], rates.shape),
    }
    for factor, level in levels.items():
        assert found["shares"][factor] == pytest.approx(explained(rates, level), abs=0.02)
    assert found["place_effect"] == pytest.approx((rates[..., 0] - rates[..., 1]).mean(), abs=1e-4)
    assert found["label_mass"] == pytest.approx(masses.mean(), abs=1e-4)
    assert list(found["cooperation"].values()) == pytest.approx(rates.mean(axis=(1, 2)).tolist(), abs=1e-4)
    said = " ".join(ask(capsys, spec, "--out", str(tmp_path / "run")).split())  # as one line
    assert said.count("They tell no scenario from another") == 1


def test_the_vignettes_raise_the_label_mass(smollm2: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, spec = tmp_path / "vignette.toml", f"gguf:{smollm2}"
    recipe.write_text('base = "study"\n[prompting]\ntemplate = "vignette"\n', encoding="utf-8")
    found = json.loads(ask(capsys, spec, "--recipe", str(recipe), "--out", str(tmp_path / "run"), "--json"))
    assert found[spec]["within"]["label_mass"] >= 0.5
    assert abs(fmean(found[spec]["within"]["cooperation"].values()) - 0.5) < 0.02
