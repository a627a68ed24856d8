"""Numbers over seeds: means with Student's intervals, differences of variants seed by seed, and limits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean, stdev

from dilemmas.envs.validation import Count
from dilemmas.experiments.reporting.format import with_span
from dilemmas.experiments.reporting.uncertainty.intervals import Estimate, Interval, t_critical
from dilemmas.experiments.series.measures import WHATS, MeasuredNumber
from dilemmas.experiments.series.plan import Limit

Key = tuple[str, str]
"""Where, and what."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """What one variant measured with one seed: a line of runs.jsonl."""

    variant: str
    """Name of the variant."""
    seed: Count
    """The seed."""
    measured: tuple[MeasuredNumber, ...]
    """Its numbers."""


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """A number of one variant over all seeds."""

    variant: str
    """Name of the variant."""
    where: str
    """Where it is measured."""
    what: str
    """What is measured."""
    values: tuple[float | None, ...]
    """Its values, seed by seed; null where it is not defined."""
    mean: float | None
    """Their mean; null without values."""
    interval: Interval | None
    """95% interval of the mean (Student's t over seeds); null with fewer than two values."""


@dataclass(frozen=True, slots=True)
class DifferenceOverSeeds:
    """How a number of one variant differs from that of another, paired by seed."""

    variant: str
    """Name of the variant."""
    against: str
    """The variant that is subtracted."""
    where: str
    """Where it is measured."""
    what: str
    """What is measured."""
    seeds: Count
    """Seeds in which both have a value."""
    mean: float | None
    """Mean of the differences; null without any."""
    interval: Interval | None
    """95% interval of the mean; null with fewer than two seeds."""


@dataclass(frozen=True, slots=True)
class LimitVerdict:
    """Whether a number is beyond its limit."""

    text: str
    """The number and the limit, in words."""
    passed: bool | None
    """Whether it is; null if it is not known."""
    warning: bool
    """Whether it is something to be warned of: a limit of a warning that is passed, or a bar that is not."""


def mean_over_seeds(values: Iterable[float | None], bounds: Interval = (-inf, inf)) -> Estimate | None:
    """Mean and 95% t-interval of independent values; without an interval for a single one, None without any.

    Values that are all the same have an interval of width 0. `bounds`: ends between which the values lie.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    mean = fmean(known)
    if len(known) == 1:
        return Estimate(mean, None)
    half = t_critical(len(known) - 1) * stdev(known) / sqrt(len(known))
    return Estimate(mean, (max(bounds[0], mean - half), min(bounds[1], mean + half)))


class Aggregate:
    """The numbers of all variants over the same seeds."""

    def __init__(self, runs: Iterable[FinishedRun], variants: Sequence[str], seeds: Sequence[int]) -> None:
        """`runs`: one for each of the variants and seeds, in any order."""
        self.variants, self.seeds = variants, seeds
        self._found: dict[tuple[str, int], Mapping[Key, float | None]] = {
            (run.variant, run.seed): {(one.where, one.what): one.value for one in run.measured} for run in runs
        }

    def keys(self) -> list[Key]:
        """Everything that is measured, in the order of the runs."""
        runs = (self._found[variant, seed] for variant in self.variants for seed in self.seeds)
        return list(dict.fromkeys(key for run in runs for key in run))

    def values(self, variant: str, key: Key) -> tuple[float | None, ...]:
        """The values of one number by seed."""
        return tuple(self._found[variant, seed].get(key) for seed in self.seeds)

    def means(self) -> Iterator[OverSeeds]:
        """Every number of every variant that has it."""
        for key in self.keys():
            for variant in self.variants:
                values = self.values(variant, key)
                if any(key in self._found[variant, seed] for seed in self.seeds):
                    found = mean_over_seeds(values, WHATS[key[1]][2])
                    yield OverSeeds(variant, *key, values, *_parts(found))

    def differences(self) -> Iterator[DifferenceOverSeeds]:
        """Every number of the other variants minus that of the first one."""
        first, *others = self.variants
        for key in self.keys():
            for variant in others:
                found = self._differences(variant, first, key)
                if found:
                    yield DifferenceOverSeeds(variant, first, *key, len(found), *_parts(mean_over_seeds(found)))

    def verdicts(self, limits: Iterable[Limit]) -> Iterator[LimitVerdict]:
        """What the limits say; those of variants that were not carried out say nothing."""
        for limit in limits:
            for variant in [limit.variant] if limit.variant else self.variants:
                if {variant, limit.against or variant} <= set(self.variants) and variant != limit.against:
                    yield self._verdict(limit, variant)

    def _differences(self, variant: str, against: str, key: Key) -> list[float]:
        pairs = zip(self.values(variant, key), self.values(against, key), strict=True)
        return [one - other for one, other in pairs if one is not None and other is not None]

    def _verdict(self, limit: Limit, variant: str) -> LimitVerdict:
        key = (limit.where, limit.what)
        values = self._differences(variant, limit.against, key) if limit.against else self.values(variant, key)
        found = mean_over_seeds(values, (-inf, inf) if limit.against else WHATS[limit.what][2])
        whose = f" ({variant})" if not limit.variant and len(self.variants) > 1 else ""
        if found is None:
            return LimitVerdict(f"{limit.says}{whose}: not measured.", None, warning=limit.bar)
        passed = _beyond(limit, found)
        side = "below" if limit.above is None else "above"
        asked = f"{side} {limit.number:g}{' with its whole interval' if limit.surely else ''}"
        words = f"{limit.says}{whose}: {with_span(found.value, found.interval)}"
        if limit.bar:
            text = f"{words}; the bar, {asked}, is {'reached' if passed else 'missed'}."
        else:
            text = f"{words}; {'' if passed else 'not '}{asked}, the limit."
        return LimitVerdict(f"{text} {limit.means}".rstrip() if passed else text, passed, warning=passed != limit.bar)


def _beyond(limit: Limit, found: Estimate) -> bool:
    """Whether a number is beyond its limit; surely so only with an interval."""
    low, high = found.value, found.value
    if limit.surely:
        if found.interval is None:
            return False
        low, high = found.interval
    return low > limit.number if limit.above is not None else high < limit.number


def _parts(found: Estimate | None) -> tuple[float | None, Interval | None]:
    return (None, None) if found is None else (found.value, found.interval)
