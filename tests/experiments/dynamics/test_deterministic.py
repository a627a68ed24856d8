"""Populations without end: what is known of replicator, ecological and best-response dynamics has to be seen."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.experiments.commands.main import main
from dilemmas.experiments.commands.tournament.evolve import command
from dilemmas.experiments.dynamics.deterministic import best_response, ecological, replicator, start_shares
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix, read_payoffs

RPS = PayoffMatrix(("rock", "paper", "scissors"), np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]))
HAWK_DOVE = PayoffMatrix(("hawk", "dove"), np.array([[-1.0, 2], [0, 1]]))
"""Maynard Smith & Price 1973 with value 2 and cost 4: half are hawks."""


def stage(name: str) -> PayoffMatrix:
    return PayoffMatrix(("C", "D"), np.array(DEFAULTS[name].table))


def axelrod(rounds: int = 200) -> PayoffMatrix:
    """Tit for tat, always defect and always cooperate in the repeated prisoner's dilemma with 5, 3, 1, 0."""
    n = rounds
    points = [[3 * n, n - 1, 3 * n], [5 + n - 1, n, 5 * n], [3 * n, 0, 3 * n]]
    return PayoffMatrix(("tit_for_tat", "always_defect", "always_cooperate"), np.array(points) / n)


def test_replicators_of_rock_paper_scissors_keep_the_product_of_their_shares() -> None:
    """Hofbauer & Sigmund 1998: orbits around the centre are closed."""
    course = replicator(RPS, {"rock": 0.6, "paper": 0.3}, time=60, every=0.1)
    assert course.shares.prod(axis=1) == pytest.approx(0.6 * 0.3 * 0.1, rel=1e-9)
    assert course.payoffs == pytest.approx(0, abs=1e-12)
    assert np.ptp(course.shares[:, 0]) > 0.4


def test_replicators_follow_the_logistic_curve() -> None:
    """Of two strategies whose payoffs differ by 2 everywhere, the odds grow by e^(2t)."""
    course = replicator(PayoffMatrix(("a", "b"), np.array([[3.0, 2], [1, 0]])), {"a": 0.01}, time=4, every=0.5)
    odds = course.shares[:, 0] / course.shares[:, 1]
    assert odds == pytest.approx(0.01 / 0.99 * np.exp(2 * course.times), rel=1e-9)


@pytest.mark.parametrize("start", [0.01, 0.5, 0.99])
@pytest.mark.parametrize(
    ("matrix", "share"),
    [
        (stage("prisoners_dilemma"), 0.0),
        (stage("harmony"), 1.0),
        (stage("snowdrift"), 2 / 3),  # Doebeli & Hauert 2005: 1 - cost / (2 benefit - cost)
        (HAWK_DOVE, 1 / 2),
    ],
)
def test_replicator_dynamics_of_two_strategies_converge_to_the_known_state(
    matrix: PayoffMatrix, share: float, start: float
) -> None:
    course = replicator(matrix, {matrix.names[0]: start}, time=60)
    assert course.shares[-1, 0] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("dynamics", [replicator, best_response, ecological])
@pytest.mark.parametrize(("start", "stags"), [(0.74, 0), (0.76, 1)])
def test_in_a_stag_hunt_the_mixed_equilibrium_parts_the_basins(dynamics, start: float, stags: float) -> None:
    """Stag pays 4 with a hunter and hare always 3: three in four have to hunt stag."""
    settings = {"time": 200} if dynamics is replicator else {"generations": 2000 if dynamics is ecological else 200}
    course = dynamics(stage("stag_hunt"), {"C": start}, **settings)
    assert course.shares[-1, 0] == pytest.approx(stags, abs=1e-6)


def test_mutation_alone_makes_all_strategies_equal_at_its_rate() -> None:
    idle = PayoffMatrix(("a", "b"), np.ones((2, 2)))
    course = replicator(idle, {"a": 1}, time=10, mutation=0.3)
    assert course.shares[:, 0] == pytest.approx(0.5 + 0.5 * np.exp(-0.3 * course.times), rel=1e-9)
    course = ecological(idle, {"a": 1}, generations=10, mutation=0.3)
    assert course.shares[:, 0] == pytest.approx(0.5 + 0.5 * 0.7**course.times)


