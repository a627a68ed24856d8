"""Whether two proportions are alike, and which difference answers could have shown: what a z-test does not tell."""

from math import acos, copysign, cos, erfc, inf, pi, sqrt
from statistics import NormalDist

from dilemmas.experiments.reporting.uncertainty.intervals import Z, check_successes

MARGIN = 0.1
"""Difference of two rates below which they count as alike in `equivalence`."""


def equivalence(successes: float, n: int, other_successes: float, other_n: int, margin: float = MARGIN) -> float:
    """p-value of the hypothesis that two proportions differ by `margin` or more: two one-sided tests, TOST (Schuirmann
    1987, J. Pharmacokinet. Biopharm. 15:657), each the score test of Farrington & Manning 1990 (Stat. Med. 9:1447).

    `margin`: in (0, 1). The other parameters and the errors are those of `two_proportions`. A small value says that the
    proportions are alike. The variances are those of proportions that differ by the margin, so that also samples
    without any failure leave doubt: few of them say little.
    """
    check_successes(successes, n)
    check_successes(other_successes, other_n)
    rate, other = successes / n, other_successes / other_n
    return max(_excess(*pair, margin) for pair in ((rate, n, other, other_n), (other, other_n, rate, n)))


def _excess(rate: float, n: int, other: float, other_n: int, margin: float) -> float:
    """p-value of the hypothesis that the first proportion is above the second by `margin` or more."""
    first = _restricted(rate, other, other_n / n, margin)
    second = first - margin
    error = sqrt(max(0.0, first * (1 - first)) / n + max(0.0, second * (1 - second)) / other_n)
    return erfc((margin - (rate - other)) / error / sqrt(2)) / 2


def _restricted(rate: float, other: float, sizes: float, margin: float) -> float:
    """The most likely first proportion if the second is lower by `margin`: a root of the cubic in the appendix of
    Farrington & Manning; `sizes`: observations of the second sample by those of the first."""
    a = 1 + sizes
    b = -(1 + sizes + rate + sizes * other + margin * (sizes + 2))
    c = margin**2 + margin * (2 * rate + sizes + 1) + rate + sizes * other
    d = -rate * margin * (1 + margin)
    v = (b / (3 * a)) ** 3 - b * c / (6 * a**2) + d / (2 * a)
    u = copysign(sqrt(max(0.0, (b / (3 * a)) ** 2 - c / (3 * a))), v)
    turn = (pi + acos(min(1.0, max(-1.0, v / u**3)))) / 3 if u else 0.0
    return min(1.0, max(margin, 2 * u * cos(turn) - b / (3 * a)))


def detectable(n: int) -> float | None:
    """Difference d of two proportions around 1/2 that a test at 5% finds with probability 0.8, for `n` answers each.

    None if no difference is found so often. The root of d = 1.96 s + 0.84 s sqrt(1 - d^2), where s = sqrt(1/2n) is the
    standard error of `two_proportions`, and s sqrt(1 - d^2) that of proportions as far apart.
    """
    error, power = sqrt(0.5 / n), NormalDist().inv_cdf(0.8)
    least, noise = Z * error, (power * error) ** 2
    root = noise * (1 + noise - least**2)
    found = (least + sqrt(root)) / (1 + noise) if root >= 0 else inf
    return found if found <= 1 else None
