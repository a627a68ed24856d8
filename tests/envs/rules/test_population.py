"""The population game: interaction, payoffs on small graphs computed manually, and invalid options."""

import copy
import pickle
from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest

from dilemmas.envs.checks import GameError
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.networks import Edges, build_network, lattice, ring, small_world
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.repeated import Repeated

C, D = 0, 1


def paid(joint: tuple[int, ...], **options: Any) -> list[float]:
    """Points of one round."""
    rules = rules_of("population", **options)
    rng = np.random.default_rng(1)
    return list(rules.step(rules.start(rng), joint, rng).payoffs)


def degrees(edges: Edges) -> Counter[int]:
    return Counter(end for edge in edges for end in edge)


# --- payoffs ---------------------------------------------------------------------------------------------------------


def test_a_small_ring() -> None:
    """T 5, R 3, P 1, S 0 with a neighbour on either side: C D D C C D, so C at 0 has neighbours D and D."""
    joint = (C, D, D, C, C, D)
    options = {"n_players": 6, "graph": "ring", "degree": 2}
    assert paid(joint, payoff="sum", **options) == [0, 5 + 1, 1 + 5, 0 + 3, 3 + 0, 5 + 5]
    assert paid(joint, payoff="mean", **options) == [0, 3, 3, 1.5, 1.5, 5]


def test_a_star_pays_the_hub_by_every_leaf() -> None:
    star = [(0, 1), (0, 2), (0, 3)]
    assert paid((C, C, D, D), graph=star, payoff="sum") == [3, 3, 5, 5]
    assert paid((D, C, C, D), graph=star, payoff="mean") == pytest.approx([11 / 3, 0, 0, 1])


@pytest.mark.parametrize("b", [1.2, 1.8])
def test_a_lone_defector_on_nowak_and_mays_lattice(b: float) -> None:
    """T = b, R = 1, P = S = 0 with eight neighbours: it has 8b, those around it 7, all others 8."""
    joint = [C] * 49
    joint[24] = D
    game = {"game": "matrix_game", "T": b, "R": 1, "P": 0, "S": 0}
    points = np.array(paid(tuple(joint), n_players=49, degree=8, payoff="sum", **game)).reshape(7, 7)
    assert points[3, 3] == pytest.approx(8 * b)
    around = points[2:5, 2:5].ravel().tolist()
    assert around[:4] + around[5:] == [7] * 8
    assert (np.delete(points.ravel(), [r * 7 + c for r, c in product((2, 3, 4), repeat=2)]) == 8).all()


def test_a_block_of_cooperators_holds_its_border_on_the_lattice() -> None:
    """Of 3 x 3 cooperators among defectors a corner has 3 R, an edge 5 R, the middle 8 R; a defector at an edge 3 T."""
    joint = [D] * 81
    for row, column in product((3, 4, 5), repeat=2):
        joint[9 * row + column] = C
    game = {"game": "matrix_game", "T": 2, "R": 1, "P": 0, "S": 0}
    points = np.array(paid(tuple(joint), n_players=81, degree=8, payoff="sum", **game))
    points = points.reshape(9, 9)
    assert points[3:6, 3:6].tolist() == [[3, 5, 3], [5, 8, 5], [3, 5, 3]]
    assert points[2, 2:7].tolist() == [2, 4, 6, 4, 2]
    assert points[0].tolist() == [0] * 9


def test_with_equal_actions_each_player_gets_the_payoff_of_the_game_on_every_graph() -> None:
    for graph, game in product(("lattice", "ring", "small_world", "random"), ("stag_hunt", "rock_paper_scissors")):
        stage = stage_game(game)
        for action in range(stage.n_actions):
            expected = stage.payoffs((action, action))[0]
            assert paid((action,) * 16, graph=graph, game=game, n_players=16) == [expected] * 16


def test_games_with_three_actions_are_played_in_pairs() -> None:
    """Rock between paper and scissors loses once and wins once."""
    assert paid((0, 1, 2), graph="ring", degree=2, n_players=3, game="rock_paper_scissors") == [0, 0, 0]
    assert paid((0, 1, 1), graph=[(0, 1), (0, 2)], game="rock_paper_scissors", payoff="sum") == [-2, 1, 1]


