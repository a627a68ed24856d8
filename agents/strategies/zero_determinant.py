"""Zero-determinant strategies: memory-one strategies that enforce a linear relation between long-run payoffs.

Whatever the opponent plays (Press & Dyson 2012, PNAS 109:10409; in the form of Hilbe, Nowak & Traulsen 2013,
PLoS ONE 8:e77886, eq. 14):

    slope * (own payoff - baseline) = opponent's payoff - baseline

Slope 0 sets the opponent's payoff (equaliser). Baseline P with a slope below 1 is extortion by the factor
chi = 1 / slope; baseline R is generous (Stewart & Plotkin 2013, PNAS 110:15348). The parameter phi determines the rate
of convergence to the line.
"""

from collections.abc import Callable
from dataclasses import replace

from dilemmas.agents.strategies.bibliography import (
    HARPER,
    HILBE_2013,
    KUHN,
    PRESS,
    ROEMHELD,
    STEWART_2012,
    STEWART_2013,
)
from dilemmas.agents.strategies.entry import Family, StrategyEntry
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError, memory_one
from dilemmas.agents.strategies.memory_one import USUAL
from dilemmas.agents.two_actions import shown_payoffs
from dilemmas.envs.games.matrix_games import MatrixGame


def zero_determinant(
    name: str, slope: float, baseline: float, phi: float | None = None, game: MatrixGame = USUAL
) -> Automaton:
    """The strategy that enforces the line of a slope through the payoff `baseline` for both. It cooperates first.

    Parameters
    ----------
    name
        Name in tables and records.
    slope
        Slope of the line, from `least_slope` to 1.
    baseline
        Payoff at which both players earn the same, from P to R.
    phi
        Rate of convergence, above 0 and up to a bound that depends on the other parameters; half of it if None.
    game
        Payoffs.

    Raises
    ------
    StrategyError
        If no strategy can enforce the line, or `phi` is out of range.
    """
    shift = _shifts(name, slope, baseline, game)
    bound = 1 / max(shift.values())
    phi = bound / 2 if phi is None else phi
    if not 0 < phi <= bound * (1 + 1e-12):
        raise StrategyError(
            f"{_line_text(name, slope, baseline, game)}: phi = {phi:g}; must be above 0 and at most {bound:.6g}"
        )
    cc, cd = (max(0.0, 1 - phi * shift[last]) for last in ("CC", "CD"))  # rounding errors at the bound
    dc, dd = (min(1.0, phi * shift[last]) for last in ("DC", "DD"))
    return replace(memory_one(name, 1, cc, cd, dc, dd), payoffs=(game.T, game.R, game.P, game.S))


def _shifts(name: str, slope: float, baseline: float, game: MatrixGame) -> dict[str, float]:
    """Differences, for phi = 1, from a strategy that repeats its move: downwards after CC and CD, upwards after DC and
    DD. `StrategyError` if no strategy can enforce the line."""
    T, R, P, S = game.T, game.R, game.P, game.S
    shift = {
        "CC": (1 - slope) * (R - baseline),
        "CD": slope * (baseline - S) + (T - baseline),
        "DC": (baseline - S) + slope * (T - baseline),
        "DD": (1 - slope) * (baseline - P),
    }
    wrong = [last for last, size in shift.items() if not size >= 0]
    if wrong or not any(shift.values()):
        remedy = (
            f"use a baseline from {P:g} to {R:g} and a slope from {least_slope(baseline, game):g} to 1"
            if P <= R
            else "only the slope 1 can be enforced where P exceeds R"
        )
        raise StrategyError(
            f"{_line_text(name, slope, baseline, game)}: no strategy can enforce this line"
            f" (after {', '.join(wrong) or 'any round'}); {remedy}"
        )
    return shift


def _line_text(name: str, slope: float, baseline: float, game: MatrixGame) -> str:
    payoffs = shown_payoffs((game.T, game.R, game.P, game.S))
    return f"strategy '{name}': slope {slope:g} through {baseline:g} in a game of {payoffs}"


def least_slope(baseline: float, game: MatrixGame = USUAL) -> float:
    """The least slope of a line through `baseline` that can be enforced (Hilbe, Nowak & Traulsen 2013)."""
    above, below = game.T - baseline, baseline - game.S
    return max((-one / other for one, other in ((above, below), (below, above)) if other > 0), default=0.0)


def extortioner(name: str, chi: float, phi: float | None = None, game: MatrixGame = USUAL) -> Automaton:
    """Its long-run surplus over P is `chi` times the opponent's; `chi` is at least 1 (the line of Tit for Tat)."""
    _factor(name, chi)
    return zero_determinant(name, 1 / chi, game.P, phi, game)


def generous_extortioner(name: str, chi: float, phi: float | None = None, game: MatrixGame = USUAL) -> Automaton:
    """Its long-run shortfall from R is `chi` times the opponent's; `chi` is at least 1."""
    _factor(name, chi)
    return zero_determinant(name, 1 / chi, game.R, phi, game)


def equaliser(name: str, payoff: float, phi: float | None = None, game: MatrixGame = USUAL) -> Automaton:
    """Sets the opponent's long-run payoff to a value from P to R."""
    return zero_determinant(name, 0, payoff, phi, game)


