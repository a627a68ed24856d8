"""Zero-determinant strategies: memory-one strategies that force a line on the two players' mean payoffs.

Whatever the other does, in the long run (Press & Dyson 2012, PNAS 109:10409; in the form of Hilbe, Nowak & Traulsen
2013, PLoS ONE 8:e77886, eq. 14):

    slope * (own payoff - baseline) = other's payoff - baseline

Slope 0 sets the other's payoff (equaliser); baseline P with a slope below 1 extorts, by the factor chi = 1 / slope;
baseline R is generous (Stewart & Plotkin 2013, PNAS 110:15348). How fast the line is reached is up to phi.
"""

from dilemmas.agents.strategies.bibliography import (
    HARPER,
    HILBE_2013,
    KUHN,
    PRESS,
    ROEMHELD,
    STEWART_2012,
    STEWART_2013,
)
from dilemmas.agents.strategies.builders import Maker
from dilemmas.agents.strategies.entry import Entry, Family
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError, memory_one
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame

USUAL = DEFAULTS["prisoners_dilemma"]
"""T5 R3 P1 S0, for which the named ones hold."""


def zero_determinant(
    name: str, slope: float, baseline: float, phi: float | None = None, game: MatrixGame = USUAL
) -> Automaton:
    """The strategy that forces the line of `slope` through `baseline` points for both. It cooperates first.

    `phi`: above 0, up to a bound that follows from the rest; half of the bound where it is left out. `StrategyError`
    where no strategy can force the line in `game`.
    """
    T, R, P, S = game.T, game.R, game.P, game.S
    # how much the probabilities differ from those of who repeats its move: down after CC and CD, up after DC and DD
    shift = {
        "CC": (1 - slope) * (R - baseline),
        "CD": slope * (baseline - S) + (T - baseline),
        "DC": (baseline - S) + slope * (T - baseline),
        "DD": (1 - slope) * (baseline - P),
    }
    line = f"strategy '{name}': slope {slope:g} through {baseline:g} in a game of T={T:g}, R={R:g}, P={P:g}, S={S:g}"
    wrong = [last for last, size in shift.items() if not size >= 0]
    if wrong or not any(shift.values()):
        raise StrategyError(
            f"{line}: nobody can force that line (after {', '.join(wrong) or 'any round'}); take a baseline from {P:g}"
            f" to {R:g} and a slope from {least_slope(baseline, game):g} to 1"
        )
    bound = 1 / max(shift.values())
    phi = bound / 2 if phi is None else phi
    if not 0 < phi <= bound * (1 + 1e-12):
        raise StrategyError(f"{line}: phi = {phi:g}; needs a number above 0, up to {bound:.6g}")
    cc, cd = (max(0.0, 1 - phi * shift[last]) for last in ("CC", "CD"))  # rounding at the bound
    dc, dd = (min(1.0, phi * shift[last]) for last in ("DC", "DD"))
    return memory_one(name, 1, cc, cd, dc, dd)


def least_slope(baseline: float, game: MatrixGame = USUAL) -> float:
    """The least slope of a line through `baseline` that can be forced, from -1 to 0 (Hilbe, Nowak & Traulsen 2013)."""
    above, below = game.T - baseline, baseline - game.S
    return -min(above / below, below / above) if above > 0 and below > 0 else 0.0


def extortioner(name: str, chi: float, phi: float | None = None, game: MatrixGame = USUAL) -> Automaton:
    """Takes `chi` times as much above P as it leaves to the other; `chi` from 1 (Tit for Tat's line) up."""
    _factor(name, chi)
    return zero_determinant(name, 1 / chi, game.P, phi, game)


def generous_extortioner(name: str, chi: float, phi: float | None = None, game: MatrixGame = USUAL) -> Automaton:
    """Falls short of R by `chi` times as much as the other does; `chi` from 1 up."""
    _factor(name, chi)
    return zero_determinant(name, 1 / chi, game.R, phi, game)


