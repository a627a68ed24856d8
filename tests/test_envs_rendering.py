"""What renders show: every number and action of the match, and nothing else."""

from typing import Any

import numpy as np
import pytest

from understudy.envs.parallel_env import parallel
from understudy.envs.pixels import GLYPHS, canvas, write
from understudy.envs.rendering import COOPERATE, DEFECT, SHOWN


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


def test_human_prints_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert after([(0, 1)], render_mode="human").render() is None
    assert capsys.readouterr().out == after([(0, 1)], render_mode="ansi").render() + "\n"


def test_nothing_played_yet_can_be_shown() -> None:
    assert "no round yet" in after([], render_mode="ansi").render()
    assert after([], render_mode="rgb_array").render().shape == after([(0, 0)], render_mode="rgb_array").render().shape


def test_no_render_mode_warns_and_shows_nothing() -> None:
    with pytest.warns(UserWarning, match="render_mode"):
        assert after([(0, 1)]).render() is None


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


def test_picture_has_the_payoffs_of_the_game() -> None:
    fives = after([], render_mode="rgb_array").render()
    sixes = after([], render_mode="rgb_array", T=6).render()
    assert (fives != sixes).any()


def test_numbers_too_long_for_the_picture_are_cut_off() -> None:
    options = {"n_players": 2, "levels": 3, "endowment": 1e80, "render_mode": "rgb_array"}
    assert after([(0, 2)], "public_goods", **options).render().ndim == 3


def test_letters_are_told_apart() -> None:
    drawn = []
    for letter in GLYPHS:
        picture = canvas(7, 5, (0, 0, 0))
        write(picture, 0, 0, letter, (1, 1, 1), scale=1)
        drawn.append(picture.tobytes())
    assert len(set(drawn)) == len(GLYPHS)
    picture = canvas(7, 5, (0, 0, 0))
    write(picture, 0, 0, "L", (1, 1, 1), scale=1)
    assert picture[:, :, 0].tolist() == [[1, 0, 0, 0, 0]] * 6 + [[1] * 5]
