"""Groups of a tournament, independence of matches, and standings."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, permutations, product
from math import comb
from pathlib import Path

import numpy as np
import pytest

from dilemmas.agents.agent import Decision, PlayerRecord, Traits, Turn
from dilemmas.agents.engines.dispatch import EXACT
from dilemmas.agents.roster import Framing, contestants, expanded
from dilemmas.agents.strategies.catalogue import FIRST_TOURNAMENT, strategy
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame
from dilemmas.experiments.reporting.parsing import listed
from dilemmas.experiments.tournaments.fixtures import Fixture, Row, batches
from dilemmas.experiments.tournaments.group_means import habits
from dilemmas.experiments.tournaments.run_folder import play_tournament
from dilemmas.experiments.tournaments.standings import standings
from dilemmas.experiments.tournaments.tournament import Settings, Tournament

PD = "prisoners_dilemma"
FOUR = ("tit_for_tat", "always_defect", "random", "always_cooperate")


def tournament(agents: tuple[str, ...] = FOUR, game: str = PD, **settings: object) -> Tournament:
    options = settings.pop("options", {"rounds": 20})
    return Tournament(Settings(game, agents, options, **settings))  # type: ignore[arg-type]


def test_all_pairs_and_self_play() -> None:
    met = {frozenset(group) for group in tournament().groups}
    assert met == set(map(frozenset, combinations_with_replacement(FOUR, 2)))
    assert len(tournament().groups) == 10
    assert len(tournament(self_play=False).groups) == 6
    assert all(len(set(group)) == 2 for group in tournament(self_play=False).groups)


def test_players_take_all_seats_in_asymmetric_games() -> None:
    met = tournament(game="inspection_game").groups
    assert sorted(met) == sorted((one, other) for one in FOUR for other in FOUR)


@pytest.mark.parametrize("n", [3, 4])
def test_groups_are_all_compositions(n: int) -> None:
    options = {"n_players": n, "rounds": 5}
    every = tournament(game="public_goods", options=options).groups
    assert len(set(every)) == len(every) == comb(len(FOUR) + n - 1, n)
    apart = tournament(game="public_goods", options=options, self_play=False).groups
    assert len(apart) == comb(len(FOUR), n)
    assert all(len(set(group)) == n for group in apart)
    drawn = tournament(game="public_goods", options=options, sample=7)
    assert drawn.draws is not None
    assert sum(drawn.draws.values()) == 7
    assert drawn.groups == tuple(drawn.draws)
    assert set(drawn.groups) <= set(every)
    assert tournament(game="public_goods", options=options, sample=len(every)).groups == every


@pytest.mark.parametrize("self_play", [True, False])
@pytest.mark.parametrize("game", ["public_goods", "inspection_game"])
def test_groups_are_drawn_as_often_as_they_form(game: str, self_play: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """If every seat is filled at random: three alike in one way of 64, three who differ in six."""
    options = {"rounds": 5, **({"n_players": 3} if game == "public_goods" else {})}
    asked = {"game": game, "options": options, "self_play": self_play}
    every = tournament(**asked).groups  # type: ignore[arg-type]
    monkeypatch.setattr("dilemmas.experiments.tournaments.pairings.MOST", len(every) - 1)
    with pytest.raises(InputError, match="draw a sample"):
        tournament(**asked).groups  # type: ignore[arg-type]  # noqa: B018
    found: Counter[tuple[str, ...]] = Counter()
    for seed in range(200):
        found.update(tournament(**asked, sample=len(every) - 1, seed=seed).draws)  # type: ignore[arg-type]
    ways = {group: len(set(permutations(group))) if game == "public_goods" else 1 for group in every}
    assert set(found) == set(every)
    for group, count in found.items():
        mean = found.total() * ways[group] / sum(ways.values())
        assert abs(count - mean) < 5 * mean**0.5
    assert tournament(**asked, sample=3).draws == tournament(**asked, sample=3).draws  # type: ignore[arg-type]


def test_a_player_that_is_in_no_group_has_no_score() -> None:
    with pytest.raises(InputError, match=r"in no group: .* and \d more; draw more than 2 groups"):
        tournament(FIRST_TOURNAMENT, sample=2).groups  # noqa: B018
    with pytest.raises(InputError, match="in no group: random; leave them out"):
        tournament(FOUR[:3], meetings=(FOUR[:2],)).groups  # noqa: B018


def test_a_group_that_is_drawn_twice_plays_twice_as_often() -> None:
    found = tournament(FOUR, engine="vectorised", sample=9, repetitions=5)
    assert found.draws is not None
    assert max(found.draws.values()) > 1
    assert {one.group: one.count for one in found.fixtures} == {group: 5 * n for group, n in found.draws.items()}


def test_groups_of_hundreds_are_weighted_by_their_seatings() -> None:
    """Of 1,100 players who cooperate or defect with equal chances, 550 are cooperators, give or take some."""
    games = {"n_players": 1100, "rounds": 1}
    agents = ("always_cooperate", "always_defect")
    met = tuple((agents[0],) * n + (agents[1],) * (1100 - n) for n in (1, 540, 550))
    found = play_tournament(tournament(agents, "public_goods", options=games, meetings=met, repetitions=1))
    points = {one.player: one.score for one in found.ranking}
    pot = 20 * 1.6 / 1100
    between = [540 * pot, 550 * pot]
    assert between[0] < points["always_cooperate"] < between[1]
    assert between[0] + 20 < points["always_defect"] < between[1] + 20


def test_pairs_may_be_named_as_the_agents_are() -> None:
    found = tournament(("tft", "Mine=alld"), meetings=(("tft", "Mine"), ("tit_for_tat", "tft")))
    assert set(found.groups) == {("Mine", "tit_for_tat"), ("tit_for_tat", "tit_for_tat")}


def test_neighbours_meet_on_a_graph() -> None:
    names = ("tit_for_tat", "always_defect", "random", "always_cooperate", "grim", "bully")
    met = tournament(names, graph="ring").groups
    degrees = Counter(name for group in met for name in group)
    assert set(degrees.values()) == {2}
    assert len(met) == 6
    everybody = tournament(names[:5], graph="ring", degree=4)
    assert len(everybody.groups) == 10
    assert everybody.settings.as_table()["degree"] == 4
    assert tournament(names, graph="ring").settings.as_table()["degree"] == 2


def test_only_chosen_pairs_meet() -> None:
    chosen = (("tit_for_tat", "random"), ("always_defect", "always_defect"))
    assert set(map(frozenset, tournament(FOUR[:3], meetings=chosen).groups)) == set(map(frozenset, chosen))


def test_a_match_depends_on_its_players_only() -> None:
    few = tournament(("random", "tit_for_tat"), engine="vectorised", seed=5)
    many = tournament(("grim", "tit_for_tat", "bully", "random"), engine="vectorised", seed=5)
    rows = {row.fixture.group: row.line() for row in many.play(many.fixtures)}
    for row in few.play(few.fixtures):
        assert rows[row.fixture.group] == row.line()


def test_more_repetitions_leave_the_first_ones_as_they_were() -> None:
    few, more = (tournament(engine="vectorised", repetitions=count) for count in (3, 8))
    for short, long in zip(few.play(few.fixtures), more.play(more.fixtures), strict=True):
        assert (short.payoffs == long.payoffs[:3]).all()


def test_parts_make_the_whole() -> None:
    whole = tournament(engine="vectorised")
    together = [row.line() for row in whole.play(whole.fixtures)]
    parts = [row.line() for batch in batches(whole.fixtures, seconds=1e-9) for row in whole.play(batch)]
    assert together == parts
    assert [Row.read(line).line() for line in together] == together


def test_payoffs_of_a_known_tournament() -> None:
    """T, R, P, S = 5, 3, 1, 0; twenty rounds."""
    table = play_tournament(tournament(("tit_for_tat", "always_defect", "always_cooperate")))
    expected = [[3, 19 / 20, 3], [(5 + 19) / 20, 1, 5], [3, 0, 3]]
    assert table.payoffs == pytest.approx(np.array(expected))
    assert (table.errors == 0).all()
    assert [one.player for one in table.ranking] == ["always_defect", "tit_for_tat", "always_cooperate"]
    assert table.ranking[0].score == pytest.approx((24 / 20 + 1 + 5) / 3)
    assert table.ranking[0].first == 1
    assert table.cooperation[0].tolist() == pytest.approx([1, 1 / 20, 1])


def test_players_with_one_score_share_a_rank() -> None:
    table = play_tournament(tournament(("tit_for_tat", "grim", "always_cooperate", "always_defect")))
    alike = [one.rank for one in table.ranking if one.player in ("tit_for_tat", "grim")]
    assert len(set(alike)) == 1
    ranks = sorted(one.rank for one in table.ranking)
    assert ranks[0] == 1


def test_without_meeting_there_is_no_payoff() -> None:
    table = play_tournament(tournament(self_play=False))
    assert np.isnan(np.diag(table.payoffs)).all()
    assert not np.isnan(table.payoffs[~np.eye(4, dtype=bool)]).any()


def fake_row(group: tuple[str, ...], payoffs: list[list[float]]) -> Row:
    points = np.array(payoffs)
    n, zeros = len(group), np.zeros((len(group), 1 + 2 * len(group), 2))
    return Row(
        Fixture(group, "vectorised", 0, len(points)),
        np.full(len(points), 10.0),
        points,
        np.zeros((len(points), n)),
        zeros,
        np.zeros((n, 2 * n)),
        None,
    )


def test_errors_of_means_over_matches_of_unlike_lengths_are_those_of_the_jackknife() -> None:
    rounds, points = np.array([2.0, 30.0, 5.0, 11.0]), np.array([[9, 1], [60, 90], [20, 5], [25, 30]], dtype=float)
    row = replace(fake_row(("a", "b"), points.tolist()), rounds=rounds)
    table = standings(("a", "b"), [row])
    left_out = [(points.sum(0) - points[i]) / (rounds.sum() - rounds[i]) for i in range(4)]
    full = points.sum(0) / rounds.sum()
    variance = 3 / 4 * np.square(left_out - full).sum(axis=0)
    assert [table.errors[0, 1] ** 2, table.errors[1, 0] ** 2] == pytest.approx(variance)


def test_fingerprints_are_those_of_the_strategies() -> None:
    agents = ("tit_for_tat", "random(0.25)", "gradual")
    table = play_tournament(tournament(agents, repetitions=50, options={"rounds": 20, "noise": 0.1}))
    assert {means.engine in EXACT for means in table.groups} == {True, False}
    found = habits(table.groups)
    for name, chances in (("tit_for_tat", (0.9, 0.9, 0.1, 0.9, 0.1)), ("random(0.25)", (0.3,) * 5)):
        assert [habit.after for habit in found[name]] == ["start", "CC", "CD", "DC", "DD"]
        assert [habit.probability for habit in found[name]] == pytest.approx(chances, abs=0.04)
    exact = habits(play_tournament(tournament(agents[:2], options={"rounds": 20, "noise": 0.1})).groups)
    assert exact["tit_for_tat"][2].probability == pytest.approx(0.1)
    assert exact["tit_for_tat"][2].interval == pytest.approx((0.1, 0.1))


def test_intervals_of_scores_have_nominal_coverage() -> None:
    """Of many tournaments with known means, the intervals of 95% hold the mean about as often."""
    rng = np.random.default_rng(1)
    mean, held, total = np.array([20.0, 24.0]), 0, 400
    spread = np.array([[9.0, -6.0], [-6.0, 16.0]])
    for _ in range(total):
        drawn = rng.multivariate_normal(mean, spread, 40).tolist()
        twins = rng.multivariate_normal(mean, spread, 40).tolist()
        table = standings(("a", "b"), [fake_row(("a", "b"), drawn), fake_row(("a", "a"), twins)])
        (found,) = (one for one in table.ranking if one.player == "a")
        assert found.interval is not None
        held += found.interval[0] <= (20 / 10 + (20 + 24) / 2 / 10) / 2 <= found.interval[1]
    assert held / total == pytest.approx(0.95, abs=0.035)


def test_a_single_repetition_has_no_standard_error() -> None:
    table = play_tournament(tournament(engine="vectorised", repetitions=1))
    assert all(one.interval is None and one.first is None for one in table.ranking)


def test_words_for_agents() -> None:
    assert listed("tft, memory_one(1,1,0,1,0),,alld ") == ("tft", "memory_one(1,1,0,1,0)", "alld")
    dilemma = DEFAULTS["prisoners_dilemma"]
    assert len(expanded(["@first_tournament"], dilemma)[0]) == 15
    assert expanded(["grim", "@first_tournament"], dilemma)[0].count("grim") == 1
    rules = tournament().rules
    assert list(contestants(["Mine=tft", "random(1/3)"], rules, Framing())) == ["Mine", "random(1/3)"]


def test_a_table_plays_exactly_as_the_strategy_it_was_made_of(tmp_path: Path) -> None:
    from dilemmas.agents.tables.compilation import compile_agent
    from dilemmas.agents.tables.table_file import save_table

    rules = tournament().rules
    save_table(compile_agent(strategy("win_stay_lose_shift"), rules.stage, 1), tmp_path / "wsls.json")
    one = play_tournament(tournament((str(tmp_path / "wsls.json"), "random", "grim")))
    other = play_tournament(tournament(("win_stay_lose_shift", "random", "grim")))
    assert one.payoffs == pytest.approx(other.payoffs)


def test_a_table_of_other_payoffs_is_refused_with_both_ways_out(tmp_path: Path) -> None:
    from dilemmas.agents.tables.compilation import compile_agent
    from dilemmas.agents.tables.table_file import save_table

    file = tmp_path / "tft.json"
    save_table(compile_agent(strategy("tft"), MatrixGame("prisoners_dilemma", T=10, R=6, P=3, S=1), 1), file)
    ways = r"compile tit_for_tat --game prisoners_dilemma\), or .* --set T=10 --set R=6 --set P=3 --set S=1\)"
    with pytest.raises(InputError, match=ways):
        tournament((str(file), "alld"))
    assert tournament((str(file), "alld"), options={"T": 10, "R": 6, "P": 3, "S": 1, "rounds": 5}).fixtures


@pytest.mark.parametrize(
    ("agents", "settings", "message"),
    [
        (("tft", "alldd"), {}, "did you mean 'alld'"),
        (("tft", "tit_for_tat"), {}, "two agents are named 'tit_for_tat'"),
        (("tft",), {"self_play": False}, "needs two agents or more"),
        ((), {}, "no agents"),
        (("tft", "random(1.2)"), {}, r"1.2; a probability must be in \[0, 1\]"),
        (("tft", "alld"), {"options": {"rounds": 0}}, "rounds"),
        (("tft", "alld"), {"options": {"noise": 2}}, r"noise = 2"),
        (("tft", "alld"), {"options": {}}, "matches would not end"),
        (("tft", "alld"), {"options": {"rouns": 3}}, "did you mean 'rounds'"),
        (("tft", "alld"), {"engine": "compild"}, "did you mean 'compiled'"),
        (("tft", "alld"), {"repetitions": 0}, "repetitions"),
        (("tft", "alld"), {"meetings": (("tft", "grim"),)}, "unknown agent 'grim'"),
        (("tft", "alld"), {"meetings": (("tit_for_tat",),)}, "1 players in a group of 2"),
        (("tft", "alld"), {"meetings": ()}, "no pairs"),
        (("tft", "alld"), {"meetings": (("tft", "tft"),), "self_play": False}, "is self-play"),
        (("tft", "alld"), {"graph": "ring", "sample": 1}, "a graph, a sample: these exclude each other"),
        (("tft", "alld"), {"graph": "star"}, "unknown graph"),
        (("tft", "alld"), {"degree": 2}, "without a graph there are no neighbours"),
        (
            ("tft", "alld", "allc", "grim"),
            {"graph": "ring", "degree": 4},
            "ring or small world of 4 .*; change the number of agents",
        ),
        (("=tft",), {}, "needs a name and an agent"),
        (("nowhere.json", "tft"), {}, "nowhere.json"),
    ],
)
def test_invalid_arguments_are_refused(agents: tuple[str, ...], settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tournament(agents, **settings).fixtures  # noqa: B018


@dataclass(frozen=True)
class Sulks:
    """A user-defined agent: cooperates until its payoff in a round is 0, then always defects."""

    name: str = "sulks"

    def describe(self) -> PlayerRecord:
        return PlayerRecord(self.name, "sulks")

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [Decision(int(any(own == 0 < other for own, other in turn.info["view"].history))) for turn in turns]

    policy = decide

    traits = Traits()


def test_agents_of_your_own_take_part() -> None:
    rules = {"rounds": 5, "memory": None}
    guests = {"sulks": (Sulks(),) * 2, "alld": (strategy("alld"),) * 2}
    table = play_tournament(Tournament(Settings(PD, tuple(guests), rules, repetitions=2), guests))
    assert table.payoffs == pytest.approx(np.array([[3, 4 / 5], [(5 + 4) / 5, 1]]))


def test_a_score_is_the_mean_over_others_drawn_at_random() -> None:
    """Scores in groups: the mean over all orders of three players, and the mean of the row of payoffs."""
    names = ("conditional_cooperator", "always_defect", "always_cooperate")
    options = {"n_players": 3, "rounds": 4, "noise": 0.1}
    table = play_tournament(tournament(names, game="public_goods", options=options))
    earned = {means.group: dict(zip(means.group, means.payoffs, strict=True)) for means in table.groups}
    for place, name in enumerate(names):
        others = product(names, repeat=2)
        by_hand = np.mean([earned[tuple(sorted((name, *pair)))][name] for pair in others])
        (found,) = (one.score for one in table.ranking if one.player == name)
        assert found == pytest.approx(by_hand)
        assert found == pytest.approx(table.payoffs[place].mean())
