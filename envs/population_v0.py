"""
# Population

| Creation           | `make("parallel", "dilemmas/population-v0")`, `make("aec", ...)` |
|--------------------|----------|
| Import             | `from dilemmas.envs import population_v0` |
| Actions            | Discrete |
| Parallel API       | Yes (native; the AEC form is made from it) |
| Manual Control     | No |
| Agents             | `player_0`, ..., `player_24` |
| Number of agents   | 25 |
| Action Shape       | Discrete(2) |
| Action Values      | 0, 1 |
| Observation Shape  | (4,) |
| Observation Values | [0, 1] |
| State Shape        | (50,) |

Numbers and shapes are those of the default options.

Many players play a symmetric two-player game with their neighbours on a graph, or with a partner drawn at random in
each round. Each player takes one action per round, which is played against the actions of all its neighbours. On a
lattice, clusters of cooperators can survive among defectors where they could not in a well-mixed population.

### Arguments

```python
import pettingzoo
import dilemmas.envs

pettingzoo.make("parallel", "dilemmas/population-v0", game="prisoners_dilemma",
                n_players=None, graph="lattice", degree=None, rewiring=None,
                graph_seed=None, payoff="mean", rounds=None, continuation=1, noise=0,
                memory=1, clock=False, max_cycles=None, render_mode=None, views=False,
                observe_masks=False)
```

`game`: the two-player game, any symmetric one of the catalogue. Its payoffs or other options are options of the
environment as well: `game="snowdrift", T=5`.

`n_players`: number of players, at least 2. None: 25, or with a list of edges the highest player index plus one.

`graph`: who are neighbours. `"lattice"`: a square with periodic borders; `n_players` is a square number from 9 up.
`"ring"`: the nearest players on both sides of a circle. `"small_world"`: a ring in which some edges are rewired
(Watts & Strogatz 1998, Nature 393:440). `"random"`: no graph; in each round the players are matched in random pairs,
all pairings equally likely, and with an odd number of players one does not play. Or a list of edges, that is pairs of
player indices such as networkx's `graph.edges`, in which each player has at least one neighbour.

`degree`: number of neighbours. On a lattice 4 (von Neumann) or 8 (Moore); on a ring and in a small world an even
number below `n_players`. None: 2 on a ring, otherwise 4.

`rewiring`: probability, from 0 to 1, that an edge of a small world is rewired. None: 0.1.

`graph_seed`: seed of the small world; seeds of `reset` do not change the graph. None: 0.

`payoff`: `"mean"` or `"sum"` of a player's payoffs against those it met.

`rounds`: number of rounds, after which the agents are terminated; 1 is the one-shot game. For a pair (shortest,
longest) the number is drawn uniformly from that range, and the agents do not observe it. None: no fixed number.

`continuation`: continuation probability, from 0 to 1: the probability that another round follows; otherwise the
agents are terminated.

`noise`: trembling hand: probability, from 0 to 1, that an action is replaced by one of the other actions, drawn
uniformly.

`memory`: number of past rounds that the agents observe, from 0 up; None is the whole match and needs `rounds`.

`clock`: whether the agents observe the share of the rounds that is left; requires a fixed number of `rounds`.

`max_cycles`: number of steps after which the agents are truncated. None: 100 rounds where the rules end no
match, otherwise no truncation. A round is one step, plus one for each turn of talk, for punishment and for
reward.

`render_mode`: `"human"` (prints text at each reset and step), `"ansi"` (text), `"rgb_array"` (picture) or None.

`views`: whether infos have a view, from which strategies and language models decide; off for libraries that
convert infos to tensors (TorchRL, Tianshou).

`observe_masks`: whether an observation is a dictionary of the vector below, `observation`, and of the
`action_mask`, which is 1 for each action of the next step; for learners that read masks from observations
(Tianshou, RLlib).

### Observation Space

A vector of numbers from 0 to 1: for each of the last `memory` rounds, oldest first, the own action, one-hot, and the
share of those met who took each action; with `clock`, followed by the share of the rounds that is left. With two
actions and memory 1, `[1, 0, 0.25, 0.75]` means: I took action 0, and so did one of my four neighbours. Parts that
have not happened yet are 0; if there is nothing to observe, the vector is a single 0.

`state()` has the actions of all players: for each of the last `memory` rounds by player and action, one-hot; with
`clock`, followed by the share of the rounds that is left.

With `views`, `infos[agent]["view"]` is a `dilemmas.envs.rules.protocol.View`, whose history has, for each round, the
own action and then the actions of those met.

### Action Space

The actions of the game; by default:

| Value | Action |
| :---: | :----: |
| 0 | Cooperate |
| 1 | Defect |

### Rewards

The mean or the sum of the player's payoffs in the game against all players it met in the round; 0 for a player who
met nobody. With the payoffs of the default game:

| own action / other's action | Cooperate | Defect |
| :-- | :-: | :-: |
| Cooperate | R = 3 | S = 0 |
| Defect | T = 5 | P = 1 |

Nowak & May 1992 (Nature 359:826) use a lattice with T = b, R = 1, P = 0, S = 0 and sums, and also let each player
play against itself, which is not done here. Kandori 1992 (Review of Economic Studies 59:63) uses random pairs.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]

parallel_env = partial(parallel, "population")
raw_env = partial(aec, "population")
env = raw_env  # `aec` already checks the order of calls
