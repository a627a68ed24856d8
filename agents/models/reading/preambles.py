"""What may stand before an option that is set apart: an act of the writer's, a request, a maxim, or words about it."""

from collections.abc import Sequence
from itertools import pairwise

from dilemmas.agents.models.reading.attributions import asks_others
from dilemmas.agents.models.reading.clauses import Clause, is_option
from dilemmas.agents.models.reading.statements import core
from dilemmas.agents.models.reading.vocabulary import (
    AIMS,
    ANSWERS,
    CALCULATING,
    COPULAS,
    DETERMINERS,
    EVIDENT,
    EXPECTING,
    HEDGES,
    MIXTURES,
    NEGATIONS,
    OTHERS,
    OWN_SIDE,
    PERSONS,
    PREVAILING,
    RECITED,
    REQUESTS,
    SUBJECTS,
    VERBS,
    Link,
)


def tells_own_act(clause: Clause) -> bool:
    """Whether a clause tells what the writer does, in words of its own: "I will trust them"."""
    words = frozenset(clause.words)
    said = core(clause.words) or clause.words
    last = clause.words[-1]
    foreseen = any(one in EXPECTING and other in OTHERS | {"that"} for one, other in pairwise([*clause.words, "that"]))
    foreseen = foreseen or ("what" in words and bool(words & SUBJECTS))  # "I know what they will do"
    plain = not words & (HEDGES | MIXTURES) and not foreseen and not any(map(is_option, words))
    denied = words & NEGATIONS and last in VERBS | COPULAS
    acting = said[0] == "let" and not words & CALCULATING
    own = acting or said[0] == "i" or last == "i" or ("i" in words and last in VERBS and not words & OTHERS)
    return own and plain and not denied and not asks_others(clause.words)


def is_maxim(before: Sequence[Clause]) -> bool:
    """Whether clauses say what is so, of no option and of nobody but a relation: "business is business"."""
    before = before[max((place for place, one in enumerate(before) if one.link is Link.BUT), default=0) :]
    words = frozenset(word for one in before for word in one.words)
    if before[0].words[:2] in (["the", "rule"], ["the", "rules"]):
        return False
    if len(before) == 1 and before[0].words[0] in PERSONS and before[0].words[1:2] in (["is"], ["are"]):
        told = words & (ANSWERS | HEDGES | NEGATIONS | VERBS | RECITED)
        return not told and not any(map(is_option, words))  # "she is my sister: C"
    opening = before[0].words[0] if before[0].words else ""
    denials = NEGATIONS - {opening} if opening == "no" else NEGATIONS
    of_another = words & ((ANSWERS - {"me"}) | (OTHERS - OWN_SIDE) | HEDGES | denials | MIXTURES | RECITED) or any(
        map(is_option, words)
    )
    named = any(one.words[:1] and one.words[0] in DETERMINERS for one in before)
    telling = (len(words) > 2 and opening == "no") or (len(before) > 1 and not named)  # "once bitten, twice shy: D"
    linked = any(one.link in (Link.CONDITION, Link.REASON, Link.OR) for one in before)
    return (
        (telling or bool(words & (PREVAILING | {"is"})))
        and not words & HEADING
        and not of_another
        and not linked
        and not any(one[0].isdigit() for one in words)
    )


HEADING = frozenset(["what", "which", "how", "when", "where", "why"])
"""Words of what may be a heading, and no more."""


def requests_answer(clause: Clause) -> bool:
    """Whether a clause says that an answer is asked for: "the instruction asks for one word"."""
    words = frozenset(clause.words)
    of_another = words & (NEGATIONS | HEDGES | OTHERS - {"you", "your", "user", "one"} | {"about", "example"})
    return bool(words & REQUESTS and words & ANSWERS) and not of_another and not any(map(is_option, words))


def is_about_answer(clause: Clause) -> bool:
    """Whether a clause says something about the answer: "the choice is clear", "it is an easy choice"."""
    words = frozenset(clause.words)
    others = words & (NEGATIONS | HEDGES | (OTHERS - OWN_SIDE)) or any(map(is_option, words))
    easy = clause.words[:2] == ["it", "is"] and words & EVIDENT and words & ANSWERS
    named = clause.words[0] in ("my", "the") and clause.words[1:2] != [] and clause.words[1] in ANSWERS | AIMS
    return bool(easy or named) and not others
