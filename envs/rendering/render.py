"""A match to look at: as a text for terminals and as a picture. Both read every number from the game."""

from collections.abc import Iterator
from textwrap import wrap

from dilemmas.envs.games.stage_game import Joint
from dilemmas.envs.numbers import number
from dilemmas.envs.rendering.frames import SHOWN, Album, frequencies, label, signal
from dilemmas.envs.rendering.pixels import Picture, canvas, fill, right, small, text_width, write
from dilemmas.envs.rendering.stage_pictures import CELL, GREY, INK, MARGIN, PAPER, TOP, WHITE, WIDTH, colour, stage_of
from dilemmas.envs.rules.protocol import Rules

__all__ = ["SHOWN", "Album", "image", "label", "text"]

LISTED = 12
"""Players that a picture lists one by one."""
NAMED = 24
"""Players that a text lists one by one."""
COLUMNS = 100
"""Letters in a line of a text that shows a population."""
LETTERS = 26
"""Letters for which a picture has room of what a player said."""
ROW = 24
"""Height in pixels of a player's row."""


def text(album: Album) -> str:
    """The last round, the totals and the last rounds, a line per player; then what was said and sanctioned."""
    game, acted = album.game, album.acted
    last = acted[-1] if acted else None
    named = min(NAMED, len(album.totals))
    labels = [[label(game, played.joint[i], album.seat(i)) for played in acted if played.joint] for i in range(named)]
    width = max((len(shown) for row in labels for shown in row), default=1)
    due = f" ({album.due})" if album.due else ""
    payoffs = [number(payoff) for payoff in last.payoffs[:named]] if last else ["-"] * named
    totals = [number(total) for total in album.totals[:named]]
    paid, sum_ = (max(least, *(len(shown) + 2 for shown in column)) for least, column in ((9, payoffs), (10, totals)))
    lines = [
        f"{game.name}, round {album.begun}{due}",
        f"{'':11}{'action':>6}{'payoff':>{paid}}{'total':>{sum_}}   {album.caption()}",
    ]
    for player, row in enumerate(labels):
        action, past = row[-1] if row else "-", " ".join(f"{shown:>{width}}" for shown in row)
        told = f"{f'player_{player}':11}{action:>6}{payoffs[player]:>{paid}}{totals[player]:>{sum_}}   {past}"
        lines.append(told.rstrip())
    if named < len(album.totals):
        more = len(album.totals) - named
        lines.append(f"and {more} more player{'s' * (more > 1)}")
    return "\n".join([*lines, *_said(album), *_sanctioned(album), *_crowd(album)])


def _said(album: Album) -> Iterator[str]:
    """A line per turn of talk of the round."""
    for joint in album.rounds[-1].said if album.rounds else ():
        yield "said: " + ", ".join(f"player_{i} {signal(said)}" for i, said in enumerate(joint[:NAMED]))


def _sanctioned(album: Album) -> Iterator[str]:
    """A line per stage of sanctions of the round: who gave whom how many points."""
    for name, joint in album.rounds[-1].sanctions if album.rounds else ():
        given = [
            f"player_{giver} > player_{taker}: {points}"
            for giver, row in enumerate(_points(album.rules, name, joint))
            for taker, points in enumerate(row)
            if points
        ]
        more = [f"and {len(given) - NAMED} more"] if len(given) > NAMED else []
        yield f"{name}: " + (", ".join(given[:NAMED] + more) or "nobody")


def _points(rules: Rules, name: str, joint: Joint) -> list[list[int]]:
    """Points by giver and receiver of a stage of sanctions."""
    sanction = rules.punishment if name == "punish" else rules.reward
    assert sanction is not None
    return [rules.sanctions(action, player, sanction.points) for player, action in enumerate(joint)]


def _crowd(album: Album) -> Iterator[str]:
    """All actions of a population in the last round: a lattice as a square, others one after the other."""
    last = album.acted[-1].joint if album.acted else None
    population = album.rules.population
    if population is None or last is None:
        return
    letters = [label(album.game, action) for action in last]
    mean = sum(album.acted[-1].payoffs) / len(letters)
    yield f"all: {', '.join(frequencies(album.game, last))}, mean payoff {number(mean)}"
    side, width = population.side, max(map(len, letters))
    gap, letters = "" if width == 1 else " ", [f"{letter:>{width}}" for letter in letters]
    if not side:
        yield from wrap(gap.join(letters), COLUMNS)
    for row in range(side):
        yield gap.join(letters[row * side : (row + 1) * side])


def image(album: Album) -> Picture:
    """A picture of one size throughout a match: the game with its last round, and below a row per player."""
    listed = min(len(album.totals), LISTED)
    height, stage = stage_of(album)
    picture = canvas(TOP + height + ROW * (listed + 1) + 2 * MARGIN, WIDTH, PAPER)
    write(picture, MARGIN, MARGIN, album.game.name.replace("_", " "), INK, scale=3)
    right(picture, WIDTH - MARGIN, MARGIN, f"round {album.begun}", GREY, scale=3)
    right(picture, WIDTH - MARGIN, MARGIN + 28, album.due, GREY, scale=1)
    stage(picture, album)
    _table(picture, album, TOP + height + MARGIN, listed)
    return picture


def _table(picture: Picture, album: Album, y: int, listed: int) -> None:
    """A row per player: payoff of the last round, total, what was said and moved, and the last rounds as cells."""
    phased = len(album.rules.phases) > 1
    shown = SHOWN // 2 if phased else SHOWN
    strip, acted = WIDTH - MARGIN - shown * CELL, album.acted[-shown:]
    payoff, total = 210, 320
    right(picture, payoff, y, "payoff", GREY, scale=1)
    right(picture, total, y, "total", GREY, scale=1)
    write(picture, strip, y, album.caption(shown), GREY, scale=1)
    if phased:
        write(picture, total + 20, y, "said, then points got", GREY, scale=1)
    for player in range(listed):
        y, seat = y + ROW, album.seat(player)
        write(picture, MARGIN, y, f"player {player}", INK)
        if acted:
            _points_in(picture, payoff, y, acted[-1].payoffs[player], 76)
        _points_in(picture, total, y, album.totals[player], 102)
        if phased:
            write(picture, total + 20, y + 4, _doings(album, player), INK, scale=1)
        for i, played in enumerate(acted):
            assert played.joint is not None
            action, left = played.joint[player], strip + i * CELL
            fill(picture, left, y - 3, CELL - 2, CELL, colour(album.game, action, seat))
            small(picture, left, y + 4, CELL - 2, label(album.game, action, seat), WHITE)
    more = len(album.totals) - listed
    if more:
        right(picture, WIDTH - MARGIN, picture.shape[0] - 14, f"and {more} more", GREY, scale=1)


def _points_in(picture: Picture, x: int, y: int, points: float, room: int) -> None:
    """Write points so that they end at x; small where they are wider than `room` pixels."""
    told = number(points)
    wide = text_width(told, 2) > room
    right(picture, x, y + 4 * wide, told, INK, scale=1 if wide else 2)


def _doings(album: Album, player: int) -> str:
    """What a player said in this round, as far as there is room, and the points that others gave it or took from it."""
    if not album.rounds:
        return ""
    now, told = album.rounds[-1], []
    for name, joint in now.sanctions:
        received = sum(row[player] for row in _points(album.rules, name, joint))
        told.append(f"{'-' if name == 'punish' else '+'}{received}" if received else "0")
    said, points = " ".join(signal(joint[player]) for joint in now.said), " ".join(told)
    return f"{said[: LETTERS - len(points) - 1]} {points}".strip()
