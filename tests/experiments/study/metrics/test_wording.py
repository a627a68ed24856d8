"""Scenarios are asked in all wordings equally often, and what follows the wording is told."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.envs.errors import InputError
from dilemmas.experiments.study import stages
from dilemmas.experiments.study.answers import ROLES
from dilemmas.experiments.study.data import StudyData, collect
from dilemmas.experiments.study.metrics.bias import BIAS
from dilemmas.experiments.study.metrics.single_prompts import SINGLE_PROMPTS, WORDING
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run

BASE = load_recipe("miniatures")
SHARES = {"Which do you choose": 0.8, "Which do you take": 0.6, "What do you decide on": 0.4}
"""Probability of the label C by the words of the question."""


def study(folder: Path, presentation: str = "fixed", paraphrases: int = 2) -> StudyData:
    """What three models that follow the wording answered."""
    prompting = replace(BASE.prompting, presentation=presentation, paraphrases=paraphrases)
    recipe = replace(BASE, observations=12, prompting=prompting, scenarios=replace(BASE.scenarios, sets=("within",)))
    run = Run(folder / "run", recipe)
    run.begin()

    def answer(request: Request) -> Response:
        first = next(share for words, share in SHARES.items() if words in request.prompt)
        shares = {"C": first, "D": 1 - first}
        return Response(tuple(math.log(shares[label]) for label in request.labels), text="C")

    backends = {role: FakeBackend(answer, role, role) for role in ROLES}
    for role, backend in backends.items():
        list(stages.ask_model(run, role, backend))
    return collect(run, backends)


def test_the_rate_in_each_wording_is_told(tmp_path: Path) -> None:
    data = study(tmp_path)
    rows = WORDING.measure(data)
    assert [(row.set, row.model) for row in rows] == [("within", role) for role in ROLES]
    assert all(row.rates == pytest.approx([0.8, 0.6, 0.4]) for row in rows)
    asked = next(iter(data.answers["untuned"].values()))
    assert asked.exact == pytest.approx((0.6, 0.4))
    counts = [
        sum(words in asked.presented[reply % len(asked.presented)].prompt for reply in range(12)) for words in SHARES
    ]
    assert counts == [4, 4, 4]


def test_bias_is_measured_within_wordings(tmp_path: Path) -> None:
    data = study(tmp_path, "counterbalanced")
    assert all(row.rates == pytest.approx([0.5] * 3) for row in WORDING.measure(data)), "the labels cancel"
    for row in BIAS.measure(data):
        assert row.label.value == pytest.approx(0.2 * 2 / 2), "0.6, 0.2 and -0.2 are the leans of the three wordings"
        assert row.place.value == pytest.approx(0)
    assert len(SINGLE_PROMPTS.measure(data)) == 1


def test_one_wording_has_no_spread(tmp_path: Path) -> None:
    assert WORDING.measure(study(tmp_path, paraphrases=0)) == []


def test_a_template_without_so_many_paraphrases_is_refused() -> None:
    with pytest.raises(InputError, match="has 3 paraphrases, but not 4"):
        replace(BASE.prompting, paraphrases=4)
    assert len(Recipe().prompting.wordings) == 1
