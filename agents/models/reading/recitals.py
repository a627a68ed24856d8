"""What a reply recites and does not choose: payoffs, tables, descriptions of options."""

from collections.abc import Sequence
from itertools import pairwise

from dilemmas.agents.models.reading.clauses import Clause, Sentence, is_option
from dilemmas.agents.models.reading.statements import core
from dilemmas.agents.models.reading.vocabulary import OTHERS, PAYING, PREDICATES, VERBS, Link

EXPLAINING = frozenset(
    [
        "i",
        "it",
        "my",
        "this",
        "that",
        "they",
        "we",
        "to",
        "the",
        "a",
        "for",
        "trust",
        "reason",
        "reasoning",
        "explanation",
        "why",
        "no",
        "not",
        "by",
    ]
)
"""First words of an explanation after a label and a colon."""


def recites_after(clauses: Sequence[Clause], place: int) -> bool:
    """Whether an option alone is the name of what follows: "C: 6", "C: you get 6", "C: cooperate"."""
    following = clauses[place + 1 : place + 2]
    later = clauses[place + 1 :]
    later = later[: next((index for index, one in enumerate(later) if one.link is Link.REASON), len(later))]
    if any(one.separator in (":", "(", "-") and begins_with_number(one) for one in later):
        return True
    if any(one.link is not Link.REASON and _is_cell(one) for one in later):
        return True
    return any(
        (begins_with_number(one) and one.link is not Link.REASON) or _explains_not(one, clauses[place])
        for one in following
    )


def is_described(clauses: Sequence[Clause], place: int) -> bool:
    """Whether an option without a subject is that of a later clause: "choosing C (the first) gives 10"."""
    words = core(clauses[place].words)
    if not words or not (is_option(words[0]) or words[0] in VERBS):
        return False
    later = [one.words[0] for one in clauses[place + 1 :] if one.words]
    subject = next((index for index, word in enumerate(later) if word in EXPLAINING), len(later))
    return any(word in PREDICATES for word in later[:subject])  # not "C: it protects me and gives me 3"


def begins_with_number(clause: Clause) -> bool:
    return clause.words[:1] != [] and clause.words[0][0].isdigit()


def _is_cell(clause: Clause) -> bool:
    """Whether a clause is a number with or without an option, as in a table."""
    last = clause.words[-1:]
    return last != [] and last[0][0].isdigit() and all(map(is_option, clause.words[:-1]))


def _explains_not(clause: Clause, label: Clause) -> bool:
    """Whether a clause after a label is what the label stands for, or what it pays, and no explanation of a choice."""
    first = clause.words[0] if clause.words else ""
    named = clause.separator == ":" or (clause.separator == ")" and label.separator != "(")
    if clause.link is Link.REASON or clause.words == label.words:
        return False
    if not named or clause.link is not Link.NONE:
        return (first in OTHERS and pays(clause)) or (clause.separator == "(" and is_option(first))
    return first not in EXPLAINING or any(map(is_option, clause.words)) or pays(clause)


def entry(clauses: Sequence[Clause]) -> str:
    """The option that a sentence explains like an entry of a list, "C: trust"; empty for none."""
    explained = len(clauses) > 1 and clauses[1].separator == ":" and len(clauses[0].words) == 1
    return clauses[0].words[0] if explained and is_option(clauses[0].words[0]) else ""


def without_pairs(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentences without those of options alone, where several pair options: "C or D", "D or D", "C"."""
    alone = [
        {word for clause in one.clauses for word in clause.words if not is_option(word)} <= JOINING for one in sentences
    ]
    pairs = sum(
        bare and sum(is_option(word) for clause in one.clauses for word in clause.words) > 1
        for bare, one in zip(alone, sentences, strict=True)
    )
    return [one for bare, one in zip(alone, sentences, strict=True) if not bare or pairs < 2]


JOINING = {"and", "or"}


def recites(clauses: Sequence[Clause]) -> bool:
    """Whether a sentence tells what follows from the choices of several: "I choose C, they choose D: I get 1"."""
    apart = [one for one, other in pairwise(clauses) if other.separator in (":", "-") and not other.turn]
    named = {one.words[0] for one in apart if len(one.words) == 1}
    if len([word for word in named if is_option(word)]) > 1 or _lists(clauses):
        return True
    reason = next((place for place, one in enumerate(clauses) if place and one.link is Link.REASON), len(clauses))
    clauses = clauses[:reason]
    return any(pays(one) or (one.separator == ":" and begins_with_number(one)) for one in clauses) and any(
        clause.link not in (Link.REASON, Link.CONDITION)
        and clause.words[0] in OTHERS
        and any(map(is_option, clause.words))
        and not pays(clause)
        for clause in clauses
        if clause.words
    )


def _lists(clauses: Sequence[Clause]) -> bool:
    """Whether a sentence is of options alone, or opens with those of an outcome: "C, D", "C/D: I get 3"."""
    first = [word for word in clauses[0].words if word not in JOINING]
    outcome = len(first) > 1 and all(map(is_option, first)) and any(map(_has_number, clauses[1:]))
    single = all(len(one.words) == 1 and is_option(one.words[0]) and one.link is Link.NONE for one in clauses)
    return outcome or (single and not any(one.turn for one in clauses) and len({one.words[0] for one in clauses}) > 1)


def _has_number(clause: Clause) -> bool:
    return pays(clause) or any(word[0].isdigit() for word in clause.words)


def pays(clause: Clause) -> bool:
    """Whether a clause tells a payoff: "you get 6"."""
    verb = next((place for place, word in enumerate(clause.words) if word in PAYING), len(clause.words))
    return any(is_option(word) or word[0].isdigit() for word in clause.words[verb:])
