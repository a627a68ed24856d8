"""The contract can fail: each planted fault is caught by the clause beside it.

PettingZoo's own tests let most of these faults pass.
"""

from collections.abc import Callable

import contract_clauses as clauses
import contract_faults as faults
import contract_phase_clauses as phase_clauses
import contract_phase_faults as phase_faults
import pytest
from contract_cases import CASES, Case, Make
from contract_faults import Faulty

CLAUSES = (*clauses.CLAUSES, *phase_clauses.PHASE_CLAUSES)


FAULTS: dict[type[Faulty], Callable[[Case, Make], None]] = {
    faults.WrongPayoff: clauses.payoffs_equal_the_games,
    faults.SwappedRewards: clauses.payoffs_equal_the_games,
    faults.NothingInTheLastRound: clauses.payoffs_equal_the_games,
    faults.RewardOfTheIntendedAction: clauses.noise_replaces_actions_once,
    faults.NoiseTwice: clauses.noise_replaces_actions_once,
    faults.NoNoise: clauses.noise_replaces_actions_once,
    faults.AllTrembleTogether: clauses.noise_replaces_actions_once,
    phase_faults.SignalsTremble: phase_clauses.noise_only_changes_acts,
    phase_faults.SanctionsTremble: phase_clauses.noise_only_changes_acts,
    faults.ReseedsAtReset: clauses.a_seed_determines_the_match,
    faults.SeedZeroIsNone: clauses.a_seed_determines_the_match,
    faults.SeedsOnlyTheFirstStep: clauses.a_seed_determines_the_match,
    faults.UsesTheGlobalGenerator: clauses.a_seed_determines_the_match,
    faults.SharedInfos: clauses.results_are_not_shared,
    faults.OneDictionaryForEver: clauses.results_are_not_shared,
    faults.AliasedObservations: clauses.results_are_not_shared,
    faults.ObservationsOfTheCache: clauses.results_are_not_shared,
    faults.RewardsOfTheCache: clauses.results_are_not_shared,
    faults.OneDictionaryOfFlags: clauses.results_are_not_shared,
    faults.AgentsAreThePossibleOnes: clauses.results_are_not_shared,
    faults.OneState: clauses.results_are_not_shared,
    faults.SharedMasks: clauses.masks_are_not_shared,
    faults.BothFlags: clauses.rules_terminate_and_max_cycles_truncates,
    faults.ClockTerminates: clauses.rules_terminate_and_max_cycles_truncates,
    faults.NeverEnds: clauses.rules_terminate_and_max_cycles_truncates,
    faults.ClockOneLate: clauses.rules_terminate_and_max_cycles_truncates,
    faults.ClockCountsRounds: clauses.rules_terminate_and_max_cycles_truncates,
    faults.OneAgentEndsFirst: clauses.rules_terminate_and_max_cycles_truncates,
    faults.EndsTooRarely: clauses.the_continuation_has_its_probability,
    faults.ChanceIsTheMean: clauses.the_continuation_has_its_probability,
    faults.ChanceInEveryPhase: clauses.the_continuation_has_its_probability,
    faults.ObservationsOutsideTheSpace: clauses.observations_lie_in_the_space,
    faults.ObservationsOfAnotherType: clauses.observations_lie_in_the_space,
    faults.NewSpaces: clauses.observations_lie_in_the_space,
    faults.EverybodySeesTheSame: clauses.the_history_is_observed,
    faults.OldMatchAtReset: clauses.the_history_is_observed,
    faults.StaleViews: clauses.the_history_is_observed,
    faults.CopiesBeginAnew: clauses.copies_continue_the_match,
    faults.CopiesForgetTheGenerator: clauses.copies_continue_the_match,
    faults.ClipsActions: clauses.illegal_actions_are_refused,
    phase_faults.MaskIgnored: phase_clauses.actions_of_another_phase_become_the_default,
    phase_faults.StaleMasks: phase_clauses.actions_of_another_phase_become_the_default,
    phase_faults.TalkCosts: phase_clauses.talk_is_free_and_not_binding,
    phase_faults.TalkBinds: phase_clauses.talk_is_free_and_not_binding,
    phase_faults.HeardTheOtherWayRound: phase_clauses.talk_is_free_and_not_binding,
    phase_faults.DeafToTheFirstTurn: phase_clauses.talk_is_free_and_not_binding,
    phase_faults.BlankPart: phase_clauses.the_round_is_observed_in_numbers,
    phase_faults.DeafInNumbers: phase_clauses.the_round_is_observed_in_numbers,
    phase_faults.BlindToTheRoundInNumbers: phase_clauses.the_round_is_observed_in_numbers,
    phase_faults.SanctionsNotInNumbers: phase_clauses.the_round_is_observed_in_numbers,
    phase_faults.SanctionsPaidByTheWrongPlayer: phase_clauses.sanctions_cost_the_giver_and_move_the_receiver,
    phase_faults.SanctionsForFree: phase_clauses.sanctions_cost_the_giver_and_move_the_receiver,
    phase_faults.RewardThatPunishes: phase_clauses.sanctions_cost_the_giver_and_move_the_receiver,
    phase_faults.SanctionsForgotten: phase_clauses.sanctions_cost_the_giver_and_move_the_receiver,
    phase_faults.MistakesAboutOneself: phase_clauses.perception_errors_are_independent_and_about_others,
    phase_faults.SharedErrors: phase_clauses.perception_errors_are_independent_and_about_others,
    phase_faults.ErrorsAreForgotten: phase_clauses.perception_errors_are_independent_and_about_others,
    phase_faults.PayoffsOfWhatIsPerceived: phase_clauses.perception_errors_are_independent_and_about_others,
    phase_faults.StateOfOneWhoErrs: phase_clauses.perception_errors_are_independent_and_about_others,
    phase_faults.HorizonInTheViews: phase_clauses.a_random_length_is_not_observed,
    phase_faults.HorizonInTheNumbers: phase_clauses.a_random_length_is_not_observed,
    phase_faults.HorizonIsTheLongest: phase_clauses.a_random_length_is_not_observed,
    phase_faults.LongestIsNeverReached: phase_clauses.a_random_length_is_not_observed,
    phase_faults.ClockCountsUp: phase_clauses.a_clock_shows_the_share_left,
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_fault_is_caught(fault: type[Faulty]) -> None:
    case = CASES[0]
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        FAULTS[fault](case, lambda **options: fault(case.make(**options)))


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_clause_accepts_a_wrapper_that_changes_nothing(clause: Callable[[Case, Make], None]) -> None:
    """So a fault is caught for what it does, and not for being a wrapper."""
    case = CASES[0]
    clause(case, lambda **options: Faulty(case.make(**options)))


def test_every_clause_catches_a_fault() -> None:
    assert set(FAULTS.values()) == set(CLAUSES)
