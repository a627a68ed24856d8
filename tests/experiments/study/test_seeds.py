"""Seeds of a study: common to the models that meet the same situation, different everywhere else."""

from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from dilemmas.agents.matches.match import environment_seed
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.experiments.inference.fingerprint import character
from dilemmas.experiments.inference.recorded_play import read_play
from dilemmas.experiments.reporting.uncertainty.intervals import proportion
from dilemmas.experiments.study import playing
from dilemmas.experiments.study.answers import ROLES
from dilemmas.experiments.study.recipe import MatchSettings, Recipe
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.seeds import derived_seed, match_seed

MATCHES = MatchSettings(("stag_hunt", "harmony"), ("friends", "team"), ("random", "tit_for_tat"), 10, repetitions=3)


def even(request: Request) -> Response:
    """A model that chooses all labels equally often."""
    return Response(tuple(-np.log(len(request.labels)) for _ in request.labels), text="C")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All matches of a small study."""
    run = Run(tmp_path_factory.mktemp("study"), Recipe(observations=1, matches=MATCHES))
    assert len(list(playing.play_matches(run, {role: FakeBackend(even, role) for role in ROLES}))) == 2 * 2 * 3 * 4
    return run


def test_matches_have_one_seed_exactly_where_models_are_compared(run: Run) -> None:
    """Over a whole study: those of one game, context, opponent and repetition; any two others differ."""
    seeds = defaultdict(set)
    for pairing in playing.pairings(run.recipe):
        for record in playing.recorded(run, pairing):
            seeds[pairing.game.name, pairing.context, pairing.opponent, record.match].add(record.seed)
    assert {len(found) for found in seeds.values()} == {1}
    assert len(set.union(*seeds.values())) == len(seeds) == 2 * 2 * 5 * 3


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_no_two_matches_of_a_large_study_have_one_seed(seed: int) -> None:
    """Sixteen times as many matches as in the study of the built-in recipe."""
    asked = MatchSettings()
    opponents = [*asked.opponents, *ROLES, *(f"opponent_{i}" for i in range(21))]
    numbers = [
        environment_seed(match_seed(seed, game, context, opponent), match)
        for game in asked.games
        for context in asked.contexts
        for opponent in opponents
        for match in range(4 * asked.repetitions)
    ]
    assert max(Counter(numbers).values()) == 1


def test_a_random_opponent_decides_anew_in_every_independent_match(run: Run) -> None:
    decided = defaultdict(list)
    for pairing in playing.pairings(run.recipe):
        if pairing.opponent == "random":
            for record in playing.recorded(run, pairing):
                moves = tuple(theirs.decision.action for _, theirs in record.steps)
                decided[pairing.game.name, pairing.context, record.match].append(moves)
    assert {len(set(found)) for found in decided.values()} == {1}, "the same against all three models"
    different = [found[0] for found in decided.values()]
    equal = [np.mean(np.equal(one, other)) for one, other in combinations(different, 2)]
    assert np.mean(equal) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(10 * len(equal)))


def test_matches_of_a_strategy_against_several_models_count_once(run: Run) -> None:
    """12 independent matches of a random player, in a file for each model: the same decisions three times."""
    plays = [one for one in read_play([run.path("matches")]) if one.player == "random"]
    against = [[one for one in plays if f"{role}-random" in Path(one.file).name.split(".")] for role in ROLES]
    assert [len(part) for part in (plays, *against)] == [36, 12, 12, 12]
    for measure in ("cooperation", "initial_cooperation"):
        pooled, alone = (getattr(character(part), measure).interval for part in (plays, against[0]))
        assert pooled[1] - pooled[0] >= 0.99 * (alone[1] - alone[0]), measure


def test_the_rate_of_random_players_is_covered_in_nineteen_of_twenty_studies() -> None:
    """200 runs of a study with 4 games, 2 contexts and 10 repetitions of 10 rounds."""
    strata, held = np.repeat(np.arange(8), 10), []
    places = [(game, context) for game in MatchSettings().games for context in MatchSettings().contexts]
    for seed in range(200):
        streams = [np.random.default_rng(match_seed(seed, *place, "random")) for place in places]
        made = np.concatenate([stream.binomial(10, 0.5, 10) for stream in streams])
        low, high = proportion(made, np.full(80, 10), strata).interval or (1.0, 0.0)
        held.append(low <= 0.5 <= high)
    assert 0.90 <= np.mean(held) <= 0.99


def test_purposes_have_streams_of_their_own() -> None:
    keys = [("matches", "0"), ("metric", "0"), ("presentation", "0"), ("presentation", "00"), ("presentation",), ()]
    drawn = {tuple(derived_seed(0, *key).generate_state(4)) for key in keys}
    assert len(drawn) == len(keys)
    assert tuple(np.random.SeedSequence(0, spawn_key=(0, 0)).generate_state(4)) not in drawn


def test_seeds_do_not_depend_on_what_else_is_played(run: Run, tmp_path: Path) -> None:
    fewer = MatchSettings(("harmony",), ("team",), ("random",), 10, repetitions=3)
    alone = Run(tmp_path / "run", Recipe(observations=1, matches=fewer))
    list(playing.play_matches(alone, {role: FakeBackend(even, role) for role in ROLES}))
    for pairing in playing.pairings(alone.recipe):
        assert pairing.path(alone).read_bytes() == pairing.path(run).read_bytes()
