"""
# N-Person Prisoner's Dilemma

{facts}

Each player of a group chooses at the same time whether to do something that costs itself and is good for all. Each
does better by defecting, whatever the others do, and all do better if all cooperate than if all defect.

### Arguments

{call}

`n_players`: size of the group, at least 2.

`benefit`: what a cooperator brings about, in points.

`cost`: what it pays for that; more than the benefit brings to itself, and less than it brings to all together.

`shared`: whether the benefit is divided by all players, itself among them; False: each has the whole of it.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round with k others who cooperate (Hamburger 1973, J Math Sociol 3:27; Schelling 1973, J Conflict
Resolution 17:381), where r is benefit / n_players if it is shared and benefit if it is not:

    r * (k + 1) - cost   to a player who cooperates
    r * k                to a player who defects

It is a dilemma, and accepted, if r < cost < n_players * r. By default:

{payoffs}

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "n_person_prisoners_dilemma", ("Cooperate", "Defect"))

parallel_env = partial(parallel, "n_person_prisoners_dilemma")
raw_env = partial(aec, "n_person_prisoners_dilemma")
env = raw_env  # `aec` guards the order of calls already
