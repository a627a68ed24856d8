"""Words that stand for an option named before: "so will I", "I do the same", "I choose it", "that is my choice"."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from dilemmas.agents.models.reading.clauses import Clause, Sentence, is_option
from dilemmas.agents.models.reading.sentences import MOST_CLAUSES
from dilemmas.agents.models.reading.statements import core
from dilemmas.agents.models.reading.vocabulary import (
    ADVERBS,
    MODALS,
    NEGATIONS,
    OPINIONS,
    OTHERS,
    PEOPLE,
    VAGUE_ACTS,
    Link,
)

_ADVERBS = "(?:(?:also|just|simply|therefore|then|definitely|always|still|gladly|all|too|myself|personally) )*"
_WILL = r"(?:(?:will|should|would|do|shall|am going to|plan to|intend to|decide to|decided to|want to) )"
_CHOOSE = r"(?:choose|pick|select|(?:go|stick|stay) with|(?:go|opt|vote|settle) (?:for|on)|play|prefer|be choosing"
_CHOOSE += "|contribute|give|put in|invest|donate"
_CHOOSE += "|(?:am )?(?:choosing|picking|selecting|going (?:with|for)|opting for|playing|taking))"
_IT = r"(?:it|that|this)(?: (?:one|option|choice))?"
_ENDING = "(?: (?:too|also|myself|as well|again|now|here|today|over|instead|then|anyway|regardless|nonetheless"
_ENDING += "|nevertheless))*"

_OTHERS_ACT = "(?:(?:match|reciprocate|return) (?:it|that|them|this|the favou?r)|follow suit)"
_SAME = f"(?:follow|take) {_IT}|(?:do|choose|pick|select|play) (?:the same|likewise|so)(?: thing| option| amount)?"
_ACTS = re.compile(
    rf"(?:i|let us|let me) {_ADVERBS}{_WILL}?{_ADVERBS}(?:{_CHOOSE} {_IT}|{_OTHERS_ACT}|{_SAME}){_ENDING}"
    rf"|i {_ADVERBS}{_WILL}{_ADVERBS}(?:too|as well|likewise|do so){_ENDING}"
)
"""Acts of the writer's whose object is an option named before."""

_AFTER_OTHERS = re.compile(rf"(?:as )?(?:(?:will|would|do|shall|am) i|i (?:will|would|shall)){_ENDING}")
"""The writer's act after that of others: "they choose C, and so will I"."""

_NAMES = re.compile(
    rf"{_IT} (?:is|will be|would be)(?: {_ADVERBS}| )"
    rf"(?:(?:what|why|how|where|the (?:one|option|choice|move)(?: that)?) i {_ADVERBS}{_WILL}?{_ADVERBS}"
    r"(?:choose|pick|select|do|make|play|take|prefer|contribute|give|put in|(?:go|opt|settle|decide) (?:with|for|on)"
    rf"|am (?:choosing|going with|picking)){_ENDING}"
    r"|my (?:own |final |personal )?(?:choice|answer|decision|pick|selection|move|option|contribution|preference))"
)
"""An option named before that is called the answer."""


_TITLES = re.compile("my (?:own |final |personal )?(?:choice|answer|decision|pick)")
"""The same without a verb: "C is fair, and therefore my choice"."""


_DENIED = re.compile(
    "(?:no )?never(?: ever| in my life)?|not (?:so|me|mine|happening|going to happen|a chance|on my watch)"
    "|not in (?:a million years|this life)|no (?:thanks|thank you)|i would (?:hate (?:it|that)|(?:rather |sooner )?die)"
    "|(?:no|fat) chance|no way|hell no|over my dead body|in your dreams|dream on|forget about it|you wish"
    "|(?:(?:it |this )?is |it would be )?(?:wrong|false|untrue|incorrect|(?:the )?wrong (?:answer|one|choice))"
    "|(?:it |this )?is not (?:it|what i (?:would )?(?:choose|pick|want|mean|say|do))"
    "|lies|a lie|(?:(?:what )?a )?joke|gotcha|april fools?|messing with you"
    "|nein|non|jamais|niemals|nunca|nie|mai"
)
"""Clauses that take back an option named before; also the form of those that deny an act: "I would never do that"."""


