"""
# Volunteer's Dilemma

{facts}

Something has to be done that one can do for all, such as calling for help. Each player of a group chooses at the same
time whether to do it. The best is that another one does, the worst that nobody does; to do it twice is waste.

### Arguments

{call}

`n_players`: size of the group, at least 2.

`benefit`: what it is worth to each that it is done, in points.

`cost`: what it costs everyone who does it, above 0 and below the benefit.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round (Diekmann 1985, J Conflict Resolution 29:605) is benefit - cost to a player who volunteers, and
to a player who does not the benefit if another one does, else 0. By default:

{payoffs}

In the mixed equilibrium each volunteers with probability 1 - (cost / benefit) ** (1 / (n_players - 1)), so that the
larger the group, the rarer help is.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "volunteers_dilemma", ("Volunteer (cooperate)", "Wait (defect)"))

parallel_env = partial(parallel, "volunteers_dilemma")
raw_env = partial(aec, "volunteers_dilemma")
env = raw_env  # `aec` guards the order of calls already
