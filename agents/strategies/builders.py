"""Ways to write a finite automaton down: by rules over what was seen, by a table as papers print them, by a cycle.

Each gives a `Maker`, which takes the name; nothing is worked out before a strategy is asked for. Moves are letters, C
and D, and sequences of moves are strings, the oldest move first.
"""

from collections.abc import Callable, Hashable
from typing import TypeVar

from dilemmas.agents.strategies.finite_state import Automaton, StrategyError, memory_one

Maker = Callable[[str], Automaton]
"""Makes a strategy of a given name."""
State = TypeVar("State", bound=Hashable)

MOST_STATES = 1000
"""States before those that make no difference are merged; a rule with more has no end."""


def vector(first: float, cc: float, cd: float, dc: float, dd: float) -> Maker:
    """Probabilities to cooperate at first and after CC, CD, DC, DD, own action first."""
    return lambda name: memory_one(name, first, cc, cd, dc, dd)


def unfold(start: State, play: Callable[[State], float], step: Callable[[State, str, str], State]) -> Maker:
    """Any rule with finitely many states.

    `play`: probability to cooperate in a state; `step`: the state after a round, from own and the other's move.
    `StrategyError` where the states find no end.
    """

    def make(name: str) -> Automaton:
        found, number = [start], {start: 0}
        rows: list[tuple[int, ...]] = []
        for state in found:  # grows on the way
            targets = [step(state, own, other) for own in "CD" for other in "CD"]
            for target in targets:
                if target not in number:
                    number[target] = len(found)
                    found.append(target)
            if len(found) > MOST_STATES:
                raise StrategyError(f"strategy '{name}' has over {MOST_STATES} states; it is none for an automaton")
            rows.append(tuple(number[target] for target in targets))
        return Automaton(name, tuple(float(play(state)) for state in found), tuple(rows)).reduced()

    return make


def recent(depth: int, rule: Callable[[str], float]) -> Maker:
    """A rule over the other's last `depth` moves; there are fewer of them at first."""
    return unfold("", rule, lambda seen, _, other: (seen + other)[-depth:])


def recent_rounds(depth: int, rule: Callable[[str, str], float]) -> Maker:
    """A rule over the last `depth` moves of both, own ones first; there are fewer of them at first."""
    return unfold(
        ("", ""),
        lambda seen: rule(*seen),
        lambda seen, own, other: ((seen[0] + own)[-depth:], (seen[1] + other)[-depth:]),
    )


def opened(opening: str, rule: Callable[[str, str], float]) -> Maker:
    """Plays the moves of `opening`, then a rule over what the other did meanwhile, and over the other's last move."""
    early = len(opening)

    def play(heard: tuple[str, str]) -> float:
        played = len(heard[0])
        return opening[played] == "C" if played < early else rule(*heard)

    return unfold(("", ""), play, lambda heard, _, other: ((heard[0] + other)[:early], other))


def trigger(opening: str = "") -> Maker:
    """Plays the moves of `opening`; then cooperates if the other never defected, and defects for ever if it did."""
    rounds = len(opening)
    return unfold(
        (0, True),  # rounds played, whether the other cooperated in all of them
        lambda state: opening[state[0]] == "C" if state[0] < rounds else state[1],
        lambda state, _, other: (min(state[0] + 1, rounds), state[1] and other == "C"),
    )


def cycle(moves: str) -> Maker:
    """Plays the moves over and over; `StrategyError` where they are not letters C and D."""
    if not moves or set(moves) - set("CD"):
        raise StrategyError(f"cycler: '{moves}'; needs one or more letters C and D, such as CCD")
    return unfold(0, lambda place: moves[place] == "C", lambda place, *_: (place + 1) % len(moves))


def table(first: str, rows: str) -> Maker:
    """A table as papers on evolved machines print them (Ashlock & Kim 2008, IEEE Trans. Evol. Comput. 12:647).

    `first`: the first move and the state thereafter, such as ``D1``; `rows`: by state the answer to a C and to a D of
    the other, such as ``1: D1 D2, 2: D1 C3, 3: C3 D1``.
    """
    answers = {}
    for row in rows.split(","):
        state, _, pair = row.partition(":")
        answers[state.strip()] = dict(zip("CD", pair.split(), strict=True))
    return unfold(first, lambda state: state[0] == "C", lambda state, _, other: answers[state[1:]][other])


def tits_for_tats(tits: int, tats: int) -> Maker:
    """Answers `tats` defections in a row with `tits` defections."""
    _whole("tits_for_tats", tits=tits, tats=tats)

    def owed(state: tuple[int, int]) -> int:
        run, left = state
        return tits if run >= tats else left

    return unfold(
        (0, 0),
        lambda state: not owed(state),
        lambda state, _, other: (min(state[0] + 1, tats) if other == "D" else 0, max(owed(state) - 1, 0)),
    )


def grudge(tats: int, punishment: int, penance: int) -> Maker:
    """Answers `tats` defections in a row with `punishment` defections and `penance` cooperations, come what may."""
    _whole("grudge", tats=tats, punishment=punishment, penance=penance)
    answer = "D" * punishment + "C" * penance

    def place(state: tuple[int, int]) -> int:
        run, answered = state
        return answered if answered or run < tats else 1

    def step(state: tuple[int, int], _: str, other: str) -> tuple[int, int]:
        now = place(state)
        return min(state[0] + 1, tats) if other == "D" else 0, (now + 1 if 0 < now < len(answer) else 0)

    return unfold((0, 0), lambda state: not place(state) or answer[place(state) - 1] == "C", step)


def _whole(name: str, **counts: float) -> None:
    for meaning, count in counts.items():
        if not (isinstance(count, int) and 1 <= count < MOST_STATES):
            raise StrategyError(
                f"strategy '{name}': {meaning} = {count!r}; needs a whole number from 1 to {MOST_STATES - 1}"
            )
