"""The part of a picture that shows the stage game and its last round: payoff matrix, bars, or population."""

from collections.abc import Callable
from itertools import product
from math import isqrt
from typing import Any

import numpy as np

from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.numbers import format_number
from dilemmas.envs.rendering.frames import SHOWN, MatchHistory, frequencies, label
from dilemmas.envs.rendering.pixels import Colour, Picture, centred, fill, fitted, mix, right, text_width, write

WHITE, PAPER, INK, PALE = (255, 255, 255), (247, 247, 244), (34, 34, 40), (140, 140, 146)
GREY = (92, 92, 98)
"""Colour of captions; its contrast with `PAPER` is above 4.5 : 1, as text needs (WCAG 2.1, 1.4.3)."""
COOPERATE, BETWEEN, DEFECT = (44, 110, 178), (150, 147, 142), (224, 122, 32)  # distinguishable with colour blindness
UNGRADED = ((92, 72, 150), (38, 140, 130), (196, 160, 40), (170, 70, 110), (100, 120, 60))
WIDTH, MARGIN, TOP, CELL = 960, 20, 62, 20  # pixels

MATRIX = (170, 20, 760)
"""A payoff matrix in pixels: left edge, least height of a row, largest width."""
TALLEST = 12
"""Largest number of rows of a payoff matrix."""
SQUARE = 300
"""Height of the picture of a population in pixels."""

StageDrawer = Callable[[Picture, MatchHistory], None]


def stage_of(history: MatchHistory) -> tuple[int, StageDrawer]:
    """Height in pixels of the part that shows the game, and the function that draws it; constant during a match."""
    game = history.game
    if history.rules.population is not None:
        return SQUARE, _population
    if game.n_players == 2 and game.n_actions and _fits(game):
        return max(158, 48 + MATRIX[1] * game.options[0]), _matrix
    return 158, _bars


def colour(game: StageGame, action: Any, player: int | None = None) -> Colour:
    """Blue for cooperation, orange for defection, grey between; other colours where no action is more cooperative."""
    if game.n_actions and game.cooperation(0) == game.cooperation(game.n_actions - 1):
        return UNGRADED[action % len(UNGRADED)]
    cooperation = game.cooperation(action, player)
    return mix(COOPERATE if cooperation > 0.5 else DEFECT, BETWEEN, abs(2 * cooperation - 1))


def _cell(game: StageGame, joint: Joint) -> str:
    return ", ".join(map(format_number, game.payoffs(joint)))


