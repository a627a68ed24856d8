"""
# Matching Pennies

{facts}

Two players show a side of a penny at the same time. `player_0` wins if they show the same one, `player_1` if they do
not: what one wins the other loses, and the only equilibrium is to draw lots. Nothing here is cooperative: it tells
how agents play where there is nothing to be had together.

### Arguments

{call}

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoffs of the round, of `player_0` first (von Neumann & Morgenstern 1944, *Theory of Games and Economic
Behavior*):

{payoffs}

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "matching_pennies", ("Heads", "Tails"))

parallel_env = partial(parallel, "matching_pennies")
raw_env = partial(aec, "matching_pennies")
env = raw_env  # `aec` guards the order of calls already
