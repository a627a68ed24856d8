"""
# Stag Hunt

{facts}

Two hunters choose at the same time. A stag takes both of them; a hare can be caught alone. Both hunting the
stag is the best outcome and an equilibrium, both hunting hare is one too, and the safe one: a game of trust
rather than of temptation.

### Arguments

{call}

`T`, `R`, `P`, `S`: payoffs in points, in the order R > T >= P > S: temptation, reward, punishment, sucker's
payoff.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round, by own and the other's action (after Skyrms 2004, *The Stag Hunt and the Evolution
of Social Structure*: a hare is worth the same whatever the other does):

{payoffs}

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "stag_hunt", ("Stag", "Hare"))

parallel_env = partial(parallel, "stag_hunt")
raw_env = partial(aec, "stag_hunt")
env = raw_env  # `aec` guards the order of calls already
