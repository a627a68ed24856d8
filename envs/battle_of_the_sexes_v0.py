"""
# Battle of the Sexes

{facts}

Two players who cannot talk want to spend the evening together, but each would rather go where it likes best.
To cooperate is to yield, and go where the other one wants. The pure equilibria are those in which one yields
and the other insists; both would have either, and disagree on which.

### Arguments

{call}

`T`, `R`, `P`, `S`: payoffs in points, in the order T > S > R, S > P: I insist and the other yields, both
yield, both insist, I yield and the other insists.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round, by own and the other's action (Luce & Raiffa 1957, *Games and Decisions*, 5.3; who meets
nobody has 0):

{payoffs}

In the mixed equilibrium each yields with probability (S - P) / (S - P + T - R), by default 1/3.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "battle_of_the_sexes", ("Yield", "Insist"))

parallel_env = partial(parallel, "battle_of_the_sexes")
raw_env = partial(aec, "battle_of_the_sexes")
env = raw_env  # `aec` guards the order of calls already
