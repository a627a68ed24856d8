"""What renders show: every number and action of the match, and nothing else."""

import string
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel
from dilemmas.envs.rendering.frames import SHOWN, MatchHistory
from dilemmas.envs.rendering.pixels import GLYPHS, canvas, write
from dilemmas.envs.rendering.render import render_image
from dilemmas.envs.rendering.stage_pictures import COOPERATE, DEFECT, GREY, PAPER
from dilemmas.envs.rules.factory import rules_of


def after(joints: list[tuple[int, ...]], name: str = "prisoners_dilemma", **options: Any) -> Any:
    env = parallel(name, **options)
    env.reset(seed=0)
    for joint in joints:
        env.step(dict(zip(env.agents, joint, strict=True)))
    return env


def test_text_shows_actions_payoffs_totals_and_history() -> None:
    env = after([(0, 0), (1, 0), (0, 1)], render_mode="ansi")
    assert env.render().splitlines() == [
        "prisoners_dilemma, round 3",
        "           action   payoff     total   rounds 1 to 3",
        "player_0        C        0         8   C D C",
        "player_1        D        5         8   C C D",
    ]


def test_text_of_public_goods_shows_contributions() -> None:
    text = after([(0, 1, 2)], "public_goods", n_players=3, levels=3, multiplier=2, render_mode="ansi").render()
    assert [line.split() for line in text.splitlines()[2:]] == [
        ["player_0", "20", "20", "20", "20"],
        ["player_1", "10", "30", "30", "10"],
        ["player_2", "0", "40", "40", "0"],
    ]


def test_a_long_match_shows_its_end_and_counts_all_of_it() -> None:
    text = after([(1, 1)] * 40, render_mode="ansi").render()
    assert f"rounds {41 - SHOWN} to 40" in text
    assert text.splitlines()[2].split()[3:] == ["40", *["D"] * SHOWN]


def test_long_numbers_stay_apart() -> None:
    payoffs = {"R": -1234567.25, "T": -1234567.25, "S": 0, "P": 0}
    lines = after([(0, 0)] * 3, "matrix_game", render_mode="ansi", **payoffs).render().splitlines()
    assert lines[2].split() == ["player_0", "C", "-1234567.25", "-3703701.75", "C", "C", "C"]
    assert [line.index("rounds 1") for line in lines[1:2]] == [line.index("C C C") for line in lines[2:3]]


@pytest.mark.parametrize(("payoff", "shown"), [(-0.001, "-0.001"), (4e-6, "4e-06"), (-0.0, "0"), (-1e-17, "0")])
def test_small_payoffs_are_shown_and_zero_has_no_minus(payoff: float, shown: str) -> None:
    text = after([(0, 0)], "matrix_game", R=payoff, T=0, P=0, S=0, render_mode="ansi").render()
    assert text.splitlines()[2].split() == ["player_0", "C", shown, shown, "C"]


def test_human_prints_the_text_at_reset_and_in_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    """As Gymnasium has it: human rendering "should occur during step() and render() doesn't need to be called"."""
    joints = [(0, 1), (1, 1)]
    env = after(joints, render_mode="human")
    shown = [after(joints[:played], render_mode="ansi").render() for played in range(3)]
    assert capsys.readouterr().out == "".join(f"{text}\n" for text in shown)
    assert env.render() is None
    assert capsys.readouterr().out == f"{shown[-1]}\n"


def test_human_prints_each_round_of_the_turn_based_form_once(capsys: pytest.CaptureFixture[str]) -> None:
    env = aec("prisoners_dilemma", rounds=2, render_mode="human")
    env.reset(seed=0)
    for _ in env.agent_iter():
        env.step(None if env.last()[2] else 0)
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("prisoners")] == [
        f"prisoners_dilemma, round {played}" for played in range(3)
    ]


def test_nothing_played_yet_can_be_shown() -> None:
    assert "no round yet" in after([], render_mode="ansi").render()
    assert after([], render_mode="rgb_array").render().shape == after([(0, 0)], render_mode="rgb_array").render().shape


