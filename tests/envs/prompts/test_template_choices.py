"""Personas, labels and system texts that are chosen of any template."""

from pathlib import Path

import pytest

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import presentations, scenario_prompt
from dilemmas.envs.prompts.template_choices import TemplateChoice, variants
from dilemmas.envs.prompts.template_tables import template_files
from dilemmas.envs.prompts.templates import load_template

GAME = stage_game("prisoners_dilemma")


@pytest.mark.parametrize("name", template_files())
def test_every_template_takes_every_label_set_and_persona(name: str) -> None:
    usual = load_template(name)
    for labels, pair in usual.label_sets.items():
        for persona, who in usual.personas.items():
            found = TemplateChoice(name, persona, labels).of()
            social = context("friends", found.contexts)
            assert {one.labels for one in presentations(found, GAME)} == {pair, pair[::-1]}
            assert scenario_prompt(found, GAME, social).startswith(f"{who}\n")


def test_several_personas_are_used_equally_often(tmp_path: Path) -> None:
    others = tmp_path / "others.toml"
    others.write_text('monk = "You are a monk."\nspy = "You are a spy."\n')
    for wanted, names in (
        ("nurse, farmer", ["nurse", "farmer"]),
        ("counterbalanced", ["student", "nurse", "retiree", "farmer"]),
        (str(others), ["monk", "spy"]),
        ("farmer", ["farmer"]),
    ):
        assert [one.persona for one in variants(TemplateChoice("vignette", wanted).of())] == names


def test_labels_may_be_named_one_by_one() -> None:
    assert TemplateChoice(labels="A, B").of(load_template("study")).labels == ("A", "B")


def test_a_choice_changes_the_digest_and_no_choice_leaves_the_template() -> None:
    usual = load_template("vignette")
    assert TemplateChoice().of(usual) is usual
    chosen = [{"persona": "nurse"}, {"persona": "nurse,farmer"}, {"labels": "words"}, {"system": "Be brief."}]
    digests = {TemplateChoice("vignette", **one).of().digest for one in chosen}
    assert len(digests | {usual.digest}) == len(chosen) + 1


def test_a_system_text_is_no_part_of_the_prompt() -> None:
    found = TemplateChoice("study", system='Be {"brief": true}.').of()
    assert found.system == 'Be {"brief": true}.'
    assert scenario_prompt(found, GAME, context("team")) == scenario_prompt(
        load_template("study"), GAME, context("team")
    )


def test_a_persona_and_a_system_text_of_the_template_can_be_taken_away() -> None:
    usual = load_template("vignette")
    framed = TemplateChoice("vignette", "nurse", system="Be brief.").of()
    assert TemplateChoice(persona="none", system="none").of(framed).digest == usual.digest
    assert TemplateChoice(persona="none").of(TemplateChoice("vignette", "counterbalanced").of()).digest == usual.digest
    assert TemplateChoice(system="none").of(framed).digest == TemplateChoice("vignette", "nurse").of().digest


@pytest.mark.parametrize("name", ["none", "counterbalanced"])
def test_no_persona_has_a_name_that_means_something_else(name: str, tmp_path: Path) -> None:
    (tmp_path / "others.toml").write_text(f'{name} = "You are a monk."\n')
    with pytest.raises(InputError, match=f"personas.{name}: the word has a meaning of its own"):
        TemplateChoice("study", str(tmp_path / "others.toml")).of()


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"persona": "nurs"}, "unknown persona 'nurs' in template 'study'; did you mean 'nurse'"),
        ({"persona": "nurse,"}, "unknown persona ''"),
        ({"persona": "missing.toml"}, "missing.toml"),
        ({"labels": "wrods"}, "unknown label set 'wrods' in template 'study'; did you mean 'words'"),
        ({"labels": "A,B,C"}, "two different words"),
        ({"labels": "A,A"}, "two different words"),
    ],
)
def test_what_cannot_be_chosen_is_refused(choice: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TemplateChoice("study", **choice).of()
