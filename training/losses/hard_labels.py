"""Hard labels: the student learns to write what the teacher wrote.

L = -sum_t log p(y_t | x, y_<t), over the tokens y of the reply and the one that ends it; behavioural cloning, as in
Lorè, Ilami & Heydari 2024 (arXiv 2408.05241).
"""

from dilemmas.training.demonstrations import Demonstration, Speller
from dilemmas.training.losses.soft_labels import soft_labels
from dilemmas.training.packing.lessons import Lesson, completion


def hard_labels(speller: Speller, shown: Demonstration) -> tuple[Lesson, ...]:
    """The reply of a demonstration, every token with weight 1; without a reply, the labels with their probabilities."""
    if not shown.reply:
        return soft_labels(speller, shown)
    return (completion(speller.asked(shown), (*speller.said(shown, shown.reply), *speller.stop)),)