def test_mutation_balances_selection_where_the_equation_rests() -> None:
    """x' = x (1 - x) d + m (1/2 - x) = 0 for two strategies that are d apart."""
    d, m = 0.5, 0.1
    course = replicator(PayoffMatrix(("a", "b"), np.array([[d, d], [0, 0]])), time=200, mutation=m)
    x = course.shares[-1, 0]
    assert x * (1 - x) * d + m * (0.5 - x) == pytest.approx(0, abs=1e-9)
    assert 0.5 < x < 1


def test_a_generation_of_the_ecological_tournament_is_share_times_payoff() -> None:
    course = ecological(stage("prisoners_dilemma"), generations=1)
    # C earns 1.5 and D 3 among half and half; a third and two thirds of what is earned
    assert course.shares.tolist() == [[0.5, 0.5], [pytest.approx(1 / 3), pytest.approx(2 / 3)]]
    assert course.payoffs == pytest.approx([2.25, (3 + 2 * 5 + 0 + 4 * 1) / 9])


def test_with_enough_tit_for_tat_defectors_first_thrive_and_then_die_out() -> None:
    """Axelrod 1984: who lives off those it drives out, goes with them."""
    course = ecological(axelrod(), generations=1000)
    defectors = course.series()["always_defect"]
    assert max(defectors) > defectors[0]
    assert defectors[-1] < 1e-9
    assert course.shares.sum(axis=1) == pytest.approx(1)
    *_, last = course.fates()
    assert last.name == "always_defect"
    assert last.gone is not None
    alone = ecological(axelrod(2), {"tit_for_tat": 0.1, "always_cooperate": 0}, generations=1000)
    assert alone.series()["tit_for_tat"][-1] < 1e-9  # in two rounds it does not pay to wait


def test_shares_are_constant_without_payoffs() -> None:
    course = ecological(PayoffMatrix(("a", "b"), np.zeros((2, 2))), {"a": 0.3}, generations=5)
    assert course.shares[-1].tolist() == [0.3, 0.7]


@pytest.mark.parametrize("dynamics", [ecological, best_response])
def test_no_share_is_stuck_where_numbers_have_no_digits_left(dynamics) -> None:
    matrix = PayoffMatrix(("good", "bad"), np.array([[3.0, 3.0], [2.0, 2.0]]))
    course = dynamics(matrix, generations=10_000)
    assert course.shares[-1].tolist() == [pytest.approx(1.0), 0.0]


def test_rest_points_of_best_response_dynamics_are_equilibria() -> None:
    course = best_response(stage("snowdrift"), {"C": 2 / 3})
    assert course.shares[:, 0] == pytest.approx(2 / 3)  # both are best replies, and nobody has a reason to change
    course = best_response(HAWK_DOVE, {"hawk": 0.1}, revising=0.01, generations=1000)
    assert course.shares[-1, 0] == pytest.approx(0.5, abs=0.01)
    steps = best_response(stage("prisoners_dilemma"), {"C": 1}, generations=10, revising=0.2)
    assert steps.shares[:, 0] == pytest.approx(0.8**steps.times)


def test_logit_rests_at_the_quantal_response_equilibrium() -> None:
    """McKelvey & Palfrey 1995: log odds are the difference of payoffs over the temperature."""
    for temperature in (0.2, 1.0, 5.0):
        x = best_response(stage("snowdrift"), temperature=temperature, generations=1000).shares[-1]
        earned = np.array(DEFAULTS["snowdrift"].table) @ x
        assert np.log(x[0] / x[1]) == pytest.approx((earned[0] - earned[1]) / temperature, abs=1e-9)


