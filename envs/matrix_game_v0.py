"""
# Matrix Game

{facts}

Two players choose at the same time, with any four payoffs. With R = 1 and P = 0 held, T and S alone span a
plane whose four quarters are the prisoner's dilemma, snowdrift, stag hunt and harmony
(`dilemmas.envs.games.matrix_games.plane_game`).

### Arguments

{call}

`T`, `R`, `P`, `S`: payoffs in points, in any order: temptation, reward, punishment, sucker's payoff.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round, by own and the other's action; nothing is at stake until payoffs are given. With R = 1
and P = 0, the square 0 < T < 2, -1 < S < 1 is the plane of Santos, Pacheco & Lenaerts 2006 (PNAS 103:3490).

{payoffs}

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "matrix_game", ("Cooperate", "Defect"))

parallel_env = partial(parallel, "matrix_game")
raw_env = partial(aec, "matrix_game")
env = raw_env  # `aec` guards the order of calls already