def test_no_render_mode_warns_and_shows_nothing() -> None:
    with pytest.warns(UserWarning, match="render_mode"):
        assert after([(0, 1)]).render() is None


def test_text_shows_signals_and_sanctions() -> None:
    options = {"talk": 1, "words": True, "punishment": (1, 3), "points": 2, "rounds": 2}
    env = after([("let us\nhunt", 0), (0, 1)], "stag_hunt", render_mode="ansi", **options)
    assert env.render().splitlines() == [
        "stag_hunt, round 1 (next: punish)",
        "           action   payoff  with sanctions     total   rounds 1 to 1",
        "player_0        C        0               0         0   C",
        "player_1        D        3               3         3   D",
        'said: player_0 "let us hunt", player_1 -',
    ]
    env.step({"player_0": 2, "player_1": 0})
    assert env.render().splitlines()[0] == "stag_hunt, round 1 (next: talk)"
    assert env.render().splitlines()[2:4] == [
        "player_0        C        0              -2        -2   C",
        "player_1        D        3              -3        -3   D",
    ]
    assert env.render().splitlines()[5] == "punish: player_0 > player_1: 2"
    env.step({"player_0": 1, "player_1": "\x1b[31mred"})
    text = env.render()
    assert "round 2 (next: act)" in text
    assert "rounds 1 to 1" in text
    assert text.splitlines()[-1] == 'said: player_0 1, player_1 " [31mred"'


def test_a_stage_without_sanctions_is_shown() -> None:
    text = after([(0, 0), (0, 0)], punishment=(1, 3), render_mode="ansi").render()
    assert text.splitlines()[-1] == "punish: nobody"


def test_amounts_are_shown_in_points() -> None:
    options = {"levels": None, "n_players": 2, "endowment": (8, 20), "multiplier": 1}
    text = after([(2.5, 20.0)], "public_goods", render_mode="ansi", **options).render()
    assert [line.split() for line in text.splitlines()[2:]] == [
        ["player_0", "2.5", "16.75", "16.75", "2.5"],
        ["player_1", "20", "11.25", "11.25", "20"],
    ]


def test_a_lattice_is_a_square_of_letters() -> None:
    env = after([(0, 1, 1, 0, 0, 1, 1, 1, 1)], "population", n_players=9, render_mode="ansi")
    assert env.render().splitlines()[-4:] == ["all: C 33%, D 67%, mean payoff 1.89", "CDD", "CCD", "DDD"]


def test_of_many_actions_the_most_frequent_are_shown() -> None:
    options = {"game": "travelers_dilemma", "n_players": 9, "render_mode": "ansi"}
    lines = after([(7, 98, 98, 3, 98, 5, 5, 7, 9)], "population", **options).render().splitlines()
    assert lines[-4].startswith("all: 98 33%, 7 22%, 5 22%, 3 11%, mean payoff ")
    assert lines[-3:] == [" 7 98 98", " 3 98  5", " 5  7  9"]


def test_large_populations_are_wrapped_at_a_hundred_characters() -> None:
    env = after([(0,) * 150 + (1,) * 100], "population", n_players=250, graph="ring", render_mode="ansi")
    lines = env.render().splitlines()
    assert "and 226 more players" in lines
    assert lines[-3:] == ["C" * 100, "C" * 50 + "D" * 50, "D" * 50]


def coloured(picture: Any, colour: tuple[int, int, int]) -> int:
    return int((picture == colour).all(axis=-1).sum())


@pytest.mark.parametrize(("name", "n"), [("stag_hunt", 2), ("public_goods", 4), ("public_goods", 300)])
def test_picture_is_coloured_by_cooperation(name: str, n: int) -> None:
    options = {} if n == 2 else {"n_players": n}
    blue = after([(0,) * n] * 3, name, render_mode="rgb_array", **options).render()
    orange = after([(1,) * n] * 3, name, render_mode="rgb_array", **options).render()
    assert blue.dtype == np.uint8
    assert blue.shape == orange.shape
    assert coloured(blue, COOPERATE) > coloured(orange, COOPERATE)
    assert coloured(orange, DEFECT) > coloured(blue, DEFECT)


