"""What the literature says about repeated dilemmas, computed by the exact engines.

T = 5, R = 3, P = 1, S = 0 where nothing else is said. Matches without end are taken as the limit of a continuation
probability near 1: payoffs are points per round.
"""

from typing import Any

import numpy as np
import pytest

from dilemmas.agents.engines.chains import play_chains
from dilemmas.agents.engines.cycles import play_cycle
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.strategies.finite_state import Automaton, memory_one
from dilemmas.envs.rules.factory import rules_of

PD = "prisoners_dilemma"
T, R, P, S = 5.0, 3.0, 1.0, 0.0
ENDLESS = {"continuation": 1 - 1e-9}
TFT, WSLS, ALLC, ALLD, GRIM = map(
    strategy, ("tit_for_tat", "win_stay_lose_shift", "always_cooperate", "always_defect", "grim")
)
ALTERNATION = Automaton("DC", (0.0, 1.0), ((1,) * 4, (0,) * 4))


def match(one: Automaton, other: Automaton, **options: Any) -> Tally:
    return play_chains(rules_of(PD, **options), [(one, other)])[0]


def per_round(one: Automaton, other: Automaton, **options: Any) -> list[float]:
    """Mean payoff of a round of both players, in a match without end where no length is given."""
    length = {} if {"rounds", "continuation"} & options.keys() else ENDLESS
    tally = match(one, other, **length, **options)
    return list((tally.payoffs[0] / tally.rounds[0]).tolist())


def reactive(c: float, d: float) -> Automaton:
    """Cooperates with probability `c` after the other's C, with `d` after its D."""
    return memory_one(f"reactive({c:g}, {d:g})", 0.5, c, d, c, d)


def anybody(seed: int, count: int = 20) -> list[Automaton]:
    """Strategies of up to six states which leave something to chance."""
    rng, strategies = np.random.default_rng(seed), []
    for number in range(count):
        states = int(rng.integers(1, 7))
        chances = rng.uniform(0.02, 0.98, states)
        after = rng.integers(0, states, (states, 4))
        strategies.append(Automaton(f"any {number}", tuple(chances.tolist()), tuple(map(tuple, after.tolist()))))
    return strategies


# Zero-determinant strategies


@pytest.mark.parametrize("chi", [1.5, 3.0, 10.0])
def test_extortion_takes_chi_times_the_surplus_of_anybody(chi: float) -> None:
    """Press & Dyson 2012, PNAS 109:10409: s_X - P = chi (s_Y - P), in its form for these payoffs."""
    phi = 0.7 / (4 * chi + 1)
    extortion = memory_one("extortion", 0.5, 1 - 2 * phi * (chi - 1), 1 - phi * (4 * chi + 1), phi * (chi + 4), 0)
    for other in anybody(seed=1):
        ours, theirs = per_round(extortion, other)
        assert ours - P == pytest.approx(chi * (theirs - P), abs=1e-6)


def test_payoffs_under_extortion_are_those_of_press_and_dyson() -> None:
    """Press & Dyson 2012: against full cooperation (2 + 13 chi) / (2 + 3 chi) and (12 + 3 chi) / (2 + 3 chi)."""
    chi, phi = 3.0, 1 / 26
    extortion = memory_one("extortion", 1, 1 - 2 * phi * (chi - 1), 1 - phi * (4 * chi + 1), phi * (chi + 4), 0)
    expected = [(2 + 13 * chi) / (2 + 3 * chi), (12 + 3 * chi) / (2 + 3 * chi)]
    assert per_round(extortion, ALLC) == pytest.approx(expected, abs=1e-6)
    best = max(per_round(other, extortion)[0] for other in (*anybody(seed=2), TFT, WSLS, ALLD, GRIM))
    assert best < expected[1] + 1e-6


