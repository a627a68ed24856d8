"""Soft labels and motivations: the teacher's probabilities of the actions, and the reason that it gave for one of them.

L = -sum_a q(a) log p(a) - (w / n) sum_t log p(m_t | x, a, m_<t), with the n tokens m of the motivation after the label
of the action a that was drawn, and the one that ends the reply; w is `LoraSettings.motivation`. The second term is that
of rationales in Hsieh et al. 2023 (arXiv 2305.02301), with the answer before the rationale, as the study asks for it.
"""

from dilemmas.training.demonstrations import Demonstration, Speller
from dilemmas.training.losses.soft_labels import soft_labels, weighted_labels
from dilemmas.training.packing.lessons import Lesson, Target


def soft_labels_and_motivation(speller: Speller, shown: Demonstration, weight: float) -> tuple[Lesson, ...]:
    """The labels with their probabilities, and the rest of the reply with the given weight in all."""
    label = next((label for label in shown.labels if shown.reply.startswith(label)), None)
    if label is None or not weight:
        return soft_labels(speller, shown)
    asked, reply = speller.asked(shown), (*speller.said(shown, shown.reply), *speller.stop)
    first = len(speller.said(shown, label))
    rest = tuple(
        Target(len(asked) + place, token, weight / (len(reply) - first))
        for place, token in enumerate(reply)
        if place >= first
    )
    return (*weighted_labels(speller, shown), Lesson((*asked, *reply), rest))
