"""Rendering of a match as text for terminals and as a picture. Both read every number from the game."""

from collections.abc import Iterator
from textwrap import wrap

from dilemmas.envs.games.stage_game import Joint
from dilemmas.envs.numbers import format_number
from dilemmas.envs.rendering.frames import SHOWN, MatchHistory, frequencies, label, signal
from dilemmas.envs.rendering.pixels import Picture, canvas, fill, fitted, right, text_width, write
from dilemmas.envs.rendering.stage_pictures import CELL, GREY, INK, MARGIN, PAPER, TOP, WHITE, WIDTH, colour, stage_of
from dilemmas.envs.rules.protocol import Rules

LISTED = 12
"""Largest number of players that a picture lists one by one."""
NAMED = 24
"""Largest number of players that a text lists one by one."""
COLUMNS = 100
"""Characters in a line of a text that shows a population."""
LETTERS = 34
"""Maximum number of characters of a player's message in a picture."""
ROW = 24
"""Height of a player's row in pixels."""
WITH_SANCTIONS = "with sanctions"
"""Title of the payoffs of a round after its sanctions; those titled ``payoff`` are of the stage game alone."""
POINTS = {"payoff": (9, 230), WITH_SANCTIONS: (16, 420), "total": (10, 520)}
"""The columns of points: least width in a text, in characters, and right edge in a picture, in pixels."""
WIDEST = 96
"""Width of the points in a picture in pixels; wider ones are written in small type."""


def render_text(history: MatchHistory) -> str:
    """The last round, the totals and the last rounds with one line per player; then signals and sanctions."""
    game, acted = history.game, history.acted
    named = min(NAMED, len(history.totals))
    labels = [[label(game, played.joint[i], history.seat(i)) for played in acted if played.joint] for i in range(named)]
    width = max((len(shown) for row in labels for shown in row), default=1)
    columns = _points_columns(history, named)
    widths = [max(POINTS[title][0], *(len(shown) + 2 for shown in column)) for title, column in columns.items()]
    due = f" ({history.due})" if history.due else ""
    titles = "".join(f"{title:>{wide}}" for title, wide in zip(columns, widths, strict=True))
    lines = [f"{game.name}, round {history.begun}{due}", f"{'':11}{'action':>6}{titles}   {history.caption()}"]
    for player, row in enumerate(labels):
        action, past = row[-1] if row else "-", " ".join(f"{shown:>{width}}" for shown in row)
        points = "".join(f"{column[player]:>{wide}}" for column, wide in zip(columns.values(), widths, strict=True))
        lines.append(f"{f'player_{player}':11}{action:>6}{points}   {past}".rstrip())
    if named < len(history.totals):
        more = len(history.totals) - named
        lines.append(f"and {more} more player{'s' * (more > 1)}")
    return "\n".join([*lines, *_said(history), *_sanctioned(history), *_crowd(history)])


def _points_columns(history: MatchHistory, named: int) -> dict[str, list[str]]:
    """Points of the first `named` players by title of the column.

    The payoffs of the last round, with sanctions in a column of their own where the rules have them; and the totals of
    the match, which include sanctions.
    """
    rounds = history.acted[-1:]
    shown = {"payoff": [played.without_sanctions for played in rounds]}
    if history.sanctioned:
        shown[WITH_SANCTIONS] = [played.payoffs for played in rounds]
    columns = {
        title: [format_number(points) for row in last for points in row[:named]] for title, last in shown.items()
    }
    columns = {title: column or ["-"] * named for title, column in columns.items()}
    return {**columns, "total": list(map(format_number, history.totals[:named]))}


def _said(history: MatchHistory) -> Iterator[str]:
    """One line per turn of talk in the current round."""
    for joint in history.rounds[-1].said if history.rounds else ():
        yield "said: " + ", ".join(f"player_{i} {signal(said)}" for i, said in enumerate(joint[:NAMED]))


def _sanctioned(history: MatchHistory) -> Iterator[str]:
    """One line per stage of sanctions in the current round: giver, receiver and points."""
    for name, joint in history.rounds[-1].sanctions if history.rounds else ():
        given = [
            f"player_{giver} > player_{taker}: {points}"
            for giver, row in enumerate(_points(history.rules, name, joint))
            for taker, points in enumerate(row)
            if points
        ]
        more = [f"and {len(given) - NAMED} more"] if len(given) > NAMED else []
        yield f"{name}: " + (", ".join(given[:NAMED] + more) or "nobody")


