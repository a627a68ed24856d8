"""The stock of further contexts: new names, titles and texts in the form of the vignettes."""

import re
from pathlib import Path

from dilemmas.envs.prompts import contexts
from dilemmas.envs.prompts.contexts import built_in_contexts, load_contexts

STOCK = load_contexts(Path(contexts.__file__).with_name("stock.toml"))
BUILT_IN = built_in_contexts("vignettes")
OF_THE_GAME = re.compile(r"payoff|\bpoints?\b|\brounds?\b|\blabels?\b|\boptions?\b|\bgames?\b|cooperat|defect")


def test_names_are_plain_words_other_than_the_built_in_ones() -> None:
    assert not set(STOCK) & set(BUILT_IN)
    assert all(name.isalpha() and name.islower() and name.isascii() for name in STOCK)


def test_no_title_or_text_is_used_twice() -> None:
    every = [*BUILT_IN.values(), *STOCK.values()]
    assert len({one.title for one in every}) == len(every)
    assert len({text for one in every for text in (one.pair, one.group)}) == 2 * len(every)


def test_none_is_a_context_in_which_students_are_trained() -> None:
    assert not any(one.known for one in STOCK.values())


def test_each_is_one_paragraph_and_the_group_has_the_number_of_others() -> None:
    for one in STOCK.values():
        assert [text.count("{others}") for text in (one.pair, one.group)] == [0, 1], one.name
        for text in (one.opening(2), one.opening(4)):
            assert 35 <= len(text.split()) <= 80, one.name
            assert text.isprintable()
            assert "{" not in text


def test_they_say_nothing_about_the_game() -> None:
    for one in STOCK.values():
        assert not OF_THE_GAME.search(" ".join((one.title, one.pair, one.group)).lower()), one.name
