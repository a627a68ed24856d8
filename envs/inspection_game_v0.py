"""
# Inspection Game

{facts}

An employee (`player_0`) works or shirks while an employer (`player_1`) trusts or inspects. Work without inspection is
best for both together, but then it pays to shirk; if the employee shirks it pays to inspect; under inspection it pays
to work; and if the employee works it pays to trust. The only equilibrium is mixed.

### Arguments

{call}

`output`: what the employer gains from work, in points, more than the wage.

`wage`: what the employer pays unless shirking is found out.

`effort`: what working costs the employee, above 0 and below the wage.

`inspection`: what inspecting costs the employer, above 0 and below the wage.

{options}

### Observation Space

{observation}

### Action Space

{actions}

{steps}

### Rewards

The payoffs of the round, of `player_0` first, with v = output, w = wage, g = effort and h = inspection (Fudenberg &
Tirole 1991, *Game Theory*): (w - g, v - w) for work and trust, (w - g, v - w - h) for work and inspection, (w, -w) for
shirking and trust, (0, -h) for shirking and inspection. By default:

{payoffs}

In equilibrium the employee shirks with probability h / w, by default 1/4, and the employer inspects with probability
g / w, by default 1/2.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.env_pages import page
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]
__doc__ = page(__doc__, "inspection_game", ("Work", "Shirk"), ("Trust", "Inspect"))

parallel_env = partial(parallel, "inspection_game")
raw_env = partial(aec, "inspection_game")
env = raw_env  # `aec` guards the order of calls already
