"""
# N-Person Snowdrift

{facts}

A group is stuck in the snow. Each chooses at the same time whether to shovel. If anybody does, the road is clear for
all; those who shovel share the work. The best is to leave it to others, the worst that nobody does it.

### Arguments

{call}

`n_players`: size of the group, at least 2.

`benefit`: what a clear road is worth to each, in points.

`cost`: what the whole work costs, above 0 and below the benefit.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round with k others who cooperate (Zheng, Yin, Chan & Hui 2007, EPL 80:18002) is
benefit - cost / (k + 1) to a player who cooperates, and to a player who defects the benefit if k > 0, else 0. By
default:

{payoffs}

The pure equilibria are those in which exactly one shovels. With two players it is the snowdrift game of Doebeli &
Hauert 2005.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "n_person_snowdrift", ("Shovel (cooperate)", "Wait (defect)"))

parallel_env = partial(parallel, "n_person_snowdrift")
raw_env = partial(aec, "n_person_snowdrift")
env = raw_env  # `aec` guards the order of calls already
