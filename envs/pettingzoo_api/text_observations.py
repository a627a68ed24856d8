"""Observations in words: what each agent observes, as the prompt that a language model receives.

    env = InWords(parallel("prisoners_dilemma", talk=1), context("friends"))
    texts, infos = env.reset(seed=1)

The text of an observation is all that the agent knows, followed by the question of the phase. Actions are unchanged.
This is a wrapper; without it, observations are numbers.
"""

import string
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from gymnasium.spaces import Text
from pettingzoo import ParallelEnv  # type: ignore[import-untyped]
from pettingzoo.utils.wrappers import BaseParallelWrapper  # type: ignore[import-untyped]

from dilemmas.envs.errors import InputError
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma, show_views
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.prompts import match_prompt, presentations_now
from dilemmas.envs.prompts.templates import Template, load_template
from dilemmas.envs.rules.protocol import Rules, View

LONGEST_VALUE = 24
"""Upper bound of the characters of a number and the comma that follows it."""


class TextError(InputError):
    """A match that cannot be observed in words; the message has the reason and the fix."""


class InWords(BaseParallelWrapper):  # type: ignore[misc]
    """An environment whose observations are texts, which are also in ``infos[agent]["text"]``.

    The observation spaces are `gymnasium.spaces.Text` whose length and characters contain every text of the match.
    PettingZoo's `parallel_api_test` passes; its `api_test` expects arrays and fails on text spaces.

    Parameters
    ----------
    env
        A parallel environment; its infos get views.
    context
        The social framing of the prompts.
    template
        The sentences of the prompts; None is the template ``study``.
    observe
        Whether observations are texts. If False, observations stay numbers and the texts are only in the infos.

    Raises
    ------
    TemplateError
        If the template has no sentences for the match.
    TextError
        If the environment is not one of dilemmas, or if texts of any length may be said, which no space contains; use
        ``observe=False`` then.
    """

    def __init__(
        self, env: SocialDilemma, context: Context, template: Template | None = None, observe: bool = True
    ) -> None:
        super().__init__(env)
        if not (isinstance(env, ParallelEnv) and isinstance(env.unwrapped, SocialDilemma)):
            raise TextError(f"{env}: needs a parallel environment of dilemmas, from whose views the texts are made")
        if not isinstance(context, Context):
            raise TextError(f"context = {context!r}; needs a Context, such as prompts.contexts.context('friends')")
        if not isinstance(template, Template | None):
            raise TextError(
                f"template = {template!r}; needs a Template, such as prompts.templates.load_template('study'), or None"
            )
        show_views(env)  # texts are made from them
        self.context = context
        self.template = template or load_template("study")
        self.observe = observe
        self._views = [view for player in range(env.rules.n_players) for view in _beginnings(env.rules, player)]
        starts = [self.text(view) for view in self._views]
        if observe:
            self.observation_spaces = dict.fromkeys(env.possible_agents, self._space(env.rules, starts))

    def observation_space(self, agent: str) -> Any:
        """The observation space of an agent; the same object at every call."""
        return self.observation_spaces[agent] if self.observe else self.env.observation_space(agent)

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Start a match; observations and infos by agent."""
        return self._in_words(*self.env.reset(seed=seed, options=options))

    def step(self, actions: Mapping[str, Any]) -> tuple[Any, ...]:
        """Play one phase; observations, rewards, terminations, truncations and infos by agent."""
        observations, *others, infos = self.env.step(actions)
        texts, new_infos = self._in_words(observations, infos)
        return texts, *others, new_infos

    def text(self, view: View) -> str:
        """The prompt of a view: what the agent knows, and the question of the phase."""
        return match_prompt(self.template, view, self.context, words=True)

    def _in_words(
        self, observations: dict[str, Any], infos: dict[str, dict[str, Any]]
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        texts = {agent: self.text(info["view"]) for agent, info in infos.items()}
        new_infos = {agent: {**info, "text": texts[agent]} for agent, info in infos.items()}
        return texts if self.observe else observations, new_infos

    def _space(self, rules: Rules, starts: list[str]) -> Text:
        """A space for the longest text: a first prompt, and one line for everything that may be added to it."""
        if rules.talk is not None and rules.talk.words:
            raise TextError("texts of any length may be said, which no space contains; use observe=False")
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
    """The views of a player before the first round, one per phase."""
    names = dict.fromkeys(phase.name for phase in rules.phases)
    rounds = rules.rounds if rules.clock and isinstance(rules.rounds, int) else None
    return [View(rules.stage, player, 0, (), phase, rounds=rounds, rules=rules) for phase in names]
