"""The degrees of closeness of the stock of further contexts."""

import tomllib
from collections import Counter
from pathlib import Path

from dilemmas.envs.prompts import contexts
from dilemmas.envs.prompts.contexts import load_contexts
from dilemmas.training.miniatures import corpus

CLOSENESS = tomllib.loads(Path(corpus.__file__).with_name("stock_closeness.toml").read_text(encoding="utf-8"))


def test_every_context_of_the_stock_has_a_degree_and_each_degree_as_many_contexts() -> None:
    assert set(CLOSENESS) == set(load_contexts(Path(contexts.__file__).with_name("stock.toml")))
    degrees = Counter(CLOSENESS.values())
    assert sorted(degrees) == [*range(len(corpus.CLOSENESS))]
    assert len(set(degrees.values())) == 1
