"""The options of a player in the current phase of a match."""

from dilemmas.envs.checks import GameError
from dilemmas.envs.rules.protocol import Rules, View
from dilemmas.envs.rules.stages import Sanction


def options_now(view: View) -> int:
    """Number of options of the player in the current phase; 0 if the action is an amount."""
    if view.phase == "act":
        return view.game.options[view.seat]
    phases = rules_of_match(view).phases
    return next(phase for phase in phases if phase.name == view.phase).options[view.player]


def words_allowed(view: View) -> bool:
    """Whether the player may send a text as its message in the current phase."""
    talk = None if view.rules is None else view.rules.talk
    return view.phase == "talk" and talk is not None and talk.words


def sanction_now(view: View) -> Sanction:
    """The parameters of the current phase of punishment or reward.

    Raises
    ------
    GameError
        If the rules have no such phase, or the view has no rules.
    """
    rules = rules_of_match(view)
    sanction = rules.punishment if view.phase == "punish" else rules.reward
    if sanction is None:
        raise GameError(f"'{view.game.name}': the rules have no phase '{view.phase}'")
    return sanction


def rules_of_match(view: View) -> Rules:
    """The rules of the match.

    Raises
    ------
    GameError
        If the view is of a stage game without rules, in which only the phase ``act`` exists.
    """
    if view.rules is None:
        raise GameError(f"'{view.game.name}': the phase '{view.phase}' needs view.rules, which is None")
    return view.rules
