"""What players did, round by round, from the record of a run or from a table of people's play.

An action counts as cooperation where it is at least half as cooperative as can be.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import click
import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.matches.record import MatchRecord, Move, RecordError
from dilemmas.agents.matches.trajectory import SUFFIX, find_trajectories, read_trajectory
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import whole
from dilemmas.envs.names import did_you_mean
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma
from dilemmas.envs.rules.protocol import Rules
from dilemmas.experiments.replaying.replay import make_environment

Actions = NDArray[np.int64]
"""C = 0, D = 1."""
Choice = Literal["played", "decided"]
"""What counts as a player's choice under trembling hands: what happened, or what it had decided."""

COLUMNS = {
    "subject": ("id", "player", "participant", "subject_id"),
    "match": ("game", "supergame", "interaction", "match_id"),
    "round": ("period",),
    "own": ("choice", "action", "own_choice", "own_action", "coop"),
    "other": ("partner", "opponent", "other_choice", "other_action", "ocoop"),
}
"""Columns of a table of people's play, and other names by which they are known."""
WORDS = {"c": 0, "cooperate": 0, "cooperation": 0, "d": 1, "defect": 1, "defection": 1}


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that reads play: `read_play` takes what they are given."""
    choices = click.option(
        "--choices",
        type=click.Choice(get_args(Choice)),
        default="played",
        show_default=True,
        help="Where hands trembled: what happened, or what had been decided.",
    )
    one = click.option("--one", type=click.Choice(["C", "D"]), help="What 1 means in a table with actions 0 and 1.")
    return choices(one(function))


class PlayError(InputError):
    """Recorded play that cannot be used; the message names the file, the line and the way out."""


@dataclass(frozen=True)
class Played:
    """What one player did in one match, R rounds long."""

    file: str
    """Where it was recorded."""
    match: str
    """The match in that file."""
    seat: int
    """Place at the table, from 0."""
    player: str
    """Name of the agent, or the subject of a table."""
    others: tuple[str, ...]
    """Names of the others, in the order of the table; "" where a table does not tell."""
    own: Actions
    """What it did as it happened, shape (R,)."""
    defectors: Actions
    """How many of the others defected, shape (R,)."""
    chosen: Actions
    """What it chose, shape (R,); -1 where its reply could not be read, which is no choice."""

    @property
    def players(self) -> int:
        return len(self.others) + 1


def read_play(paths: Iterable[Path], choice: Choice = "played", one: str | None = None) -> list[Played]:
    """All that is recorded in run folders, trajectory files and ``.csv`` or ``.tsv`` tables of people's play.

    `one`: what the number 1 means in a table, C or D. Raises `InputError` where a file cannot be used or nothing was
    played.
    """
    found: list[Played] = []
    for path in paths:
        if path.suffix.lower() in (".csv", ".tsv"):
            found += people(path, one)
        elif (path / "rows.jsonl").is_file() and not any(path.rglob(f"*{SUFFIX}")):
            raise PlayError(f"{path} is a tournament of which only sums are kept; play it with --engine environment")
        else:
            found += (played for file in find_trajectories(path) for played in trajectory(file, choice))
    if not found:
        raise PlayError(f"{', '.join(map(str, paths))}: no round was played to its end")
    return found


def trajectory(path: Path, choice: Choice = "played") -> Iterator[Played]:
    """What each player of each match of a file did; `RecordError` where the record does not tell."""
    header, records = read_trajectory(path)
    environment = make_environment(path, header)
    rules = environment.rules if isinstance(environment, SocialDilemma) else None
    if rules is None or rules.population is not None:
        raise RecordError(
            f"{path}, line 1: '{header.environment}' is not a match of dilemmas between the players of one game"
        )
    names = [player.name for player in header.agents]
    for record in records:
        rounds = list(_rounds(record, rules, path))
        if rounds:
            yield from _seats(path, record, names, rules, rounds, choice)


def _rounds(record: MatchRecord, rules: Rules, path: Path) -> Iterator[tuple[Move, ...]]:
    """The moves of the phase in which players act, round by round."""
    for place, moves in enumerate(record.steps):
        if rules.phases[place % len(rules.phases)].name != "act" or moves[0].reward is None:
            continue
        if any(move.played is None for move in moves):
            raise RecordError(
                f"{path}, match {record.match}, step {place + 1}: the record does not say what was played; environments"
                " with views=True do"
            )
        yield moves


def _seats(
    path: Path,
    record: MatchRecord,
    names: Sequence[str],
    rules: Rules,
    rounds: Sequence[tuple[Move, ...]],
    choice: Choice,
) -> Iterator[Played]:
    """What each player of a match did."""
    game = rules.stage
    happened = np.array([[game.cooperation(m.played, i) < 0.5 for i, m in enumerate(moves)] for moves in rounds])
    for seat, name in enumerate(names):
        own = happened[:, seat].astype(np.int64)  # (R,)
        chosen = own.copy()
        for place, moves in enumerate(rounds):
            if moves[seat].decision.unreadable is not None:
                chosen[place] = -1
            elif choice == "decided":
                chosen[place] = game.cooperation(_decided(moves[seat], game.options[seat]), seat) < 0.5
        others = (*names[:seat], *names[seat + 1 :])
        yield Played(str(path), str(record.match), seat, name, others, own, happened.sum(axis=1) - own, chosen)


def _decided(move: Move, options: int) -> Any:
    """What a player had decided; an action of another phase was played as this phase's default."""
    action = move.decision.action
    if not options:
        return float(np.asarray(action).item())
    return action if whole(action, options) else move.played


