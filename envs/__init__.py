"""Games, the rules of matches, PettingZoo environments, and prompts. Uses neither agents nor language models.

Importing the package registers the environments with PettingZoo for ``pettingzoo.make("parallel", ID)`` and
``pettingzoo.make("aec", ID)``, with ids such as ``dilemmas/stag_hunt-v0``.
"""

from pettingzoo.env_registry.registration import register  # type: ignore[import-untyped]

from dilemmas.envs.games.catalogue import ENVIRONMENTS

for _name in (*ENVIRONMENTS, "population"):  # entry points as text: a module is imported when its environment is made
    register("parallel", f"dilemmas/{_name}-v0", f"dilemmas.envs.{_name}_v0:parallel_env")
    register("aec", f"dilemmas/{_name}-v0", f"dilemmas.envs.{_name}_v0:env")
