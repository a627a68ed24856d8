"""
# Population

{facts}

Many players play a symmetric game for two with their neighbours on a graph, or with a partner who is drawn anew in
every round. Each takes one action a round, which meets the actions of all its neighbours: on a lattice clusters of
cooperators can live among defectors, where in a mixed population they could not.

### Arguments

{call}

`game`: the game that two of them play, any symmetric one of the catalogue; its payoffs or other options are options
here as well: `game="snowdrift", T=5`.

`n_players`: size of the population, at least 2; 25 where nothing else is said, and with a list of edges one more than
the highest player in it.

`graph`: who are neighbours. `"lattice"`: a square whose borders meet; `n_players` is a square number, 9 or more.
`"ring"`: the nearest on both sides. `"small_world"`: a ring in which edges are led to somebody else (Watts & Strogatz
1998, Nature 393:440). `"random"`: nobody; in every round all players are drawn into pairs, each pairing as likely, and
with an odd number one sits it out. Or any list of edges, pairs of player indices such as networkx's `graph.edges`,
where every player has one or more.

`degree`: number of neighbours; 4 where nothing else is said. On a lattice 4 (von Neumann) or 8 (Moore); on a ring and
in a small world an even number below `n_players`.

`rewiring`: probability that an edge of a small world is led to somebody else; 0.1 where nothing else is said.

`graph_seed`: makes the small world; 0 where nothing else is said. Seeds of `reset` leave the graph as it is.

`payoff`: whether a player gets the `"mean"` or the `"sum"` of its payoffs against those it met.

{options}

### Observation Space

A vector of numbers from 0 to 1: for each of the last `memory` rounds, oldest first, own action one-hot, and which share
of those met took each action; with `clock`, last the share of the rounds that is left. With two actions and memory 1,
`[1, 0, 0.25, 0.75]` reads: I chose action 0, as one in four neighbours did. What is not there yet is 0; where there is
nothing to see at all, the vector is a single 0.

`state()` has everybody's actions: for each of the last `memory` rounds by player and action, one-hot, and with `clock`
the share of the rounds that is left.

`infos[agent]["view"]` is an `dilemmas.envs.rules.protocol.View`, whose history has, per round, own action and then
those met.

### Action Space

The actions of the game; by default:

{actions}

### Rewards

The mean or the sum, over all whom the player met in the round, of its payoff in the game; 0 to who met nobody. With the
payoffs of the default game:

{payoffs}

Nowak & May 1992 (Nature 359:826) play it on a lattice with T = b, R = 1, P = 0, S = 0 and sums, and count each player
among its own neighbours, which is left out here; Kandori 1992 (Review of Economic Studies 59:63) has random pairs.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "population", ("Cooperate", "Defect"))

parallel_env = partial(parallel, "population")
raw_env = partial(aec, "population")
env = raw_env  # `aec` guards the order of calls already
