"""Actions of players, round by round, from the records of a run or from a table of human play.

An action counts as cooperation if its degree of cooperation is at least one half.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.matches.record import MatchRecord, Move, RecordError
from dilemmas.agents.matches.trajectory import (
    SUFFIX,
    check_recorded,
    find_trajectories,
    may_be_trajectory,
    read_trajectory,
)
from dilemmas.envs.checks import check_different_files
from dilemmas.envs.data_files import wrong_file
from dilemmas.envs.games.stage_game import StageGame, whole
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma
from dilemmas.envs.rules.protocol import Rules
from dilemmas.experiments.inference.play_tables import TABLES, ActionWords, PlayError, round_number, table_rows
from dilemmas.experiments.replaying.replay import make_environment

Actions = NDArray[np.int64]
"""C = 0, D = 1."""
Choice = Literal["played", "decided"]
"""The choice of a player under trembling hands: the action played, or the action decided."""
SubjectUnit = Literal["agent", "subject", "match"]
"""What counts as one subject, which plays one strategy throughout: an agent of a file, a seat of a file, or a seat of
one match."""


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
    treatment: str = ""
    """Treatment of the experiment, in a table that has several."""
    game: StageGame | None = None
    """The stage game; None if a table does not tell it."""
    seed: int | None = None
    """Seed of the match; None if unknown. Matches with the same one have the same random numbers in each seat."""

    @property
    def players(self) -> int:
        """Number of players in the match."""
        return len(self.others) + 1


def read_play(
    paths: Iterable[Path], choice: Choice = "played", one: str | None = None, cooperate: str | None = None
) -> list[PlayerHistory]:
    """Read run folders, trajectory files and ``.csv`` or ``.tsv`` tables of human play.

    Parameters
    ----------
    paths
        Files and folders.
    choice
        What counts as a choice under trembling hands.
    one
        Meaning of the number 1 in a table, C or D.
    cooperate
        Word for cooperation in a table that has two words of its own.

    Raises
    ------
    InputError
        If a file cannot be used, or no round is complete.
    """
    files = [file for path in paths for file in _files(path)]
    check_different_files(files)
    found: list[PlayerHistory] = []
    for file in files:
        found += people(file, choice, one, cooperate) if _is_table(file) else trajectory(file, choice)
    if not found:
        raise PlayError(f"{', '.join(map(str, paths))}: no complete round")
    return found


def _files(path: Path) -> list[Path]:
    """The tables and trajectories at or in a path."""
    if path.is_file() and not _is_table(path) and not may_be_trajectory(path):
        raise PlayError(wrong_file(path, "a run folder, a *.trajectory.jsonl file, or a .csv or .tsv table"))
    return [path] if _is_table(path) else recorded_files(path)


def recorded_files(path: Path) -> list[Path]:
    """The trajectories at or in a path, as `find_trajectories`; `PlayError` for a tournament without any."""
    if (path / "rows.jsonl").is_file() and not any(path.rglob(f"*{SUFFIX}")):
        check_recorded(path)
        raise PlayError(f"{path} is a tournament that records totals only; run it with --engine environment")
    return find_trajectories(path)


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in TABLES


def by_treatment(plays: Sequence[PlayerHistory]) -> dict[str, list[PlayerHistory]]:
    """The matches of each treatment, in order of appearance."""
    found: dict[str, list[PlayerHistory]] = {}
    for one in plays:
        found.setdefault(one.treatment, []).append(one)
    return found


def common_game(plays: Sequence[PlayerHistory]) -> StageGame | None:
    """The stage game of all matches; None if they differ or it is not known."""
    first = plays[0].game if plays else None
    return first if all(one.game == first for one in plays) else None


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
    names = [player.called for player in header.agents]
    for record in records:
        yield from match_histories(path, record, names, rules, choice)


def match_histories(
    path: Path, record: MatchRecord, names: Sequence[str], rules: Rules, choice: Choice = "played"
) -> Iterator[PlayerHistory]:
    """Actions of each player in one match; none if no round is complete. `path`: where it is recorded."""
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
                chosen[place] = game.cooperation(_decided(moves[seat], game, seat), seat) < 0.5
        others = (*names[:seat], *names[seat + 1 :])
        defectors = happened.sum(axis=1) - own
        yield PlayerHistory(
            str(path), str(record.match), seat, name, others, own, defectors, chosen, game=game, seed=record.seed
        )


def _decided(move: Move, game: StageGame, seat: int) -> Any:
    """The action that a player decided; an action of another phase was replaced by the default of this phase, and an
    amount that float32 rounded up by the endowment."""
    action = move.decision.action
    if game.endowments:
        return min(float(np.asarray(action).item()), game.endowments[seat])
    return action if whole(action, game.options[seat]) else move.played


def people(
    path: Path, choice: Choice = "played", one: str | None = None, cooperate: str | None = None
) -> Iterator[PlayerHistory]:
    """Read a table of human play in two-player matches: a line per subject, match and round, with both actions.

    Subjects of different sessions or treatments are different players, even if they have the same id.

    Parameters
    ----------
    path
        A file with the columns of `play_tables.COLUMNS`, and perhaps some of `play_tables.MORE_COLUMNS`, separated by
        commas, semicolons or tabs. Actions are C and D, or 0 and 1, or true and false, or two other words.
    choice
        What counts as a choice; ``decided`` needs the column `intended`.
    one
        Meaning of the number 1 and of ``true``, C or D.
    cooperate
        The word for cooperation; there may be one other word.

    Raises
    ------
    PlayError
        If the table cannot be used; the message names the line.
    """
    words = ActionWords(one, cooperate)
    matches: dict[tuple[str, ...], dict[int, tuple[int, int, int]]] = {}
    for line, row in table_rows(path):
        place = f"{path}, line {line}"
        if choice == "decided" and "intended" not in row:
            raise PlayError(f"{place}: no column 'intended', which --choices decided needs beside 'own'")
        key = (row["subject"], row.get("session", ""), row.get("treatment", ""), row["match"])
        rounds = matches.setdefault(key, {})
        round = round_number(row["round"], place)
        if round in rounds:
            raise PlayError(
                f"{place}: round {round} of match {row['match']} of subject {row['subject']} occurs twice; if subjects"
                " are counted anew in every session, add a column 'session'"
            )
        own, other = words.read(row["own"], place), words.read(row["other"], place)
        rounds[round] = (own, other, words.read(row["intended"], place) if choice == "decided" else own)
    sessions, treatments = (len({key[part] for key in matches}) > 1 for part in (1, 2))
    for (subject, session, treatment, match), rounds in matches.items():
        player = ", ".join([subject, *[f"session {session}"] * sessions, *[treatment] * treatments])
        first, last = min(rounds), max(rounds)
        if first > 1 or last - first + 1 != len(rounds):
            missing = next(n for n in range(1, last) if n not in rounds)
            raise PlayError(f"{path}: subject {player}, match {match}: round {missing} is missing; count rounds from 1")
        own, other, chosen = np.array([rounds[n] for n in sorted(rounds)], dtype=np.int64).T
        yield PlayerHistory(str(path), match, 0, player, ("",), own, other, chosen, treatment)
