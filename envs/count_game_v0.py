"""
# Count Game

{facts}

Any symmetric game of two or more players with two actions. All choose at the same time, and what an action pays
depends on how many of the others cooperate.

### Arguments

{call}

`cooperate`: points of a player who cooperates, as a list: with 0, 1, ..., n - 1 others who do. Its length is the number
of players.

`defect`: points of a player who defects, likewise.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoff of the round, by own action and number of others who cooperate, as given; nothing is at stake until payoffs
are given. Both lists drawn over that number are a Schelling diagram (Schelling 1973, J Conflict Resolution 17:381):

{payoffs}

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "count_game", ("Cooperate", "Defect"))

parallel_env = partial(parallel, "count_game")
raw_env = partial(aec, "count_game")
env = raw_env  # `aec` guards the order of calls already
