"""The policy that is the mean over the presentations in which a model was asked, and that for unreadable replies."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from dilemmas.agents.agent import Decision, Source, Unreadable, draw
from dilemmas.agents.models.answers import check_mass
from dilemmas.agents.models.deciding.deliberation import Considered, mean_of_rows
from dilemmas.agents.models.deciding.questions import PosedTurn, amount_as_array, template_signature
from dilemmas.envs.prompts.templates import Template


def mean_policy(
    name: str, template: Template, min_mass: float, first: PosedTurn, found: Sequence[Considered]
) -> Decision:
    """One decision from what was found in all presentations.

    Parameters
    ----------
    name, template
        The model, and how it was asked.
    min_mass
        Smallest mean label mass that is accepted, in [0, 1].
    first
        The question in one of the presentations.
    found
        What was found in each of them, at least one; in some, stated probabilities may be unreadable, which lowers the
        mass.

    Raises
    ------
    ModelError
        If the mean label mass is smaller.
    """
    mass, margin = fmean(one.mass for one in found), max(one.margin for one in found)
    check_mass(name, first.labels, mass, min_mass)
    probabilities = mean_of_rows([one.probabilities for one in found if one.probabilities is not None])
    return Decision(
        action=None if probabilities is None else draw(probabilities, first.turn.rng),
        probabilities=probabilities,
        source=Source.WITHIN if margin and found[0].source is Source.EXACT else found[0].source,
        mass=mass,
        margin=margin or None,
        template=template_signature(template),
    )


def without_answer(decision: Decision, one: PosedTurn, policy: Unreadable, default: int | None) -> Decision:
    """A decision whose replies were unreadable, with what the policy for them plays; None for its action aborts.

    `one`: the question; `default`: what is played by the policy ``default``, or nothing in phases of talk or sanctions.
    """
    action: Any = default
    if policy == Unreadable.UNIFORM:
        count = len(one.labels)
        action = draw([1 / count] * count, one.turn.rng) if count else one.turn.rng.random() * one.most
    elif one.view.phase != "act" and action is not None:
        action = 0
    return replace(decision, action=action if one.labels else amount_as_array(action), unreadable=policy)
