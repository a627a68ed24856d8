"""The longest prompts that a match can bring, found without playing it: whether they fit is then known beforehand.

What players write is left out, because it may have any length.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.prompts.labels import signal_labels
from dilemmas.envs.prompts.past_phrases import past_lines
from dilemmas.envs.prompts.prompts import choose_presentation
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.rules.protocol import State, View
from dilemmas.envs.rules.repeated import Repeated


def longest_history(template: Template, game: StageGame, rounds: int, player: int = 0) -> tuple[Joint, ...]:
    """A history that takes as many words to tell as any.

    The rounds that are told one by one have the actions with the longest labels; those that are summed up have all
    actions in turn, because each of them is counted.

    Parameters
    ----------
    template
        Source of the sentences and labels.
    game
        The game.
    rounds
        Number of rounds, 0 or more.
    player
        Seat of the player.

    Returns
    -------
    Joint actions, own action first, as in `View.history`.

    Raises
    ------
    TemplateError
        If the template has no sentence for the game.
    """
    told = min(rounds, template.memory.rounds or rounds)
    seats = [player, *(seat for seat in range(game.n_players) if seat != player)]
    summed = [
        tuple(_action(game, seat, number + place) for place, seat in enumerate(seats))
        for number in range(rounds - told)
    ]
    return (*summed, *[_wordiest(template, game, seats)] * told) if rounds else ()


def longest_view(template: Template, game: StageGame, rounds: int, player: int = 0) -> View:
    """The view of a player after a history of so many rounds that takes as many words to tell as any, without a match.

    Parameters and errors are those of `longest_history`.
    """
    return View(game, player, rounds, longest_history(template, game, rounds, player))


def longest_views(template: Template, rules: Repeated, player: int = 0) -> Iterator[View]:
    """The views of a player in the last round of a match, with its longest history: one for every phase.

    Parameters
    ----------
    template
        Source of the sentences and labels.
    rules
        Rules of the match of a group. Without a limit of rounds, the first round takes the place of the last one: no
        longer prompt is certain to come.
    player
        Seat of the player.

    Raises
    ------
    TemplateError
        If the template has no sentence for the game.
    """
    most = rules.rounds[1] if isinstance(rules.rounds, tuple) else rules.rounds or 1
    past = longest_history(template, rules.stage, min(rules.memory, most - 1), player)
    history = tuple(_by_seat(joint, player) for joint in past)
    moved = rules.layout.most_sanctioned
    state = State(
        most - 1,
        0,
        history,
        length=most,
        seen=(history,) * rules.n_players if rules.misperception else None,
        sanctioned=None if moved is None else (-moved if history else 0.0,) * rules.n_players,
    )
    (acted,) = longest_history(template, rules.stage, 1, player)
    for number, phase in enumerate(rules.phases):
        view = rules.view(state, player)
        yield view
        if phase.name == "act":
            joint = _by_seat(acted, player)
        elif phase.name == "talk":
            lengths = [len(label) for label in signal_labels(template, view)]
            joint = (lengths.index(max(lengths)),) * rules.n_players
        else:
            joint = tuple(options - 1 for options in phase.options)
        if number + 1 < len(rules.phases):
            state = rules.step(state, joint, np.random.default_rng(0)).state


def _by_seat(joint: Joint, player: int) -> Joint:
    """A joint action by seat, from one with the action of a player first."""
    own, *others = joint
    return (*others[:player], own, *others[player:])


def _action(game: StageGame, seat: int, number: int) -> float:
    """An action of a player by a number, or an amount with many digits."""
    options = game.options[seat]
    return number % options if options else game.endowments[seat] / 3


def _wordiest(template: Template, game: StageGame, seats: Sequence[int]) -> Joint:
    """The joint action that takes most letters to tell; `seats`: that of the player, then those of the others."""
    shown = choose_presentation(template, game, player=seats[0])

    def letters(joint: Joint) -> int:
        return sum(map(len, past_lines(template, View(game, seats[0], 1, (joint,)), shown)))

    ways = [tuple(_action(game, seat, number) for seat in seats) for number in range(max(1, game.n_actions))]
    own = max(ways, key=lambda way: letters((way[0], *ways[0][1:])))[0]
    return max(((own, *way[1:]) for way in ways), key=letters)
