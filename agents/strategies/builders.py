"""Construct automata from rules over the history, from transition tables and from sequences of moves.

Each function returns a `Maker`, which constructs the automaton when it is called with a name. Moves are the letters C
and D, and sequences of moves are strings with the oldest move first.
"""

from collections.abc import Callable, Hashable
from typing import TypeVar

from dilemmas.agents.strategies.finite_state import Automaton, StrategyError, memory_one

Maker = Callable[[str], Automaton]
"""Constructs a strategy of a given name."""
RuleState = TypeVar("RuleState", bound=Hashable)

MOST_STATES = 1000
"""Most states before equivalent ones are merged; a rule with more is taken to have infinitely many."""


def vector(first: float, cc: float, cd: float, dc: float, dd: float) -> Maker:
    """A memory-one strategy: probabilities of cooperation in round 1 and after CC, CD, DC, DD, own action first."""
    return lambda name: memory_one(name, first, cc, cd, dc, dd)


def from_rule(
    start: RuleState, play: Callable[[RuleState], float], step: Callable[[RuleState, str, str], RuleState]
) -> Maker:
    """An automaton from a rule with finitely many states.

    Parameters
    ----------
    start
        State before the first round.
    play
        Probability of cooperation in a state.
    step
        State after a round from the state before it, the own move and the opponent's.

    Raises
    ------
    StrategyError
        By the maker, if the rule reaches more than `MOST_STATES` states.
    """

    def make(name: str) -> Automaton:
        found, number = [start], {start: 0}
        rows: list[tuple[int, ...]] = []
        for state in found:  # grows during the loop
            targets = [step(state, own, other) for own in "CD" for other in "CD"]
            for target in targets:
                if target not in number:
                    number[target] = len(found)
                    found.append(target)
            if len(found) > MOST_STATES:
                raise StrategyError(f"strategy '{name}' has over {MOST_STATES} states, too many for an automaton")
            rows.append(tuple(number[target] for target in targets))
        return Automaton(name, tuple(float(play(state)) for state in found), tuple(rows)).reduced()

    return make


def recent(depth: int, rule: Callable[[str], float]) -> Maker:
    """A rule over the opponent's last `depth` moves, of which there are fewer at the beginning of a match."""
    return from_rule("", rule, lambda seen, _, other: (seen + other)[-depth:])


def recent_rounds(depth: int, rule: Callable[[str, str], float]) -> Maker:
    """A rule over the last `depth` moves of both players, own moves first; there are fewer at the beginning."""
    return from_rule(
        ("", ""),
        lambda seen: rule(*seen),
        lambda seen, own, other: ((seen[0] + own)[-depth:], (seen[1] + other)[-depth:]),
    )


def opened(opening: str, rule: Callable[[str, str], float]) -> Maker:
    """Plays `opening`, then a rule over the opponent's moves during the opening and the opponent's last move."""
    early = len(opening)

    def play(seen: tuple[str, str]) -> float:
        played = len(seen[0])
        return opening[played] == "C" if played < early else rule(*seen)

    return from_rule(("", ""), play, lambda seen, _, other: ((seen[0] + other)[:early], other))


def trigger(opening: str = "") -> Maker:
    """Plays `opening`, then cooperates as long as the opponent has never defected."""
    rounds = len(opening)
    return from_rule(
        (0, True),  # rounds played, whether the opponent cooperated in all of them
        lambda state: opening[state[0]] == "C" if state[0] < rounds else state[1],
        lambda state, _, other: (min(state[0] + 1, rounds), state[1] and other == "C"),
    )


def repeated_moves(moves: str) -> Maker:
    """Repeats a sequence of moves; `StrategyError` unless it consists of the letters C and D."""
    if not moves or set(moves) - set("CD"):
        raise StrategyError(f"cycler: '{moves}'; must be one or more letters C and D, such as CCD")
    return from_rule(0, lambda place: moves[place] == "C", lambda place, *_: (place + 1) % len(moves))


def transition_table(first: str, rows: str) -> Maker:
    """An automaton from a table as printed in papers (Ashlock & Kim 2008, IEEE Trans. Evol. Comput. 12:647).

    Parameters
    ----------
    first
        The first move and the state after it, such as ``D1``.
    rows
        For each state, the move and next state after a C and after a D of the opponent, such as
        ``1: D1 D2, 2: D1 C3, 3: C3 D1``.
    """
    answers = {}
    for row in rows.split(","):
        state, _, pair = row.partition(":")
        answers[state.strip()] = dict(zip("CD", pair.split(), strict=True))
    return from_rule(first, lambda state: state[0] == "C", lambda state, _, other: answers[state[1:]][other])


def tits_for_tats(tits: int, tats: int) -> Maker:
    """Defects in the `tits` rounds after `tats` defections of the opponent in a row, otherwise cooperates."""
    _whole("tits_for_tats", tits=tits, tats=tats)

    def owed(state: tuple[int, int]) -> int:
        run, left = state
        return tits if run >= tats else left

    return from_rule(
        (0, 0),
        lambda state: not owed(state),
        lambda state, _, other: (min(state[0] + 1, tats) if other == "D" else 0, max(owed(state) - 1, 0)),
    )


def grudge(tats: int, punishment: int, penance: int) -> Maker:
    """Answers `tats` defections in a row with `punishment` defections and `penance` cooperations unconditionally."""
    _whole("grudge", tats=tats, punishment=punishment, penance=penance)
    answer = "D" * punishment + "C" * penance

    def place(state: tuple[int, int]) -> int:
        run, answered = state
        return answered if answered or run < tats else 1

    def step(state: tuple[int, int], _: str, other: str) -> tuple[int, int]:
        now = place(state)
        return min(state[0] + 1, tats) if other == "D" else 0, (now + 1 if 0 < now < len(answer) else 0)

    return from_rule((0, 0), lambda state: not place(state) or answer[place(state) - 1] == "C", step)


def _whole(name: str, **counts: float) -> None:
    for meaning, count in counts.items():
        if not (isinstance(count, int) and 1 <= count < MOST_STATES):
            raise StrategyError(
                f"strategy '{name}': {meaning} = {count!r}; must be a whole number from 1 to {MOST_STATES - 1}"
            )
