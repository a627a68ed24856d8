"""Games: payoffs, rules, PettingZoo environments and prompts. This package has no agents and no language models.

Importing it registers the environments with PettingZoo, for ``pettingzoo.make("parallel", ID)`` and
``pettingzoo.make("aec", ID)`` with IDs such as ``dilemmas/stag_hunt-v0``.
"""

from pettingzoo.env_registry.registration import register  # type: ignore[import-untyped]

from dilemmas.envs.games.catalogue import ENVIRONMENTS

for _name in (*ENVIRONMENTS, "population"):  # entry points are text: a module is imported when needed
    register("parallel", f"dilemmas/{_name}-v0", f"dilemmas.envs.{_name}_v0:parallel_env")
    register("aec", f"dilemmas/{_name}-v0", f"dilemmas.envs.{_name}_v0:env")
