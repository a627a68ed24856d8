"""
# Harmony

{facts}

Two players choose at the same time, and cooperating is best for each of them, whatever the other does: no
dilemma at all, also called the prisoner's delight. It tells players who read the payoffs from those who
defect out of habit.

### Arguments

{call}

`T`, `R`, `P`, `S`: payoffs in points, in the order R > T, R > S, S > P: temptation, reward, punishment,
sucker's payoff.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round, by own and the other's action (the fourth corner of the S-T plane, where it is
best to cooperate whatever the other does; the name as in Bruns 2015, Games 6:495):

{payoffs}

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "harmony", ("Cooperate", "Defect"))

parallel_env = partial(parallel, "harmony")
raw_env = partial(aec, "harmony")
env = raw_env  # `aec` guards the order of calls already
