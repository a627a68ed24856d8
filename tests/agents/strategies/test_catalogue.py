"""The catalogue: names, aliases, parameters, listings and refusals."""

import sys
from pathlib import Path
from subprocess import run

import numpy as np
import pytest

from dilemmas.agents.agent import Turn, View
from dilemmas.agents.strategies.catalogue import (
    FAMILIES,
    FIRST_TOURNAMENT,
    GROUPS,
    STRATEGIES,
    key_of,
    listing,
    names_of,
    strategy,
)
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError, memory_one
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.names import UnknownNameError


@pytest.mark.parametrize("alias", ["tft", "TFT", "tit-for-tat", "Tit for Tat", "TitForTat"])
def test_aliases(alias: str) -> None:
    assert strategy(alias).name == "tit_for_tat"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("coin( 0.3 )", "random(0.3)"),
        ("Tit For 2 Tats", "tit_for_two_tats"),
        ("First by Tideman and Chieruzzi", "tideman_and_chieruzzi"),
        ("cycler(ccd)", "cycler(CCD)"),
        ("zd_extort(3)", "zd_extort(3)"),
        ("extortion(3)", "zd_extort(3)"),
        ("Simpleton", "win_stay_lose_shift"),
        ("spiteful", "grim"),
        ("lunatic", "random"),
        ("periodic CCD", "cycler_ccd"),
    ],
)
def test_a_strategy_has_one_name_however_it_is_written(written: str, name: str) -> None:
    assert strategy(written).name == name
    assert strategy(strategy(written).name) == strategy(written)


def test_no_name_means_two_strategies() -> None:
    for rows in ((*STRATEGIES, *GROUPS), FAMILIES):
        keys = [key for row in rows for key in {key_of(name) for name in names_of(row)}]
        assert len(keys) == len(set(keys))


def test_there_are_the_fifteen_of_1980_and_many_more() -> None:
    assert len(FIRST_TOURNAMENT) == len(set(FIRST_TOURNAMENT)) == 15
    assert {strategy(name).name for name in FIRST_TOURNAMENT} == set(FIRST_TOURNAMENT)
    assert len(STRATEGIES) >= 100
    assert len(GROUPS) >= 10


def test_the_listing_gives_the_properties_of_strategies() -> None:
    rows = {row.name: row for row in listing()}
    assert all(row.source for row in rows.values())
    known = lambda name: rows[name][4:9]  # noqa: E731
    assert known("tit_for_tat") == ("automaton", "2+", 2, 1, True)
    assert known("grim") == ("automaton", "2+", 2, None, True)
    assert known("tit_for_three_tats") == ("automaton", "2+", 4, 3, True)
    assert known("random") == ("automaton", "2+", 1, 0, False)
    assert known("downing") == ("counting", "2", None, None, True)
    assert known("graaskamp") == ("counting", "2", None, None, False)
    assert rows["random(p)"].kind == "family"
    assert rows["random"].vector == (0.5,) * 5
    assert rows["bully"].vector == (0, 0, 1, 0, 1)
    assert rows["grim"].vector is None
    assert rows["conditional_cooperator"].kind == "group"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("gradual", "CRISTAL-SMAC 2018"),
        ("original_gradual", "Beaufils, Delahaye & Mathieu 1997"),
        ("cycler_dc", "Harper"),
        ("cycler_ccd", "Mittal & Deb 2009"),
        ("hard_tit_for_tat", "prisoners-dilemma.com 2017"),
        ("trigger_2", "Dal Bó & Fréchette 2011"),
    ],
)
def test_sources(name: str, source: str) -> None:
    assert {row.name: row.source for row in listing()}[name].startswith(source)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("memory_one", "strategy 'memory_one': write it as 'memory_one(first,cc,cd,dc,dd)'"),
        ("Extort", "strategy 'Extort': write it as 'zd_extort(chi)'"),
        ("tit_for_tatt", "unknown strategy 'tit_for_tatt'; did you mean 'tit_for_tat'?"),
        ("rndom(0.3)", "unknown strategy 'rndom'; did you mean 'random'?"),
        ("random(1.3)", "strategy 'random(1.3)': p = 1.3; a probability must be in [0, 1]"),
        ("random(often)", "'often' is not a number; write it as 3, 0.3 or 1/3"),
        ("random(nan)", "'nan' is not a number"),
        ("random(1/0)", "'1/0' is not a number"),
        ("random(1e999999999)", "'1e999999999' is not a number"),
        ("zd_extort(inf)", "'inf' is not a number"),
        ("random()", "'' is not a number"),
        ("random(0.1, 0.2)", "write it as 'random(p)'"),
        ("memory_one(1, 1, 0, 1)", "write it as 'memory_one(first,cc,cd,dc,dd)'"),
        ("memory_one(1, 1, 0, 1, -0.1)", "dd = -0.1; a probability"),
        ("cycler(CXD)", "'CXD'; must be one or more letters C and D"),
        ("tits_for_tats(1.5, 1)", "tits = 1.5; must be a whole number from 1 to 999"),
        ("grudge(1, 2000, 3)", "punishment = 2000; must be a whole number from 1 to 999"),
        ("conditional_cooperator", "depends on the number of players: strategy('conditional_cooperator', players=4)"),
        ("zd_extort(0.5)", "chi = 0.5; must be at least 1"),
        ("equaliser(4)", "no strategy can enforce this line (after CC); use a baseline from 1 to 3"),
    ],
)
def test_refused_with_a_remedy(name: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        strategy(name)
    assert message in str(caught.value)


def test_an_unknown_name_is_a_lookup_error() -> None:
    with pytest.raises(UnknownNameError):
        strategy("tit_for_tatt")


@pytest.mark.parametrize(
    ("name", "players", "message"),
    [
        ("downing", 3, "'downing' is for two players, not for 3"),
        ("tit_for_tat", 1, "players = 1; must be at least 2"),
        ("threshold_cooperator(4)", 4, "threshold = 4; must be a whole number from 0 to 3"),
    ],
)
def test_numbers_of_players_refused(name: str, players: int, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        strategy(name, players)


def test_the_catalogue_imports_no_heavy_package() -> None:
    heavy = "{'numba', 'scipy', 'torch'}"
    code = f"import conftest, sys, dilemmas.agents.strategies.catalogue; print({heavy} & {{*sys.modules}})"
    command, here = [sys.executable, "-c", code], Path(__file__).parents[2]
    assert run(command, cwd=here, capture_output=True, text=True, check=True).stdout == "set()\n"


def test_strategies_are_reconstructed_from_their_descriptions() -> None:
    for entry in STRATEGIES:
        player = entry.strategy.describe()
        if player.kind == "automaton":
            after = tuple(map(tuple, player.parameters["after"]))
            payoffs = player.parameters.get("payoffs")
            assert (
                Automaton(player.name, tuple(player.parameters["cooperate"]), after, payoffs=payoffs) == entry.strategy
            )
        else:
            assert strategy(player.name) == entry.strategy


def test_invalid_arguments_are_refused() -> None:
    with pytest.raises(StrategyError, match=r"cd = 1.5; a probability"):
        memory_one("mine", 1, 1, 1.5, 1, 0)
    game = DEFAULTS["prisoners_dilemma"]
    with pytest.raises(StrategyError, match="set memory to 1"):
        strategy("tft").cooperation(View(game, 0, 3, ()))
    assert strategy("alld").cooperation(View(game, 0, 3, ())) == 0  # never looks
    turn = Turn("player_0", None, {}, None, np.random.default_rng(0))
    with pytest.raises(StrategyError, match=r"needs info\['view'\]"):
        strategy("tft").decide([turn])