def test_an_equaliser_sets_the_payoff_of_anybody() -> None:
    """Press & Dyson 2012, equations 8 and 9."""
    for p1, p4 in ((0.9, 0.2), (0.75, 0.25), (0.99, 0.01)):
        p2 = (p1 * (T - P) - (1 + p4) * (T - R)) / (R - P)
        p3 = ((1 - p1) * (P - S) + p4 * (R - S)) / (R - P)
        equaliser = memory_one("equaliser", 0.5, p1, p2, p3, p4)
        pinned = ((1 - p1) * P + p4 * R) / (1 - p1 + p4)
        for other in anybody(seed=3):
            assert per_round(equaliser, other)[1] == pytest.approx(pinned, abs=1e-6)


def test_generous_zd_bears_twice_the_loss_of_anybody() -> None:
    """Stewart & Plotkin 2012, PNAS 109:10134: ZDGTFT-2 = (1, 1/8, 1, 1/4) enforces s_X - R = 2 (s_Y - R)."""
    generous = memory_one("ZDGTFT-2", 1, 1, 1 / 8, 1, 1 / 4)
    for other in anybody(seed=4):
        ours, theirs = per_round(generous, other)
        assert ours - R == pytest.approx(2 * (theirs - R), abs=1e-6)


@pytest.mark.parametrize("delta", [0.7, 0.9])
def test_extortion_with_a_continuation_probability(delta: float) -> None:
    """Hilbe, Traulsen & Sigmund 2015, Games Econ. Behav. 92:41: the line is exact in discounted matches too."""
    slope, phi = 0.25, 0.22
    line = [slope * ours - theirs + (1 - slope) * P for ours, theirs in ((R, R), (S, T), (T, S), (P, P))]
    after = [(repeat + phi * pull) / delta for repeat, pull in zip((1, 1, 0, 0), line, strict=True)]
    extortion = memory_one("extortion", 0, *after)
    for other in anybody(seed=5):
        ours, theirs = per_round(extortion, other, continuation=delta)
        assert slope * (ours - P) == pytest.approx(theirs - P, abs=1e-9)


def test_a_longer_memory_gains_nothing_against_memory_one() -> None:
    """Press & Dyson 2012, appendix A: who remembers one round and acts as often earns, and leaves, the same."""
    memoryless = memory_one("one round", 0.5, 0.9, 0.3, 0.6, 0.2)
    for other in anybody(seed=6):
        moves = match(memoryless, other, **ENDLESS).moves[0, 1]
        stand_in = memory_one("stand-in", 0.5, *(moves[1:, 0] / moves[1:].sum(axis=1)))
        assert per_round(memoryless, stand_in) == pytest.approx(per_round(memoryless, other), abs=1e-6)


def test_no_payoff_against_good_strategies_exceeds_mutual_cooperation() -> None:
    """Akin 2015, Games 6:175: p1 = 1, (T-R)/(R-S) p3 < 1 - p2 and (T-R)/(R-P) p4 < 1 - p2."""
    rng = np.random.default_rng(7)
    for other in anybody(seed=7):
        p2 = rng.uniform(0, 0.9)
        p3, p4 = rng.uniform(0, 1, 2) * (1 - p2) / np.array([(T - R) / (R - S), (T - R) / (R - P)])
        good = memory_one("good", 1, 1, p2, min(p3, 1), min(p4, 1))
        assert per_round(good, other)[1] <= R + 1e-6


# Tit for Tat, and what it is good for


def test_tit_for_tat_never_wins_and_loses_at_most_one_temptation() -> None:
    """Axelrod 1984, The Evolution of Cooperation, chapter 6."""
    rules, rng = rules_of(PD, rounds=200), np.random.default_rng(8)
    for _ in range(100):
        states = int(rng.integers(1, 9))
        after = tuple(map(tuple, rng.integers(0, states, (states, 4)).tolist()))
        other = Automaton("any", tuple(map(float, rng.integers(0, 2, states))), after)
        ours, theirs = play_cycle(rules, [TFT, other]).payoffs[0]
        assert theirs - ours in (0, T - S)


