"""
# Traveler's Dilemma

{facts}

An airline has lost the same suitcase of two travelers and asks both at the same time what it was worth. Both get the
lower of the two claims; who made it gets a bonus for honesty, which the other one pays. It is best to claim a little
less than the other: the only equilibrium is the lowest claim, and both do far better if they claim much.

### Arguments

{call}

`low`, `high`: the lowest and the highest claim, whole numbers of points.

`bonus`: points that go from the higher claimant to the lower one, more than 1.

{options}

### Observation Space

{observation}

### Action Space

| Value | Action |
| :---: | :----: |
| 0 | Claim `high` |
| a | Claim `high` - a |
| `high` - `low` | Claim `low` |

{steps}

### Rewards

The payoff of the round to a player who claims m while the other claims t (Basu 1994, AER 84:391):

    m           if m = t
    m + bonus   if m < t
    t - bonus   if m > t

By default 100 each if both claim 100, and 2 each in equilibrium; 101 to a player who claims 99 where the other claims
100, and 97 to that one.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "travelers_dilemma")

parallel_env = partial(parallel, "travelers_dilemma")
raw_env = partial(aec, "travelers_dilemma")
env = raw_env  # `aec` guards the order of calls already
