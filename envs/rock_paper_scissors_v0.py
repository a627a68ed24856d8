"""
# Rock, Paper, Scissors

{facts}

Two players choose at the same time. Each action beats one other and loses to the third; the only equilibrium is to
draw lots. Nothing here is cooperative: what one wins the other loses.

### Arguments

{call}

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoffs of the round, of `player_0` first (Maynard Smith 1982, *Evolution and the Theory of Games*):

{payoffs}

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "rock_paper_scissors", ("Rock", "Paper", "Scissors"))

parallel_env = partial(parallel, "rock_paper_scissors")
raw_env = partial(aec, "rock_paper_scissors")
env = raw_env  # `aec` guards the order of calls already
