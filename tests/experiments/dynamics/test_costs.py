"""Population dynamics say what they cost before they start, and hold few numbers however long they take."""

import numpy as np
import pytest

from dilemmas.experiments.dynamics.costs import check_generations, check_pairs, check_simulation
from dilemmas.experiments.dynamics.deterministic import ecological
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix
from dilemmas.experiments.dynamics.summaries import DYNAMICS
from dilemmas.experiments.reporting.cost import CostError

DILEMMA = PayoffMatrix(("C", "D"), np.array([[3.0, 0], [5, 1]]))


def test_a_long_course_is_recorded_now_and_then_and_at_its_end() -> None:
    whole = ecological(DILEMMA, generations=25)
    thinned = ecological(DILEMMA, generations=25, every=10)
    assert thinned.times.tolist() == [0, 10, 20, 25]
    assert np.array_equal(thinned.shares, whole.shares[[0, 10, 20, 25]])


@pytest.mark.parametrize("name", ["ecological", "best-response", "replicator"])
def test_a_million_generations_hold_ten_thousand_records(name: str) -> None:
    run, settings = DYNAMICS[name]
    generations = 25_000
    outcome = run(DILEMMA, {**settings, "generations": generations})
    assert len(outcome.data["times"]) <= 10_001
    assert outcome.data["times"][-1] == generations
    assert any("recorded every" in note for note in outcome.notes)


def test_short_computations_start_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    check_generations(10_000, 200)
    check_pairs(60, 1000)
    assert check_simulation(3, 100, 100, 1000, on_graph=False) == 1
    assert capsys.readouterr() == ("", "")


def test_long_computations_are_announced_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    check_generations(10**8, 3)
    assert "100,000,000 generations of 3 strategies: this may take up to 17 min" in capsys.readouterr().err
    with pytest.raises(CostError, match=r"1,000,000 players with 3 strategies .*; take fewer --generations or --runs"):
        check_simulation(3, 10**6, 10**4, 10**4, on_graph=False)
    with pytest.raises(CostError, match="smaller --population or fewer --players"):
        check_pairs(1000, 10**7)


def test_simulations_that_do_not_fit_into_memory_are_refused() -> None:
    with pytest.raises(DynamicsError, match="do not fit into memory; take fewer --runs or a smaller --population"):
        check_simulation(3, 10**6, 1000, 1, on_graph=True)


def test_many_runs_are_counted_less_often() -> None:
    assert check_simulation(10, 10, 10_000, 1000, on_graph=False) == 6  # at most 2**24 counts
