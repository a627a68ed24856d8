"""A turn as a question to a language model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from dilemmas.agents.agent import Turn
from dilemmas.agents.models.backend import Backend
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.labels import Presentation
from dilemmas.envs.prompts.phrases import deliberates, predicted_values
from dilemmas.envs.prompts.prompts import match_prompt, presentations_now
from dilemmas.envs.prompts.template_choices import variants
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.rules.choices import options_now
from dilemmas.envs.rules.protocol import View


@dataclass(frozen=True, slots=True)
class PosedTurn:
    """A turn as a prompt."""

    turn: Turn
    view: View
    prompt: str
    labels: tuple[str, ...]
    """Labels of the player's options, by index; empty if it names an amount."""
    partner: tuple[str, ...] = ()
    """Labels of what the model is asked to predict, such as the other player's actions, by index; empty without."""
    prediction: str = ""
    """The prediction as a sentence with ``{label}``."""
    deliberate: bool = False
    """Whether the model writes something before it decides."""

    @property
    def most(self) -> float:
        """The largest amount that the player may name, in points."""
        return self.view.game.endowments[self.view.player]

    @property
    def has_words(self) -> bool:
        """Whether players have sent messages in words in the current round."""
        return any(isinstance(signal, str) for joint in self.view.said for signal in joint)

    def seed(self, attempt: int) -> tuple[int, ...]:
        """Seed of what is written before the decision; `attempt`: number of the attempt, from 1.

        From a child stream, so that the action is drawn from the same numbers whatever is written.
        """
        return (*map(int, self.turn.rng.spawn(1)[0].integers(2**32, size=4)), attempt)


def pose_turn(
    turn: Turn,
    view: View,
    template: Template,
    context: Context,
    counterbalanced: bool,
    words: bool,
    all_ways: bool = False,
) -> list[PosedTurn]:
    """The question of a turn, in one presentation of the options and with one persona, or in all of them.

    Parameters
    ----------
    turn, view
        The turn, and the view of the game in it.
    template, context
        How the game is told.
    counterbalanced
        Whether there is more than one presentation.
    words
        Whether a message in words is asked for where the rules allow one.
    all_ways
        Whether to return the question in all ways; otherwise one of them is drawn.
    """
    ways = list(product(variants(template), _presentations(template, view, counterbalanced)))
    if not all_ways:
        # from a child stream, so that the action is drawn from the same numbers however actions are presented
        ways = [ways[int(turn.rng.spawn(1)[0].integers(len(ways)))]]
    deliberate = deliberates(template, view)
    predicts = deliberate and template.decision.way == "predict"
    return [
        PosedTurn(
            turn,
            view,
            match_prompt(one, view, context, shown, words=words),
            shown.labels[: options_now(view)],
            values,
            sentence,
            deliberate,
        )
        for one, shown in ways
        for sentence, values in [predicted_values(one, view, shown) if predicts else ("", ())]
    ]


def _presentations(template: Template, view: View, counterbalanced: bool) -> list[Presentation]:
    """The presentations of which one is drawn for a decision."""
    first, *others = presentations_now(template, view)
    talk = None if view.rules is None else view.rules.talk
    labels = first.labels if talk is not None and talk.words else None
    return [first, *(way for way in others if labels in (None, way.labels))] if counterbalanced else [first]


def amount_as_array(amount: float | None) -> Any:
    """An amount as environments expect it, shape (1,); None is unchanged."""
    return None if amount is None else np.array([amount], dtype=np.float32)


@cache
def template_signature(template: Template) -> str:
    """Name and digest of a template in records: ``study@1123755535a6``."""
    return f"{template.name}@{template.digest}"


def describe_template(template: Template, backend: Backend) -> dict[str, Any]:
    """What a record stores about the template of a model, as JSON values; `restore_template` reads it.

    Its signature, labels, personas and system text, and whether the text is a system turn, or is put before the prompt
    because the model has no system turn.
    """
    system = {"system": template.system, "system_turn": backend.system_turn} if template.system else {}
    persona = {"persona": template.persona, "personas": template.used_personas} if template.persona else {}
    return {"template": template_signature(template), "labels": list(template.labels)} | persona | system


def restore_template(base: Template, described: Mapping[str, Any]) -> Template:
    """A template with the labels, personas and system text that `describe_template` found."""
    if "labels" not in described:
        return base
    return replace(
        base,
        labels=tuple(described["labels"]),
        persona=described.get("persona", ""),
        personas=described.get("personas", base.personas),
        system=described.get("system", ""),
    )
