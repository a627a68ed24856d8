"""
# Snowdrift

{facts}

Two drivers are stuck in the snow. Whoever shovels clears the road for both; the best is to let the other
shovel, the worst that nobody does. Also known as chicken or hawk-dove: the pure equilibria are those in
which exactly one shovels.

### Arguments

{call}

`T`, `R`, `P`, `S`: payoffs in points, in the order T > R > S > P: temptation, reward, punishment, sucker's
payoff.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round, by own and the other's action. A clear road is worth b = 4, the work costs c = 2
and is shared by those who shovel: T = b, R = b - c/2, S = b - c, P = 0 (Doebeli & Hauert 2005, Ecology
Letters 8:748):

{payoffs}

In the mixed equilibrium each shovels with probability (S - P) / (S - P + T - R), by default 2/3.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "snowdrift", ("Shovel", "Wait"))

parallel_env = partial(parallel, "snowdrift")
raw_env = partial(aec, "snowdrift")
env = raw_env  # `aec` guards the order of calls already
