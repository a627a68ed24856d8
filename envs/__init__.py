"""Games: payoffs, rules, PettingZoo environments, contexts and their words. No agents, no text models.

Importing it makes the environments known to PettingZoo: ``pettingzoo.make("parallel", "understudy/stag_hunt-v0")``.
"""

from pettingzoo.env_registry.registration import register

from understudy.envs.games import ENVIRONMENTS

for _name in ENVIRONMENTS:  # by name, so that nothing is imported before it is made
    register("parallel", f"understudy/{_name}-v0", f"understudy.envs.{_name}_v0:parallel_env")
    register("aec", f"understudy/{_name}-v0", f"understudy.envs.{_name}_v0:env")