def _points(rules: Rules, name: str, joint: Joint) -> list[list[int]]:
    """Points assigned in a stage of sanctions, by giver and receiver."""
    sanction = rules.punishment if name == "punish" else rules.reward
    assert sanction is not None
    return [rules.sanctions(action, player, sanction.points) for player, action in enumerate(joint)]


def _crowd(history: MatchHistory) -> Iterator[str]:
    """All actions of a population in the last round: a lattice as a square, other populations in sequence."""
    last = history.acted[-1].joint if history.acted else None
    population = history.rules.population
    if population is None or last is None:
        return
    letters = [label(history.game, action) for action in last]
    mean = sum(history.acted[-1].payoffs) / len(letters)
    yield f"all: {', '.join(frequencies(history.game, last))}, mean payoff {format_number(mean)}"
    side, width = population.side, max(map(len, letters))
    gap, letters = "" if width == 1 else " ", [f"{letter:>{width}}" for letter in letters]
    if not side:
        yield from wrap(gap.join(letters), COLUMNS)
    for row in range(side):
        yield gap.join(letters[row * side : (row + 1) * side])


def render_image(history: MatchHistory) -> Picture:
    """A picture whose size is constant during a match: the game with its last round, and below one row per player.

    Returns
    -------
    Array of shape (height, width, 3), uint8.
    """
    listed = min(len(history.totals), LISTED)
    height, stage = stage_of(history)
    picture = canvas(TOP + height + ROW * (listed + 1) + 2 * MARGIN, WIDTH, PAPER)
    write(picture, MARGIN, MARGIN, history.game.name.replace("_", " "), INK, scale=3)
    right(picture, WIDTH - MARGIN, MARGIN, f"round {history.begun}", GREY, scale=3)
    right(picture, WIDTH - MARGIN, MARGIN + 26, history.due, GREY)
    stage(picture, history)
    _table(picture, history, TOP + height + MARGIN, listed)
    return picture


def _table(picture: Picture, history: MatchHistory, y: int, listed: int) -> None:
    """One row per player: payoffs of the last round, total, signals and sanctions, and the last rounds as cells."""
    phased = len(history.rules.phases) > 1
    shown = SHOWN // 2 if phased else SHOWN
    strip, acted = WIDTH - MARGIN - shown * CELL, history.acted[-shown:]
    columns, middle = _points_columns(history, listed), POINTS["total"][1] + 20
    for title in columns:
        right(picture, POINTS[title][1], y, title, GREY)
    write(picture, strip, y, history.caption(shown), GREY)
    if phased:
        write(picture, middle, y, "said, points got", GREY)
    for player in range(listed):
        y, seat = y + ROW, history.seat(player)
        write(picture, MARGIN, y, f"player {player}", INK)
        for title, column in columns.items():
            _points_in(picture, POINTS[title][1], y, column[player])
        if phased:
            doings = _doings(history, player)
            wide = text_width(doings, 2) > strip - middle
            write(picture, middle, y + 4 * wide, doings, INK, scale=1 if wide else 2)
        for i, played in enumerate(acted):
            assert played.joint is not None
            action, left = played.joint[player], strip + i * CELL
            fill(picture, left, y - 3, CELL - 2, CELL, colour(history.game, action, seat))
            fitted(picture, left, y - 3, CELL - 2, CELL, label(history.game, action, seat), WHITE)
    more = len(history.totals) - listed
    if more:
        right(picture, WIDTH - MARGIN, picture.shape[0] - 18, f"and {more} more", GREY)


def _points_in(picture: Picture, x: int, y: int, shown: str) -> None:
    """Write points right-aligned at x; in small type where they are wider than a column."""
    wide = text_width(shown, 2) > WIDEST
    right(picture, x, y + 4 * wide, shown, INK, scale=1 if wide else 2)


def _doings(history: MatchHistory, player: int) -> str:
    """The messages of a player in this round, shortened to fit, and the points that others assigned to it."""
    if not history.rounds:
        return ""
    now, moved = history.rounds[-1], []
    for name, joint in now.sanctions:
        received = sum(row[player] for row in _points(history.rules, name, joint))
        moved.append(f"{'-' if name == 'punish' else '+'}{received}" if received else "0")
    said, points = " ".join(signal(joint[player]) for joint in now.said), " ".join(moved)
    return f"{said[: LETTERS - len(points) - 1]} {points}".strip()