def _factor(name: str, chi: float) -> None:
    if not chi >= 1:
        raise StrategyError(f"strategy '{name}': chi = {chi:g}; must be at least 1")


Baseline = Callable[[MatrixGame], float]


def _line(slope: float, baseline: Baseline, rate: float) -> Callable[..., Automaton]:
    """Makes the strategy of a line in any game; `rate`: phi as a share, from 0 to 1, of the largest one there."""

    def make(name: str, game: MatrixGame = USUAL) -> Automaton:
        at = baseline(game)
        return zero_determinant(name, slope, at, rate / max(_shifts(name, slope, at, game).values()), game)

    return make


def _punishment(game: MatrixGame) -> float:
    return game.P


def _reward(game: MatrixGame) -> float:
    return game.R


# The sources give phi for T = 5, R = 3, P = 1, S = 0. It is kept as a share of the largest phi of the game, so that a
# strategy stays the same if all payoffs are multiplied by a number or a number is added to them.
ZERO_DETERMINANT = (
    StrategyEntry(
        "zd_extort_2",
        "Cooperates first; its long-run surplus over P is twice the opponent's (1/2 of the largest phi).",
        _line(1 / 2, _punishment, 1 / 2),
        STEWART_2012,
        ("extort_2",),
        ("ZDExtort2",),
        of_payoffs=True,
    ),
    StrategyEntry(
        "zd_extort_2_v2",
        "Cooperates first; its long-run surplus over P is twice the opponent's (9/16 of the largest phi).",
        _line(1 / 2, _punishment, 9 / 16),
        KUHN,
        (),
        ("ZDExtort2v2",),
        of_payoffs=True,
    ),
    StrategyEntry(
        "zd_extort_3",
        "Cooperates first; its long-run surplus over P is 3 times the opponent's (1/2 of the largest phi).",
        _line(1 / 3, _punishment, 1 / 2),
        PRESS,
        ("extort_3",),
        ("ZDExtort3",),
        of_payoffs=True,
    ),
    StrategyEntry(
        "zd_extort_4",
        "Cooperates first; its long-run surplus over P is 4 times the opponent's (the largest phi).",
        _line(1 / 4, _punishment, 1),
        HARPER,
        ("extort_4",),
        ("ZDExtort4",),
        of_payoffs=True,
    ),
    StrategyEntry(
        "zd_extort_10",
        "Cooperates first; its long-run surplus over P is 10 times the opponent's (41/50 of the largest phi).",
        _line(1 / 10, _punishment, 41 / 50),
        ROEMHELD,
        ("zd_extortion",),
        ("ZDExtortion",),
        of_payoffs=True,
    ),
    StrategyEntry(
        "zd_generous_2",
        "Cooperates first; its long-run shortfall from R is twice the opponent's (the largest phi).",
        _line(1 / 2, _reward, 1),
        STEWART_2012,
        ("zd_gtft_2",),
        ("ZDGTFT2",),
        of_payoffs=True,
    ),
    StrategyEntry(
        "zd_generous_2_slow",
        "Cooperates first; its long-run shortfall from R is twice the opponent's (1/2 of the largest phi).",
        _line(1 / 2, _reward, 1 / 2),
        KUHN,
        ("gen_2",),
        ("ZDGen2",),
        of_payoffs=True,
    ),
    StrategyEntry(
        "zd_mischief",
        "Cooperates first and holds the opponent's long-run payoff at P (2/5 of the largest phi).",
        _line(0, _punishment, 2 / 5),
        ROEMHELD,
        (),
        ("ZDMischief",),
        of_payoffs=True,
    ),
    StrategyEntry(
        "equaliser",
        "Cooperates first and holds the opponent's long-run payoff at 2 (3/4 of the largest phi).",
        _line(0, lambda _: 2, 3 / 4),
        f"{PRESS}; {STEWART_2012}",
        ("equalizer", "set_2", "zd_set_2"),
        ("ZDSet2",),
        of_payoffs=True,
    ),
)

ZERO_DETERMINANT_FAMILIES = (
    Family(
        "zd_extort",
        "Cooperates first; its long-run surplus over P is chi times the opponent's.",
        ("chi",),
        extortioner,
        PRESS,
        ("extortion", "extort"),
        of_payoffs=True,
    ),
    Family(
        "zd_generous",
        "Cooperates first; its long-run shortfall from R is chi times the opponent's.",
        ("chi",),
        generous_extortioner,
        STEWART_2013,
        of_payoffs=True,
    ),
    Family(
        "equaliser",
        "Cooperates first and holds the opponent's long-run payoff at the given payoff.",
        ("payoff",),
        equaliser,
        PRESS,
        ("equalizer", "zd_set"),
        of_payoffs=True,
    ),
    Family(
        "zero_determinant",
        "Cooperates first; enforces slope * (own payoff - baseline) = other payoff - baseline at rate phi.",
        ("slope", "baseline", "phi"),
        zero_determinant,
        HILBE_2013,
        of_payoffs=True,
    ),
)
