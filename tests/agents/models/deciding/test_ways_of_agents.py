"""The ways to decide as an agent plays them: what is recorded, retried, refused and compiled."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import Decision, Deliberation, Source, Turn, Unreadable
from dilemmas.agents.matches.match import finished, run_matches
from dilemmas.agents.models.backend import FakeBackend, ModelError, Request, Response
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.policy_table import PolicyTableError
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.rules.protocol import View

DILEMMA, FRIENDS = DEFAULTS["prisoners_dilemma"], context("friends")


def turn(game: StageGame = DILEMMA, seed: int = 0) -> Turn:
    view = View(game=game, player=0, round=0, history=())
    return Turn("player_0", None, {"view": view}, Discrete(game.n_actions), np.random.default_rng(seed))


def agent(way: str, answer: Callable[[Request], Response], **settings: Any) -> LanguageModelAgent:
    return LanguageModelAgent(FakeBackend(answer), FRIENDS, load_template(way), **{"presentation": "fixed"} | settings)


def fair(request: Request) -> Response:
    """Thinks, states and chooses with equal probabilities."""
    return Response((math.log(0.3),) * len(request.labels), text="Equally likely.")


@pytest.mark.parametrize(
    ("way", "source", "mass", "texts"),
    [
        ("reason", Source.REASONED, 0.6, ["Equally likely."]),
        (
            "predict",
            Source.EXACT,
            0.36,
            ["I expect the other person to choose J.", "I expect the other person to choose F."],
        ),
        ("mixed", Source.STATED, None, ["Equally likely."]),
    ],
)
def test_a_decision_is_recorded_completely(way: str, source: Source, mass: float | None, texts: list[str]) -> None:
    player = agent(way, fair)
    (decision,) = player.decide([turn()])
    assert decision == Decision(
        action=decision.action,
        probabilities=(0.5, 0.5),
        source=source,
        mass=mass if mass is None else pytest.approx(mass),
        prompt=scenario_prompt(player.template, DILEMMA, FRIENDS),
        labels=("J", "F"),
        template=f"{way}@{player.template.digest}",
        deliberations=tuple(Deliberation(text, (0.5, 0.5)) for text in texts),
        prediction=(0.5, 0.5) if way == "predict" else None,
    )


@pytest.mark.parametrize("way", ["reason", "predict", "mixed"])
def test_a_decision_depends_on_its_own_turn_alone(way: str) -> None:
    def answer(request: Request) -> Response:
        chance = np.random.default_rng([*request.seed, *request.begun.encode()]).random()
        shares = (math.log(chance), math.log(1 - chance)) if request.labels else ()
        return Response(shares, text=f"J {chance:.0%}" * (chance < 0.8))

    player = agent(way, answer, presentation="counterbalanced", retries=2)
    together = player.decide([turn(seed=seed) for seed in range(40)])
    assert [player.decide([turn(seed=seed)])[0] for seed in range(40)] == together
    assert {decision.action for decision in together} >= {0, 1}


def test_unreadable_statements_are_repeated_and_then_handled() -> None:
    texts = iter(["Hm.", "Well.", "J 100%"])
    player = agent("mixed", lambda request: Response(text=next(texts, "?")), retries=2, unreadable=Unreadable.UNIFORM)
    readable, never = player.decide([turn()])[0], player.decide([turn()])[0]
    assert (readable.action, readable.attempts, readable.unreadable) == (0, 3, None)
    assert (never.attempts, never.unreadable, never.probabilities) == (3, "uniform", None)
    assert never.deliberations == (Deliberation("?"),)


def test_a_model_that_scores_nothing_writes_whole_replies() -> None:
    player = agent("reason", lambda request: Response(text="We gain. I choose J."))
    player = replace(player, backend=replace(player.backend, continues=False))  # type: ignore[type-var]
    with pytest.warns(UserWarning, match="does not score what follows"):
        (decision,) = player.decide([turn()])
    assert (decision.action, decision.source, decision.probabilities) == (0, Source.SAMPLED, None)
    assert player.describe().parameters["ask"] == "sampled"
    with pytest.raises(PolicyTableError, match="gives sampled replies"):
        compile_agent(player, DILEMMA, 0)


def test_a_policy_is_the_mean_over_presentations() -> None:
    """The model states J with .8 wherever J is listed first, so cooperation is .5 on average."""
    player = agent("mixed", lambda request: Response(text="J 80%, F 20%"), presentation="counterbalanced")
    (decision,) = player.policy([turn()])
    assert (decision.probabilities, decision.source) == (pytest.approx((0.5, 0.5)), Source.STATED)
    table = compile_agent(player, DILEMMA, 1)
    assert table.origin.source is Source.STATED
    assert np.allclose(table.probabilities, 0.5)


def test_too_small_a_mass_is_refused() -> None:
    with pytest.raises(ModelError, match=r"a share of 0\.002"):
        agent("reason", lambda request: Response((math.log(0.001),) * 2 if request.labels else ())).decide([turn()])


def test_a_prediction_needs_others_who_are_alike() -> None:
    unlike = PublicGoods("public_goods", n_players=3, endowment=(10, 10, 20), levels=3, multiplier=2)
    with pytest.raises(InputError, match="needs players who are alike"):
        agent("predict", fair).decide([turn(unlike)])
    with pytest.raises(InputError, match="at most 21 values to predict, not 26"):
        agent("predict", fair).decide([turn(PublicGoods("public_goods", n_players=26, endowment=10, multiplier=2))])


@pytest.mark.parametrize(
    ("levels", "begun", "values"),
    [
        (2, "I expect the number of others who choose J to be", ("0", "1", "2")),
        (3, "I expect the others to put in, on average,", ("10", "5", "0")),
    ],
)
def test_in_groups_the_number_or_the_mean_of_the_others_is_predicted(
    levels: int, begun: str, values: tuple[str, ...]
) -> None:
    """The first value has .5, and after it the first option .9; after the others all options are alike."""
    game = PublicGoods("public_goods", n_players=3, endowment=10, levels=levels, multiplier=2)
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        count = len(request.labels)
        first = 0.5 if request.prefill == begun else 0.9 if f"{begun} {values[0]}." in request.prefill else 1 / count
        return Response(tuple(map(math.log, [first, *[(1 - first) / (count - 1)] * (count - 1)])))

    (decision,) = agent("predict", answer).decide([turn(game)])
    assert (asked[0].prefill, asked[0].labels) == (begun, values)
    assert all(f'"{begun} {value}."' in asked[0].prompt for value in values)
    assert decision.prediction == pytest.approx((0.5, 0.25, 0.25))
    assert decision.probabilities is not None
    assert decision.probabilities[0] == pytest.approx(0.5 * 0.9 + 0.5 / levels)
    assert [one.text for one in decision.deliberations or ()] == [f"{begun} {value}." for value in values]


def test_the_labels_of_a_partner_with_other_actions_are_predicted() -> None:
    table = [[1, 2, 3], [4, 5, 6]]
    player = agent("predict", lambda request: Response((-1.0,) * len(request.labels)))
    make = lambda: parallel("bimatrix_game", row=table, column=table, rounds=1)  # noqa: E731
    (match,) = finished(run_matches(make, [player, player], 1, seed=0))
    row, column = (move.decision for move in match.steps[0])
    assert (row.prediction, row.probabilities) == (pytest.approx((1 / 3,) * 3), pytest.approx((1 / 2,) * 2))
    assert (column.prediction, column.probabilities) == (pytest.approx((1 / 2,) * 2), pytest.approx((1 / 3,) * 3))


def test_signals_are_answered_at_once() -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return fair(request)

    player = agent("reason", answer)
    (match,) = finished(
        run_matches(lambda: parallel("stag_hunt", talk=1, rounds=1), [player, strategy("tft")], 1, seed=0)
    )
    spoken, acted = (step[0].decision for step in match.steps)
    assert (spoken.deliberations, spoken.source) == (None, Source.EXACT)
    assert (len(acted.deliberations or ()), acted.source) == (1, Source.REASONED)
    assert [one.thinks for one in asked] == [False, True, False]