# --- random pairs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [6, 7])
def test_random_partners_are_mutual(n: int) -> None:
    """Observations and payoffs agree within pairs; a player without a partner gets 0 and observes no other."""
    rules = rules_of("population", graph="random", n_players=n)
    rng = np.random.default_rng(3)
    state = rules.start(rng)
    for _ in range(50):
        joint = tuple(rng.integers(0, 2, n).tolist())
        transition = rules.step(state, joint, rng)
        met = [rules.view(transition.state, player).history[-1] for player in range(n)]
        assert [mine for mine, *_ in met] == list(joint)
        pairs = Counter((mine, theirs[0]) for mine, *theirs in met if theirs)
        assert pairs[C, D] == pairs[D, C]
        assert sum(pairs.values()) == n - n % 2
        payoff = {(C, C): 3, (C, D): 0, (D, C): 5, (D, D): 1}
        assert transition.payoffs == tuple(payoff[tuple(seen)] if len(seen) == 2 else 0 for seen in met)
        state = transition.state


def test_all_pairings_are_equally_likely() -> None:
    """Of four players, the first has each of the others as its partner in a third of the rounds."""
    rules = rules_of("population", graph="random", n_players=4, game="bimatrix_game", row=np.arange(16).reshape(4, 4))
    rng = np.random.default_rng(5)
    state, count = rules.start(rng), 3000
    partners = Counter(int(rules.step(state, (0, 1, 2, 3), rng).payoffs[0]) for _ in range(count))
    assert sorted(partners) == [1, 2, 3]
    assert all(times == pytest.approx(count / 3, abs=4 * (count * 2 / 9) ** 0.5) for times in partners.values())


# --- what is seen ----------------------------------------------------------------------------------------------------


def test_players_observe_only_their_neighbours() -> None:
    env = parallel("population", graph="ring", n_players=5, degree=2, memory=2, views=True)
    env.reset(seed=0)
    for joint in ((C, D, D, C, C), (D, C, D, D, D)):
        observations, _, _, _, infos = env.step(dict(zip(env.agents, joint, strict=True)))
    assert observations["player_1"].reshape(2, 2, 2).tolist() == [[[0, 1], [0.5, 0.5]], [[1, 0], [0, 1]]]
    assert infos["player_1"]["view"].history == ((D, C, D), (C, D, D))
    assert env.state().reshape(2, 5, 2)[:, :, 1].tolist() == [[0, 1, 1, 0, 0], [1, 0, 1, 1, 1]]


def test_the_clock_is_observed() -> None:
    env = parallel("population", rounds=4, clock=True, memory=0, n_players=9, views=True)
    first, _ = env.reset(seed=0)
    seen, *_ = env.step(dict.fromkeys(env.agents, C))
    assert [*first["player_3"], *seen["player_3"], *env.state()] == [1, 0.75, 0.75]


def test_shares_lie_in_the_space_for_every_number_of_neighbours() -> None:
    for n in range(2, 30):
        env = parallel("population", graph=[(0, leaf) for leaf in range(1, n)], views=True)
        env.reset(seed=0)
        seen, *_ = env.step(dict.fromkeys(env.agents, D))
        assert env.observation_space("player_0").contains(seen["player_0"])


@pytest.mark.parametrize("graph", ["lattice", "random"])
def test_copies_of_a_running_match_continue_identically(graph: str) -> None:
    env = parallel("population", graph=graph, n_players=9, noise=0.2, continuation=0.95, memory=2, views=True)
    env.reset(seed=2)
    rng = np.random.default_rng(0)
    for _ in range(3):
        env.step(dict(zip(env.agents, rng.integers(0, 2, 9).tolist(), strict=True)))
    copies = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    while env.agents:
        joint = dict(zip(env.agents, rng.integers(0, 2, 9).tolist(), strict=True))
        here = env.step(joint)
        for other in copies:
            there = other.step(joint)
            assert here[1:] == there[1:]
            assert (other.state() == env.state()).all()


