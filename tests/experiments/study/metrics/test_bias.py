"""What follows the label or the place is measured as such, and the whole study can be asked in all presentations."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dilemmas.agents.matches.trajectory import find_trajectories
from dilemmas.agents.models.answers import exact_distributions
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import presentations, scenario_prompt
from dilemmas.envs.prompts.templates import load_template
from dilemmas.experiments.commands.replay import command
from dilemmas.experiments.study import playing
from dilemmas.experiments.study import stages as study
from dilemmas.experiments.study.answers import read_answers
from dilemmas.experiments.study.data import collect
from dilemmas.experiments.study.metrics.agreement import AGREEMENT
from dilemmas.experiments.study.metrics.bias import BIAS, Bias, bias
from dilemmas.experiments.study.recipe import MatchSettings
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.teaching import teach

STUDY, FRIENDS = load_template("study"), context("friends")
LEVELS = PublicGoods(n_players=3, levels=3)

Share = Callable[[str, Request], float]
"""Probability of a label, given the prompt."""


def c(label: str, request: Request) -> float:
    """Always the label C."""
    return float(label == "C")


def d(label: str, request: Request) -> float:
    return float(label == "D")


def first(label: str, request: Request) -> float:
    """Always the label that the question names first."""
    return float(request.prompt.rsplit("choose, ", 1)[1].startswith(label))


def last(label: str, request: Request) -> float:
    return float(bool(re.search(rf" or {label}[?]", request.prompt.rsplit("choose, ", 1)[1])))


def payoffs(label: str, request: Request) -> float:
    """The label with more points in all, by the payoffs in the prompt; two out of three answers."""
    points = {name: 0.0 for name in request.labels}
    for name, own in re.findall(r"You choose (\w+), .*?: you get (\d+)", request.prompt):
        points[name] += float(own)
    return 2 / 3 if label == max(points, key=lambda name: points[name]) else 1 / 3


def mix(*parts: tuple[float, Share]) -> Share:
    return lambda label, request: sum(weight * share(label, request) for weight, share in parts)


def model(share: Share) -> FakeBackend:
    def answer(request: Request) -> Response:
        shares = [share(label, request) for label in request.labels]
        return Response(tuple(math.log(p) if p else -math.inf for p in shares), text="C. It is good.")

    return FakeBackend(answer)


def measured(share: Share, *games: StageGame) -> Bias:
    """The bias of a model over games among friends, asked in all presentations."""
    asked = []
    for game in games:
        ways = [(scenario_prompt(STUDY, game, FRIENDS, shown=way), way.labels) for way in presentations(STUDY, game)]
        found = exact_distributions(model(share), ways)
        asked.append(np.array([one.probabilities for one in found]).reshape(-1, 2, game.n_actions))
    return bias("games", "model", STUDY.labels, [(game.name, "friends") for game in games], asked, weight=100)


@pytest.mark.parametrize(
    ("share", "label", "place"),
    [
        (c, 1, 0),
        (d, -1, 0),
        (first, 0, 1),
        (last, 0, -1),
        (payoffs, 0, 0),
        (lambda *_: 0.5, 0, 0),
        (mix((0.5, c), (0.5, payoffs)), 0.5, 0),
        (mix((0.5, c), (0.5, first)), 0.5, 0.5),
        (mix((0.2, c), (0.3, last), (0.5, payoffs)), 0.2, -0.3),
        (mix((0.5, c), (0.5, d)), 0, 0),  # opposite pulls: no way to tell from an even choice
        (mix((0.6, c), (0.4, d)), 0.2, 0),
    ],
)
def test_the_share_is_that_of_the_answers_that_go_by_the_label_or_the_place(
    share: Share, label: float, place: float
) -> None:
    """Whatever the games are; signs are the direction."""
    games = (*DEFAULTS.values(), PublicGoods(n_players=4))
    found = measured(share, *games)
    assert found.scenarios == len(games)
    assert found.label is not None
    assert found.label_lean is not None
    assert (found.label.value, found.label_lean.value) == pytest.approx((abs(label), label))
    assert (found.place.value, found.place_lean.value) == pytest.approx((abs(place), place))
    assert found.label.interval is None, "all scenarios are alike"


@pytest.mark.parametrize(
    ("share", "factor"), [(c, "label"), (first, "place"), (payoffs, "game"), (mix((0.5, c), (0.5, first)), None)]
)
def test_the_variance_is_that_of_what_is_followed(share: Share, factor: str | None) -> None:
    """A model that goes by one thing has all variance there; half by label and half by place, half in each."""
    found = measured(share, DEFAULTS["prisoners_dilemma"], DEFAULTS["harmony"]).shares
    assert found is not None
    if factor is None:
        assert (found.label, found.place) == pytest.approx((0.5, 0.5))
    else:
        assert getattr(found, factor) == pytest.approx(1)
        assert found.label + found.place + found.game + found.context == pytest.approx(1)


def test_misreading_without_preference_has_shares_but_no_leans() -> None:
    """The answer is C if the first line promises more than the last, as it does where C is to cooperate and named
    first: in the stag hunt that is right in two presentations of four, and wrong in the others."""

    def fixed_binding(label: str, request: Request) -> float:
        points = [int(own) for own in re.findall(r"you get (\d+),", request.prompt)]
        return float((label == "C") == (points[0] > points[-1]))

    found = measured(fixed_binding, DEFAULTS["stag_hunt"])
    assert found.label is not None
    assert found.label_lean is not None
    assert (found.label.value, found.place.value) == (1, 1)
    assert (found.label_lean.value, found.place_lean.value) == (0, 0)


def test_leans_cancel_between_scenarios_and_shares_do_not() -> None:
    def torn(label: str, request: Request) -> float:
        return (d if "All 4 of you" in request.prompt else c)(label, request)

    found = measured(torn, DEFAULTS["harmony"], PublicGoods(n_players=4))
    assert found.label is not None
    assert found.label_lean is not None
    assert (found.label.value, found.label_lean.value) == (1, 0)


@pytest.mark.parametrize(("share", "place"), [(first, 1), (last, -1), (mix((0.5, first), (0.5, last)), 0)])
def test_amounts_have_only_places(share: Share, place: float) -> None:
    found = measured(share, LEVELS)
    assert found.label is None
    assert (found.place.value, found.place_lean.value) == pytest.approx((abs(place), place))


TWO_MATCHES = MatchSettings(("stag_hunt", "snowdrift"), ("friends",), ("tit_for_tat",), rounds=5, repetitions=2)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    recipe = load_recipe("miniatures")
    prompting = replace(recipe.prompting, presentation="counterbalanced")
    return Run(tmp_path / "run", replace(recipe, observations=2, prompting=prompting, matches=TWO_MATCHES))


BACKENDS = {
    "teacher": model(mix((0.25, c), (0.75, payoffs))),
    "untuned": model(c),
    "tuned": model(mix((0.25, c), (0.75, payoffs))),
}


def test_a_study_reports_the_bias_of_all_three_models_on_every_set(run: Run) -> None:
    sets = run.recipe.sets()
    for role, backend in BACKENDS.items():
        assert sum(study.ask_model(run, role, backend)) == sum(map(len, sets.values())) * run.recipe.observations
    data = collect(run, BACKENDS)
    rows = BIAS.measure(data)
    assert [(row.set, row.model) for row in rows] == [(name, role) for name in sets for role in BACKENDS]
    for row in rows:
        assert row.scenarios == len(sets[row.set])
        found = (row.label.value, row.place.value)
        assert found == pytest.approx((1.0 if row.model == "untuned" else 0.25, 0))
    fixed = replace(run.recipe, prompting=replace(run.recipe.prompting, presentation="fixed"))
    assert BIAS.measure(replace(data, recipe=fixed)) == []


def test_a_scenario_is_asked_in_all_presentations(run: Run) -> None:
    list(study.ask_model(run, "untuned", BACKENDS["untuned"]))
    for one in read_answers(run.path("answers", "untuned.jsonl")):
        assert [shown.labels for shown in one.presented] == [("C", "D")] * 2 + [("D", "C")] * 2
        assert len({shown.prompt for shown in one.presented}) == 4
        assert one.exact == pytest.approx((0.5, 0.5)), "it follows the label C, which the mean cancels"


def test_replies_are_spread_evenly_over_the_presentations(run: Run) -> None:
    """A model that writes the label named first is as often read as each action."""
    many = Run(run.folder, replace(run.recipe, observations=8))
    backend = FakeBackend(
        lambda request: Response((math.log(0.5),) * len(request.labels), request.prompt.rsplit("choose, ", 1)[1][0])
    )
    list(study.ask_model(many, "teacher", backend))
    for one in read_answers(run.path("answers", "teacher.jsonl")):
        assert [action for _, action, _ in one.replies].count(0) == 4
        assert [one.presented[reply % len(one.presented)].prompt for reply in range(5)] == [
            shown.prompt for shown in (*one.presented, one.presented[0])
        ]
    assert {(example.label, example.action) for example in teach(many)} == {
        ("C", 0),
        ("D", 1),
        ("D", 0),
        ("C", 1),
    }


def test_a_stopped_model_is_asked_on_to_the_same_bytes(run: Run) -> None:
    run.begin()
    path = run.path("answers", "tuned.jsonl")
    list(study.ask_model(run, "tuned", BACKENDS["tuned"]))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    with run.locked():
        list(study.ask_model(run, "tuned", BACKENDS["tuned"]))
    assert path.read_bytes() == whole


def test_matches_are_played_counterbalanced_and_judged_by_the_whole_policy(run: Run) -> None:
    for role, backend in BACKENDS.items():
        list(study.ask_model(run, role, backend))
    pairings = playing.pairings(run.recipe)
    assert len(list(playing.play_matches(run, BACKENDS))) == len(pairings)
    decided = [
        move.decision
        for pairing in pairings
        if pairing.model == "teacher"
        for record in playing.recorded(run, pairing)
        for (move, _) in record.steps
    ]
    assert {decision.labels for decision in decided} == {("C", "D"), ("D", "C")}
    assert len({decision.prompt.rsplit("\n", 1)[1] for decision in decided if decision.prompt}) == 2
    untuned, tuned = AGREEMENT.measure(collect(run, BACKENDS))
    assert tuned.overlap.value == pytest.approx(1), "the tuned model is the teacher, whatever actions are called"
    assert untuned.overlap.value < 0.9
    assert len(find_trajectories(run.folder)) == len(pairings)
    assert command.main([str(run.folder)], standalone_mode=False) == 0


def test_tables_are_means_over_presentations(run: Run) -> None:
    """In the prisoner's dilemma defection has more points: 1/3 for cooperation, and the quarter that goes by label."""
    tables = playing.compile_tables(run, BACKENDS)
    assert tables["untuned"].memory_one() == pytest.approx((0.5,) * 5)
    assert tables["tuned"].memory_one() == pytest.approx((0.25 / 2 + 0.75 / 3,) * 5)
    assert all(table.origin.presentation == "counterbalanced" for table in tables.values())
