"""What a player may do now, by its view of the match."""

from dilemmas.envs.checks import GameError
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.protocol import View
from dilemmas.envs.rules.repeated import Repeated


def options_now(view: View) -> int:
    """How many options a player has in the phase that it is in; 0 where it names an amount."""
    if view.phase == "act":
        game = view.game
        return game.options[0 if isinstance(view.rules, Population) else view.player]
    rules = repeated_rules(view)
    return next(phase for phase in rules.phases if phase.name == view.phase).options[view.player]


def words_allowed(view: View) -> bool:
    """Whether a text may be said now."""
    rules = view.rules
    return view.phase == "talk" and isinstance(rules, Repeated) and rules.talk is not None and rules.talk.words


def repeated_rules(view: View) -> Repeated:
    """The rules of the match, without which phases cannot be put into words."""
    if not isinstance(view.rules, Repeated):
        raise GameError(f"'{view.game.name}': the phase '{view.phase}' cannot be put into words without view.rules")
    return view.rules