def test_the_cache_of_a_large_population_is_small() -> None:
    """A view takes hundreds of bytes: a few megabytes are cached for 900 players, independent of the length."""
    env = parallel("population", n_players=900, rounds=1000, views=True)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(100):
        env.step(dict(zip(env.agents, rng.integers(0, 2, 900).tolist(), strict=True)))
    assert len(env._cache._states) * 900 < 50_000


@pytest.mark.parametrize("graph", ["lattice", "small_world", [(0, 1), (0, 2), (3, 2), (4, 0)]])
def test_views_and_numbers_are_of_the_neighbours_on_any_graph(graph: Any) -> None:
    """Recomputed from the edges, for a memory of two rounds."""
    rules = rules_of("population", graph=graph, memory=2, game="rock_paper_scissors")
    n, rng = rules.n_players, np.random.default_rng(1)
    state, played = rules.start(rng), []
    for _ in range(3):
        played.append(tuple(rng.integers(0, 3, n).tolist()))
        state = rules.step(state, played[-1], rng).state
    for player in range(n):
        met = sorted({end for edge in rules.population.edges for end in edge if player in edge} - {player})
        view = rules.view(state, player)
        assert [(own, *sorted(others)) for own, *others in view.history] == [
            (joint[player], *sorted(joint[other] for other in met)) for joint in played[-2:]
        ]
        shares = [np.bincount([joint[other] for other in met], minlength=3) / len(met) for joint in played[-2:]]
        expected = [[np.eye(3)[joint[player]], share] for joint, share in zip(played[-2:], shares, strict=True)]
        assert rules.encode(view) == pytest.approx(np.ravel(expected))