def test_unnamed_strategies_share_the_rest() -> None:
    assert start_shares(RPS).tolist() == pytest.approx([1 / 3] * 3)
    assert start_shares(RPS, {"paper": 0.5}).tolist() == [0.25, 0.5, 0.25]
    assert start_shares(RPS, {"paper": 1}).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"rok": 0.5}, "did you mean 'rock'"),
        ({"rock": 0.7, "paper": 0.6}, "sum to 1.3"),
        ({"rock": 0.2, "paper": 0.2, "scissors": 0.2}, "sum to 0.6"),
        ({"rock": -0.1}, "rock = -0.1"),
        ({"rock": float("nan")}, "rock = nan"),
    ],
)
def test_shares_that_cannot_be_are_refused(start: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        start_shares(RPS, start)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: replicator(RPS, mutation=-0.1), "mutation = -0.1"),
        (lambda: replicator(RPS, time=0), "time = 0"),
        (lambda: replicator(RPS, time=1e9), r"time \(generations\) = 1e\+09 is too long .* range 2; at most 100000"),
        (lambda: replicator(RPS, time=1e3, mutation=1e3), "mutation = 1000 is too fast .* range 2; at most 198"),
        (lambda: ecological(stage("harmony"), baseline=-2), "baseline = -2 with a lowest payoff of 0;.* of 0 or more"),
        (lambda: ecological(RPS), "baseline of 1 or more"),
        (lambda: ecological(stage("harmony"), mutation=1.5), "mutation = 1.5"),
        (lambda: ecological(stage("harmony"), generations=0), "generations = 0"),
        (lambda: ecological(stage("harmony"), generations=1.5), "generations = 1.5; needs a whole number"),
        (lambda: PayoffMatrix(("a", "b"), np.ones((2, 2)) > 0), "needs an array of numbers"),
        (lambda: PayoffMatrix(("a", "b"), [[1, 1], [1, 1]]), "needs an array of numbers"),
        (lambda: best_response(RPS, revising=0), "revising = 0"),
        (lambda: best_response(RPS, temperature=-1), "temperature = -1"),
        (lambda: PayoffMatrix(("a", "a"), np.ones((2, 2))), "each once"),
        (lambda: PayoffMatrix(("a", "b"), np.ones((2, 3))), "shape"),
        (lambda: PayoffMatrix(("a", "b"), np.array([[np.nan, 1], [1, 1]])), "'a' against itself.*with self-play"),
        (lambda: PayoffMatrix(("a", "b"), np.array([[1, np.nan], [1, 1]])), "'a' never met 'b'"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, message: str) -> None:
    with pytest.raises(DynamicsError, match=message):
        wrong()


