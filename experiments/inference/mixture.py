"""Shares of strategies in a population of subjects: the strategy frequency estimation method.

Dal Bó & Fréchette 2011 (AER 101:411): every subject plays one of K candidate strategies in all its matches and, in each
round, chooses the opposite action with a probability called the tremble. Shares and tremble are maximum-likelihood
estimates, computed by EM (Dempster, Laird & Rubin 1977) from several initial values. Standard errors, and the design
effects of the trembles' intervals, come from a bootstrap over subjects; those with random numbers in common are drawn
together, as one cluster (Cameron, Gelbach & Miller 2008, Rev. Econ. Stat. 90:414).

Differences: Dal Bó & Fréchette write the tremble as 1 / (1 + exp(1 / gamma)); candidates may be mixed strategies, whose
sampled action is then swapped; trembles may differ between strategies, as in stratEst (Dvorak 2023, J. Econ. Sci.
Assoc. 9:337).

    dilemmas infer runs/replicate --by match
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import logit  # type: ignore[import-untyped, unused-ignore]

from dilemmas.envs.checks import generator
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.inference.expectation_maximisation import Point, parts, state, summit
from dilemmas.experiments.inference.likelihoods import LEAST_TREMBLE, MOST_TREMBLE, Evidence, InferenceError
from dilemmas.experiments.inference.profile_likelihood import of_parts, profile_intervals, tremble_intervals
from dilemmas.experiments.inference.score_intervals import (
    bootstrap_errors,
    informative_choices,
    score_intervals,
)

Criterion = Literal["bic", "icl"]

STARTS = 12
"""Initial values of EM; the first has equal shares."""
SAME = 1e-6
"""Likelihoods that differ by less than this part of the likelihood of the mixture count as equal."""
PLAYED = 1e-3
"""A strategy whose likelihood for every subject is below this part of that of the mixture was not played."""
EXACT, TOLERANCE = 1e-9, 1e-5
"""Precision of the shares and trembles that are reported, and of those of bootstrap replicates."""


@dataclass(frozen=True)
class Inference:
    """A mixture of K strategies fitted to S subjects; arrays are in the order of the strategies of the evidence."""

    evidence: Evidence
    """Strategies, subjects and counts."""
    shares: Numbers
    """Shape (K,). Strategies that the data do not distinguish have equal parts of their sum: see `tied`."""
    errors: Numbers
    """Standard errors of the shares, shape (K,); NaN where all bootstrap samples have the same."""
    pointwise: Numbers
    """95% interval of each share by itself, shape (K, 2)."""
    intervals: Numbers
    """Simultaneous 95% intervals of all shares, shape (K, 2): they all cover in 95% of studies."""
    trembles: Numbers
    """Probability, from 0 to 1/2, that a choice is swapped, shape (1,), or (K,) if trembles differ; 0 for a fair coin,
    which a tremble does not change."""
    tremble_errors: Numbers
    """Standard errors of the trembles, shape (1,) or (K,); NaN where all bootstrap samples have the same."""
    tremble_intervals: Numbers
    """95% interval of each tremble by itself, shape (1, 2) or (K, 2); from 0 to 1/2 for a fair coin."""
    log_likelihood: float
    """Natural logarithm of the likelihood."""
    bic: float
    """-2 log-likelihood + free parameters x log(independent subjects) (Schwarz 1978); lower is better."""
    icl: float
    """BIC + 2 x entropy of the posteriors (Biernacki, Celeux & Govaert 2000): it penalises unclear assignments too."""
    posterior: Numbers
    """Probability of each strategy for each subject, shape (S, K)."""
    tied: tuple[tuple[str, ...], ...]
    """Groups of strategies that the data do not distinguish, because they give the same probabilities to all choices
    that any of them explains; only the sum of their shares is identified. Strategies that no subject can have played
    are omitted: the share of each is 0."""

    @property
    def assigned(self) -> Numbers:
        """Number of subjects for whom each strategy is the most likely, shape (K,); ties count in equal parts."""
        top = np.isclose(self.posterior, self.posterior.max(axis=1, keepdims=True), rtol=1e-9, atol=0.0)
        return np.asarray((top / top.sum(axis=1, keepdims=True)).sum(axis=0))

    @property
    def gamma(self) -> Numbers:
        """The tremble in the parametrisation of Dal Bó & Fréchette: tremble = 1 / (1 + exp(1 / gamma))."""
        return np.asarray(-1.0 / logit(np.minimum(self.trembles, np.nextafter(0.5, 0))))


def infer(evidence: Evidence, rng: np.random.Generator, resamples: int = 1000, own_trembles: bool = False) -> Inference:
    """Fit a mixture of the strategies to the choices of the subjects.

    Parameters
    ----------
    evidence
        From `dilemmas.experiments.inference.likelihoods.evidence`.
    rng
        Generator of the initial values and the bootstrap samples.
    resamples
        Bootstrap samples of the clusters of subjects, 2 or more.
    own_trembles
        Whether each strategy has its own tremble.

    Raises
    ------
    InferenceError
        With fewer than 2 strategies, independent subjects or bootstrap samples, or without a choice.
    """
    _check(evidence, resamples)
    best = fit_mixture(evidence, rng, own_trembles)
    shares, trembles = bootstrap(evidence, best, rng, resamples)
    bic, icl = criteria(evidence, best)
    groups = indistinguishable(best)
    size = np.array([len(group) for group in groups])
    member = np.zeros(len(evidence.strategies), dtype=np.int64)  # the group of each strategy
    for number, group in enumerate(groups):
        member[list(group)] = number
    fitted, shares = _summed(best.shares, groups)[:, 0], _summed(shares, groups)
    alone, together = (of_parts(profile_intervals(evidence, best, groups, number), size) for number in (1, len(groups)))
    fixed, choices = best.trembles[:, 0], informative_choices(evidence, best)
    spans, flat = score_intervals(fixed, trembles, choices, evidence.independent), tremble_intervals(evidence, best)
    return Inference(
        evidence=evidence,
        shares=(fitted / size)[member],
        errors=(bootstrap_errors(shares, TOLERANCE) / size)[member],
        pointwise=alone[member],
        intervals=together[member],
        trembles=fixed,
        tremble_errors=bootstrap_errors(trembles, TOLERANCE),
        tremble_intervals=np.column_stack(
            [np.minimum(spans[:, 0], flat[:, 0]), np.clip(np.maximum(spans[:, 1], flat[:, 1]), 0.0, MOST_TREMBLE)]
        ),
        log_likelihood=float(best.log_likelihood[0]),
        bic=bic,
        icl=icl,
        posterior=(_summed(best.posterior[:, :, 0], groups) / size[:, None])[member].T,
        tied=tuple(tuple(evidence.strategies[k] for k in group) for group in groups if _together(best, group)),
    )


def _summed(values: Numbers, groups: Sequence[tuple[int, ...]]) -> Numbers:
    """Sums over the first axis by group."""
    return np.array([values[list(group)].sum(axis=0) for group in groups])


def indistinguishable(point: Point) -> list[tuple[int, ...]]:
    """Groups of strategies that the data do not distinguish: they have equal likelihoods for every subject."""
    ratios = point.ratios[:, :, 0]
    groups: list[list[int]] = []
    for k, ratio in enumerate(ratios):
        for group in groups:
            if np.abs(ratio - ratios[group[0]]).max() < SAME:
                group.append(k)
                break
        else:
            groups.append([k])
    return [tuple(group) for group in groups]


def _together(point: Point, group: tuple[int, ...]) -> bool:
    """Whether the group has several strategies that some subject can have played."""
    return len(group) > 1 and bool(point.ratios[list(group), :, 0].max() >= PLAYED)


def _check(evidence: Evidence, resamples: int) -> None:
    found = f"{len(evidence.strategies)} strategies, {len(evidence.subjects)} subjects, {resamples} bootstrap samples"
    if min(len(evidence.strategies), len(evidence.subjects), resamples) < 2:
        way = "; with few players, use --by match" if len(evidence.subjects) < 2 else ""
        raise InferenceError(f"{found}: needs 2 or more of each{way}")
    if evidence.independent < 2:
        raise InferenceError(
            f"{found}: all have random numbers in common, because their matches have equal seeds; record matches with"
            " different seeds, or use --by match"
        )
    if not evidence.choices:
        raise InferenceError(f"{found}: no choice is readable")


def fit_mixture(evidence: Evidence, rng: np.random.Generator, own_trembles: bool = False) -> Point:
    """The mixture with the largest likelihood from several initial values, as a single sample.

    Shares that are 0 up to the precision of EM, and a tremble at its lower bound, are 0.
    """
    generator(rng, "rng", InferenceError)
    k = len(evidence.strategies)
    shares = np.column_stack([np.full(k, 1 / k), rng.dirichlet(np.ones(k), STARTS - 1).T])
    trembles = np.tile(np.linspace(0.02, 0.4, STARTS), (k if own_trembles else 1, 1))
    if own_trembles:
        trembles[(evidence.follows == 0.5).all(axis=1)] = LEAST_TREMBLE  # the tremble of a fair coin is not identified
    once = np.ones((len(evidence.subjects), 1))
    found = summit(evidence, once, shares, trembles, EXACT)
    best = [int(np.argmax(found.log_likelihood))]
    shares, trembles = found.shares[:, best], found.trembles[:, best]
    shares = np.where(shares > EXACT, shares, 0.0)
    return state(evidence, once, shares / shares.sum(), np.where(trembles > LEAST_TREMBLE, trembles, 0.0))


def bootstrap(evidence: Evidence, best: Point, rng: np.random.Generator, resamples: int) -> tuple[Numbers, Numbers]:
    """Shares (K, B) and trembles fitted to B samples of clusters with replacement, with initial values near `best`."""
    clusters, k = evidence.independent, len(evidence.strategies)
    drawn = rng.multinomial(clusters, np.full(clusters, 1 / clusters), resamples).T.astype(np.float64)  # (clusters, B)
    weights = drawn[evidence.clusters]  # (S, B)
    start = 0.9 * best.shares + 0.1 / k, np.maximum(best.trembles, LEAST_TREMBLE)  # EM cannot leave a share of 0
    found = []
    for part in parts(evidence, resamples):
        shares, trembles = (np.tile(values, (1, len(part))) for values in start)
        found.append(summit(evidence, weights[:, part], shares, trembles, TOLERANCE))
    return np.hstack([point.shares for point in found]), np.hstack([point.trembles for point in found])


def criteria(evidence: Evidence, point: Point) -> tuple[float, float]:
    """BIC and ICL of the state of a single sample."""
    free = len(point.shares) - 1 + len(point.trembles)
    posterior = point.posterior[:, :, 0]
    bic = float(free * np.log(evidence.independent) - 2.0 * point.log_likelihood[0])
    sure = np.where(posterior > 0.0, posterior, 1.0)
    return bic, bic - 2.0 * float((posterior * np.log(sure)).sum())


def selected(evidence: Evidence, rng: np.random.Generator, by: Criterion, own_trembles: bool = False) -> Evidence:
    """Backward elimination: drop the rarest strategy while the criterion decreases and three or more remain."""
    kept = evidence
    point = fit_mixture(kept, rng, own_trembles)
    while len(kept.strategies) > 2:
        fewer = kept.of([k for k in range(len(kept.strategies)) if k != int(np.argmin(point.shares))])
        simpler = fit_mixture(fewer, rng, own_trembles)
        now, then = (criteria(kept, point), criteria(fewer, simpler))
        if then[by == "icl"] >= now[by == "icl"]:
            break
        kept, point = fewer, simpler
    return kept
