"""`dilemmas compile` writes the table of any agent, shows it, and refuses what cannot be meant."""

import json
import shutil
from dataclasses import replace
from math import log
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.histories import histories
from dilemmas.agents.tables.policy_table import Origin
from dilemmas.agents.tables.table_file import load_table, save_table
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.templates import load_template
from dilemmas.experiments.commands.compile import command
from dilemmas.experiments.commands.main import main
from dilemmas.experiments.commands.tournament.group import command as tournament

PD = stage_game("prisoners_dilemma")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, width: int = 80) -> Result:
    return CliRunner(env={"COLUMNS": str(width)}).invoke(command, arguments, catch_exceptions=False)


def error(*arguments: str) -> str:
    with pytest.raises(InputError) as caught:
        run(*arguments)
    return str(caught.value)


class Opened(FakeBackend):
    """What `open_model` returns."""

    def loaded(self) -> FakeBackend:
        return self


ASKED: list[Request] = []


def echo(request: Request) -> Response:
    """A model that answers in kind: C with .9 if the prompt says that they chose C, .2 if D, .5 before; 80% labels."""
    ASKED.append(request)
    p = 0.9 if "they chose C." in request.prompt else 0.2 if "they chose D." in request.prompt else 0.5
    return Response((log(0.8 * p), log(0.8 * (1 - p))))


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model's directory in which the fake lies."""
    ASKED.clear()
    fake = Opened(echo, name="[/red]echo", fingerprint="f00d")
    monkeypatch.setattr("dilemmas.agents.models.open_model.open_model", lambda *_, **__: fake)
    (tmp_path / "echo").mkdir()
    return str(tmp_path / "echo")


def test_a_strategy_becomes_its_five_numbers() -> None:
    result = run("tit_for_tat", "--game", "prisoners_dilemma")
    rows = [line.split() for line in result.stdout.splitlines()]
    for row in (["none", "1.000", "0.000"], ["CD", "0.000", "1.000"], ["DC", "1.000", "0.000"]):
        assert row in rows
    table = load_table("tit_for_tat-prisoners_dilemma.json")
    assert result.stderr == "tit_for_tat-prisoners_dilemma.json\n"
    assert table == compile_agent(strategy("tit_for_tat"), PD, 1)
    assert table.memory_one() == (1, 1, 0, 1, 0)


def test_a_model_is_asked_five_questions_for_its_exact_probabilities(model: str) -> None:
    words = (model, "--game", "prisoners_dilemma", "--context", "business", "--out", "echo.json")
    run(*words, "--presentation", "fixed")
    table = load_table("echo.json")
    assert table.memory_one() == pytest.approx((0.5, 0.9, 0.2, 0.9, 0.2))
    assert table.masses == pytest.approx((0.8,) * 5)
    study = load_template("study")
    assert (table.origin.model, table.origin.context, table.origin.source) == ("f00d", "business", "exact")
    assert table.origin.template == f"study@{study.digest}"
    asked = [scenario_prompt(study, PD, context("business"), history) for history in histories(PD, 1)]
    assert [request.prompt for request in ASKED] == asked


def test_presentations_are_averaged_over(model: str) -> None:
    """The echo goes by the label: after each history it is C in two ways to ask of four."""
    asked = (model, "--game", "prisoners_dilemma", "--context", "business", "--out", "echo.json")
    result = run(*asked, "--presentation", "counterbalanced")
    assert len(ASKED) == 4 * 5
    assert "the mean over all assignments and orders of the labels" in " ".join(result.stdout.split())
    table = load_table("echo.json")
    assert table.memory_one() == pytest.approx((0.5, *[(0.9 + 0.2) / 2] * 4))
    assert table.origin.presentation == "counterbalanced"
    assert "--force" in error(*asked, "--presentation", "fixed")


def test_a_table_fits_60_columns_and_shows_names_as_they_are(model: str) -> None:
    five = [word for one in ("n_players=5", "endowment=6", "multiplier=2.5") for word in ("--set", one)]
    result = run(model, "--game", "public_goods", *five, "--context", "business", "--memory", "2", width=60)
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[0].startswith("[/red]echo in public_goods (n_players=5, endowment=6,")
    assert ["C+3", "D+1", "0.500", "0.500", "0.800"] in [line.split() for line in lines]
    assert "11 more rows in the file" in " ".join(lines)  # 1 + 10 + 100 histories, 100 of them shown
    assert Path("_red_echo-public_goods-business.json").exists()