def test_a_baseline_mends_negative_payoffs() -> None:
    assert ecological(RPS, baseline=1).shares.shape == (101, 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder of a tournament without self-play of a player named [bold]."""
    matrix = axelrod()
    points = [[*row, None] for row in matrix.payoffs.tolist()] + [[1.0, 1.0, 1.0, None]]
    found = {"players": [*matrix.names, "[bold]"], "payoff_matrix": points}
    (tmp_path / "results.json").write_text(json.dumps(found))
    return tmp_path


ALL = "tit_for_tat,always_defect,always_cooperate"


def test_payoffs_of_complete_subsets_are_read(folder: Path) -> None:
    matrix = read_payoffs(folder, ["always_defect", "tit_for_tat"])
    assert matrix.payoffs.tolist() == axelrod().only(["always_defect", "tit_for_tat"]).payoffs.tolist()
    with pytest.raises(DynamicsError, match="'tit_for_tat' never met '\\[bold\\]'"):
        read_payoffs(folder)


@pytest.mark.parametrize("dynamics", ["replicator", "ecological", "best-response", "moran", "invasion", "alpha-rank"])
def test_every_kind_of_dynamics_is_printed(dynamics: str, folder: Path) -> None:
    arguments = [str(folder), "--dynamics", dynamics, "--players", ALL]
    arguments += ["--generations", "20"] if dynamics == "moran" else []
    found = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert all(name in found.output for name in ALL.split(","))
    done = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["dynamics"] == dynamics
    if dynamics != "invasion":
        CliRunner().invoke(command, [*arguments, "--svg", str(folder / "shares.svg")], catch_exceptions=False)
        drawing = (folder / "shares.svg").read_text()
        assert drawing.count("<polyline") >= 3
        assert ">0</text>" in drawing, "time counts from 0"


def test_a_drawing_is_overwritten_only_if_asked(folder: Path) -> None:
    drawing = folder / "kept.svg"
    drawing.write_text("mine")
    arguments = [str(folder), "--players", ALL, "--svg", str(drawing)]
    assert "--force" in str(CliRunner().invoke(command, arguments).exception)
    assert drawing.read_text() == "mine"
    CliRunner().invoke(command, [*arguments, "--force"], catch_exceptions=False)
    assert drawing.read_text().startswith("<svg")


def test_no_strategy_takes_over_with_mutation(folder: Path) -> None:
    arguments = [str(folder), "--players", ALL, "--dynamics", "moran", "--generations", "5", "--runs", "2"]
    assert "took over" in CliRunner().invoke(command, arguments, catch_exceptions=False).output
    arguments += ["--mutation", "0.01"]
    assert "took over" not in CliRunner().invoke(command, arguments, catch_exceptions=False).output


def test_the_command_prints_the_results_of_the_functions(folder: Path) -> None:
    arguments = [str(folder), "--players", ALL, "--start", "always_defect=0.9", "--generations", "7", "--json"]
    found = json.loads(CliRunner().invoke(command, arguments, catch_exceptions=False).stdout)
    course = ecological(axelrod(), {"always_defect": 0.9}, generations=7)
    assert found["shares"] == course.series()
    assert found["mean_payoff"] == course.payoffs.tolist()


def test_a_name_is_text_and_never_markup(folder: Path) -> None:
    found = {"players": ["[bold]", "[/]"], "payoff_matrix": [[1, 2], [2, 1]]}
    (folder / "results.json").write_text(json.dumps(found))
    output = CliRunner().invoke(command, [str(folder)], catch_exceptions=False).output
    assert "[bold]" in output
    assert "[/]" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dynamics", "replicater"], "did you mean 'replicator'"),
        (["--players", "tit_for_tta"], "did you mean 'tit_for_tat'"),
        ([], "'tit_for_tat' never met '[bold]'"),
        (["--players", ALL, "--start", "always_defct=1"], "did you mean 'always_defect'"),
        (["--players", ALL, "--start", ""], "--start is empty"),
        (["--players", ALL, "--start", "always_defect"], "VALUE is a share"),
        (["--players", ALL, "--start", "always_defect=1.5"], "always_defect = 1.5"),
        (["--players", ALL, "--start", "tit_for_tat=.1,tit_for_tat=.2"], "names 'tit_for_tat' twice"),
        (["--players", ALL, "--mutation", "1.5"], "mutation = 1.5"),
        (["--players", ALL, "--alpha", "3"], "--alpha 3.0: not an option of ecological, but of alpha-rank"),
        (["--players", ALL, "--dynamics", "moran", "--population", "1"], "1 is not in the range 2<=x<=1000000"),
        (["--players", ALL, "--dynamics", "moran", "--start", "tit_for_tat=101"], "the population is 100"),
        (["--players", ALL, "--dynamics", "moran", "--mutation", "1.5"], "mutation = 1.5"),
        (["--players", ALL, "--dynamics", "moran", "--rule", "death-brith"], "did you mean 'death-birth'"),
        (["--players", ALL, "--dynamics", "moran", "--graph", "rng"], "did you mean 'ring'"),
        (["--players", ALL, "--dynamics", "invasion", "--svg", "x.svg"], "no shares over time"),
    ],
)
def test_an_error_is_one_line_with_the_remedy(arguments: list[str], message: str, folder: Path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(folder), *arguments], command=command)
    printed = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in printed
    assert printed.count("\n") == 1
    with pytest.raises(SystemExit):
        main([str(folder / "nowhere")], command=command)
    assert "results.json does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({"players": ["a"]}, "the key 'payoff_matrix' is missing"),
        ({"players": ["a"], "payoff_matrix": [["x"]]}, r"payoff_matrix\[0\]\[0\]: needs a number; got 'x'"),
        ({"players": ["a", "a"], "payoff_matrix": [[1, 2], [3, 4]]}, "holds no 'players' with a square"),
        ({"players": ["a", "b"], "payoff_matrix": [[1, 2]]}, "holds no 'players' with a square"),
        ([], "needs keys with values"),
    ],
)
def test_results_without_payoffs_are_refused(results: object, message: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(results))
    with pytest.raises(InputError, match=rf"results\.json: {message}"):
        read_payoffs(tmp_path)


def test_payoffs_of_larger_groups_are_refused(tmp_path: Path) -> None:
    found = {"players": ["a"], "payoff_matrix": [[1]], "groups": [{"players": ["a", "a", "a"]}]}
    (tmp_path / "results.json").write_text(json.dumps(found))
    with pytest.raises(DynamicsError, match="groups of 3 players"):
        read_payoffs(tmp_path)
