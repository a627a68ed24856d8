"""What a render shows of a match: the last rounds with all that was said, done and paid in them."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from dilemmas.envs.games.matrix_games import Action
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.numbers import number
from dilemmas.envs.rules.protocol import Rules, Transition

SHOWN = 18
"""The last rounds that a render shows."""
FREQUENT = 4
"""Most actions of which a render gives the share of the players."""
LONGEST_WORDS = 40
"""Letters that are shown of a text that a player said."""


@dataclass(slots=True)
class Played:
    """One round, as far as it has gone."""

    payoffs: tuple[float, ...]
    """Points of each player so far, sanctions included."""
    said: list[Joint] = field(default_factory=list)
    """Joint signals, one per turn."""
    joint: Joint | None = None
    """The joint action; None while the players talk."""
    sanctions: list[tuple[str, Joint]] = field(default_factory=list)
    """Phase and joint action of each stage of sanctions."""


class Album:
    """What a render needs of a match: totals, and the last rounds as they happened."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.game = rules.stage
        self.rounds: deque[Played] = deque(maxlen=SHOWN + 1)  # one of them may be under way
        self.totals = [0.0] * rules.n_players
        self.completed = 0
        """Rounds completed."""
        self.next = rules.phases[0].name
        """The phase that is due."""
        self.over = False
        self.under_way = False
        """Whether a round has begun and not ended."""

    def add(self, transition: Transition) -> None:
        """Take in one phase."""
        if not self.under_way:
            self.rounds.append(Played((0.0,) * self.rules.n_players))
        now, state = self.rounds[-1], transition.state
        if transition.phase == "talk":
            now.said.append(transition.joint)
        elif transition.phase == "act":
            now.joint = transition.joint
        else:
            now.sanctions.append((transition.phase, transition.joint))
        now.payoffs = tuple(map(sum, zip(now.payoffs, transition.payoffs, strict=True)))
        self.totals = [total + payoff for total, payoff in zip(self.totals, transition.payoffs, strict=True)]
        self.completed, self.next = state.round, self.rules.phases[state.phase].name
        self.under_way, self.over = state.phase > 0, state.ending is not None

    def seat(self, player: int) -> int | None:
        """Which player of the stage game a player is; None in a population, where all are alike."""
        return player if self.game.n_players == len(self.totals) else None

    @property
    def acted(self) -> list[Played]:
        """The last rounds in which the players have acted, oldest first; at most `SHOWN`."""
        return [played for played in self.rounds if played.joint is not None][-SHOWN:]

    @property
    def begun(self) -> int:
        """Number of rounds that have begun."""
        return self.completed + self.under_way

    @property
    def due(self) -> str:
        """What comes next, where a round has several phases."""
        if len(self.rules.phases) == 1:
            return ""
        return "the match is over" if self.over else f"next: {self.next}"

    def caption(self, shown: int = SHOWN) -> str:
        """Which rounds are shown, if there is room for so many."""
        count = min(shown, len(self.acted))
        if not count:
            return "no round yet"
        last = self.begun - (self.rounds[-1].joint is None)
        return f"rounds {last - count + 1} to {last}"


def label(game: StageGame, action: Any, player: int | None = None) -> str:
    """An action in a few letters: C or D, what it contributes, or its number."""
    if isinstance(game, PublicGoods) and game.n_actions != len(Action):
        return number(game.contribution(action, player))
    graded = game.n_actions == len(Action) and game.cooperation(0) > game.cooperation(1)
    return Action(action).name if graded else str(action)


def frequencies(game: StageGame, joint: Joint) -> list[str]:
    """How many players took each action, such as ``C 50%``; where there are many, the most frequent ones."""
    counts = Counter(joint)
    named = (
        range(game.n_actions) if game.n_actions <= FREQUENT else [action for action, _ in counts.most_common(FREQUENT)]
    )
    return [f"{label(game, action)} {counts[action] / len(joint):.0%}" for action in named]


def signal(said: Any) -> str:
    """A signal: its number, - for silence, or the text between quotation marks, without anything but letters."""
    if not isinstance(said, str):
        return str(said) if said else "-"
    told = "".join(letter if letter.isprintable() else " " for letter in said)
    return f'"{told if len(told) <= LONGEST_WORDS else told[: LONGEST_WORDS - 3] + "..."}"'
