"""Soft labels: the student learns the teacher's probabilities of the actions.

L = sum_a q(a) log(q(a) / p(a)), the Kullback-Leibler divergence of the student's distribution p from the teacher's q
(Hinton, Vinyals & Dean 2015, arXiv 1503.02531), where p(a) is the probability that the reply is the label of action a
and ends there. The entropy of q is left out: it is constant.
"""

from dilemmas.training.demonstrations import Demonstration, Speller
from dilemmas.training.packing.lessons import Lesson, Tokens, completion


def soft_labels(speller: Speller, shown: Demonstration) -> tuple[Lesson, ...]:
    """Each label, and the end of the reply, with its probability as weight."""
    return weighted_labels(speller, shown, speller.stop)


def weighted_labels(speller: Speller, shown: Demonstration, end: Tokens = ()) -> tuple[Lesson, ...]:
    """Each label with its probability as weight, and the tokens `end` after it."""
    return tuple(
        completion(speller.asked(shown), (*speller.said(shown, label), *end), share)
        for label, share in zip(shown.labels, shown.probabilities, strict=True)
        if share > 0
    )