def test_always_defect_gains_once_against_tit_for_tat() -> None:
    """Axelrod & Hamilton 1981, Science 211:1390."""
    for rounds in (1, 5, 200, 10**9):
        expected = [S + (rounds - 1) * P, T + (rounds - 1) * P]
        assert play_cycle(rules_of(PD, rounds=rounds), [TFT, ALLD]).payoffs[0].tolist() == expected


def test_the_points_that_200_rounds_can_bring() -> None:
    """Axelrod 1980, J. Confl. Resolut. 24:3: 0 to 1000; 600 for mutual cooperation, 200 for mutual defection."""
    rules = rules_of(PD, rounds=200)
    assert play_cycle(rules, [ALLC, ALLD]).payoffs[0].tolist() == [0, 1000]
    assert play_cycle(rules, [TFT, TFT]).payoffs[0].tolist() == [600, 600]
    assert play_cycle(rules, [ALLD, ALLD]).payoffs[0].tolist() == [200, 200]


def test_joss_and_tit_for_tat_fall_to_the_echo_of_sneaky_defections() -> None:
    """Axelrod 1984, chapter 2: in his game of 200 rounds Tit for Tat got 236 points, and Joss 241."""
    tally = match(TFT, strategy("joss"), rounds=200)
    assert tally.variance is not None
    within = 3 * np.sqrt(tally.variance)
    assert np.all(np.abs(tally.payoffs[0] - [236, 241]) < within)
    assert 0 <= tally.payoffs[0, 1] - tally.payoffs[0, 0] <= T - S


def test_suspicious_tit_for_tat_alternates_with_tit_for_tat_for_ever() -> None:
    """Boyd & Lorberbaum 1987, Nature 327:58."""
    suspicious = memory_one("suspicious", 0, 1, 0, 1, 0)
    assert play_cycle(rules_of(PD, rounds=10**6), [TFT, suspicious]).payoffs[0].tolist() == [10**6 * (T + S) / 2] * 2


def test_alternation_exploits_tit_for_two_tats() -> None:
    """Axelrod 1984, chapter 2: it does not retaliate against single defections."""
    tally = play_cycle(rules_of(PD, rounds=200), [strategy("tit_for_two_tats"), ALTERNATION])
    assert tally.payoffs[0].tolist() == [200 * (S + R) / 2, 200 * (T + R) / 2]


@pytest.mark.parametrize(
    ("invader", "threshold"), [(ALLD, (T - R) / (T - P)), (ALTERNATION, (T - R) / (R - S))], ids=["ALLD", "DC"]
)
def test_how_likely_the_next_round_must_be_for_tit_for_tat_to_be_stable(invader: Automaton, threshold: float) -> None:
    """Axelrod & Hamilton 1981: w >= (T-R)/(T-P) and w >= (T-R)/(R-S)."""
    for w, stable in ((threshold - 0.01, False), (threshold + 0.01, True)):
        rules = rules_of(PD, continuation=w)
        assert (play_cycle(rules, [TFT, TFT]).payoffs[0, 0] > play_cycle(rules, [invader, TFT]).payoffs[0, 0]) == stable
    rules = rules_of(PD, continuation=threshold)
    assert play_cycle(rules, [invader, TFT]).payoffs[0, 0] == pytest.approx(R / (1 - threshold))


def test_the_shadow_of_the_future_that_sustains_grim() -> None:
    """Friedman 1971, Rev. Econ. Stud. 38:1: no player gains by a first defection if delta >= (T-R)/(T-P)."""
    threshold = (T - R) / (T - P)
    for delta, pays in ((threshold - 0.01, True), (threshold + 0.01, False)):
        rules = rules_of(PD, continuation=delta)
        deviation = play_cycle(rules, [ALLD, GRIM]).payoffs[0, 0]
        assert deviation == pytest.approx(T + delta * P / (1 - delta))
        assert (deviation > play_cycle(rules, [GRIM, GRIM]).payoffs[0, 0]) == pays