PICTURED: list[tuple[str, dict[str, Any]]] = [
    ("snowdrift", {"talk": 2, "punishment": (1, 3), "reward": (1, 2), "words": True}),
    ("rock_paper_scissors", {}),
    ("bimatrix_game", {"row": [[1, 2, 3]], "column": [[1, 2, 3]], "degrees": [[1], [0, 0.5, 1]]}),
    ("bimatrix_game", {"row": np.zeros((12, 2)), "column": np.zeros((12, 2))}),
    ("travelers_dilemma", {}),
    ("public_goods", {"levels": None, "endowment": (3, 5, 20, 1)}),
    ("public_goods", {"n_players": 300, "levels": 4}),
    ("n_person_snowdrift", {"punishment": (1, 3)}),
    ("population", {"n_players": 9}),
    ("population", {"n_players": 200, "graph": "ring"}),
    ("population", {"n_players": 401, "graph": "random", "game": "rock_paper_scissors"}),
    ("population", {"n_players": 2500, "max_cycles": 1}),
]


@pytest.mark.parametrize(("name", "options"), PICTURED)
def test_a_picture_keeps_its_size_and_shows_every_phase(name: str, options: dict[str, Any]) -> None:
    env = parallel(name, rounds=3, render_mode="rgb_array", **options)
    env.reset(seed=0)
    pictures = [env.render()]
    for i, agent in enumerate(env.possible_agents):
        env.action_space(agent).seed(i)
    while env.agents:
        env.step({agent: env.action_space(agent).sample() for agent in env.agents})
        pictures.append(env.render())
    assert len({picture.shape for picture in pictures}) == 1
    assert all((one != other).any() for one, other in pairwise(pictures))


def test_a_lattice_is_drawn_player_by_player() -> None:
    """One defector among 100 is an orange square of 28 x 28 at its place, the others are blue."""
    joint = [0] * 100
    joint[37] = 1
    picture = after([tuple(joint)], "population", n_players=100, render_mode="rgb_array").render()
    square = picture[:350, :300]
    assert coloured(square, COOPERATE) == 99 * coloured(square, DEFECT) > 0
    rows, columns = np.nonzero((square == DEFECT).all(axis=-1))
    assert (rows.max() - rows.min(), columns.max() - columns.min()) == (27, 27)
    assert (rows.min() - 70) // 28 == 3
    assert (columns.min() - 20) // 28 == 7


def test_a_lattice_larger_than_the_picture_is_cut_off() -> None:
    rules = rules_of("population", n_players=300 * 300)
    history, rng = MatchHistory(rules), np.random.default_rng(0)
    history.add(rules.step(rules.start(rng), (0,) * rules.n_players, rng))
    assert render_image(history).shape == render_image(MatchHistory(rules)).shape


def test_unequal_endowments_have_bars_of_their_height() -> None:
    options = {"n_players": 3, "endowment": (10, 20, 20), "multiplier": 1.5, "render_mode": "rgb_array"}
    picture = after([(0, 0, 1)], "public_goods", **options).render()
    bars = [coloured(picture[80:205, left : left + 100], COOPERATE) for left in (20, 140, 260)]
    assert bars[0] * 2 == bars[1] > 0
    assert bars[2] == 0


def test_every_field_of_the_payoff_matrix_has_its_numbers() -> None:
    """One changed payoff changes its field and nothing else of the matrix."""
    first, second = np.zeros((3, 4)), np.zeros((3, 4))
    second[2, 3] = 5
    one, other = (
        after([], "bimatrix_game", row=row, column=first, render_mode="rgb_array").render() for row in (first, second)
    )
    rows, columns = np.nonzero((one != other).any(axis=-1))
    assert 0 < rows.max() - rows.min() < 20
    assert 0 < columns.max() - columns.min() < 20
    assert columns.min() > 550


