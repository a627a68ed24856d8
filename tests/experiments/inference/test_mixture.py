"""Estimates recover simulated mixtures, and likelihoods agree with the formula."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.experiments.inference.candidates import USUAL_CANDIDATES, candidate_automata
from dilemmas.experiments.inference.expectation_maximisation import climb
from dilemmas.experiments.inference.likelihoods import Evidence, InferenceError, evidence
from dilemmas.experiments.inference.mixture import criteria, fit_mixture, indistinguishable, infer, selected
from dilemmas.experiments.inference.recorded_play import PlayerHistory

FIVE = candidate_automata(["alld", "allc", "grim", "tft", "wsls"], 2)
SHARES = np.array([0.3, 0.1, 0.2, 0.25, 0.15])
TREMBLE = 0.1


def society(
    rng: np.random.Generator,
    candidates: Sequence[Automaton] = FIVE,
    shares: Sequence[float] | np.ndarray = SHARES,
    tremble: float | Sequence[float] = TREMBLE,
    subjects: int = 200,
    matches: int = 10,
) -> dict[str, list[PlayerHistory]]:
    """Subjects who each play one of the strategies, in new pairs for every match; a round is followed by another with
    probability 3/4, as in Dal Bó & Fréchette 2011."""
    who = rng.choice(len(candidates), subjects, p=shares)
    slip = np.broadcast_to(tremble, len(candidates))[who]
    plays: dict[str, list[PlayerHistory]] = {f"s{i}": [] for i in range(subjects)}
    for match in range(matches):
        for pair in rng.permutation(subjects).reshape(-1, 2):
            states, made = [0, 0], []
            for _ in range(rng.geometric(1 / 4)):
                chances = [candidates[who[i]].cooperate[s] for i, s in zip(pair, states, strict=True)]
                drawn = rng.random(2) >= chances
                acts = (drawn ^ (rng.random(2) < slip[pair])).astype(int)
                made.append(acts)
                codes = (2 * acts[0] + acts[1], 2 * acts[1] + acts[0])
                states = [candidates[who[i]].after[s][c] for i, s, c in zip(pair, states, codes, strict=True)]
            table = np.array(made)
            for seat, i in enumerate(pair):
                own, other = table[:, seat], table[:, 1 - seat]
                plays[f"s{i}"].append(PlayerHistory("lab", str(match), seat, f"s{i}", ("",), own, other, own))
    return plays


def played(own: str, other: str, subject: str = "s") -> PlayerHistory:
    """One match, from its moves as letters."""
    mine, theirs = (np.array(["CD".index(move) for move in moves]) for moves in (own, other))
    return PlayerHistory("lab", "0", 0, subject, ("",), mine, theirs, mine)


@pytest.fixture(scope="module")
def small() -> Evidence:
    return evidence(society(np.random.default_rng(1), subjects=40), FIVE)


def likelihood(found: Evidence, shares: np.ndarray, tremble: float) -> float:
    """The logarithm as the papers write it: of a sum over strategies of products over choices."""
    chances = found.follows * (1 - tremble) + (1 - found.follows) * tremble  # (K, L)
    by_strategy = np.prod(chances[:, None] ** found.counts, axis=2)  # (K, S)
    return float(np.log(shares @ by_strategy).sum())


def test_choices_are_compared_with_the_strategy_led_through_the_same_history() -> None:
    # after own C and their D, Tit for Tat says D; after D D again D; after D C, C
    found = evidence({"s": [played("CCDD", "DDCC")]}, candidate_automata(["tft", "random(0.25)"], 2))
    assert dict(zip(found.follows[0], found.counts[0, 0], strict=True)) == {0: 2, 1: 2}  # C yes, C no, D yes, D no
    assert dict(zip(found.follows[1], found.counts[1, 0], strict=True)) == {0.25: 2, 0.75: 2}


def test_an_own_slip_is_part_of_the_history() -> None:
    found = evidence({"s": [played("DD", "CC")]}, candidate_automata(["grim_2", "wsls"], 2))
    # unmeant D against C: lenient Grim still says C, Win-Stay Lose-Shift stays with D
    assert [dict(zip(f, c[0], strict=True)) for f, c in zip(found.follows, found.counts, strict=True)] == [
        {0: 2, 0.5: 0},
        {0: 1, 1: 1},
    ]


def test_the_tremble_of_a_single_strategy_is_its_share_of_mismatches() -> None:
    found = evidence(society(np.random.default_rng(3), shares=[0, 0, 0, 1, 0], subjects=20), FIVE).of([3])
    misses, hits = found.counts[0].sum(axis=0)
    point = fit_mixture(found, np.random.default_rng(0))
    share = misses / (misses + hits)
    assert point.trembles[0, 0] == pytest.approx(share, abs=1e-12)
    assert point.log_likelihood[0] == pytest.approx(misses * np.log(share) + hits * np.log(1 - share))


def test_the_likelihood_is_that_of_the_mixture(small: Evidence) -> None:
    point = next(climb(small, np.ones((40, 1)), SHARES[:, None], np.array([[0.17]])))
    assert point.log_likelihood[0] == pytest.approx(likelihood(small, SHARES, 0.17), abs=1e-9)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_every_step_of_em_climbs(seed: int, own: bool) -> None:
    rng = np.random.default_rng(seed)
    candidates = [*FIVE, *candidate_automata(["random(0.4)", "gtft(1/3)"], 2)]
    found = evidence(society(rng, subjects=30), candidates)
    starts = rng.dirichlet(np.ones(7), 6).T, rng.uniform(0.01, 0.5, (7 if own else 1, 6))
    heights = np.array([p.log_likelihood for p in islice(climb(found, np.ones((30, 6)), *starts), 60)])
    assert (np.diff(heights, axis=0) >= -1e-9).all()


def test_the_summit_is_flat(small: Evidence) -> None:
    point = fit_mixture(small, np.random.default_rng(0))
    shares, tremble = point.shares[:, 0], float(point.trembles[0, 0])
    each = [likelihood(small, shares, tremble + step) for step in (-1e-4, 1e-4)]
    assert abs(each[1] - each[0]) / 2e-4 < 1e-2
    for k in range(5):  # moving a little weight to any strategy gains nothing; between those in use it costs nothing
        moved = 0.9999 * shares + 1e-4 * np.eye(5)[k]
        slope = (likelihood(small, moved, tremble) - likelihood(small, shares, tremble)) / 1e-4
        assert slope < 1e-2
        assert shares[k] < 1e-6 or slope > -0.1


def test_a_general_optimiser_finds_the_same(small: Evidence) -> None:
    optimize = pytest.importorskip("scipy.optimize")

    def height(x: np.ndarray) -> float:
        shares = np.exp(x[:5] - x[:5].max())
        return -likelihood(small, shares / shares.sum(), 0.5 / (1 + np.exp(-x[5])))

    best = optimize.minimize(height, np.array([0, 0, 0, 0, 0, -1.0]), method="BFGS")
    shares = np.exp(best.x[:5]) / np.exp(best.x[:5]).sum()
    point = fit_mixture(small, np.random.default_rng(0))
    assert point.log_likelihood[0] == pytest.approx(-best.fun, abs=1e-5)
    assert point.shares[:, 0] == pytest.approx(shares, abs=1e-3)
    assert point.trembles[0, 0] == pytest.approx(0.5 / (1 + np.exp(-best.x[5])), abs=1e-4)


DAL_BO_FRECHETTE = """
0.11 always_defect 5 0 5 1 0 0 0 1 0 0 0 0 38 11 17 13 18 38 38 7 1 31 3 18 0 19 0 3 0 0 0 2 6 0 0 2 0 7
0.30 always_cooperate 16 21 16 20 21 21 21 20 21 21 21 21 0 27 21 25 20 0 0 31 37 7 35 20 38 19 12 9 12 12
    12 10 6 12 12 10 12 5
