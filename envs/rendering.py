"""A match to look at: as a text for terminals and as a picture. Both read every number from the game."""

from collections import deque
from itertools import product

from understudy.envs.matrix_games import Action
from understudy.envs.pixels import Colour, Picture, canvas, fill, mix, text_width, write
from understudy.envs.public_goods import PublicGoods
from understudy.envs.rules import StageGame, Transition
from understudy.envs.wording import number

SHOWN = 18
"""The last rounds that a render shows."""
LISTED = 12
"""Players that a picture lists one by one."""

WHITE, PAPER, INK, GREY = (255, 255, 255), (247, 247, 244), (34, 34, 40), (140, 140, 146)
COOPERATE, BETWEEN, DEFECT = (44, 110, 178), (150, 147, 142), (224, 122, 32)  # for the colour-blind too
WIDTH, MARGIN, TOP, ROW, CELL = 720, 20, 62, 24, 20  # pixels
STAGE = 158
"""Height in pixels of the part that shows the game."""


class Album:
    """What a render needs of a match: totals, and the last rounds as they happened."""

    def __init__(self, game: StageGame) -> None:
        self.game = game
        self.rounds: deque[Transition] = deque(maxlen=SHOWN)
        self.totals = [0.0] * game.n_players

    def add(self, transition: Transition) -> None:
        """Take in one round."""
        self.rounds.append(transition)
        self.totals = [total + payoff for total, payoff in zip(self.totals, transition.payoffs, strict=True)]

    @property
    def last(self) -> Transition | None:
        return self.rounds[-1] if self.rounds else None

    @property
    def played(self) -> int:
        """Number of rounds played."""
        return self.last.state.round if self.last else 0

    def caption(self) -> str:
        """Which rounds are shown."""
        if not self.rounds:
            return "no round yet"
        return f"rounds {self.played - len(self.rounds) + 1} to {self.played}"


def label(game: StageGame, action: int) -> str:
    """An action in a few letters: C or D, or what it contributes."""
    if game.n_actions == len(Action):
        return Action(action).name
    return number(game.contribution(action)) if isinstance(game, PublicGoods) else str(action)


def text(album: Album) -> str:
    """The last round, the totals and the last rounds, a line per player."""
    game, last = album.game, album.last
    width = max(len(label(game, option)) for option in range(game.n_actions))
    lines = [
        f"{game.name}, round {album.played}",
        f"{'':11}{'action':>6}{'payoff':>9}{'total':>10}   {album.caption()}",
    ]
    for player, total in enumerate(album.totals):
        labels = [label(game, played.joint[player]) for played in album.rounds]
        action, payoff = (labels[-1], number(last.payoffs[player])) if last else ("-", "-")
        past = " ".join(f"{shown:>{width}}" for shown in labels)
        lines.append(f"{f'player_{player}':11}{action:>6}{payoff:>9}{number(total):>10}   {past}".rstrip())
    return "\n".join(lines)


def image(album: Album) -> Picture:
    """A picture of one size throughout a match: the game with its last round, and below a row per player."""
    game = album.game
    listed = min(game.n_players, LISTED)
    picture = canvas(TOP + STAGE + ROW * (listed + 1) + 2 * MARGIN, WIDTH, PAPER)
    write(picture, MARGIN, MARGIN, game.name.replace("_", " "), INK, scale=3)
    _right(picture, WIDTH - MARGIN, MARGIN, f"round {album.played}", GREY, scale=3)
    if game.n_players == 2 and game.n_actions == 2:
        _matrix(picture, album)
    else:
        _bars(picture, album)
    _table(picture, album, TOP + STAGE + MARGIN, listed)
    return picture


def _colour(game: StageGame, action: int) -> Colour:
    cooperation = game.cooperation(action)
    return mix(COOPERATE if cooperation > 0.5 else DEFECT, BETWEEN, abs(2 * cooperation - 1))


def _right(picture: Picture, x: int, y: int, words: str, colour: Colour, scale: int = 2) -> None:
    """Write so that the text ends at x."""
    write(picture, x - text_width(words, scale), y, words, colour, scale)