def test_low_label_mass_is_a_warning(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = (model, "--game", "stag_hunt", "--context", "friends")
    assert "warning" not in run(*asked).stderr
    mute = Opened(lambda request: Response((log(0.02), log(0.01))))
    monkeypatch.setattr("dilemmas.agents.models.open_model.open_model", lambda *_, **__: mute)
    assert "warning: only 0.030 of the model's replies start with a label" in run(*asked, "--force").stderr


def test_json_equals_the_file() -> None:
    result = run("wsls", "--game", "snowdrift", "--json", "--out", "deep/er/x.json")
    assert json.loads(result.stdout) == json.loads(Path("deep/er/x.json").read_text())


def test_another_table_is_never_overwritten_unasked() -> None:
    asked = ("--game", "prisoners_dilemma", "--out", "x.json")
    run("tit_for_tat", *asked)
    before = Path("x.json").read_bytes()
    run("tit_for_tat", *asked)  # the same once more
    assert "x.json exists; choose another --out, or overwrite it with --force" in error("bully", *asked)
    assert "--force" in error("tit_for_tat", *asked, "--memory", "2")
    assert "--force" in error("tit_for_tat", *asked, "--context", "business")
    assert Path("x.json").read_bytes() == before
    run("bully", *asked, "--force")
    assert load_table("x.json").origin.agent == "bully"
    Path("x.json").write_text("my notes")
    assert "--force" in error("bully", *asked)
    assert Path("x.json").read_text() == "my notes"


def test_the_same_table_from_another_version_of_dilemmas_is_no_other() -> None:
    older = replace(compile_agent(strategy("bully"), PD, 1), origin=Origin("bully", dilemmas="0.0.1"))
    save_table(older, "x.json")
    run("bully", "--game", "prisoners_dilemma", "--out", "x.json")
    assert load_table("x.json") == compile_agent(strategy("bully"), PD, 1)


def test_payoffs_are_the_catalogues_unless_they_are_set() -> None:
    run("tft", "--game", "stag-hunt", "--out", "x.json")
    assert load_table("x.json").game == stage_game("stag_hunt")
    own = ("--set", "T=1.5", "--set", "R=-2", "--set", "P=3", "--set", "S=4")
    run("tft", "--game", "matrix_game", *own, "--out", "y.json")
    assert load_table("y.json").game == stage_game("matrix_game", T=1.5, R=-2, P=3, S=4)
    run("tft", "--game", "public_goods", "--set", "n_players=3", "--out", "z.json")
    assert load_table("z.json").game.n_players == 3


@pytest.mark.parametrize("options", [(), ("--set", "T=3.5"), ("--set", "P=-1.5", "--set", "S=-2.5")])
def test_a_tournament_takes_the_table_of_the_same_game_and_options(options: tuple[str, ...]) -> None:
    game = ("--game", "stag_hunt", *options)
    run("tit_for_tat", *game, "--out", "t.json")
    asked = ("--agents", "t.json,allc", *game, "--json")
    played = CliRunner().invoke(tournament, ("run", *asked), catch_exceptions=False)
    assert json.loads(played.stdout)["players"] == ["t", "always_cooperate"]


def test_a_table_bears_the_name_that_is_given() -> None:
    run("Mine=random(0.3)", "--game", "stag_hunt", "--out", "x.json")
    assert load_table("x.json").origin.agent == "Mine"
    run("uniform", "--game", "rock_paper_scissors", "--memory", "0", "--out", "y.json")
    assert load_table("y.json").rows == (pytest.approx((1 / 3,) * 3),)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("tit_fot_tat --game stag_hunt", "unknown agent 'tit_fot_tat'; did you mean 'tit_for_tat'"),
        ("miniature-techer --game stag_hunt", "did you mean 'miniature-teacher'"),
        ("gtf --game stag_hunt", "unknown agent 'gtf'; did you mean 'gtft'"),
        ("gpt2 --game stag_hunt", "its directory or GGUF file, or by its hub id as owner/name or name@main"),
        ("gpt2@main --game stag_hunt", "'gpt2@main' is not a strategy, such as tit_for_tat"),
        ("tit_for_tat --game stag_hunnt", "unknown game 'stag_hunnt'; did you mean 'stag_hunt'"),
        ("tft.json --game stag_hunt", "'tft.json' is already a policy table"),
        ("axelrod:TitForTat --game stag_hunt", "may depend on the whole history"),
        ("tit_for_tat --game stag_hunt --context busines", "did you mean 'business'?"),
        ("tit_for_tat --game stag_hunt --set T", "write T=VALUE"),
        ("tit_for_tat --game stag_hunt --set T=x", "T = 'x'"),
        ("tit_for_tat --game stag_hunt --set Z=1", "unknown option 'Z'"),
        ("tit_for_tat --game stag_hunt --set T=99", "stag_hunt needs R>T>=P>S"),
        ("tit_for_tat --game stag_hunt --set T=3 --set T=4", "--set T=3 --set T=4: 'T' is given twice"),
        ("tit_for_tat --game stag_hunt --memory 12", "use a smaller memory"),
        ("tit_for_two_tats --game stag_hunt", "looks at the last 2 rounds: set memory to 2 or more"),
        ("grim --game stag_hunt --memory 3", "strategy 'grim' depends on the whole history, but a table"),
        ("downing --game stag_hunt", "strategy 'downing' depends on the whole history"),
        ("downing --game public_goods", "strategy 'downing' is for two players, not for 4"),
        ("random(1.5) --game stag_hunt", "p = 1.5; a probability must be in [0, 1]"),
        ("miniature-teacher --game stag_hunt", "needs a context (--context), one of summit, business"),
        ("miniature-teacher --game stag_hunt --context team --template studdy", "did you mean 'study'?"),
    ],
)
def test_invalid_arguments_are_refused_with_the_remedy(arguments: str, message: str, tmp_path: Path) -> None:
    assert message in error(*arguments.split())
    assert list(tmp_path.iterdir()) == []


def test_a_hub_id_of_a_single_word_has_its_branch(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    asked = ("--game", "stag_hunt", "--context", "team", "--memory", "0", "--min-mass", "0", "--out", "x.json")
    assert "HF_HUB_OFFLINE is set and the model is not in the cache" in error("gpt2@main", *asked)
    commit = "0123456789" * 4
    shutil.copytree(tiny_model, tmp_path / "models--gpt2" / "snapshots" / commit)
    (tmp_path / "models--gpt2" / "refs").mkdir()
    (tmp_path / "models--gpt2" / "refs" / "main").write_text(commit)
    run("gpt2@main", *asked)
    origin = load_table("x.json").origin
    assert (origin.agent, origin.model) == ("gpt2@main", commit)
    assert "unknown agent 'gpt2'; " in error("gpt2", *asked)


def test_an_error_is_one_line_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compile", "tit_fot_tat", "--game", "stag_hunt"])
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: unknown agent 'tit_fot_tat'")
    assert captured.err.count("\n") == 1
