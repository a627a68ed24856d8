"""
# N-Person Stag Hunt

{facts}

A group hunts a stag, which takes at least a threshold of hunters. Each chooses at the same time whether to take part.
Alone it does not pay; among enough it does, and the more take part, the more there is for everybody, also for those who
stay at home.

### Arguments

{call}

`n_players`: size of the group, at least 2.

`threshold`: the least number of hunters who get anything, from 2 to n_players.

`multiplier`: what the costs of the hunters are multiplied by before all share, more than n_players / threshold.

`cost`: what taking part costs, in points, above 0.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round to a player who defects with k others who cooperate is multiplier * cost * k / n_players if k
reaches the threshold, else 0; a player who cooperates gets the same with k + 1 instead of k, less the cost (Pacheco,
Santos, Souza & Skyrms 2009, Proc R Soc B 276:315). By default:

{payoffs}

That all cooperate is an equilibrium if the multiplier is at least n_players, or if the threshold is n_players; else
exactly as many cooperate as are needed. That all defect always is one.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "n_person_stag_hunt", ("Hunt (cooperate)", "Stay (defect)"))

parallel_env = partial(parallel, "n_person_stag_hunt")
raw_env = partial(aec, "n_person_stag_hunt")
env = raw_env  # `aec` guards the order of calls already
