"""Every environment keeps the contract, which goes beyond PettingZoo's own tests.

Payoffs, observations and endings are derived independently, from the literature and from the rules in words.
"""

from collections.abc import Callable

import pytest
from contract_cases import CASES, Case, Make
from contract_clauses import CLAUSES
from contract_phase_clauses import PHASE_CLAUSES


@pytest.mark.parametrize("clause", [*CLAUSES, *PHASE_CLAUSES], ids=lambda clause: clause.__name__)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.n_players}-{case.n_actions}")
def test_contract(case: Case, clause: Callable[[Case, Make], None]) -> None:
    clause(case, case.make)
