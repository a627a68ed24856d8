"""
# Public Goods

| Creation           | `make("parallel", "understudy/public_goods-v0")`, `make("aec", ...)` |
|--------------------|----------|
| Import             | `from understudy.envs import public_goods_v0` |
| Actions            | Discrete |
| Parallel API       | Yes (native; AEC is made from it) |
| Manual Control     | No |
| Agents             | `player_0`, ..., `player_3` |
| Number of agents   | `n_players`, 4 by default |
| Action Shape       | Discrete(levels) |
| Action Values      | 0 to levels - 1 |
| Observation Shape  | (memory * n_players * levels,) |
| Observation Values | [0, 1] |
| State Shape        | (memory * n_players * levels,) |

Each player of a group chooses at the same time how much of an endowment to put into a common pot. The pot
is multiplied and shared by all alike. The group does best if everybody gives everything, each alone does
best by giving nothing.

### Arguments

```python
import pettingzoo
import understudy.envs

pettingzoo.make("parallel", "understudy/public_goods-v0", n_players=4, endowment=20, multiplier=1.6, levels=2,
                rounds=None, continuation=1.0, noise=0.0, memory=1, max_cycles=None, render_mode=None,
                views=True)
```

`n_players`: size of the group, at least 2.

`endowment`: points that each player has in every round and may contribute, above 0.

`multiplier`: what the pot is multiplied by before it is shared; a dilemma where 1 < multiplier < n_players.

`levels`: number of contribution levels, at least 2, evenly spaced from the endowment down to nothing.

`rounds`: number of rounds, after which the agents are terminated; 1 is the one-shot game, None is
no fixed number.

`continuation`: probability that a round is followed by another one; else the agents are terminated.

`noise`: probability that an action is replaced by one of the others, each as likely (trembling hand).

`memory`: how many rounds back the agents see.

`max_cycles`: rounds after which the agents are truncated; None is 100 where nothing else ends the match.

`render_mode`: `"human"` (printed text), `"ansi"` (text), `"rgb_array"` (picture) or None.

`views`: whether infos have a view; False leaves them empty, for libraries that make tensors of them (TorchRL).

### Observation Space

The last `memory` rounds, oldest first, as 0 and 1: per round a one-hot vector of the own contribution
level, then of each other player's, in their order. Rounds not yet played are 0; with memory 0 the vector is a
single 0.

`infos[agent]["view"]` holds the same, and the game, as an `understudy.envs.rules.View`.

### Action Space

| Value | Action |
| :---: | :----: |
| 0 | Contribute the whole endowment |
| a | Contribute the fraction 1 - a / (levels - 1) |
| levels - 1 | Contribute nothing |

### Rewards

The payoff of the round to a player who contributes c (Isaac & Walker 1988, QJE 103:179; endowment 20 as in
Fehr & Gächter 2000, AER 90:980):

    endowment - c + multiplier * (sum of all contributions) / n_players

By default 32 each if everybody contributes everything, 20 each if nobody contributes, and 44 to the only
one who does not.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from understudy.envs.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]

parallel_env = partial(parallel, "public_goods")
raw_env = partial(aec, "public_goods")
env = raw_env  # `aec` guards the order of calls already