# Trembling hands


@pytest.mark.parametrize("noise", [0.001, 0.01, 0.2])
def test_tit_for_tat_with_itself_is_no_better_than_chance_under_noise(noise: float) -> None:
    """Molander 1985, J. Confl. Resolut. 29:611: (T + R + P + S) / 4 for any noise."""
    assert per_round(TFT, TFT, noise=noise) == pytest.approx([(T + R + P + S) / 4] * 2, abs=1e-5)


def test_win_stay_lose_shift_outperforms_tit_for_tat_under_noise() -> None:
    """Nowak & Sigmund 1993, Nature 364:56: it corrects mistakes, at a loss in proportion to their number."""
    for noise in (0.0001, 0.01):
        with_itself = per_round(WSLS, WSLS, noise=noise)[0]
        assert with_itself > per_round(TFT, TFT, noise=noise)[0] + 0.6
        # A mistake of each of the two, and the DD that follows it, bring T + S + 2P in place of 4R.
        assert (R - with_itself) / noise == pytest.approx(4 * R - T - S - 2 * P, rel=10 * noise)


def test_win_stay_lose_shift_is_exploited_every_other_round_by_defectors() -> None:
    """Nowak & Sigmund 1993: it cooperates in every second round."""
    assert per_round(WSLS, ALLD) == pytest.approx([(S + P) / 2, (T + P) / 2], abs=1e-6)


def test_win_stay_lose_shift_exploits_unconditional_cooperators() -> None:
    """Nowak & Sigmund 1993: once a mistake has shown them, it defects until the next one."""
    assert per_round(WSLS, ALLC, noise=1e-5) == pytest.approx([(T + R) / 2, (S + R) / 2], abs=1e-3)


@pytest.mark.parametrize(("temptation", "stable"), [(4.5, True), (5.5, False)])
def test_win_stay_lose_shift_resists_where_cooperation_pays_more_than_t_and_p(temptation: float, stable: bool) -> None:
    """Nowak 2006, Evolutionary Dynamics, chapter 5: for rare mistakes it is Nash where R > (T + P) / 2."""
    vectors = np.ndindex(*(2,) * 4)
    everybody = [memory_one("any", 1, *map(float, vector)) for vector in vectors] + anybody(seed=9)
    options = {"noise": 1e-5, "T": temptation}
    own = per_round(WSLS, WSLS, **options)[0]
    best = max(per_round(other, WSLS, **options)[0] for other in everybody)
    assert (best <= own + 1e-6) == stable
    if not stable:
        assert best == pytest.approx((temptation + P) / 2, abs=1e-3)


def test_contrite_tit_for_tat_corrects_its_mistakes() -> None:
    """Boyd 1989, J. Theor. Biol. 136:47; Wu & Axelrod 1995, J. Confl. Resolut. 39:183."""
    contrite = strategy("contrite_tit_for_tat")
    for noise in (1e-5, 1e-3):
        assert R - 10 * noise < per_round(contrite, contrite, noise=noise)[0] < R
    assert per_round(contrite, ALLD, noise=1e-6)[0] == pytest.approx(P, abs=1e-4)


def test_grim_never_recovers_from_a_mistake() -> None:
    """Nowak, Sigmund & El-Sedy 1995, J. Math. Biol. 33:703: under rare mistakes it ends in mutual defection."""
    grim = Automaton("grim", (1.0, 0.0), ((0, 1, 1, 1), (1, 1, 1, 1)))
    assert per_round(grim, grim, noise=0.001) == pytest.approx(per_round(ALLD, ALLD, noise=0.001), abs=1e-4)
    rounds, noise = 100, 0.01  # it holds for as long as no hand has trembled
    holds = (1 - noise) ** 2
    tally = match(grim, grim, rounds=rounds, noise=noise)
    assert tally.outcomes[0, 0, 0] == pytest.approx(
        sum(holds ** (t + 1) for t in range(rounds)) + noise**2 * sum(1 - holds**t for t in range(rounds))
    )


