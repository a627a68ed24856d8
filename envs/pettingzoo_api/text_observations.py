"""Matches in words: what each agent sees as the prompt that a language model would get.

    env = InWords(parallel("prisoners_dilemma", talk=1), context("friends"))
    texts, infos = env.reset(seed=1)

The text of an observation is all that the agent knows, and ends with the question of the phase. Actions stay what
they are. An option of the wrapper, not of the environment: by default, spaces are plain numbers.
"""

import string
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from gymnasium.spaces import Text
from pettingzoo import ParallelEnv  # type: ignore[import-untyped]
from pettingzoo.utils.wrappers import BaseParallelWrapper  # type: ignore[import-untyped]

from dilemmas.envs.errors import InputError
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.prompts import match_prompt, presentations_now
from dilemmas.envs.prompts.templates import Template, load_template
from dilemmas.envs.rules.protocol import Rules, View

LONGEST_VALUE = 24
"""Characters of a number, with the comma behind it, or more."""


class TextError(InputError):
    """A match that cannot be observed in words; the message says why, and the way out."""


class InWords(BaseParallelWrapper):  # type: ignore[misc]
    """An environment whose observations are texts, also to be found as ``infos[agent]["text"]``.

    The observation spaces are `gymnasium.spaces.Text` of a length and a set of characters that contain every text of
    the match. PettingZoo's `parallel_api_test` passes; its `api_test`, which expects arrays, is known to fail on spaces
    of texts.
    """

    def __init__(
        self, env: SocialDilemma, context: Context, template: Template | None = None, observe: bool = True
    ) -> None:
        """`template`: of the sentences; None is the study's. `observe`: whether observations become texts; if not, they
        stay numbers, and the texts are in the infos alone.

        Raises `TemplateError` where the template has no words for the match; `TextError` where the environment gives no
        views, and where texts of any length may be said, which no space contains: take `observe=False` then.
        """
        super().__init__(env)
        if not (isinstance(env, ParallelEnv) and isinstance(env.unwrapped, SocialDilemma)):
            raise TextError(f"{env}: needs a parallel environment of dilemmas; texts are made of its views")
        if not isinstance(context, Context):
            raise TextError(f"context = {context!r}; needs a Context, such as contexts.context('friends')")
        if not isinstance(template, Template | None):
            raise TextError(
                f"template = {template!r}; needs a Template, such as wording.load_template('study'), or None"
            )
        if not env.views:
            raise TextError("texts are made of views: make the environment with views=True")
        self.context = context
        self.template = template or load_template("study")
        self.observe = observe
        self._views = [view for player in range(env.rules.n_players) for view in _beginnings(env.rules, player)]
        starts = [self.text(view) for view in self._views]
        if observe:
            self.observation_spaces = dict.fromkeys(env.possible_agents, self._space(env.rules, starts))

    def observation_space(self, agent: str) -> Any:
        """Where the agent's observations lie; the same object at every call."""
        return self.observation_spaces[agent] if self.observe else self.env.observation_space(agent)

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Start a match."""
        return self._in_words(*self.env.reset(seed=seed, options=options))

    def step(self, actions: Mapping[str, Any]) -> tuple[Any, ...]:
        """Play one phase."""
        observations, *others, infos = self.env.step(actions)
        texts, told = self._in_words(observations, infos)
        return texts, *others, told

    def text(self, view: View) -> str:
        """What a view says, and the question of the phase."""
        return match_prompt(self.template, view, self.context, words=True)

    def _in_words(
        self, observations: dict[str, Any], infos: dict[str, dict[str, Any]]
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        texts = {agent: self.text(info["view"]) for agent, info in infos.items()}
        told = {agent: {**info, "text": texts[agent]} for agent, info in infos.items()}
        return texts if self.observe else observations, told

    def _space(self, rules: Rules, starts: list[str]) -> Text:
        """Room for the longest text: one at the beginning, and a line for all that may come to it."""
        if rules.talk is not None and rules.talk.words:
            raise TextError("a text of any length may be said, and no space contains all; take observe=False")
        sentences = [str(getattr(self.template, field.name)) for field in fields(self.template)]
        labels = [
            label
            for view in self._views
            for shown in presentations_now(self.template, view)[:1]
            for label in shown.labels
        ]
        value = max(LONGEST_VALUE, *(len(label) + 2 for label in labels), len(self.template.silence) + 2)
        line = max(map(len, sentences)) + value * (rules.n_players + 2)
        lines = rules.memory + len(rules.phases) + 3  # what was done, said, and changed by sanctions; the clock
        characters = {*"".join([*starts, *sentences, *labels]), *string.digits, *" .,-+\n"}
        return Text(max(map(len, starts)) + lines * line, min_length=1, charset=frozenset(characters))


def _beginnings(rules: Rules, player: int) -> list[View]:
    """What a player may be asked with nothing behind it, phase by phase."""
    names = dict.fromkeys(phase.name for phase in rules.phases)
    rounds = rules.rounds if rules.clock and isinstance(rules.rounds, int) else None
    return [View(rules.stage, player, 0, (), phase, rounds=rounds, rules=rules) for phase in names]
