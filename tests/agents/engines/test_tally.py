"""Keys of the random numbers of matches."""

from dilemmas.agents.engines.tally import match_keys


def test_a_key_depends_only_on_the_seed_the_players_and_the_repetition() -> None:
    tables = [("a", "b"), ("b", "a"), ("ab", "")]
    keys = {key for seed in (0, 1) for names in tables for key in match_keys(seed, names, 0, 10).tolist()}
    assert len(keys) == 60
    assert match_keys(0, ["a", "b"], 4, 3).tolist() == match_keys(0, ("a", "b"), 0, 10)[4:7].tolist()
