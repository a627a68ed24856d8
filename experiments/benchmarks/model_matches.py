"""Contenders of `dilemmas bench matches`: repeated matches of a language model with a scripted opponent.

The model is the built-in student, which shows the cost of the matches, not that of a large model. Its prompts show one
round, so all matches together have five different questions: side by side, each of them is put to the model once; by
policy table, they are all asked beforehand, and the matches need no model. The alternative is the usual loop, one call
of `generate` per decision.
"""

from functools import partial

import numpy as np

from dilemmas.agents.engines.vectorised import play_vectorised
from dilemmas.agents.matches.match import finished, run_matches
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.backend import Backend
from dilemmas.agents.models.chat import ChatEncoder
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.models.open_model import open_local
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.rules.factory import rules_of
from dilemmas.experiments.benchmarks.race import Bar, Contender, Play

ONE, SIDE, TABLE = "one generate call per decision", "matches side by side", "matches by policy table"
BARS = (Bar(SIDE, 20, ONE), Bar(TABLE, 200, ONE))
MODEL, GAME, CONTEXT, OPPONENT = "miniature-student", "prisoners_dilemma", "friends", "random"
ROUNDS, MATCHES = 10, 1000
ANSWER_TOKENS = 16
"""Longest answer that the loop lets the model write."""


def match_contenders() -> tuple[Contender, ...]:
    """The contenders; rates are in decisions of the model."""
    return (
        Contender(SIDE, "decisions", side_by_side),
        Contender(TABLE, "decisions", by_table),
        Contender(ONE, "decisions", one_call_each),
    )


def player(model: Backend) -> LanguageModelAgent:
    """The model as a player whose questions are asked once."""
    return LanguageModelAgent(CachingBackend(model), context(CONTEXT), load_template("study"))


def side_by_side() -> Play:
    """Play many matches in the environment per call, all decisions of a round in one batch."""
    model = open_local(MODEL, device="cpu")
    model.loaded()
    make_env, matches = partial(parallel, GAME, rounds=ROUNDS), 100

    def play() -> int:
        agents = [player(model), strategy(OPPONENT)]
        return ROUNDS * sum(1 for _ in finished(run_matches(make_env, agents, matches, seed=0)))

    return play


def by_table() -> Play:
    """Ask the model for its policy and play many matches with it per call."""
    model = open_local(MODEL, device="cpu")
    model.loaded()
    rules, keys = rules_of(GAME, rounds=ROUNDS), np.arange(MATCHES, dtype=np.uint64)[None]

    def play() -> int:
        table = compile_agent(player(model), stage_game(GAME), memory=1, context=CONTEXT)
        play_vectorised(rules, [(table.automaton(), strategy(OPPONENT))], keys)
        return ROUNDS * MATCHES

    return play


def one_call_each() -> Play:
    """Let the model write one answer per call, as its chat template asks for it."""
    import torch

    model, tokenizer = open_local(MODEL, device="cpu").weights()
    prompt = scenario_prompt(load_template("study"), stage_game(GAME), context(CONTEXT))
    settings = {"max_new_tokens": ANSWER_TOKENS, "do_sample": True, "pad_token_id": tokenizer.eos_token_id}

    def play() -> int:
        ids = torch.tensor([ChatEncoder(tokenizer).prompt(prompt)])  # (1, T)
        model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **settings)
        return 1

    return play