0.27 mutual_grim 20 21 21 19 21 21 21 18 21 21 21 21 26 34 7 38 6 26 26 29 33 19 31 28 16 7 12 11 12 12 9 7
    12 12 12 12 12 11
0.33 tit_for_tat 19 21 20 20 21 21 21 19 21 21 21 21 24 30 18 38 20 19 22 34 35 21 38 31 34 19 12 10 12 12
    11 10 12 12 12 12 12 10
0.00 trigger_2 19 21 20 19 21 21 21 18 21 21 21 21 19 31 13 35 12 19 19 32 34 20 36 28 30 10 12 11 12 12 10
    8 10 12 12 12 12 9
0.00 win_stay_lose_shift 18 21 19 19 21 21 21 18 21 21 21 21 2 34 12 29 17 7 4 30 35 6 36 24 34 18 12 10 12
    12 11 9 7 12 12 11 12 6
"""
"""Of the 38 subjects with continuation 3/4 and R = 40 in Dal Bó & Fréchette 2011: published shares (table 7, as
stratEst finds them, Dvorak 2023), and how many choices of each subject the strategy would have made, too."""


def test_the_published_shares_of_people_are_found() -> None:
    words = DAL_BO_FRECHETTE.split()
    rows = [words[start : start + 40] for start in range(0, len(words), 40)]
    made = np.repeat([21, 38, 12], [12, 14, 12])  # choices of each subject
    same = np.array([row[2:] for row in rows], dtype=np.float64)
    names, subjects = tuple(row[1] for row in rows), tuple(map(str, range(38)))
    found = Evidence(names, subjects, np.tile([0.0, 1.0], (6, 1)), np.stack([made - same, same], axis=2), np.arange(38))
    assert fit_mixture(found, np.random.default_rng(0)).shares[:, 0].round(2).tolist() == [
        float(row[0]) for row in rows
    ]


def test_the_order_of_subjects_and_strategies_does_not_matter() -> None:
    plays = society(np.random.default_rng(5), subjects=40)
    back = {name: plays[name][::-1] for name in list(plays)[::-1]}
    one = fit_mixture(evidence(plays, FIVE), np.random.default_rng(0))
    other = fit_mixture(evidence(back, FIVE[::-1]), np.random.default_rng(9))
    assert one.shares[::-1] == pytest.approx(other.shares, abs=1e-6)
    assert one.trembles == pytest.approx(other.trembles, abs=1e-6)


def test_a_mixed_candidate_is_as_likely_as_its_probabilities_say() -> None:
    found = evidence({"s": [played("CCD", "CCC")]}, candidate_automata(["random(0.3)"], 2))
    point = next(climb(found, np.ones((1, 1)), np.ones((1, 1)), np.array([[0.1]])))
    chance = 0.3 * 0.9 + 0.7 * 0.1
    assert point.log_likelihood[0] == pytest.approx(np.log(chance**2 * (1 - chance)))


def test_a_planted_mixture_is_found_again() -> None:
    plays = society(np.random.default_rng(11))
    result = infer(evidence(plays, FIVE), np.random.default_rng(0))
    assert ((result.intervals[:, 0] <= SHARES) & (result.intervals[:, 1] >= SHARES)).all()
    assert result.tremble_intervals[0, 0] < TREMBLE < result.tremble_intervals[0, 1]
    assert result.shares.sum() == pytest.approx(1)
    assert result.posterior.sum(axis=1) == pytest.approx(1)
    assert result.assigned.sum() == pytest.approx(200)
    narrower = (result.pointwise[:, 1] - result.pointwise[:, 0]) < (result.intervals[:, 1] - result.intervals[:, 0])
    assert narrower.all()


@pytest.mark.slow
@pytest.mark.parametrize(("subjects", "matches", "tremble"), [(200, 10, TREMBLE), (20, 10, TREMBLE), (20, 4, 0.02)])
def test_planted_shares_and_the_tremble_lie_in_their_intervals_in_90_to_99_of_100_studies(
    subjects: int, matches: int, tremble: float
) -> None:
    """Every share, all shares at once, and the tremble; with few choices, hardly any tells Grim from Tit for Tat."""
    held = []
    for study in range(200):
        rng = np.random.default_rng([2011, study])
        plays = society(rng, subjects=subjects, matches=matches, tremble=tremble)
        found = infer(evidence(plays, FIVE), rng, 200)
        each, all_five = (
            (ends[:, 0] <= SHARES) & (ends[:, 1] >= SHARES) for ends in (found.pointwise, found.intervals)
        )
        low, high = found.tremble_intervals[0]
        held.append([*each, all_five.all(), low <= tremble <= high])
    shares = np.mean(held, axis=0)
    assert ((shares >= 0.90) & (shares <= 0.99)).all(), shares


def test_subjects_with_random_numbers_in_common_count_once() -> None:
    """Each subject three times, as three agents that act alike under the same seeds: the intervals are those of one."""
    plays = society(np.random.default_rng(12), subjects=40)
    seeds = {name: [replace(one, seed=int(name[1:])) for one in several] for name, several in plays.items()}
    alone, copied = seeds, {f"{name}.{copy}": several for name, several in seeds.items() for copy in range(3)}
    forgotten = {name: [replace(one, seed=None) for one in several] for name, several in copied.items()}
    counted = [evidence(play, FIVE) for play in (alone, copied, forgotten)]
    assert [found.independent for found in counted] == [40, 40, 120]
    once, thrice, more = (infer(found, np.random.default_rng(0), 200) for found in counted)
    assert thrice.shares == pytest.approx(once.shares, abs=1e-4)
    assert thrice.intervals == pytest.approx(once.intervals, abs=1e-3)
    assert thrice.errors == pytest.approx(once.errors, rel=0.01)
    assert more.errors == pytest.approx(once.errors / np.sqrt(3), rel=0.2)


def test_a_cluster_is_all_that_is_linked_by_a_seed_and_a_seat() -> None:
    one, other = played("C", "D"), replace(played("C", "D"), seat=1)
    subjects = {
        "a": [(one, 1), (one, 2)],
        "b": [(one, 2), (one, 3)],
        "c": [(one, 3)],
        "d": [(other, 3)],
        "e": [(one, 4)],
    }
    plays = {name: [replace(match, seed=seed) for match, seed in several] for name, several in subjects.items()}
    assert evidence(plays, FIVE).clusters.tolist() == [0, 0, 0, 1, 2]


def test_errors_of_clear_cut_shares_are_those_of_proportions() -> None:
    """Who always defects or always cooperates over ten matches is known for sure: a share is then a proportion."""
    plays = society(np.random.default_rng(2), FIVE[:2], [0.7, 0.3], tremble=0.02, subjects=300)
    result = infer(evidence(plays, FIVE[:2]), np.random.default_rng(0), resamples=4000)
    defecting = result.shares[0]
    assert result.errors[0] == pytest.approx(np.sqrt(defecting * (1 - defecting) / 300), rel=0.05)
    assert sorted(np.unique(result.posterior.round(6))) == [0, 1]


def test_each_strategy_may_have_its_own_tremble() -> None:
    plays = society(np.random.default_rng(4), FIVE[:2], [0.5, 0.5], tremble=[0.02, 0.2], subjects=100)
    found = evidence(plays, FIVE[:2])
    one, each = (infer(found, np.random.default_rng(0), own_trembles=own) for own in (False, True))
    assert each.trembles == pytest.approx([0.02, 0.2], abs=0.02)
    assert each.log_likelihood > one.log_likelihood + 10
    assert each.bic < one.bic
    assert one.trembles == pytest.approx([0.11], abs=0.03)


@pytest.mark.parametrize("own", [False, True])
def test_a_fair_coin_among_the_candidates_takes_nothing_from_the_others(own: bool) -> None:
    candidates = candidate_automata(["random", "tft"], 2)
    found = evidence(society(np.random.default_rng(6), candidates, [0.3, 0.7], subjects=200), candidates)
    result = infer(found, np.random.default_rng(0), resamples=200, own_trembles=own)
    assert result.intervals[0, 0] < 0.3 < result.intervals[0, 1]
    assert result.trembles[-1] == pytest.approx(TREMBLE, abs=0.02)
    assert not own or result.trembles[0] == pytest.approx(0, abs=1e-9)


def test_indistinguishable_strategies_share_equally_and_are_named() -> None:
    """Among those who always cooperate all nice strategies are one; who always defects plays none of them."""
    plays = {f"nice{i}": [played("CCCC", "CCCC")] for i in range(6)} | {"mean": [played("DDDD", "CCCC")]}
    result = infer(evidence(plays, FIVE), np.random.default_rng(0), resamples=200)
    assert result.tied == (("always_cooperate", "grim", "tit_for_tat", "win_stay_lose_shift"),)
    assert result.shares == pytest.approx([1 / 7, *[6 / 28] * 4], abs=1e-6)
    assert result.assigned == pytest.approx([1, *[6 / 4] * 4])
    assert (result.intervals[1:, 0] == 0).all()
    assert (result.intervals[1:, 1] > 6 / 7).all()


def test_unplayed_strategies_are_not_reported_as_indistinguishable() -> None:
    """Play with many rounds leaves nothing to either of two that would have done quite different things in it."""
    plays = {f"s{i}": [played("D" * 60, "CD" * 30)] for i in range(6)}
    result = infer(evidence(plays, FIVE), np.random.default_rng(0), resamples=50)
    assert result.tied == ()
    assert result.shares == pytest.approx([1, 0, 0, 0, 0], abs=1e-6)


def test_the_interval_of_an_unplayed_share_is_not_a_point() -> None:
    plays = {f"s{i}": [played("CCCC" if i % 2 else "DDDD", "CDCD")] for i in range(20)}
    result = infer(evidence(plays, FIVE[:2] + FIVE[4:]), np.random.default_rng(0), resamples=200)
    assert result.shares[2] == pytest.approx(0, abs=1e-6)
    assert (1 - result.pointwise[2, 1]) ** 20 <= 0.05 + 1e-9
    assert (1 - result.intervals[2, 1]) ** 20 <= 0.05 / 3 + 1e-9


def test_the_tremble_as_dal_bo_and_frechette_write_it(small: Evidence) -> None:
    result = infer(small, np.random.default_rng(0), resamples=10)
    assert 1 / (1 + np.exp(1 / result.gamma)) == pytest.approx(result.trembles)


def test_criteria_follow_their_definitions(small: Evidence) -> None:
    point = fit_mixture(small, np.random.default_rng(0))
    bic, icl = criteria(small, point)
    assert bic == pytest.approx(-2 * point.log_likelihood[0] + 5 * np.log(40))  # 4 shares and a tremble
    mass = point.posterior[:, :, 0]
    assert icl - bic == pytest.approx(-2 * (mass * np.log(np.maximum(mass, 1e-300))).sum())


def test_selection_drops_unplayed_strategies() -> None:
    plays = society(np.random.default_rng(8), shares=[0.5, 0, 0, 0.5, 0], subjects=100)
    kept = selected(evidence(plays, FIVE), np.random.default_rng(0), "bic")
    assert set(kept.strategies) == {"always_defect", "tit_for_tat"}


def test_the_usual_candidates_are_distinguishable() -> None:
    found = evidence(society(np.random.default_rng(0), subjects=60), candidate_automata(USUAL_CANDIDATES, 2))
    assert len(indistinguishable(fit_mixture(found, np.random.default_rng(0)))) == len(USUAL_CANDIDATES) == 13


def test_the_same_seed_gives_the_same_result(small: Evidence) -> None:
    one, other = (infer(small, np.random.default_rng(7), resamples=50) for _ in range(2))
    assert (one.intervals == other.intervals).all()


@pytest.mark.parametrize(
    ("counted", "message"),
    [
        (evidence({"s": [played("C", "C")]}, FIVE), "5 strategies, 1 subjects"),
        (evidence({"s": [played("C", "C")], "t": [played("C", "C")]}, FIVE[:1]), "1 strategies, 2 subjects"),
    ],
)
def test_too_little_to_infer_from(counted: Evidence, message: str) -> None:
    with pytest.raises(InferenceError, match=message):
        infer(counted, np.random.default_rng(0))