# Reactive strategies


def test_reactive_strategies_reach_the_cooperation_of_nowak_and_sigmund() -> None:
    """Nowak & Sigmund 1990, Acta Appl. Math. 20:247: levels and payoffs of stochastic reactive strategies."""
    rng = np.random.default_rng(10)
    for c, d, c2, d2 in rng.uniform(0.05, 0.95, (20, 4)):
        r, r2 = c - d, c2 - d2
        s, s2 = (d + r * d2) / (1 - r * r2), (d2 + r2 * d) / (1 - r * r2)
        tally = match(reactive(c, d), reactive(c2, d2), **ENDLESS)
        assert tally.moves[0, :, :, 0].sum(axis=-1) / tally.rounds == pytest.approx([s, s2], abs=1e-6)
        payoff = R * s * s2 + S * s * (1 - s2) + T * (1 - s) * s2 + P * (1 - s) * (1 - s2)
        assert tally.payoffs[0, 0] / tally.rounds == pytest.approx([payoff], abs=1e-6)


@pytest.mark.parametrize(
    ("game", "generosity"),
    [((5, 3, 1, 0), 1 / 3), ((5, 4, 3, 0), 1 / 2), ((4, 3, 1, 0), 2 / 3)],
    ids=["usual", "P is high", "T is low"],
)
def test_the_most_generosity_that_cannot_be_exploited(game: tuple[float, ...], generosity: float) -> None:
    """Molander 1985; Nowak & Sigmund 1992, Nature 355:250: min(1 - (T-R)/(R-S), (R-P)/(T-P))."""
    t, r, p, s = game
    assert generosity == pytest.approx(min(1 - (t - r) / (r - s), (r - p) / (t - p)))

    def best(d: float) -> float:
        return max(
            per_round(other, reactive(1, d), T=t, R=r, P=p, S=s)[0] for other in (ALLD, ALTERNATION, *anybody(seed=11))
        )

    assert best(generosity) == pytest.approx(r, abs=1e-6)
    assert best(generosity + 0.05) > r + 0.01
    assert best(generosity - 0.05) < r


def test_generous_tit_for_tat_forgives_mistakes() -> None:
    """Nowak & Sigmund 1992: for rare mistakes it cooperates with itself, unlike Tit for Tat, and resists defectors."""
    generous = strategy("generous_tit_for_tat")
    assert per_round(generous, generous, noise=1e-5)[0] == pytest.approx(R, abs=1e-3)
    assert per_round(ALLD, generous)[0] == pytest.approx(P + (T - P) / 3, abs=1e-6)


# Larger groups


@pytest.mark.parametrize("n", [2, 4, 8])
def test_reciprocity_in_sizable_groups(n: int) -> None:
    """Boyd & Richerson 1988, J. Theor. Biol. 132:337: who cooperates as long as all others do.

    One defector takes the benefit of the first round alone, so they resist where (b - c) / (1 - w) > b (n - 1) / n.
    """
    benefit, cost = 8.0, 5.0
    strict = Automaton("all others", (1.0, 0.0), ((0, *[1] * (n - 1)) * 2,) * 2, players=n)
    threshold = 1 - (benefit - cost) * n / (benefit * (n - 1))
    for w, resists in ((threshold - 0.02, False), (threshold + 0.02, True)):
        rules = rules_of("n_person_prisoners_dilemma", n_players=n, benefit=benefit, cost=cost, continuation=w)
        among = play_cycle(rules, [strict] * n).payoffs[0, 0]
        defector = play_cycle(rules, [ALLD, *[strict] * (n - 1)]).payoffs[0, 0]
        assert defector == pytest.approx(benefit * (n - 1) / n)
        assert among == pytest.approx((benefit - cost) / (1 - w))
        assert (among > defector) == resists
