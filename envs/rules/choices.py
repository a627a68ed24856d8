"""What a player may do now, by its view of the match."""

from dilemmas.envs.checks import GameError
from dilemmas.envs.rules.protocol import Rules, View
from dilemmas.envs.rules.stages import Sanction


def options_now(view: View) -> int:
    """Number of options of the player in the phase that the match is in; 0 where it names an amount."""
    if view.phase == "act":
        return view.game.options[view.seat]
    phases = rules_of_match(view).phases
    return next(phase for phase in phases if phase.name == view.phase).options[view.player]


def words_allowed(view: View) -> bool:
    """Whether the player may say a text now."""
    talk = None if view.rules is None else view.rules.talk
    return view.phase == "talk" and talk is not None and talk.words


def sanction_now(view: View) -> Sanction:
    """The punishment or reward that the match is in."""
    rules = rules_of_match(view)
    sanction = rules.punishment if view.phase == "punish" else rules.reward
    if sanction is None:
        raise GameError(f"'{view.game.name}': the rules have no phase '{view.phase}'")
    return sanction


def rules_of_match(view: View) -> Rules:
    """The rules of the match; `GameError` where the view is of a game by itself, which has no such phase."""
    if view.rules is None:
        raise GameError(f"'{view.game.name}': the phase '{view.phase}' is unknown without view.rules")
    return view.rules
