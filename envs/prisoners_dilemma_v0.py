"""
# Prisoner's Dilemma

| Creation           | `make("parallel", "understudy/prisoners_dilemma-v0")`, `make("aec", ...)` |
|--------------------|----------|
| Import             | `from understudy.envs import prisoners_dilemma_v0` |
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

Two players choose at the same time. Each does better by defecting, whatever the other does, yet both do
better if both cooperate than if both defect: the only equilibrium of one round is mutual defection.

### Arguments

```python
import pettingzoo
import understudy.envs

pettingzoo.make("parallel", "understudy/prisoners_dilemma-v0", T=5, R=3, P=1, S=0,
                rounds=None, continuation=1.0, noise=0.0, memory=1, max_cycles=None, render_mode=None,
                views=True)
```

`T`, `R`, `P`, `S`: payoffs in points, in the order T > R > P > S: temptation, reward, punishment, sucker's
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
| 0 | Cooperate |
| 1 | Defect |

### Rewards

The payoff of the round, by own and the other's action (Axelrod 1984, *The Evolution of Cooperation*):

| mine / theirs | Cooperate | Defect |
| :-- | :-: | :-: |
| Cooperate | R = 3 | S = 0 |
| Defect | T = 5 | P = 1 |

Where the match is repeated, 2R > T + S makes mutual cooperation better than taking turns at defecting; it
holds for the defaults and is not enforced.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from understudy.envs.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]

parallel_env = partial(parallel, "prisoners_dilemma")
raw_env = partial(aec, "prisoners_dilemma")
env = raw_env  # `aec` guards the order of calls already
