"""Random numbers of sampled matches and the match lengths drawn from them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dilemmas.agents.engines.random_streams import TABLE, match_lengths, streams, uniform
from dilemmas.envs.rules.factory import rules_of

PD = "prisoners_dilemma"


def seeds(groups: int, matches: int, seed: int = 0) -> NDArray[np.uint64]:
    return np.random.default_rng(seed).integers(0, 2**64, (groups, matches), dtype=np.uint64)


def test_the_random_numbers_are_those_of_splitmix64() -> None:
    """The first five words from the seed 1234567, as Vigna's splitmix64.c prints them."""
    words = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    start = streams(np.array([1234567], dtype=np.uint64), TABLE, 0)
    assert uniform(start, range(1, 6)).tolist() == [(word >> 11) * 2.0**-53 for word in words]


def test_streams_of_seats_and_rounds_are_uncorrelated() -> None:
    starts = streams(seeds(1, 20_000)[0, :, None], [1, 1, 1, 2, 3], [0, 1, 2, 0, 0])
    numbers = np.concatenate([uniform(starts, 1), uniform(starts, 2)], axis=1)
    off = np.corrcoef(numbers.T) - np.eye(10)
    assert np.abs(off).max() < 5 / np.sqrt(20_000)
    assert np.allclose(numbers.mean(axis=0), 0.5, atol=5 * np.sqrt(1 / 12 / 20_000))


def test_an_unknown_and_a_random_length() -> None:
    """P(more than k rounds) is the continuation to the power of k; a range is uniform; the shorter one applies."""
    keys = seeds(1, 40_000)[0]
    lasted = match_lengths(rules_of(PD, continuation=0.9), keys)
    for k in (1, 2, 5, 20):
        assert (lasted > k).mean() == pytest.approx(0.9**k, abs=5 * np.sqrt(0.25 / len(keys)))
    drawn = match_lengths(rules_of(PD, rounds=(3, 6)), keys)
    assert np.bincount(drawn, minlength=8) / len(keys) == pytest.approx([0, 0, 0, 0.25, 0.25, 0.25, 0.25, 0], abs=0.012)
    both = match_lengths(rules_of(PD, rounds=(3, 6), continuation=0.9), keys)
    assert (both == np.minimum(lasted, drawn)).all()
    assert (match_lengths(rules_of(PD, continuation=0.0), keys) == 1).all()
    assert match_lengths(rules_of(PD, continuation=0.9999), keys).mean() == pytest.approx(10_000, rel=5 / 200)
    assert abs(np.corrcoef(lasted, drawn)[0, 1]) < 0.025
