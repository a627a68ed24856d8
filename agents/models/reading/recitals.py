"""What stands beside an option and is no choice: payoffs, tables, descriptions, and what only leads up to an option."""

from collections.abc import Sequence
from itertools import pairwise

from dilemmas.agents.models.reading.attributions import asks_others
from dilemmas.agents.models.reading.clauses import Clause, Sentence, is_option
from dilemmas.agents.models.reading.statements import core
from dilemmas.agents.models.reading.vocabulary import (
    ADVERBS,
    AIMS,
    ANSWERS,
    COPULAS,
    DEEDS,
    DETERMINERS,
    EVIDENT,
    EXPECTING,
    HEDGES,
    MANNER,
    MIXTURES,
    NEGATIONS,
    OTHERS,
    OWN_SIDE,
    PAYING,
    PERSONS,
    PREDICATES,
    PREVAILING,
    RECITED,
    REQUESTS,
    SUBJECTS,
    VERBS,
    Link,
)

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
    if clause.link is Link.REASON or clause.words == label.words or (named and _is_gloss(clause)):
        return False
    if not named or clause.link is not Link.NONE:
        return (first in OTHERS and pays(clause)) or (clause.separator == "(" and is_option(first))
    told = first not in OTHERS and any(word in ("is", "are", "pays", "matters") for word in clause.words[1:])
    return not (first in EXPLAINING or told) or any(map(is_option, clause.words)) or pays(clause)


def _is_gloss(clause: Clause) -> bool:
    """Whether a clause is an act, the name of the option before it: "C: cooperate", "C: cooperation", "A: split it"."""
    act = clause.words[0] if clause.words else ""
    stem = act.removesuffix("ion")
    named = act in DEEDS | VERBS or stem in VERBS or f"{stem}e" in VERBS or act in NAMES_OF_ACTS
    return named and len(clause.words) < 5 and not any(is_option(w) or w in NEGATIONS | HEDGES for w in clause.words)


NAMES_OF_ACTS = frozenset(["betray", "betrayal", "compete", "competition", "collaborate", "collaboration", "steal"])
"""Names of acts that are no verbs of a choice."""


def entry(clauses: Sequence[Clause]) -> str:
    """The option that a sentence explains like an entry of a list, "C: trust", "choose C: 6"; empty for none."""
    named = [word for word in clauses[0].words if word not in VERBS and word not in ("option", "in")]
    explained = len(clauses) > 1 and clauses[1].separator == ":" and len(named) == 1
    return named[0] if explained and is_option(named[0]) else ""


def described_options(sentences: Sequence[Sentence]) -> set[str]:
    """The options that are subjects of descriptions: "C could lead to a higher joint payoff", "C is kinder"."""
    clauses = [one for sentence in sentences if not sentence.question for one in sentence.clauses]
    telling = [core(one.words) for one in clauses if one.link not in (Link.REASON, Link.CONDITION)]
    plain = [[word for word in words if word not in NAMING | ADVERBS] for words in telling]
    return {words[0] for words in plain if len(words) > 2 and is_option(words[0]) and _is_predicate(words[1])}


def _is_predicate(word: str) -> bool:
    """Whether a word after an option may be its verb: "is", "offers", "could"."""
    return word in PREDICATES or word in HEDGES or word == "can" or (word.endswith("s") and word not in MANNER)


NAMING = frozenset(["option", "choosing", "picking", "playing", "selecting"])
"""Words before an option that is described."""


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


CALCULATING = frozenset(
    [
        "find",
        "calculate",
        "compute",
        "determine",
        "see",
        "look",
        "add",
        "multiply",
        "divide",
        "subtract",
        "count",
        "sum",
        "break",
        "solve",
        "figure",
        "analyse",
        "analyze",
        "examine",
        "explore",
        "list",
        "call",
        "denote",
        "write",
    ]
)
"""Verbs of what is done on the way to an answer: "let us find the total: 20"."""


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
