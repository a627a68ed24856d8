"""A policy that is the mean over the presentations in which a model was asked."""

from collections.abc import Sequence
from statistics import fmean

from dilemmas.agents.agent import Decision, Source, draw
from dilemmas.agents.models.answers import check_mass
from dilemmas.agents.models.deciding.deliberation import Considered, mean_of_rows
from dilemmas.agents.models.deciding.questions import PosedTurn, template_signature
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
