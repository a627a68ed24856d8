"""Actions of players, round by round, from the records of a run or from a table of human play.

An action counts as cooperation if its degree of cooperation is at least one half.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.matches.record import MatchRecord, Move, RecordError
from dilemmas.agents.matches.trajectory import SUFFIX, find_trajectories, may_be_trajectory, read_trajectory
from dilemmas.envs.data_files import wrong_file
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import whole
from dilemmas.envs.names import did_you_mean
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma
from dilemmas.envs.rules.protocol import Rules
from dilemmas.experiments.replaying.replay import make_environment

Actions = NDArray[np.int64]
"""C = 0, D = 1."""
Choice = Literal["played", "decided"]
"""The choice of a player under trembling hands: the action played, or the action decided."""
SubjectUnit = Literal["agent", "subject", "match"]
"""What counts as one subject, which plays one strategy throughout: an agent of a file, a seat of a file, or a seat of
one match."""

COLUMNS = {
    "subject": ("id", "player", "participant", "subject_id"),
    "match": ("game", "supergame", "interaction", "match_id"),
    "round": ("period",),
    "own": ("choice", "action", "own_choice", "own_action", "coop"),
    "other": ("partner", "opponent", "other_choice", "other_action", "ocoop"),
}
"""Columns of a table of human play, with accepted alternative names."""
WORDS = {"c": 0, "cooperate": 0, "cooperation": 0, "d": 1, "defect": 1, "defection": 1}
"""Accepted words for actions, in lower case."""


class PlayError(InputError):
    """Recorded play that cannot be used; the message names the file, the line and the remedy."""


@dataclass(frozen=True)
class PlayerHistory:
    """Actions of one player in one match of R rounds."""

    file: str
    """Path of the record."""
    match: str
    """Identifier of the match in that file."""
    seat: int
    """Index of the player, from 0."""
    player: str
    """Name of the agent, or subject of a table."""
    others: tuple[str, ...]
    """Names of the others, in order; "" if unknown."""
    own: Actions
    """Actions as played, shape (R,)."""
    defectors: Actions
    """Number of others who defected, shape (R,)."""
    chosen: Actions
    """Choices, shape (R,); -1 for an unreadable reply, which is no choice."""
    seed: int | None = None
    """Seed of the match; None if unknown. Matches with the same one have the same random numbers in each seat."""

    @property
    def players(self) -> int:
        """Number of players in the match."""
        return len(self.others) + 1


def read_play(paths: Iterable[Path], choice: Choice = "played", one: str | None = None) -> list[PlayerHistory]:
    """Read run folders, trajectory files and ``.csv`` or ``.tsv`` tables of human play.

    Parameters
    ----------
    paths
        Files and folders.
    choice
        What counts as a choice under trembling hands.
    one
        Meaning of the number 1 in a table, C or D.

    Raises
    ------
    InputError
        If a file cannot be used, or no round is complete.
    """
    found: list[PlayerHistory] = []
    for path in paths:
        if path.suffix.lower() in (".csv", ".tsv"):
            found += people(path, one)
        elif (path / "rows.jsonl").is_file() and not any(path.rglob(f"*{SUFFIX}")):
            raise PlayError(f"{path} is a tournament that records totals only; run it with --engine environment")
        elif path.is_file() and not may_be_trajectory(path):
            raise PlayError(wrong_file(path, "a run folder, a *.trajectory.jsonl file, or a .csv or .tsv table"))
        else:
            found += (played for file in find_trajectories(path) for played in trajectory(file, choice))
    if not found:
        raise PlayError(f"{', '.join(map(str, paths))}: no complete round")
    return found


def by_subject(plays: Sequence[PlayerHistory], by: SubjectUnit) -> dict[str, list[PlayerHistory]]:
    """Group matches by subject, under names with the parts that distinguish the subjects."""
    several = len({one.file for one in plays}) > 1
    found: dict[str, list[PlayerHistory]] = {}
    for one in plays:
        parts = [one.player]
        if by != "agent":
            parts.append(f"seat {one.seat}")
        if by == "match":
            parts.append(f"match {one.match}")
        found.setdefault(", ".join(parts + [one.file] * several), []).append(one)
    return found


def trajectory(path: Path, choice: Choice = "played") -> Iterator[PlayerHistory]:
    """Actions of each player in each match of a trajectory file; `RecordError` if it does not contain them."""
    header, records = read_trajectory(path)
    environment = make_environment(path, header)
    rules = environment.rules if isinstance(environment, SocialDilemma) else None
    if rules is None or rules.population is not None:
        raise RecordError(
            f"{path}, line 1: '{header.environment}' is not a repeated game of dilemmas among fixed players"
        )
    names = [player.name for player in header.agents]
    for record in records:
        rounds = list(_rounds(record, rules, path))
        if rounds:
            yield from _seats(path, record, names, rules, rounds, choice)


def _rounds(record: MatchRecord, rules: Rules, path: Path) -> Iterator[tuple[Move, ...]]:
    """The moves of the action phase, round by round."""
    for place, moves in enumerate(record.steps):
        if rules.phases[place % len(rules.phases)].name != "act" or moves[0].reward is None:
            continue
        if any(move.played is None for move in moves):
            raise RecordError(
                f"{path}, match {record.match}, step {place + 1}: the record lacks the actions played; make the"
                " environment with views=True"
            )
        yield moves


def _seats(
    path: Path,
    record: MatchRecord,
    names: Sequence[str],
    rules: Rules,
    rounds: Sequence[tuple[Move, ...]],
    choice: Choice,
) -> Iterator[PlayerHistory]:
    """Actions of each player of a match."""
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
        defectors = happened.sum(axis=1) - own
        yield PlayerHistory(str(path), str(record.match), seat, name, others, own, defectors, chosen, record.seed)


def _decided(move: Move, options: int) -> Any:
    """The action that a player decided; an action of another phase was replaced by the default of this phase."""
    action = move.decision.action
    if not options:
        return float(np.asarray(action).item())
    return action if whole(action, options) else move.played


def people(path: Path, one: str | None = None) -> Iterator[PlayerHistory]:
    """Read a table of human play in two-player matches: a line per subject, match and round, with both actions.

    Parameters
    ----------
    path
        A file with the columns of `COLUMNS`, separated by commas, semicolons or tabs. Actions are C and D, or 0 and 1.
    one
        Meaning of the number 1, C or D.

    Raises
    ------
    PlayError
        If the table cannot be used; the message names the line.
    """
    matches: dict[tuple[str, str], dict[int, tuple[int, int]]] = {}
    for line, row in _rows(path):
        place = f"{path}, line {line}"
        rounds = matches.setdefault((row["subject"], row["match"]), {})
        round = _round(row["round"], place)
        if round in rounds:
            raise PlayError(f"{place}: round {round} of match {row['match']} of subject {row['subject']} occurs twice")
        rounds[round] = (_action(row["own"], one, place), _action(row["other"], one, place))
    for (subject, match), rounds in matches.items():
        first, last = min(rounds), max(rounds)
        if first > 1 or last - first + 1 != len(rounds):
            missing = next(n for n in range(1, last) if n not in rounds)
            raise PlayError(
                f"{path}: subject {subject}, match {match}: round {missing} is missing; count rounds from 1"
            )
        own, other = np.array([rounds[n] for n in sorted(rounds)], dtype=np.int64).T
        yield PlayerHistory(str(path), match, 0, subject, ("",), own, other, own)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line numbers, and fields by the names of `COLUMNS`."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise PlayError(f"{path} is not a text file in UTF-8: {error}") from None
    if not lines:
        raise PlayError(f"{path} is empty; the first line must name the columns {', '.join(COLUMNS)}")
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
    """Index of each column."""
    titles = [re.sub(r"[\W_]+", "_", head.strip().lower()).strip("_") for head in heads]
    where = {}
    for name, aliases in COLUMNS.items():
        places = [titles.index(known) for known in (name, *aliases) if known in titles]
        if not places:
            known = f"also known as {', '.join(aliases)}"
            raise PlayError(f"{path}, line 1: no column '{name}' ({known}){did_you_mean(name, dict.fromkeys(titles))}")
        where[name] = places[0]
    return where


def _round(text: str, place: str) -> int:
    if not re.fullmatch(r"0*[1-9]\d*(\.0*)?", text):
        raise PlayError(f"{place}: round '{text}' is not a whole number of at least 1")
    return int(float(text))


def _action(text: str, one: str | None, place: str) -> int:
    """0 = C, 1 = D."""
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if not re.fullmatch(r"[01](\.0*)?", text):
        raise PlayError(f"{place}: action '{text}' is not C, D, 0 or 1")
    if one is None:
        raise PlayError(f"{place}: action '{text}' is a number; specify the meaning of 1 with --one C or --one D")
    return int((text[0] == "1") == (one == "D"))