def resolve(sentences: Sequence[Sentence], denials: bool) -> None:
    """Put the option that is meant into the clauses that refer to it.

    The option is the only one of the clauses before it in the same sentence, or else of the last sentence that names
    one. A denial after what others do is one of that: "C. They may betray me. I never would."
    Without `denials` none is looked for, because an option is one itself: "no".
    """
    before: Sequence[Clause] = ()
    others_act = False
    for sentence in sentences:
        for place, clause in enumerate(sentence.clauses[:MOST_CLAUSES]):
            form = _form(clause)
            goes_on = any(one.link in (Link.OR, Link.CONDITION) for one in sentence.clauses[place + 1 : place + 2])
            if form is not None and not (form is _DENIED and (others_act or goes_on or not denials)):
                named = sentence.clauses[:place]
                option = _only_option(named) if any(map(is_option, _words(named))) else _only_option(before)
                if option:
                    _refer(clause, option, form)
            others_act = not any(map(is_option, clause.words)) and (others_act or _is_of_others(clause))
        if any(map(is_option, _words(sentence.clauses))) or sentence.question:
            before = () if sentence.question else sentence.clauses


def _form(clause: Clause) -> re.Pattern[str] | None:
    """The form of a clause that refers to an option; None for another clause."""
    if len(clause.words) > MOST_WORDS or any(map(is_option, clause.words)):
        return None
    said = " ".join(core(clause.words))
    if _AFTER_OTHERS.fullmatch(said) and (clause.link in (Link.SO, Link.AND) or said.startswith("as ")):
        return _AFTER_OTHERS
    if _TITLES.fullmatch(said) and clause.link in (Link.SO, Link.AND):
        return _TITLES
    if _DENIED.fullmatch(said) or _denies_act(core(clause.words)):
        return _DENIED
    return _ACTS if _ACTS.fullmatch(said) else _NAMES if _NAMES.fullmatch(" ".join(clause.words)) else None


def _denies_act(words: Sequence[str]) -> bool:
    """Whether the writer denies an act without a name: "I would never do that", "I won't", "nobody would"."""
    known = NEGATIONS | MODALS | ADVERBS | VAGUE_ACTS | {"i", "is", "something"}
    own = words[:1] == ["i"] or words[:3] == ["is", "something", "i"]
    if words[:1] == ["nobody"] or words[:2] == ["no", "one"]:
        return all(word in known for word in words[1:])
    return own and any(word in NEGATIONS for word in words) and all(word in known for word in words)


def _is_of_others(clause: Clause) -> bool:
    """Whether a clause tells of others: "they may betray me"."""
    foreseen = any(one in OPINIONS and other in OTHERS for one, other in pairwise(clause.words))
    return foreseen or (any(word in OTHERS | PEOPLE for word in clause.words[:2]) and "i" not in clause.words[:2])


MOST_WORDS = 20
"""Largest number of words of a clause that refers to an option."""


def _words(clauses: Iterable[Clause]) -> list[str]:
    return [word for clause in clauses for word in clause.words]


def _only_option(clauses: Sequence[Clause]) -> str:
    """The only option of clauses in which nothing is denied; empty for none."""
    named = {word for word in _words(clauses) if is_option(word)}
    return named.pop() if len(named) == 1 and not any(map(_denies, clauses)) else ""


def _denies(clause: Clause) -> bool:
    """Whether a clause denies something up to its option: "I won't choose C", but not "they choose D without delay"."""
    options = [place for place, word in enumerate(clause.words) if is_option(word)]
    return any(word in NEGATIONS for word in clause.words[: options[-1] if options else 0])


def _refer(clause: Clause, option: str, form: re.Pattern[str]) -> None:
    if form is _TITLES:
        clause.words = [option, "is", *core(clause.words)]
    elif form is _NAMES:
        verb = next(place for place, word in enumerate(clause.words) if word in ("is", "be", "will", "would"))
        clause.words = [option, *clause.words[verb:]]
        clause.link = Link.SO if clause.link is Link.AND else clause.link
    elif form is _DENIED:
        clause.words = ["i", "not", "choose", option]
    else:
        clause.words = ["i", "choose", option]
    if form is _AFTER_OTHERS:
        clause.link = Link.AND
