"""The history of a match as rendering needs it: the last rounds with every signal, action, sanction and payoff."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from dilemmas.envs.games.matrix_games import Action
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.numbers import format_number
from dilemmas.envs.rules.protocol import Rules, Transition

SHOWN = 18
"""Number of last rounds that are rendered."""
FREQUENT = 4
"""Largest number of actions whose relative frequencies are rendered."""
LONGEST_WORDS = 40
"""Maximum number of characters of a message that are rendered."""


@dataclass(slots=True)
class RenderedRound:
    """One round, which may be incomplete."""

    payoffs: tuple[float, ...]
    """Points of each player so far, sanctions included."""
    without_sanctions: tuple[float, ...]
    """Points of each player in the stage game alone."""
    said: list[Joint] = field(default_factory=list)
    """Joint signals, one per turn of talk."""
    joint: Joint | None = None
    """The joint action; None during talk."""
    sanctions: list[tuple[str, Joint]] = field(default_factory=list)
    """Name of the phase and joint action of each stage of sanctions."""


class MatchHistory:
    """Data for rendering a match: the total payoffs, and the last `SHOWN` rounds as played."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.game = rules.stage
        self.rounds: deque[RenderedRound] = deque(maxlen=SHOWN + 1)  # one of them may be incomplete
        self.totals = [0.0] * rules.n_players
        """Points of each player since the start of the match."""
        self.completed = 0
        """Number of rounds completed."""
        self.next = rules.phases[0].name
        """Name of the next phase."""
        self.over = False
        """Whether the rules have ended the match."""
        self.under_way = False
        """Whether a round has begun and is not completed."""

    def add(self, transition: Transition) -> None:
        """Add one phase."""
        if not self.under_way:
            self.rounds.append(RenderedRound((0.0,) * self.rules.n_players, (0.0,) * self.rules.n_players))
        now, state = self.rounds[-1], transition.state
        if transition.phase == "talk":
            now.said.append(transition.joint)
        elif transition.phase == "act":
            now.joint, now.without_sanctions = transition.joint, transition.payoffs
        else:
            now.sanctions.append((transition.phase, transition.joint))
        now.payoffs = tuple(map(sum, zip(now.payoffs, transition.payoffs, strict=True)))
        self.totals = [total + payoff for total, payoff in zip(self.totals, transition.payoffs, strict=True)]
        self.completed, self.next = state.round, self.rules.phases[state.phase].name
        self.under_way, self.over = state.phase > 0, state.ending is not None

    def seat(self, player: int) -> int | None:
        """Index of a player in the stage game; None in a population, where the stage game has fewer players."""
        return player if self.game.n_players == len(self.totals) else None

    @property
    def acted(self) -> list[RenderedRound]:
        """The last rounds in which the players have acted, oldest first; at most `SHOWN`."""
        return [played for played in self.rounds if played.joint is not None][-SHOWN:]

    @property
    def sanctioned(self) -> bool:
        """Whether the rules have a stage of sanctions."""
        return self.rules.punishment is not None or self.rules.reward is not None

    @property
    def begun(self) -> int:
        """Number of rounds that have begun."""
        return self.completed + self.under_way

    @property
    def due(self) -> str:
        """The next phase in words, where a round has several phases; otherwise empty."""
        if len(self.rules.phases) == 1:
            return ""
        return "the match is over" if self.over else f"next: {self.next}"

    def caption(self, shown: int = SHOWN) -> str:
        """The range of rounds that is rendered, such as ``rounds 2 to 5``, where at most `shown` rounds fit."""
        count = min(shown, len(self.acted))
        if not count:
            return "no round yet"
        last = self.begun - (self.rounds[-1].joint is None)
        return f"rounds {last - count + 1} to {last}"


def label(game: StageGame, action: Any, player: int | None = None) -> str:
    """An action in a few characters: C or D, its contribution in points, or its index.

    Parameters
    ----------
    game
        The stage game.
    action
        Index of the action, or points where actions are continuous.
    player
        Index of the player; needed where endowments differ.
    """
    if isinstance(game, PublicGoods) and game.n_actions != len(Action):
        return format_number(game.contribution(action, player))
    graded = game.n_actions == len(Action) and game.cooperation(0) > game.cooperation(1)
    return Action(action).name if graded else str(action)


def frequencies(game: StageGame, joint: Joint) -> list[str]:
    """Relative frequency of each action, such as ``C 50%``; of more than `FREQUENT` actions, of the most frequent."""
    counts = Counter(joint)
    named = (
        range(game.n_actions) if game.n_actions <= FREQUENT else [action for action, _ in counts.most_common(FREQUENT)]
    )
    return [f"{label(game, action)} {counts[action] / len(joint):.0%}" for action in named]


def signal(said: Any) -> str:
    """A signal: its number, ``-`` for silence, or the text in quotation marks with unprintable characters replaced."""
    if not isinstance(said, str):
        return str(said) if said else "-"
    printable = "".join(letter if letter.isprintable() else " " for letter in said)
    return f'"{printable if len(printable) <= LONGEST_WORDS else printable[: LONGEST_WORDS - 3] + "..."}"'