# --- networks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degree", [2, 4, 6])
def test_a_ring_connects_the_nearest_players(degree: int) -> None:
    edges = ring(12, degree)
    assert set(degrees(edges).values()) == {degree}
    assert {min(far - near, 12 - far + near) for near, far in edges} == set(range(1, degree // 2 + 1))


@pytest.mark.parametrize(("side", "degree"), [(3, 4), (3, 8), (5, 4), (5, 8), (6, 8)])
def test_a_lattice_connects_adjacent_cells(side: int, degree: int) -> None:
    edges = lattice(side * side, degree)
    assert set(degrees(edges).values()) == {degree}
    assert len(edges) == side * side * degree // 2
    for one, other in edges:
        away = [abs(a - b) for a, b in zip(divmod(one, side), divmod(other, side), strict=True)]
        steps = [min(d, side - d) for d in away]
        assert max(steps) == 1
        assert degree == 8 or sum(steps) == 1


@pytest.mark.parametrize("rewiring", [0.0, 0.2, 1.0])
def test_a_small_world_keeps_the_number_of_edges(rewiring: float) -> None:
    edges = small_world(40, 4, rewiring, seed=1)
    assert len(edges) == len(set(edges)) == 80
    assert all(near < far for near, far in edges)
    assert (edges == ring(40, 4)) == (rewiring == 0)
    assert edges == small_world(40, 4, rewiring, seed=1)


def test_a_tenth_of_the_edges_is_rewired() -> None:
    kept = len(set(small_world(1000, 10, 0.1, seed=2)) & set(ring(1000, 10))) / 5000
    assert kept == pytest.approx(0.9, abs=4 * (0.09 / 5000) ** 0.5 + 0.01)  # some find their way back


def test_edges_may_be_given_twice_and_either_way_round() -> None:
    assert build_network([(1, 0), (0, 1), [2, 1]]) == (3, ((0, 1), (1, 2)))
    assert build_network(iter([(0, 1)])) == (2, ((0, 1),))
    assert build_network("random") == (25, None)


def test_a_graph_of_networkx_is_accepted() -> None:
    networkx = pytest.importorskip("networkx")
    env = parallel("population", graph=networkx.karate_club_graph().edges, views=True)
    assert len(env.possible_agents) == 34
    assert set(map(len, env.rules.population.neighbours)) >= {1, 2, 17}


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"graph": [(0, 1), (1, 4)], "n_players": 4},
            r"edge \(1, 4\) of the graph has the node 4; the players are 0..3",
        ),
        ({"graph": [(0, 1), (1, -1)]}, r"node -1; the players are 0..1"),
        ({"graph": [(0, 1), (1, 1)]}, r"edge \(1, 1\) of the graph connects a player to itself"),
        ({"graph": [(0, 1)], "n_players": 3}, "player 2 of the graph has no neighbour"),
        ({"graph": [("a", "b")]}, r"edge \('a', 'b'\) of the graph; needs two player indices"),
        ({"graph": [(0, 1, 2)]}, "needs two player indices"),
        ({"graph": [7]}, "edge 7 of the graph"),
        ({"graph": []}, "needs one edge or more"),
        ({"graph": 7}, "graph = 7; needs one of lattice, ring"),
        ({"graph": "latice"}, "unknown graph 'latice' in population; did you mean 'lattice'"),
        ({"game": "matching_pennies"}, r"actions 0, 0 pay \(1.0, -1.0\).*needs a symmetric game"),
        ({"game": "public_goods"}, "needs a two-player game"),
        ({"game": "inspection_game"}, "symmetric"),
        ({"game": "bimatrix_game", "row": [[1, 2]], "column": [[1, 2]]}, "1 x 2 actions"),
        ({"game": "stag_hint"}, "did you mean 'stag_hunt'"),
        ({"T": 2}, "T>R>P>S; got T=2"),
        ({"U": 2}, "unknown option 'U' in population"),
        ({"round": 2}, "did you mean 'rounds'"),
        ({"talk": 1}, "unknown option 'talk' in population"),
        ({"n_players": 1, "graph": "random"}, "n_players = 1; needs a whole number from 2 to"),
        ({"n_players": 10}, "n_players = 10; a lattice needs the square"),
        ({"n_players": 4}, "n_players = 4; a lattice needs the square of a whole number of at least 3"),
        ({"degree": 6}, "degree = 6; a lattice has 4 or 8"),
        ({"degree": "4"}, "degree = '4'"),
        ({"degree": 4.0}, "degree = 4.0; a lattice has 4 or 8"),
        ({"graph": "ring", "degree": 3}, "degree = 3; a ring or small world of 25 needs an even number from 2 to 24"),
        ({"graph": "small_world", "degree": 3, "n_players": 4}, "small world of 4 needs an even number from 2 to 2"),
        ({"graph": "ring", "n_players": 2}, "n_players = 2; a ring or small world needs at least 3 players"),
        ({"graph": "ring", "degree": 6, "n_players": 6}, "from 2 to 4"),
        ({"graph": "ring", "rewiring": 0.5}, "rewiring = 0.5, graph = 'ring'; this graph does not use the option"),
        ({"graph": "random", "degree": 4}, "degree = 4, graph = 'random'"),
        ({"graph": [(0, 1)], "graph_seed": 4}, "graph_seed = 4, graph = a list of edges"),
        ({"graph": "small_world", "rewiring": 1.5}, r"rewiring = 1.5; a probability lies in \[0, 1\]"),
        ({"graph": "small_world", "rewiring": "a"}, "rewiring = 'a'"),
        ({"graph": "small_world", "graph_seed": -1}, "graph_seed = -1; needs a whole number of at least 0"),
        ({"payoff": "avarage"}, "unknown payoff 'avarage' in population"),
        ({"payoff": None}, "unknown payoff 'None' in population"),
        ({"noise": 2}, "noise = 2"),
        ({"memory": None}, "memory = None"),
    ],
)
def test_invalid_options_are_refused_in_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        parallel("population", **options)
    assert "\n" not in str(error.value)


def test_directly_constructed_rules_are_checked() -> None:
    game = stage_game("prisoners_dilemma")
    for options, found in [
        ({"population": {"size": 3, "edges": ((0, 7), (1, 2))}}, "node 7"),
        ({"population": {"size": 0}}, "size = 0"),
        ({"population": {}, "misperception": 0.1}, "misperception = 0.1"),
    ]:
        with pytest.raises(GameError, match=found):
            Repeated(game, **options | {"population": Population(**options["population"])})


def test_actions_outside_the_space_are_refused() -> None:
    env = parallel("population", n_players=9, views=True)
    env.reset(seed=0)
    with pytest.raises(GameError, match=r"action 2 of player_4 is outside 0..1 of prisoners_dilemma"):
        env.step({agent: 2 * (agent == "player_4") for agent in env.agents})