def _centred(picture: Picture, x: int, y: int, words: str, colour: Colour, scale: int = 2) -> None:
    write(picture, x - text_width(words, scale) // 2, y, words, colour, scale)


def _small(picture: Picture, x: int, y: int, room: int, words: str, colour: Colour) -> None:
    """Write in the middle of `room` pixels, or not at all where the text is wider."""
    if text_width(words, 1) < room:
        _centred(picture, x + room // 2, y, words, colour, scale=1)


def _matrix(picture: Picture, album: Album) -> None:
    """The payoff matrix: own payoff of player 0, then of player 1; the cell just played is framed."""
    game, left, top, width, height = album.game, 220, TOP + 38, 150, 56
    _centred(picture, left + width, TOP, "player 1", GREY)
    write(picture, left - 135, top + height - 7, "player 0", GREY)
    for action in (0, 1):
        name, colour = label(game, action), _colour(game, action)
        _centred(picture, left + width // 2 + action * width, top - 18, name, colour)
        write(picture, left - 20, top + height // 2 - 7 + action * height, name, colour)
    for row, column in product((0, 1), repeat=2):
        x, y, joint = left + column * width, top + row * height, (row, column)
        played = album.last is not None and album.last.joint == joint
        tint = mix(_colour(game, row), _colour(game, column), 0.5)
        fill(picture, x + 1, y + 1, width - 2, height - 2, INK if played else mix(tint, WHITE, 0.45))
        fill(picture, x + 5, y + 5, width - 10, height - 10, mix(tint, WHITE, 0.55 if played else 0.2))
        mine, theirs = game.payoffs(joint)
        _centred(picture, x + width // 2, y + height // 2 - 7, f"{number(mine)}, {number(theirs)}", INK)


def _bars(picture: Picture, album: Album) -> None:
    """How cooperative each player was in the last round: bars from 0 to 1, in public goods the endowment."""
    game, last = album.game, album.last
    base, full = TOP + STAGE - 16, STAGE - 46
    pitch = max(1, min(120, (WIDTH - 2 * MARGIN) // game.n_players))
    caption = "cooperation of the last round"
    if last:
        mean = sum(game.cooperation(action) for action in last.joint) / game.n_players
        caption += f": mean {mean:.0%}"
    write(picture, MARGIN, TOP, caption, GREY)
    for player in range(game.n_players):
        x, width = MARGIN + player * pitch, max(1, pitch - max(1, pitch // 5))
        fill(picture, x, base - full, width, full, mix(GREY, PAPER, 0.2))
        if last:
            action = last.joint[player]
            height = round(full * game.cooperation(action))
            fill(picture, x, base - height, width, height, _colour(game, action))
            _small(picture, x, base + 6, width, label(game, action), INK)
    fill(picture, MARGIN, base, WIDTH - 2 * MARGIN, 2, INK)


def _table(picture: Picture, album: Album, y: int, listed: int) -> None:
    """A row per player: payoff of the last round, total, and the last rounds as coloured cells."""
    game, last, strip = album.game, album.last, WIDTH - MARGIN - SHOWN * CELL
    _right(picture, strip - 130, y, "payoff", GREY, scale=1)
    _right(picture, strip - 20, y, "total", GREY, scale=1)
    write(picture, strip, y, album.caption(), GREY, scale=1)
    for player in range(listed):
        y += ROW
        write(picture, MARGIN, y, f"player {player}", INK)
        if last:
            _right(picture, strip - 130, y, number(last.payoffs[player]), INK)
        _right(picture, strip - 20, y, number(album.totals[player]), INK)
        for i, played in enumerate(album.rounds):
            action = played.joint[player]
            fill(picture, strip + i * CELL, y - 3, CELL - 2, CELL, _colour(game, action))
            _small(picture, strip + i * CELL, y + 4, CELL - 2, label(game, action), WHITE)
    if game.n_players > listed:
        more = f"and {game.n_players - listed} more"
        _right(picture, WIDTH - MARGIN, picture.shape[0] - 14, more, GREY, scale=1)