def _fits(game: StageGame) -> bool:
    """Whether both payoffs fit into every cell of the matrix."""
    rows, columns = game.options
    if rows > TALLEST or columns * 20 > MATRIX[2]:
        return False
    longest = max(len(_cell(game, joint)) for joint in product(range(rows), range(columns)))
    return text_width("0" * longest, 1) < min(150, MATRIX[2] // columns) - 12


def _matrix(picture: Picture, history: MatchHistory) -> None:
    """The payoff matrix: payoff of player 0, then of player 1; the cell of the last round is framed."""
    game, (left, least, room) = history.game, MATRIX
    rows, columns = game.options
    width, height = min(150, room // columns), max(least, min(56, 112 // rows))
    left += (room - width * columns) // 2 if columns > 2 else 70
    top = TOP + 38
    centred(picture, left + width * columns // 2, TOP, "player 1", GREY)
    write(picture, left - 135, top + height * rows // 2 - 7, "player 0", GREY)
    for column in range(columns):
        name, tint = label(game, column, 1), colour(game, column, 1)
        centred(picture, left + width // 2 + column * width, top - 18, name, tint)
    for row in range(rows):
        centred(picture, left - 15, top + height // 2 - 7 + row * height, label(game, row, 0), colour(game, row, 0))
    scale = 2 if all(text_width(_cell(game, joint), 2) < width - 12 for joint in _joints(game)) and height > 24 else 1
    last = history.acted[-1].joint if history.acted else None
    for row, column in _joints(game):
        x, y, played = left + column * width, top + row * height, last == (row, column)
        tint = mix(colour(game, row, 0), colour(game, column, 1), 0.5)
        edge = 5 if height > 24 else 3
        fill(picture, x + 1, y + 1, width - 2, height - 2, INK if played else mix(tint, WHITE, 0.45))
        inner = mix(tint, WHITE, 0.55 if played else 0.2)
        fill(picture, x + edge, y + edge, width - 2 * edge, height - 2 * edge, inner)
        middle = y + (height - 7 * scale) // 2
        centred(picture, x + width // 2, middle, _cell(game, (row, column)), INK, scale)


def _joints(game: StageGame) -> list[tuple[int, int]]:
    rows, columns = game.options
    return list(product(range(rows), range(columns)))


def _bars(picture: Picture, history: MatchHistory) -> None:
    """Cooperation of each player in the last round as bars; in public goods the full height is its endowment."""
    game = history.game
    last = history.acted[-1].joint if history.acted else None
    base, full = TOP + 142, 112
    room = WIDTH - 2 * MARGIN
    pitch, drawn = max(1, min(120, room // game.n_players)), min(room, game.n_players)
    caption = "cooperation of the last round"
    if last:
        degrees = [game.cooperation(action, player) for player, action in enumerate(last)]
        caption += f": mean {sum(degrees) / len(degrees):.0%}"
    write(picture, MARGIN, TOP, caption, GREY)
    for player in range(drawn):
        x, width = MARGIN + player * pitch, max(1, pitch - max(1, pitch // 5))
        tall = round(full * _endowment(game, player))
        fill(picture, x, base - tall, width, tall, mix(PALE, PAPER, 0.2))
        if last:
            height = round(tall * degrees[player])
            fill(picture, x, base - height, width, height, colour(game, last[player], player))
            fitted(picture, x, base + 4, width, 18, label(game, last[player], player), INK)
    fill(picture, MARGIN, base, room, 2, INK)
    if drawn < game.n_players:
        right(picture, WIDTH - MARGIN, base + 6, f"and {game.n_players - drawn} more", GREY)


def _endowment(game: StageGame, player: int) -> float:
    """Endowment of a player as a share of the largest endowment."""
    if not isinstance(game, PublicGoods):
        return 1.0
    return game.endowment_of(player) / max(game.endowment_of(other) for other in range(game.n_players))


def _population(picture: Picture, history: MatchHistory) -> None:
    """Last action of each player, a lattice as a square, other populations round by round; and shares by round."""
    game, population = history.game, history.rules.population
    assert population is not None
    tints = np.array([colour(game, option) for option in range(game.n_actions)], dtype=np.uint8)
    room = SQUARE - 20
    joints = [np.array(played.joint) for played in history.acted]
    if population.side:
        caption, shape, shown = "the lattice", (population.side, population.side), joints[-1:]
    elif population.size <= room:
        caption, shape, shown = "players from left to right, rounds downwards", (SHOWN, population.size), joints
    else:
        columns = isqrt(population.size - 1) + 1
        caption, shape, shown = "players row by row", (columns, columns), joints[-1:]
    fields = np.full(shape, -1)
    played = np.array(shown, dtype=np.int64).ravel()
    fields.flat[: len(played)] = played
    write(picture, MARGIN, TOP - 10, caption, GREY)
    down, across = (max(1, room // count) for count in shape)
    blocks = np.where((fields < 0)[..., None], np.array(mix(PALE, PAPER, 0.2), dtype=np.uint8), tints[fields])
    drawn = blocks.repeat(down, axis=0).repeat(across, axis=1)[:room, :room]
    picture[TOP + 8 : TOP + 8 + drawn.shape[0], MARGIN : MARGIN + drawn.shape[1]] = drawn
    _shares(picture, history, tints, MARGIN + room + 40)


def _shares(picture: Picture, history: MatchHistory, tints: Any, left: int) -> None:
    """Share of each action in the last rounds as stacked columns, and the mean payoff of the last round."""
    game, acted = history.game, history.acted
    top, full, wide = TOP + 8, 200, (WIDTH - MARGIN - left) // SHOWN
    write(picture, left, TOP - 10, f"shares of the actions, {history.caption()}", GREY)
    fill(picture, left, top, wide * SHOWN, full, mix(PALE, PAPER, 0.2))
    for i, played in enumerate(acted):
        shares = np.bincount(np.array(played.joint), minlength=game.n_actions) / len(history.totals)
        ends = np.rint(np.cumsum([0.0, *shares[::-1]]) * full).astype(int)  # the least cooperative on top
        for tint, start, end in zip(tints[::-1], ends, ends[1:], strict=False):
            fill(picture, left + i * wide, top + start, wide - 1, end - start, tuple(tint))
    if acted:
        assert acted[-1].joint is not None
        write(picture, left, top + full + 14, "  ".join(frequencies(game, acted[-1].joint)), INK)
        mean = sum(acted[-1].payoffs) / len(acted[-1].payoffs)
        write(picture, left, top + full + 38, f"mean payoff {format_number(mean)}", INK)
