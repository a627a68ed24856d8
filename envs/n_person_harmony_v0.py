"""
# N-Person Harmony

{facts}

Each player of a group chooses at the same time whether to do something that is good for all, and that brings itself
more than it costs. To cooperate is best for each, whatever the others do: no dilemma, and a test for players who defect
out of habit.

### Arguments

{call}

`n_players`: size of the group, at least 2.

`benefit`: what a cooperator brings about, in points.

`cost`: what it pays for that, from 0 to below what the benefit brings to itself.

`shared`: whether the benefit is divided by all players, itself among them; False: each has the whole of it.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round with k others who cooperate (by-product mutualism: Hauert, Michor, Nowak & Doebeli 2006, J Theor
Biol 239:195), where r is benefit / n_players if it is shared and benefit if it is not:

    r * (k + 1) - cost   to a player who cooperates
    r * k                to a player who defects

It is harmony, and accepted, if 0 <= cost < r. By default:

{payoffs}

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "n_person_harmony", ("Cooperate", "Defect"))

parallel_env = partial(parallel, "n_person_harmony")
raw_env = partial(aec, "n_person_harmony")
env = raw_env  # `aec` guards the order of calls already