def people(path: Path, one: str | None = None) -> Iterator[Played]:
    """A table of people's play in matches of two: a line per subject, match and round, with own and other's action.

    The columns are those of `COLUMNS`, separated by commas, semicolons or tabs. Actions are C and D, or 0 and 1, where
    `one` says what 1 means. `PlayError` names the line that cannot be used.
    """
    matches: dict[tuple[str, str], dict[int, tuple[int, int]]] = {}
    for line, row in _rows(path):
        place = f"{path}, line {line}"
        rounds = matches.setdefault((row["subject"], row["match"]), {})
        round = _round(row["round"], place)
        if round in rounds:
            raise PlayError(
                f"{place}: round {round} of match {row['match']} of subject {row['subject']} stands there already"
            )
        rounds[round] = (_action(row["own"], one, place), _action(row["other"], one, place))
    for (subject, match), rounds in matches.items():
        first, last = min(rounds), max(rounds)
        if first > 1 or last - first + 1 != len(rounds):
            missing = next(n for n in range(1, last) if n not in rounds)
            raise PlayError(
                f"{path}: subject {subject}, match {match}: round {missing} is missing; count rounds from 1"
            )
        own, other = np.array([rounds[n] for n in sorted(rounds)], dtype=np.int64).T
        yield Played(str(path), match, 0, subject, ("",), own, other, own)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Number of each line, and its fields by the names of `COLUMNS`."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise PlayError(f"{path} is not a table in UTF-8: {error}") from None
    if not lines:
        raise PlayError(f"{path} is empty; the first line names the columns {', '.join(COLUMNS)}")
    reader = csv.reader(lines, delimiter=max(",;\t", key=lines[0].count))
    heads = next(reader)
    where = _columns(heads, path)
    for row in reader:
        if not row:
            continue
        if len(row) != len(heads):
            raise PlayError(f"{path}, line {reader.line_num}: {len(row)} fields under {len(heads)} columns")
        fields = {name: row[place].strip() for name, place in where.items()}
        for name, field in fields.items():
            if not field:
                raise PlayError(f"{path}, line {reader.line_num}: '{heads[where[name]]}' is empty")
        yield reader.line_num, fields


def _columns(heads: Sequence[str], path: Path) -> dict[str, int]:
    """Where each column stands."""
    told = [re.sub(r"[\W_]+", "_", head.strip().lower()).strip("_") for head in heads]
    where = {}
    for name, aliases in COLUMNS.items():
        places = [told.index(known) for known in (name, *aliases) if known in told]
        if not places:
            known = f"also known as {', '.join(aliases)}"
            raise PlayError(f"{path}, line 1: no column '{name}' ({known}){did_you_mean(name, dict.fromkeys(told))}")
        where[name] = places[0]
    return where


def _round(text: str, place: str) -> int:
    if not re.fullmatch(r"0*[1-9]\d*(\.0*)?", text):
        raise PlayError(f"{place}: round '{text}' is not a whole number from 1 up")
    return int(float(text))


def _action(text: str, one: str | None, place: str) -> int:
    """0 = C, 1 = D."""
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if not re.fullmatch(r"[01](\.0*)?", text):
        raise PlayError(f"{place}: action '{text}' is neither C nor D, and neither 0 nor 1")
    if one is None:
        raise PlayError(f"{place}: action '{text}' is a number; say what 1 means: --one C or --one D")
    return int((text[0] == "1") == (one == "D"))
