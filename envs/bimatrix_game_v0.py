"""
# Bimatrix Game

{facts}

Two players choose at the same time. Each has its own number of actions, 1 or more, and its own payoffs.

### Arguments

{call}

`row`: payoffs of `player_0` in points, a list for each of its actions with a number for each of `player_1`'s.

`column`: payoffs of `player_1`, in the same order: the action of `player_0` comes first. None makes a symmetric game,
which takes a square `row`.

`degrees`: how cooperative each action is, from 0 to 1, for records and pictures: a list per player. None: evenly
spaced, from 1 for the first action to 0 for the last.

{options}

### Observation Space

{observation}

### Action Space

The actions of `player_0` are the rows, those of `player_1` the columns, from 0 up.

{steps}

### Rewards

The payoffs of the round, as in the two tables: `row[a][b]` to `player_0` and `column[a][b]` to `player_1` where they
choose a and b. Nothing is at stake until payoffs are given.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "bimatrix_game")

parallel_env = partial(parallel, "bimatrix_game")
raw_env = partial(aec, "bimatrix_game")
env = raw_env  # `aec` guards the order of calls already
