"""`dilemmas prompt show`: the text of a prompt, and how a model sees it."""

import json
import shutil
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from dilemmas.agents.agent import Turn, Unreadable
from dilemmas.envs.errors import InputError
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.scenarios import KNOWN_GAMES
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.rules.protocol import View
from dilemmas.experiments.commands.models.prompt_show import command


def show(*words: str) -> str:
    result = CliRunner().invoke(command, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_without_a_model_the_text_alone_is_printed() -> None:
    words = ("--template", "vignette#1", "--game", "harmony", "--context", "team", "--history", "CD,DD")
    template, social = load_template("vignette#1"), context("team", "vignettes")
    assert show(*words) == scenario_prompt(template, KNOWN_GAMES["harmony"], social, ((0, 1), (1, 1))) + "\n"


def test_all_presentations_are_told_apart() -> None:
    found = json.loads(show("--presentation", "all", "--json"))
    assert [(one["presentation"], one["labels"], one["order"]) for one in found] == [
        (1, ["C", "D"], [0, 1]),
        (2, ["C", "D"], [1, 0]),
        (3, ["D", "C"], [0, 1]),
        (4, ["D", "C"], [1, 0]),
    ]
    assert len({one["text"] for one in found}) == 4


def test_a_model_sees_its_chat_template_and_its_tokens() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    found: dict[str, Any] = json.loads(show("--model", "miniature-student", "--json"))[0]
    assert found["rendered"] == f"<s><user>{found['text']}<assistant>"
    assert found["label_tokens"] == [["ĠC"], ["ĠD"]]
    assert found["mass"] > 0.99
    assert sum(found["probabilities"]) == pytest.approx(1)
    begun = json.loads(show("--model", "miniature-student", "--template", "vignette", "--json"))[0]
    assert begun["rendered"].endswith('or "I choose J."<assistant> I choose')
    printed = show("--model", "miniature-student")
    assert f"--- {found['tokens']} tokens" in printed
    assert f"P(C) = {found['probabilities'][0]:.4f}, written as 'ĠC'" in printed


def test_a_model_that_writes_before_has_probabilities_of_its_prediction_or_a_reason_for_none() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    (found,) = json.loads(show("--model", "miniature-student", "--template", "predict", "--json"))
    text, after = found["after"]
    assert found["predicts"] == ["J", "F"]
    assert found["predicts"][found["probabilities"].index(max(found["probabilities"]))] in text
    for seen in (found, after):
        assert sum(seen["probabilities"]) == pytest.approx(1)
        assert len(seen["label_tokens"]) == 2
    for template in ("reason", "mixed"):
        assert "no probabilities of labels: " in show("--model", "miniature-student", "--template", template)


@pytest.fixture(scope="module")
def thinker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose chat template opens thoughts."""
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    folder = tmp_path_factory.mktemp("thinker") / "thinker"
    shutil.copytree(Path(str(files("dilemmas.agents.models"))) / "miniatures" / "student", folder)
    chat = folder / "chat_template.jinja"
    opened = "{% if add_generation_prompt %}<think>\n{% endif %}"
    chat.write_text(chat.read_text().rstrip() + opened)
    return folder


@pytest.mark.parametrize("system", ["", "Be brief."])
@pytest.mark.parametrize("template", ["study", "vignette", "motivate", "predict", "reason", "mixed"])
def test_what_is_shown_is_what_the_model_gets(
    template: str, system: str, thinker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dilemmas.agents.models import local
    from dilemmas.agents.models.language_model import LanguageModelAgent
    from dilemmas.agents.models.open_model import open_model

    words = load_template(template)
    words = replace(words, system=system, decision=replace(words.decision, tokens=3))
    game, view = KNOWN_GAMES["stag_hunt"], View(KNOWN_GAMES["stag_hunt"], 0, 0, ())
    model = open_model(str(thinker))
    given: list[tuple[int, ...]] = []
    read = local.LocalBackend.respond

    def respond(backend: local.LocalBackend, requests: list[local.Request]) -> list[local.Response]:
        given.extend(backend.prompt_tokens(one) for one in requests)
        return read(backend, requests)

    monkeypatch.setattr(local.LocalBackend, "respond", respond)
    agent = LanguageModelAgent(
        model,
        context("friends", words.contexts),
        words,
        presentation="fixed",
        min_mass=0.0,
        unreadable=Unreadable.UNIFORM,
    )
    agent.decide([Turn("player_0", None, {"view": view}, None, np.random.default_rng(0))])
    asked = ("--game", game.name, "--context", "friends", "--template", template)
    (found,) = json.loads(show("--model", str(thinker), *asked, *(("--system", system) if system else ()), "--json"))
    tokenizer = model.tokenizer()
    assert given
    assert found["rendered"] == tokenizer.decode(given[0], clean_up_tokenization_spaces=False)
    assert found["tokens"] == len(given[0])
    assert ("</think>" in found["rendered"]) == (template != "reason"), "a reasoning is written in open thoughts"


def test_an_amount_is_asked_for_at_once_in_every_way_to_decide() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    free = ("--model", "miniature-student", "--game", "public_goods", "--set", "levels=none")
    for way in ("vignette", "predict", "reason", "mixed"):
        (found,) = json.loads(show(*free, "--template", way, "--json"))
        assert found["rendered"] == f"<s><user>{found['text']}<assistant>"
        assert (found["predicts"], found["why"]) == ([], "")


def test_the_engine_and_its_number_format_stand_beside_the_probabilities() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    printed = show("--model", "miniature-student", "--device", "cpu")
    assert printed.splitlines()[-2].startswith("label mass ")
    assert printed.splitlines()[-1] == "computed by transformers, float32"


def test_a_game_of_the_catalogue_has_the_options_given() -> None:
    assert "you get 77" in show("--game", "stag_hunt", "--set", "R=77", "--set", "T=4", "--set", "P=3", "--set", "S=1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--history", "CX"), "'CX' is no round of prisoners_dilemma"),
        (("--history", "CCC"), "'CCC' is no round"),
        (("--presentation", "5"), "needs a number from 1 to 4, or all"),
        (("--presentation", "9" * 5000), "needs a number from 1 to 4, or all"),
        (("--context", "freinds"), "did you mean 'friends'"),
        (("--template", "vignet"), "did you mean 'vignette'"),
        (("--template", "vignette#9"), "has 3 paraphrases, but not 9"),
        (("--game", "stag_hnt"), "did you mean 'stag_hunt'"),
    ],
)
def test_what_cannot_be_shown_is_said_with_the_way_out(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        show(*words)


def test_persona_labels_and_system_text_are_chosen(tmp_path: Path) -> None:
    (tmp_path / "system.md").write_text("Be brief.\n")
    words = (
        "--template",
        "vignette",
        "--persona",
        "nurse",
        "--labels",
        "words",
        "--system",
        str(tmp_path / "system.md"),
    )
    shown = show(*words, "--game", "harmony")
    assert shown.startswith("--- system turn\nBe brief.\n--- prompt\nYou are a 41-year-old nurse")
    assert '"I choose right." or "I choose left."' in shown
    (found,) = json.loads(show(*words, "--game", "harmony", "--json"))
    assert (found["system"], found["labels"]) == ("Be brief.", ["left", "right"])


@pytest.mark.parametrize("words", [("--persona", "nurs"), ("--labels", "wrods"), ("--system", "missing.txt")])
def test_unknown_choices_are_refused(words: tuple[str, str]) -> None:
    with pytest.raises(InputError, match=words[1]):
        show(*words)


@pytest.mark.parametrize("option", ["--template", "--persona", "--labels", "--system"])
def test_an_empty_choice_is_refused(option: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{option}: the text is empty"):
        show(option, " ")
    if option in ("--persona", "--system"):
        with pytest.raises(InputError, match=f"{option} none takes it away"):
            show(option, "")
    (tmp_path / "system.txt").write_text("\n")
    with pytest.raises(InputError, match="the file is empty"):
        show("--system", str(tmp_path / "system.txt"))
