"""The sets of scenarios of the study, and their contexts."""

from dilemmas.envs.prompts.contexts import built_in_contexts
from dilemmas.envs.prompts.scenarios import study_sets


def test_the_study_has_20_scenarios_and_three_disjoint_new_sets() -> None:
    sets = study_sets()
    names = {name: {scenario.name for scenario in scenarios} for name, scenarios in sets.items()}
    assert len(names["within"]) == 20
    games = {name: {s.game.name for s in scenarios} for name, scenarios in sets.items()}
    contexts = {name: {s.context.name for s in scenarios} for name, scenarios in sets.items()}
    assert games["new_context"] == games["within"]
    assert not contexts["new_context"] & contexts["within"]
    assert contexts["new_game"] == contexts["within"]
    assert not games["new_game"] & games["within"]
    assert not games["new_both"] & games["within"]
    assert not contexts["new_both"] & contexts["within"]
    assert len(contexts["new_both"]) >= 10


def test_every_context_names_its_group_size() -> None:
    for item in built_in_contexts().values():
        assert "4" in item.opening(5)
        assert "{" not in item.opening(5) + item.opening(2)
