"""
# Public Goods

{facts}

Each player of a group chooses at the same time how much of an endowment to put into a common pot. The pot
is multiplied and shared by all alike. The group does best if everybody gives everything, each alone does
best by giving nothing.

### Arguments

{call}

`n_players`: size of the group, at least 2.

`endowment`: points that a player has in every round and may contribute, above 0; a list has one for each player.

`multiplier`: what the pot is multiplied by before it is shared; a dilemma where 1 < multiplier < n_players.

`mpcr`: the same as a marginal per-capita return, multiplier / n_players: what a point in the pot brings to each player.
Give one of them.

`levels`: number of contribution levels, at least 2, evenly spaced from the endowment down to nothing. None: any number
of points from 0 to the endowment; that goes with neither talk nor punishment nor reward.

`threshold`: provision point: contributions in points, of all together, below which nothing is shared; 0 is none.

`refund`: whether contributions that do not reach the threshold are given back; else they are lost.

{options}

### Observation Space

{observation}

### Action Space

| Value | Action |
| :---: | :----: |
| 0 | Contribute the whole endowment |
| a | Contribute the fraction 1 - a / (levels - 1) |
| levels - 1 | Contribute nothing |

With `levels=None` the space is a Box of one number, the contribution in points, from 0 to the endowment.

{steps}

### Rewards

The payoff of the round to a player who contributes c (Isaac & Walker 1988, QJE 103:179; endowment 20 as in
Fehr & Gächter 2000, AER 90:980):

    endowment - c + multiplier * (sum of all contributions) / n_players

By default 32 each if everybody contributes everything, 20 each if nobody contributes, and 44 to the only
one who does not. If the sum of all contributions is below the threshold, it is endowment - c, or the endowment where
contributions are refunded (Isaac, Schmidtz & Walker 1989, Public Choice 62:217; Bagnoli & Lipman 1989, Rev Econ Stud
56:583).

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "public_goods")

parallel_env = partial(parallel, "public_goods")
raw_env = partial(aec, "public_goods")
env = raw_env  # `aec` guards the order of calls already