def equaliser(name: str, payoff: float, phi: float | None = None, game: MatrixGame = USUAL) -> Automaton:
    """Sets the other's mean payoff, from P to R, whatever the other does."""
    return zero_determinant(name, 0, payoff, phi, game)


def _factor(name: str, chi: float) -> None:
    if not chi >= 1:
        raise StrategyError(f"strategy '{name}': chi = {chi:g}; needs a factor from 1 up")


def _line(slope: float, baseline: float, phi: float) -> Maker:
    return lambda name: zero_determinant(name, slope, baseline, phi)


ZERO_DETERMINANT = (
    Entry(
        "zd_extort_2",
        "Cooperates first; its long-run surplus over P is twice the opponent's (phi = 1/9).",
        _line(1 / 2, 1, 1 / 9),
        STEWART_2012,
        ("extort_2",),
        ("ZDExtort2",),
    ),
    Entry(
        "zd_extort_2_v2",
        "Cooperates first; its long-run surplus over P is twice the opponent's (phi = 1/8).",
        _line(1 / 2, 1, 1 / 8),
        KUHN,
        (),
        ("ZDExtort2v2",),
    ),
    Entry(
        "zd_extort_3",
        "Cooperates first; its long-run surplus over P is 3 times the opponent's (phi = 3/26).",
        _line(1 / 3, 1, 3 / 26),
        PRESS,
        ("extort_3",),
        ("ZDExtort3",),
    ),
    Entry(
        "zd_extort_4",
        "Cooperates first; its long-run surplus over P is 4 times the opponent's (phi = 4/17).",
        _line(1 / 4, 1, 4 / 17),
        HARPER,
        ("extort_4",),
        ("ZDExtort4",),
    ),
    Entry(
        "zd_extort_10",
        "Cooperates first; its long-run surplus over P is 10 times the opponent's (phi = 1/5).",
        _line(1 / 10, 1, 1 / 5),
        ROEMHELD,
        ("zd_extortion",),
        ("ZDExtortion",),
    ),
    Entry(
        "zd_generous_2",
        "Cooperates first; its long-run shortfall from R is twice the opponent's (phi = 1/4).",
        _line(1 / 2, 3, 1 / 4),
        STEWART_2012,
        ("zd_gtft_2",),
        ("ZDGTFT2",),
    ),
    Entry(
        "zd_generous_2_slow",
        "Cooperates first; its long-run shortfall from R is twice the opponent's (phi = 1/8).",
        _line(1 / 2, 3, 1 / 8),
        KUHN,
        ("gen_2",),
        ("ZDGen2",),
    ),
    Entry(
        "zd_mischief",
        "Cooperates first and holds the opponent's long-run payoff at P (phi = 1/10).",
        _line(0, 1, 1 / 10),
        ROEMHELD,
        (),
        ("ZDMischief",),
    ),
    Entry(
        "equaliser",
        "Cooperates first and holds the opponent's long-run payoff at 2 (phi = 1/4).",
        _line(0, 2, 1 / 4),
        f"{PRESS}; {STEWART_2012}",
        ("equalizer", "set_2", "zd_set_2"),
        ("ZDSet2",),
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
    ),
    Family(
        "zd_generous",
        "Cooperates first; its long-run shortfall from R is chi times the opponent's.",
        ("chi",),
        generous_extortioner,
        STEWART_2013,
    ),
    Family(
        "equaliser",
        "Cooperates first and holds the opponent's long-run payoff at the given payoff.",
        ("payoff",),
        equaliser,
        PRESS,
        ("equalizer", "zd_set"),
    ),
    Family(
        "zero_determinant",
        "Cooperates first; enforces slope * (own payoff - baseline) = other payoff - baseline at rate phi.",
        ("slope", "baseline", "phi"),
        zero_determinant,
        HILBE_2013,
    ),
)
