"""
# Matrix Game

| Creation           | `make("parallel", "understudy/matrix_game-v0")`, `make("aec", ...)` |
|--------------------|----------|
| Import             | `from understudy.envs import matrix_game_v0` |
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

Two players choose at the same time, with any four payoffs. With R = 1 and P = 0 held, T and S alone span a
plane whose four quarters are the prisoner's dilemma, snowdrift, stag hunt and harmony.

### Arguments

```python
import pettingzoo
import understudy.envs

pettingzoo.make("parallel", "understudy/matrix_game-v0", T=0, R=0, P=0, S=0,
                rounds=None, continuation=1.0, noise=0.0, memory=1, max_cycles=None, render_mode=None,
                views=True)
```

`T`, `R`, `P`, `S`: payoffs in points, in any order: temptation, reward, punishment, sucker's payoff.

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

The payoff of the round, by own and the other's action; nothing is at stake until payoffs are given. With R = 1
and P = 0, the square 0 < T < 2, -1 < S < 1 is the plane of Santos, Pacheco & Lenaerts 2006 (PNAS 103:3490).

| mine / theirs | Cooperate | Defect |
| :-- | :-: | :-: |
| Cooperate | R = 0 | S = 0 |
| Defect | T = 0 | P = 0 |

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from understudy.envs.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]

parallel_env = partial(parallel, "matrix_game")
raw_env = partial(aec, "matrix_game")
env = raw_env  # `aec` guards the order of calls already
