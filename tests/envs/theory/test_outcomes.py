"""Which games are symmetric."""

from itertools import permutations

import numpy as np
from finite_games import BATTLE, RingGame, TensorGame, joints, tensors
from hypothesis import given

from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.theory.outcomes import is_symmetric


def test_players_with_different_payoffs_are_not_symmetric() -> None:
    assert is_symmetric(PublicGoods(n_players=4))
    assert is_symmetric(PublicGoods(n_players=40))
    assert not is_symmetric(PublicGoods(n_players=3, endowment=(10, 10, 20)))
    assert not is_symmetric(PublicGoods(n_players=40, endowment=(*[10] * 39, 20)))
    assert not is_symmetric(RingGame("ring", [0] * 40, [0] * 40))
    assert not is_symmetric(BATTLE)
    assert not is_symmetric(TensorGame(np.zeros((2, 3, 2))))


@given(tensors())
def test_a_game_is_symmetric_if_payoffs_go_with_the_actions(game: TensorGame) -> None:
    def follows(joint: tuple[int, ...], seats: tuple[int, ...]) -> bool:
        paid = game.payoffs(joint)
        return game.payoffs(tuple(joint[seat] for seat in seats)) == tuple(paid[seat] for seat in seats)

    expected = len(set(game.options)) == 1 and all(
        follows(joint, seats) for joint in joints(game) for seats in permutations(range(game.n_players))
    )
    assert is_symmetric(game) == expected
