"""What the reader sees of a record: everything that was recorded, in 60 columns, and no text of a model obeyed."""

import json
import os
import pty
import select
import subprocess
import sys
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pettingzoo
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from dilemmas.agents.agent import Decision, PlayerRecord, Source, Traits, Turn, Unreadable
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.record import RecordError
from dilemmas.agents.matches.trajectory import SUFFIX, Header, TrajectoryWriter
from dilemmas.agents.strategies.catalogue import Uniform, strategy
from dilemmas.agents.visible_text import visible
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.experiments.commands.watch import command
from dilemmas.experiments.viewer.episode_screen import action_words, recorded_rules, step_screen
from dilemmas.experiments.viewer.watch import COMMANDS, Place, Shelf, press, rendered_page

SAID = "I choose [C] because [/bold] it is \x1b[31mright\x07\r\u202e"


@dataclass(frozen=True)
class Talker:
    """Says what a terminal or a markup language would obey, is unreadable in round 3 and gives up in round 4."""

    name: str = "a model [with] markup in its very long name, longer than a line"

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [self._decide(turn.info["view"].round + 1, int(turn.space.n)) for turn in turns]

    policy = decide

    traits = Traits()

    def describe(self) -> PlayerRecord:

        return PlayerRecord(self.name, "scripted")

    def _decide(self, number: int, actions: int) -> Decision:
        if number < 3:
            prompt = f"This is round {number}. " + "You may choose. " * 20
            labels = (("C", "D", "E") if number == 1 else ("D", "C", "E"))[:actions]
            return Decision(
                0, (0.75, 0.25, 0.0)[:actions], Source.EXACT, 0.5, prompt, labels, reply=SAID, attempts=number
            )
        handled = Unreadable.UNIFORM if number == 3 else Unreadable.ABORT
        action = 1 if number == 3 else None
        return Decision(action, None, Source.SAMPLED, reply=SAID, unreadable=handled, attempts=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three matches of the prisoner's dilemma that are aborted in round 4, and two of public goods."""
    folder = tmp_path_factory.mktemp("run")
    games = {"prisoners_dilemma": {"rounds": 9}, "public_goods": {"n_players": 3, "rounds": 2, "levels": 3}}
    for (game, options), matches in zip(games.items(), (3, 2), strict=True):
        others = [strategy("tft")] * (options.get("n_players", 2) - 1)
        agents = (strategy("random").describe(), *(agent.describe() for agent in others))
        header = Header(f"dilemmas/{game}-v0", agents, 1, options, context="friends")
        with TrajectoryWriter(folder / "matches" / f"{game}.trajectory.jsonl", header) as writer:
            for record in run_matches(
                lambda game=game, options=options: parallel(game, **options), [Talker(), *others], matches, 1
            ):
                writer.write(record)
    return folder


def printed(run: Path, *options: str, columns: int = 60) -> str:
    environment = {"COLUMNS": str(columns)}
    done = CliRunner(env=environment).invoke(command, [str(run), *options], standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.stdout


def test_the_list_names_every_match_with_its_ending(run: Path) -> None:
    heading, *lines = printed(run).splitlines()
    assert heading.split() == ["match", "rounds", "ending", "totals,", "file"]
    assert [line.split()[:3] for line in lines] == [[str(i), "3", "aborted"] for i in range(3)] + [
        [str(i), "2", "terminated"] for i in (3, 4)
    ]
    assert lines[0].endswith("11 : 6  prisoners_dilemma")  # R=3, R=3, then T=5 and S=0


def test_the_same_as_data(run: Path) -> None:
    first, *_, last = json.loads(printed(run, "--json"))
    assert first == {
        "match": 0,
        "rounds": 3,
        "ending": "aborted",
        "detail": "no action could be read in 2 replies of player_0",
        "totals": {"player_0": 11, "player_1": 6},
        "file": "prisoners_dilemma",
    }
    assert (last["match"], last["rounds"], last["ending"], last["file"]) == (4, 2, "terminated", "public_goods")
    whole = json.loads(printed(run, "--match", "0", "--json"))
    assert len(whole["steps"]) == 4
    step = json.loads(printed(run, "--match", "0", "--step", "2", "--json"))
    assert step == whole["steps"][1]
    assert [(move["player"], move["played"], move["reward"]) for move in step] == [
        ("player_0", 0, 3),
        ("player_1", 0, 3),
    ]
    assert step[0]["decision"]["prompt"].startswith("This is round 2.")
    assert step[0]["decision"]["reply"] == SAID


def test_a_round_shows_all_that_was_recorded(run: Path) -> None:
    shown = printed(run, "--match", "0", "--step", "2")
    for part in (
        "match 0, round 2 of 4",
        "dilemmas/prisoners_dilemma-v0, friends",
        "C ███████████████░░░░░ 0.750",
        "D █████░░░░░░░░░░░░░░░ 0.250",
        "label mass 50.0%",
        "This is round 2.",
        "readable at attempt 2",
        "I choose [C] because [/bold] it is ␛[31mright␇␍",
        "from the rule of the strategy",
    ):
        assert part in shown
    rows = [line.split() for line in shown.splitlines() if line.startswith("player_") and "," not in line]
    assert rows == [["player_0", "C", "3", "6"], ["player_1", "C", "3", "6"]]


def test_labels_that_stand_for_other_actions_are_explained(run: Path) -> None:
    assert "stands for" not in printed(run, "--match", "0", "--step", "1")
    assert "in the prompt D stands for C, C stands for D" in printed(run, "--match", "0", "--step", "2")


def test_the_treatment_of_unreadable_replies_is_shown(run: Path) -> None:
    third, fourth = printed(run, "--match", "1", columns=100).split("round 4 of 4")
    assert "unreadable: no action in 2 replies, so an action was drawn uniformly" in third
    assert "unreadable: no action in 2 replies, so the match was aborted" in fourth
    assert "The match ends: aborted, no action could be read in 2 replies of player_0." in fourth
    assert ["player_0", "none", "-", "11"] in [line.split() for line in fourth.splitlines()]


def words(environment: str, step: int, player: int = 0, **options: Any) -> Any:
    return action_words(recorded_rules(Header(environment, (), 1, options)), step, player)


def test_levels_are_shown_as_contributions() -> None:
    word = words("dilemmas/public_goods-v0", 1, levels=3, endowment=10, rounds=2)
    assert [word(action) for action in range(3)] == ["10", "5", "0"]
    assert words("somebody/elses-v3", 1)(7) == "7"
    richer = words("dilemmas/public_goods-v0", 1, 2, levels=3, n_players=3, endowment=[10, 20, 40])
    assert [richer(action) for action in range(3)] == ["40", "20", "0"]
    assert words("dilemmas/population-v0", 1, 8, n_players=9, game="snowdrift")(1) == "D"


def test_each_phase_has_its_own_words() -> None:
    options = {"talk": 1, "words": True, "punishment": [1, 3], "rounds": [2, 3]}
    talk, act, punish, again = (words("dilemmas/stag_hunt-v0", step, **options) for step in range(1, 5))
    assert (talk(0), talk(2), talk("stag?"), again("hi")) == ("-", "2", '"stag?"', '"hi"')
    assert (act(0), act(1), act(2), punish(1)) == ("C", "D", "2", "1")
    amounts = words("dilemmas/public_goods-v0", 5, levels=None)
    assert (amounts([2.5]), amounts(2.5)) == ("2.5", "2.5")
    whom = words("dilemmas/volunteers_dilemma-v0", 2, 1, n_players=3, reward=[1, 1], points=2)
    assert (whom(0), whom(1), whom(5)) == ("nobody", "1 to 0", "2 to 0 and 1 to 2")


def test_steps_of_a_round_show_their_own_actions(tmp_path: Path) -> None:
    name, options = "dilemmas/prisoners_dilemma-v0", {"rounds": (2, 4), "talk": 1, "signals": 5}
    agents = [Uniform(), Uniform()]
    path = tmp_path / f"talk{SUFFIX}"
    with TrajectoryWriter(path, Header(name, tuple(agent.describe() for agent in agents), 3, options)) as writer:
        for record in run_matches(partial(pettingzoo.make, "parallel", name, **options), agents, 1, 3):
            writer.write(record)
    rounds = len(record.steps) // 2
    assert printed(path).splitlines()[1].split()[:3] == ["0", str(rounds), "terminated"]
    shown = printed(path, "--match", "0", "--step", "4")
    assert shown.startswith(f"match 0, step 4 of {2 * rounds}: round 2, act\n")
    assert [line.split()[0] for line in shown.splitlines() if "█" in line] == ["C", "D"] * 2


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(run: Path, columns: int) -> None:
    for match in range(5):
        lines = printed(run, "--match", str(match), columns=columns).splitlines()
        assert max(cell_len(line) for line in lines) <= columns


@given(st.text(st.characters()))
def test_nothing_that_a_model_writes_is_obeyed(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    kinds = {unicodedata.category(character) for character in shown if character != "\n"}
    assert not kinds & {"Cc", "Cs"}  # control characters, halves of surrogate pairs
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # text turned around


def test_without_colour_nothing_but_text_is_printed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shelf = Shelf(sorted(run.rglob("*.jsonl")))
    console = Console(force_terminal=True, width=60, color_system="truecolor")
    with console.capture() as capture:
        console.print(step_screen(shelf.header(0), shelf.record(0), 2, "x"))
    codes = {part.split("m")[0] for part in capture.get().split("\x1b[")[1:]}
    assert codes <= {"0", "1", "2", "1;2"}  # bold and dim are no colours


def follow(run: Path, keys: str) -> Place | None:
    shelf = Shelf(sorted(run.rglob("*.jsonl")))
    here: Place | None = Place(0)
    for key in keys.replace("→", "\x1b[C").replace("←", "\x1b[D").split():
        assert here is not None
        here = press(here, COMMANDS[{"space": " ", "enter": "\r", "esc": "\x1b"}.get(key, key)], shelf)
    return here


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ("j j k", Place(1)),
        ("G", Place(4)),
        ("enter", Place(0, 1)),
        ("enter → l space", Place(0, 4)),
        ("enter → l space →", Place(0, 4)),  # the last round
        ("enter → ← h", Place(0, 1)),
        ("enter G", Place(0, 4)),
        ("enter G g", Place(0, 1)),
        ("enter → ]", Place(1, 1)),
        ("enter n n p", Place(1, 1)),
        ("enter n n [", Place(1, 1)),
        ("enter [", Place(0, 1)),
        ("enter j j k", Place(0, 1, scroll=1)),
        ("enter j →", Place(0, 2)),
        ("j enter m", Place(1)),
        ("j enter esc", Place(1)),
        ("enter ?", Place(0, 1, help=True)),
        ("enter ? ?", Place(0, 1)),
        ("enter ? q", Place(0, 1)),  # any key closes the help
        ("enter ? q q", None),
        ("enter q", None),
    ],
)
def test_keys(run: Path, keys: str, place: Place | None) -> None:
    assert follow(run, keys) == place


@pytest.mark.parametrize("here", [Place(0), Place(4), Place(0, 2), Place(0, 2, scroll=999), Place(3, 1, help=True)])
def test_a_screen_is_filled_and_not_overfilled(run: Path, here: Place) -> None:
    shelf = Shelf(sorted(run.rglob("*.jsonl")))
    console = Console(width=60, height=15, force_terminal=True, color_system=None)
    page, after = rendered_page(console, shelf, here)
    lines = console.render_lines(page, pad=False)
    assert len(lines) == 15
    assert max(sum(part.cell_length for part in line) for line in lines) <= 60
    assert after.scroll <= 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--match", "5"), "--match 5: the run has 5 matches, 0 to 4"),
        (("--match", "0", "--step", "5"), "--step 5: match 0 has steps 1 to 4"),
        (("--step", "1"), "--step 1: needs --match"),
    ],
)
def test_an_invalid_place_is_refused(run: Path, options: tuple[str, ...], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        printed(run, *options)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"contains no file named \*\.trajectory\.jsonl"):
        printed(tmp_path)


def test_in_a_terminal(run: Path) -> None:
    """A real terminal of 60 by 20: open the second match, step, and quit."""
    leader, follower = pty.openpty()
    code = "import sys; from dilemmas.experiments.commands.main import main; main(sys.argv[1:])"
    environment = {**os.environ, "TERM": "xterm", "LINES": "20", "COLUMNS": "60"}
    child = subprocess.Popen(
        [sys.executable, "-c", code, "watch", str(run)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
    )
    os.close(follower)
    seen = b""
    for expected, keys in ((b"aborted", b"j\x1b[C"), (b"round 1 of 4", b" "), (b"round 2 of 4", b"q")):
        seen = read_until(leader, expected)
        os.write(leader, keys)
    assert child.wait(timeout=10) == 0
    assert b"\x1b[31m" not in seen.split(b"I choose")[-1].split(b"right")[0]  # what the model wrote
    os.close(leader)


def read_until(terminal: int, expected: bytes, seconds: float = 20.0) -> bytes:
    seen, end = b"", time.monotonic() + seconds
    while expected not in seen:
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert ready, f"{expected!r} did not appear in {seen!r}"
        seen += os.read(terminal, 65536)
    return seen
