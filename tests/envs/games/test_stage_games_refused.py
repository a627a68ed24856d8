"""Unusable options of stage games are refused with value and range, never silently changed."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from dilemmas.envs.checks import GameError
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import GAMES, default_game, example_options, stage_game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.n_player import CountGame


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("battle_of_the_sexes", {"S": 3}, "T>S>R, S>P; got T=2, R=0, P=0, S=3"),
        ("bimatrix_game", {"rows": [[1, 2]]}, "did you mean 'row'"),
        ("bimatrix_game", {"row": 3}, "row = 3; needs a table"),
        (
            "bimatrix_game",
            {"row": "4,0;3,2"},
            "row = '4,0;3,2'; needs a table: one list of payoffs per row, such as [[",
        ),
        ("bimatrix_game", {"row": ["40", "32"]}, "row = ['40', '32']; needs a table"),
        ("bimatrix_game", {"degrees": "10"}, "degrees = '10'; needs one list of numbers per player, such as [["),
        ("count_game", {"cooperate": "1;2"}, "cooperate = '1;2'; needs a list of payoffs, such as [0, 2, 4]"),
        ("public_goods", {"endowment": "1;2;3;4"}, "endowment = '1;2;3;4'; needs a number, or a list of n_players = 4"),
        ("bimatrix_game", {"row": [[1, 2], [3]]}, "row = [[1, 2], [3]]; needs rows of equal length"),
        ("bimatrix_game", {"row": []}, "row = []"),
        ("bimatrix_game", {"row": [[], []]}, "row = [[], []]"),
        ("bimatrix_game", {"row": [[1]]}, "row = ((1.0,),); at least one player needs two actions"),
        (
            "bimatrix_game",
            {"row": [[1, 2]], "column": None},
            "row is 1 x 2, column is not specified; a symmetric game needs",
        ),
        ("bimatrix_game", {"row": [[1, 2]], "column": [[1], [2]]}, "column is 2 x 1, row is 1 x 2"),
        ("bimatrix_game", {"row": [[1, 2], [3, float("inf")]]}, "row[1][1] = inf"),
        ("bimatrix_game", {"row": [[1, "2"], [3, 4]]}, "row[0][1] = '2'"),
        ("bimatrix_game", {"degrees": [1, 0]}, "degrees = [1, 0]; needs one list of numbers per player"),
        ("bimatrix_game", {"row": [[1, 2], [3, True]]}, "row[1][1] = True"),
        ("count_game", {"defect": [1, 10**400]}, "needs a finite number"),
        ("public_goods", {"threshold": True}, "threshold = True"),
        ("volunteers_dilemma", {"n_players": 1048577}, "needs a whole number from 2 to 1048576"),
        ("bimatrix_game", {"degrees": [[1, 0]]}, "degrees = ((1, 0),); needs 2 and 2 numbers"),
        ("bimatrix_game", {"degrees": [[1, 0], [2, 0]]}, "degrees = ((1, 0), (2, 0)); needs numbers from 0 to 1"),
        ("matching_pennies", {"row": [[1, 2]]}, "unknown option 'row' in matching_pennies"),
        ("travelers_dilemma", {"low": 5, "high": 5}, "low = 5, high = 5; needs low < high <= low + 1000"),
        ("travelers_dilemma", {"high": 10**6}, "high = 1000000"),
        ("travelers_dilemma", {"low": 2.5}, "low = 2.5"),
        ("travelers_dilemma", {"bonus": 1}, "bonus = 1; needs more than 1"),
        ("inspection_game", {"effort": 4}, "0 < effort < wage < output, 0 < inspection < wage; got output=6, wage=4"),
        ("inspection_game", {"inspection": None}, "inspection = None"),
        ("count_game", {"cooperate": [1]}, "1 payoffs of cooperation, 3 of defection"),
        ("count_game", {"cooperate": [1], "defect": [2]}, "needs n of each, n >= 2"),
        ("count_game", {"cooperate": 1}, "cooperate = 1; needs a list"),
        ("count_game", {"defect": [1, None]}, "defect[1] = None"),
        ("n_person_prisoners_dilemma", {"cost": 2}, "cost = 2; needs more than 2 and less than 8"),
        ("n_person_prisoners_dilemma", {"cost": 8}, "cost = 8; needs more than 2 and less than 8"),
        ("n_person_prisoners_dilemma", {"players": 3}, "did you mean 'n_players'"),
        ("n_person_prisoners_dilemma", {"n_players": 1}, "n_players = 1; needs a whole number from 2 to"),
        ("n_person_harmony", {"cost": 4}, "cost = 4; needs a number from 0 to below 4"),
        ("n_person_harmony", {"cost": -1}, "cost = -1"),
        ("n_person_harmony", {"shared": "no"}, "shared = 'no'; needs True or False"),
        ("n_person_stag_hunt", {"threshold": 1}, "threshold = 1; needs a whole number from 2 to n_players = 4"),
        ("n_person_stag_hunt", {"threshold": 5}, "threshold = 5"),
        ("n_person_stag_hunt", {"multiplier": 1}, "multiplier = 1; needs more than"),
        ("n_person_stag_hunt", {"cost": 0}, "cost = 0; needs a positive number"),
        ("n_person_snowdrift", {"cost": 4}, "cost = 4; needs more than 0 and less than benefit = 4"),
        ("volunteers_dilemma", {"benefit": float("nan")}, "benefit = nan"),
        (
            "public_goods",
            {"endowment": [1, 2]},
            "endowment = [1, 2]; needs a number, or a list of n_players = 4 numbers",
        ),
        ("public_goods", {"endowment": [1, 2, 0, 4]}, "endowment of player_2 = 0"),
        ("public_goods", {"endowment": float("nan")}, "endowment = nan"),
        ("public_goods", {"levels": 2.5}, "levels = 2.5"),
        ("public_goods", {"threshold": 81}, "threshold = 81; needs 0 to 80"),
        ("public_goods", {"threshold": -1}, "threshold = -1"),
        ("public_goods", {"refund": True}, "refund = True, threshold = 0"),
        ("public_goods", {"refund": "no", "threshold": 40}, "refund = 'no'; needs True or False"),
        ("public_goods", {"mpcr": -0.1}, "mpcr = -0.1"),
        ("public_goods", {"mpcr": 0.4, "multiplier": 1.6}, "multiplier = 1.6 and mpcr = 0.4; specify one"),
    ],
)
def test_unusable_options_are_refused_with_value_and_range(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        stage_game(name, **example_options(name) | options)
    assert message in str(error.value)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_game_of_the_catalogue_that_cannot_be_made_is_named() -> None:
    def broken_game(prize: float) -> CountGame:
        return CountGame("broken_game", (0, prize), (0, 0))

    with pytest.raises(GameError, match=r"the game 'broken_game' .* default options: TypeError: .*'prize'"):
        default_game("broken_game", broken_game)


def test_a_name_with_other_payoffs_keeps_its_conditions() -> None:
    with pytest.raises(GameError, match=r"n_person_snowdrift needs .* got C = 0, 0; D = 0, 0"):
        CountGame("n_person_snowdrift", (0, 0), (0, 0))


def test_the_strict_orderings_exclude_each_other() -> None:
    found = []
    for T, R, P, S in permutations(range(4)):
        names = []
        for name in ("prisoners_dilemma", "stag_hunt", "snowdrift", "harmony", "deadlock", "leader"):
            try:
                MatrixGame(name, T, R, P, S)
            except GameError:
                continue
            names.append(name)
        assert len(names) <= 1
        found += names
    assert sorted(set(found)) == ["deadlock", "harmony", "leader", "prisoners_dilemma", "snowdrift", "stag_hunt"]


PLAYED = [*GAMES.values(), stage_game("public_goods", levels=None, endowment=(5, 10, 20, 20))]


@pytest.mark.parametrize("game", PLAYED, ids=lambda game: game.name)
def test_joint_actions_that_the_game_does_not_have_are_refused(game: Any) -> None:
    """Rows given to `payoffs`, a player too many or too few, and actions below 0, above the last, and of no number."""
    n, last = game.n_players, [most if game.endowments else most - 1 for most in game.endowments or game.options]
    some = np.array([last] * n)
    for joint in (some, some[:, :1], last[:-1], [*last, 0], 0):
        with pytest.raises(GameError, match=f"{game.name}: joint action"):
            game.payoffs(joint)
    with pytest.raises(GameError, match=f"action True of player_0 is outside 0..{last[0]:g}"):
        game.payoffs([True] * n)
    for player in range(n):
        for action in (-1, last[player] + 1, float("nan"), "0", None, 0.5 if not game.endowments else -0.5):
            joint = [*last[:player], action, *last[player + 1 :]]
            with pytest.raises(GameError, match=f"of player_{player} is outside 0..{last[player]:g} of {game.name}"):
                game.payoffs(joint)
            with pytest.raises(GameError, match=rf"{game.name}: actions of type|player_{player} in row 1 is outside"):
                game.payoff_array(np.array([last, joint]))
    for joints in (np.array([*last, 0]), np.array(last[:-1]), np.array(0), np.array([True] * n)):
        with pytest.raises(GameError, match=rf"{game.name}: (joint actions of shape|actions of type bool)"):
            game.payoff_array(joints)
    assert game.payoff_array(np.empty((0, n), dtype=int)).shape == (0, n)
    assert game.payoff_array(np.array(last)).tolist() == list(game.payoffs(last))


@pytest.mark.parametrize("game", PLAYED, ids=lambda game: game.name)
def test_only_actions_of_the_game_are_cooperative_to_a_degree(game: Any) -> None:
    for player in range(game.n_players):
        last = game.endowments[player] if game.endowments else game.options[player] - 1
        assert {game.cooperation(0, player), game.cooperation(last, player)} <= {0.0, 0.5, 1.0}
        for action in (-1, last + 1, float("nan"), "0", None, True, [0], -0.5 if game.endowments else 0.5):
            with pytest.raises(GameError, match=f"of player_{player} is outside 0..{last:g} of {game.name}"):
                game.cooperation(action, player)
    for player in (-1, game.n_players, 0.5, True):
        with pytest.raises(GameError, match=f"{game.name}: player .*; needs a number from 0 to"):
            game.cooperation(0, player)
    with pytest.raises(GameError, match="of a player is outside"):
        game.cooperation(-1)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64])
def test_actions_of_any_width_are_the_same_actions(kind: Any) -> None:
    for game in PLAYED:
        joint = [0] * game.n_players
        joint[-1] = 1
        assert game.payoff_array(np.array([joint], dtype=kind))[0].tolist() == list(game.payoffs(joint)), game.name