def test_payoff_and_total_do_not_run_into_each_other() -> None:
    """Between the columns, and between player and payoff, the paper is clean."""
    options = {"R": -1234.57, "T": -1234.57, "P": 0, "S": 0, "render_mode": "rgb_array"}
    rows = after([(0, 0)] * 40, "matrix_game", **options).render()[-60:]
    for gap in (slice(128, 132), slice(231, 236)):
        assert (rows[:, gap] == rows[0, 0]).all()


def test_bars_of_too_many_players_stay_within_the_margin() -> None:
    picture = after([(0,) * 1000], "public_goods", n_players=1000, render_mode="rgb_array").render()
    assert (picture[80:200, 940:] == picture[0, 0]).all()
    assert coloured(picture[80:200, 20:940], COOPERATE) > 0


def test_points_are_shown_however_much_was_said() -> None:
    env = parallel("stag_hunt", rounds=2, talk=1, words=True, punishment=(1, 3), render_mode="rgb_array")
    pictures = []
    for points in (0, 1):
        env.reset(seed=0)
        for actions in (("many words " * 9,) * 2, (0, 0), (points, points)):
            env.step(dict(zip(env.agents, actions, strict=True)))
        pictures.append(env.render())
    one, other = (picture[:, 540:750] for picture in pictures)
    assert (one != other).any()


def test_picture_has_the_payoffs_of_the_game() -> None:
    fives = after([], render_mode="rgb_array").render()
    sixes = after([], render_mode="rgb_array", T=6).render()
    assert (fives != sixes).any()


def test_numbers_too_long_for_the_picture_are_cut_off() -> None:
    options = {"n_players": 2, "levels": 3, "endowment": 999_999_999, "render_mode": "rgb_array"}
    assert after([(0, 2)], "public_goods", **options).render().ndim == 3


def test_captions_can_be_read() -> None:
    """Contrast of small text as in WCAG 2.1, success criterion 1.4.3, and letters of 14 pixels."""

    def luminance(colour: tuple[int, int, int]) -> float:
        shares = [part / 255 for part in colour]
        linear = [share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    assert (luminance(PAPER) + 0.05) / (luminance(GREY) + 0.05) > 4.5
    grey = (after([(0, 0)], render_mode="rgb_array").render() == GREY).all(axis=-1)
    heads = grey[-100:, 20:540].any(axis=1)  # "payoff" and "total"
    assert heads.sum() == 14


def test_a_picture_has_payoffs_with_and_without_sanctions() -> None:
    options = {"punishment": (1, 3), "rounds": 2, "render_mode": "rgb_array"}
    spared, punished = (after([(0, 0), joint], "stag_hunt", **options).render() for joint in [(0, 0), (1, 0)])
    payoff, with_sanctions, total = (
        (spared[-80:, left:end] != punished[-80:, left:end]).any() for left, end in [(140, 230), (240, 420), (430, 520)]
    )
    assert (payoff, with_sanctions, total) == (False, True, True)


def test_letters_are_distinguishable() -> None:
    drawn = []
    for letter in [*GLYPHS, "é"]:  # a box stands for letters that have no picture
        picture = canvas(7, 5, (0, 0, 0))
        write(picture, 0, 0, letter, (1, 1, 1), scale=1)
        drawn.append(picture.tobytes())
    assert len(set(drawn)) == len(GLYPHS) + 1
    assert set(string.printable.upper().split()[0]) <= set(GLYPHS)
    picture = canvas(7, 5, (0, 0, 0))
    write(picture, 0, 0, "L", (1, 1, 1), scale=1)
    assert picture[:, :, 0].tolist() == [[1, 0, 0, 0, 0]] * 6 + [[1] * 5]
