"""Maximum-likelihood estimation of mixtures of strategies by expectation maximisation (EM), for many samples at once.

EM: Dempster, Laird & Rubin 1977 (J. R. Stat. Soc. B 39:1), accelerated by SQUAREM (Varadhan & Roland 2008, Scand. J.
Stat. 35:335). The model is that of `dilemmas.experiments.inference.mixture`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.inference.likelihoods import LEAST_TREMBLE, MOST_TREMBLE, Evidence

STEPS = 20_000
"""Largest number of EM steps from one initial value."""
LEAST_SHARE = 1e-100
"""Lower bound of a share during EM, so that no likelihood is 0."""
LEAST_CHANCE = 1e-300
"""Probability of a choice that a strategy without trembles excludes, so that its logarithm is finite."""
CELLS = 2_000_000
"""Largest number of likelihoods in memory while many samples are fitted."""


class Point(NamedTuple):
    """State of EM, for B samples side by side."""

    shares: Numbers
    """Shape (K, B)."""
    trembles: Numbers
    """Shape (K, B), or (1, B) if the tremble is common to all strategies."""
    log_likelihood: Numbers
    """Shape (B,)."""
    ratios: Numbers
    """Likelihood of the choices of each subject under each strategy over that under the mixture, shape (K, S, B)."""

    @property
    def posterior(self) -> Numbers:
        """Probability of each strategy for each subject, shape (K, S, B)."""
        return np.asarray(self.shares[:, None] * self.ratios)


class Fixed(NamedTuple):
    """What EM keeps as it is in each of B samples: a sum of shares, and trembles."""

    members: NDArray[np.bool_]
    """The strategies that each sum is over, shape (K, B); none where no sum is kept."""
    sums: Numbers
    """From 0 to 1, shape (B,); 0 where no sum is kept."""
    trembles: NDArray[np.bool_]
    """Which trembles are kept, of the shape in `Point`."""

    def of(self, samples: NDArray[np.int64]) -> "Fixed":
        """What is kept in some of the samples."""
        return Fixed(self.members[:, samples], self.sums[samples], self.trembles[:, samples])

    def kept(self, shares: Numbers) -> Numbers:
        """The shares, shape (K, B), in proportion to what they are, with these sums."""
        inside, outside = ((shares * part).sum(axis=0) for part in (self.members, ~self.members))
        found = np.where(
            self.members,
            self.sums / np.maximum(inside, LEAST_SHARE),
            (1.0 - self.sums) / np.maximum(outside, LEAST_SHARE),
        )
        return np.asarray(shares * found)


def parts(evidence: Evidence, samples: int) -> list[NDArray[np.int64]]:
    """Positions of the samples, in parts that fit into memory."""
    cells = samples * len(evidence.strategies) * len(evidence.subjects)
    return np.array_split(np.arange(samples), -(-cells // CELLS))


def climb(evidence: Evidence, weights: Numbers, shares: Numbers, trembles: Numbers) -> Iterator[Point]:
    """Endless iteration of EM from initial values; the log-likelihood never decreases.

    Parameters
    ----------
    weights
        Number of times each subject is in each of B samples, shape (S, B).
    shares, trembles
        Initial values, of the shapes in `Point`.

    Yields
    ------
    Point
        The state before each step; the first has the initial values.
    """
    while True:
        point, shares, trembles = _step(evidence, weights, shares, trembles)
        yield point


def state(evidence: Evidence, weights: Numbers, shares: Numbers, trembles: Numbers) -> Point:
    """The state at these shares and trembles; the parameters are those of `climb`."""
    chances = np.maximum(evidence.chances(trembles), LEAST_CHANCE)  # (K, L, B)
    log_likelihoods = evidence.counts @ np.log(chances)  # (K, S, B)
    top = log_likelihoods.max(axis=0)
    ratios = np.exp(log_likelihoods - top)
    total = np.einsum("kb,ksb->sb", shares, ratios)
    return Point(shares, trembles, (weights * (top + np.log(total))).sum(axis=0), ratios / total)


def _step(
    evidence: Evidence, weights: Numbers, shares: Numbers, trembles: Numbers, fixed: Fixed | None = None
) -> tuple[Point, Numbers, Numbers]:
    """The present state, and the shares and trembles after one step of EM."""
    point = state(evidence, weights, shares, trembles)
    posterior = point.posterior * weights
    further = np.maximum(posterior.sum(axis=1) / weights.sum(axis=0), LEAST_SHARE)
    made = evidence.counts.transpose(0, 2, 1) @ posterior  # (K, L, B): expected choices by strategy
    swapping = trembles[:, None] * (1.0 - evidence.follows[:, :, None]) / evidence.chances(trembles)
    swapped = (made * swapping).sum(axis=1)  # (K, B)
    if len(trembles) == 1:
        swapped, made = swapped.sum(axis=0, keepdims=True), made.sum(axis=0, keepdims=True)
    turns = made.sum(axis=1)
    found = np.divide(swapped, turns, out=trembles.copy(), where=turns > 0)
    found = np.clip(found, LEAST_TREMBLE, MOST_TREMBLE)
    if fixed:
        further, found = fixed.kept(further), np.where(fixed.trembles, trembles, found)
    return point, further, found


def summit(
    evidence: Evidence,
    weights: Numbers,
    shares: Numbers,
    trembles: Numbers,
    tolerance: float,
    fixed: Fixed | None = None,
) -> Point:
    """The fixed point of EM: a further step changes no share and no tremble by more than `tolerance`.

    SQUAREM extrapolates two steps and keeps the result if the likelihood does not decrease. Samples that have converged
    are not updated. Sums of shares and trembles that are `fixed` stay as they are in the initial values.
    """
    at = [shares.copy(), trembles.copy()]
    moving = np.arange(shares.shape[1])
    for _ in range(STEPS):
        own = weights[:, moving] if weights.shape[1] > 1 else weights
        here, held = [part[:, moving] for part in at], fixed and fixed.of(moving)
        _, *one = _step(evidence, own, here[0], here[1], held)
        point, *two = _step(evidence, own, one[0], one[1], held)
        leap = _leap(here, one, two, held)
        further, *beyond = _step(evidence, own, leap[0], leap[1], held)
        better = further.log_likelihood >= point.log_likelihood
        for part, far, near in zip(at, beyond, two, strict=True):
            part[:, moving] = np.where(better, far, near)
        moved = np.max([np.abs(new - old).max(axis=0) for new, old in zip(one, here, strict=True)], axis=0)
        moving = moving[moved >= tolerance]
        if not moving.size:
            break
    return state(evidence, weights, at[0], at[1])


def _leap(here: list[Numbers], one: list[Numbers], two: list[Numbers], fixed: Fixed | None) -> list[Numbers]:
    """Shares and trembles extrapolated from two steps of EM; a share decreases at most to a tenth of its value."""
    first = [new - old for new, old in zip(one, here, strict=True)]
    second = [last - new - step for last, new, step in zip(two, one, first, strict=True)]
    length, bend = (np.sqrt(sum((part**2).sum(axis=0) for part in parts)) for parts in (first, second))
    reach = np.maximum(1.0, np.divide(length, bend, out=np.ones_like(length), where=bend > 0))
    shares, trembles = (
        old + 2.0 * reach * step + reach**2 * turn for old, step, turn in zip(here, first, second, strict=True)
    )
    shares = np.maximum(shares, np.maximum(0.1 * two[0], LEAST_SHARE))
    shares = fixed.kept(shares) if fixed else shares / shares.sum(axis=0)
    return [shares, np.clip(trembles, LEAST_TREMBLE, MOST_TREMBLE)]
