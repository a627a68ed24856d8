"""
# Prisoner's Dilemma

{facts}

Two players choose at the same time. Each does better by defecting, whatever the other does, yet both do
better if both cooperate than if both defect: the only equilibrium of one round is mutual defection.

### Arguments

{call}

`T`, `R`, `P`, `S`: payoffs in points, in the order T > R > P > S: temptation, reward, punishment, sucker's
payoff.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round, by own and the other's action (Axelrod 1984, *The Evolution of Cooperation*):

{payoffs}

Where the match is repeated, 2R > T + S makes mutual cooperation better than taking turns at defecting; it
holds for the defaults and is not enforced.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "prisoners_dilemma", ("Cooperate", "Defect"))

parallel_env = partial(parallel, "prisoners_dilemma")
raw_env = partial(aec, "prisoners_dilemma")
env = raw_env  # `aec` guards the order of calls already
