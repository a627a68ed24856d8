"""
# Snowdrift

| Creation           | `make("parallel", "understudy/snowdrift-v0")`, `make("aec", ...)` |
|--------------------|----------|
| Import             | `from understudy.envs import snowdrift_v0` |
| Actions            | Discrete |
| Parallel API       | Yes (native; AEC is made from it) |
| Manual Control     | No |
| Agents             | `player_0`, `player_1` |
| Number of agents   | 2 |
| Action Shape       | Discrete(2) |
| Action Values      | 0, 1 |
| Observation Shape  | (memory * 4,) |
| Observation Values | [0, 1] |
| State Shape        | (memory * 4,) |

Two drivers are stuck in the snow. Whoever shovels clears the road for both; the best is to let the other
shovel, the worst that nobody does. Also known as chicken or hawk-dove: the pure equilibria are those in
which exactly one shovels.

### Arguments

```python
import pettingzoo
import understudy.envs

pettingzoo.make("parallel", "understudy/snowdrift-v0", T=4, R=3, P=0, S=2,
                rounds=None, continuation=1.0, noise=0.0, memory=1, max_cycles=None, render_mode=None,
                views=True)
```

`T`, `R`, `P`, `S`: payoffs in points, in the order T > R > S > P: temptation, reward, punishment, sucker's
payoff.

`rounds`: number of rounds, after which the agents are terminated; 1 is the one-shot game, None is
no fixed number.

`continuation`: probability that a round is followed by another one; else the agents are terminated.

`noise`: probability that an action is replaced by the other one (trembling hand).

`memory`: how many rounds back the agents see.

`max_cycles`: rounds after which the agents are truncated; None is 100 where nothing else ends the match.

`render_mode`: `"human"` (printed text), `"ansi"` (text), `"rgb_array"` (picture) or None.

`views`: whether infos have a view; False leaves them empty, for libraries that make tensors of them (TorchRL).

### Observation Space

The last `memory` rounds, oldest first, as 0 and 1: per round own action (cooperated, defected), then the
other's. With memory 1, `[1, 0, 0, 1]` reads: I cooperated, the other defected. Rounds not yet played are 0;
with memory 0 the vector is a single 0.

`infos[agent]["view"]` holds the same, and the game, as an `understudy.envs.rules.View`.

### Action Space

| Value | Action |
| :---: | :----: |
| 0 | Shovel (cooperate) |
| 1 | Wait (defect) |

### Rewards

The payoff of the round, by own and the other's action. A clear road is worth b = 4, the work costs c = 2
and is shared by those who shovel: T = b, R = b - c/2, S = b - c, P = 0 (Doebeli & Hauert 2005, Ecology
Letters 8:748):

| mine / theirs | Shovel | Wait |
| :-- | :-: | :-: |
| Shovel | R = 3 | S = 2 |
| Wait | T = 4 | P = 0 |

In the mixed equilibrium each shovels with probability (S - P) / (S - P + T - R), by default 2/3.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from understudy.envs.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]

parallel_env = partial(parallel, "snowdrift")
raw_env = partial(aec, "snowdrift")
env = raw_env  # `aec` guards the order of calls already
