"""Games: payoffs, rules, PettingZoo environments, contexts and their words. No agents, no text models.

Importing it makes the environments known to PettingZoo, both to ``pettingzoo.make("parallel", ID)`` and to
``pettingzoo.make("aec", ID)`` with IDs such as ``dilemmas/stag_hunt-v0``.
"""

from pettingzoo.env_registry.registration import register  # type: ignore[import-untyped]

from dilemmas.envs.games.catalogue import ENVIRONMENTS

for _name in (*ENVIRONMENTS, "population"):  # entry points as text, so that an environment is imported when it is made
    register("parallel", f"dilemmas/{_name}-v0", f"dilemmas.envs.{_name}_v0:parallel_env")
    register("aec", f"dilemmas/{_name}-v0", f"dilemmas.envs.{_name}_v0:env")
