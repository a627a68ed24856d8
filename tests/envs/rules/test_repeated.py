"""Rules of large groups."""

import tracemalloc

from dilemmas.envs.rules.factory import rules_of


def test_the_memory_of_rules_grows_with_the_players_not_with_their_square() -> None:
    tracemalloc.start()
    try:
        rules = rules_of("n_person_prisoners_dilemma", n_players=4_000, memory=0)
        rules.view(rules.start(None), 3_999)  # type: ignore[arg-type]  # these rules draw nothing at the start
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000 * 4_000
