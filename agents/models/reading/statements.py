"""What a clause of a reply says about the writer's own choice, read by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from dilemmas.agents.models.reading.clauses import Clause, is_option
from dilemmas.agents.models.reading.vocabulary import (
    ADVERBS,
    ANSWERS,
    AUXILIARIES,
    COPULAS,
    DESIRES,
    DETERMINERS,
    FILLERS,
    FILLINGS,
    FINALS,
    HEDGES,
    HYPOTHESES,
    INTENTIONS,
    LEADING,
    MANNER,
    MIXTURES,
    MODALS,
    NEGATIONS,
    OTHERS,
    PAST_VERBS,
    PLACES,
    PRAISE,
    PREPOSITIONS,
    QUALITIES,
    REASON_STOPS,
    RETRACTIONS,
    SUPERLATIVES,
    TAIL_STOPS,
    UNCERTAIN_ABOUT,
    UNCERTAINTIES,
    VERBS,
    WEAK_VERBS,
    Link,
)


class Kind(Enum):
    """What a statement does."""

    CHOICE = "choice"
    """Says in a clause of its own what the writer chooses."""
    BARE = "bare"
    """Is an option alone."""
    WEAK = "weak"
    """Recommends an option, or wants it."""
    REJECTION = "rejection"
    """Says what the writer does not choose."""
    DOUBT = "doubt"
    """Makes an option possible or praises it, or, without an option, takes back whatever was said before."""
    OTHER = "other"
    """Says nothing about the writer's choice."""


CHOOSING = frozenset((Kind.CHOICE, Kind.BARE, Kind.WEAK))


@dataclass(frozen=True, slots=True)
class Statement:
    """What a clause says."""

    kind: Kind
    option: str = ""
    """The character of the option; empty for none."""
    turns: bool = False
    """Whether it is marked as a conclusion or as a change of mind."""
    loose: bool = False
    """Whether it is a choice at the beginning of a reply only: "I chose C", "C for them"."""

    @property
    def chooses(self) -> bool:
        """Whether it is a choice of any kind."""
        return self.kind in CHOOSING


MOST_LEADING = 40
"""Largest number of words before the option of a choice."""

OTHER = Statement(Kind.OTHER)

OWN_WORDS = FILLINGS | VERBS | MODALS | ADVERBS | WEAK_VERBS | FILLERS
HARMLESS = MANNER | ADVERBS | ANSWERS | DETERMINERS | FILLERS
BEING = MODALS | frozenset(["is", "be", "must", "has", "to"])
PLACED_WORDS = frozenset(["this", "that", "question", "game", "scenario", "situation", "round", "case", "me", "here"])
NAME_WORDS = DETERMINERS | QUALITIES | SUPERLATIVES


def read_clause(clause: Clause) -> Statement:
    """What a clause says by itself; a clause without a subject is read as the writer's."""
    words = _from_subject(clause.words)
    place = next((index for index, word in enumerate(words) if is_option(word)), None)
    if place is None:
        return _read_without_option(clause)
    option, after = words[place], words[place + 1 :]
    before = core(words[:place])
    tail = _tail(after, option)
    if before[:1] == ["or"]:
        return Statement(Kind.DOUBT, option)
    plain = [word for word in before if word not in NEGATIONS and word not in HEDGES]
    if _names_another(option, after):
        announced = len(plain) == len(before) and _kind(plain, []) is not Kind.OTHER
        return Statement(Kind.DOUBT, "" if before else option) if announced else OTHER
    kind = _kind(plain, tail)
    if kind is Kind.OTHER:
        return Statement(Kind.DOUBT, option) if _is_unclear_act(before) and _kind(plain, []) is kind else OTHER
    if any(word in HEDGES for word in (*before, *tail)) or any(word in MIXTURES for word in clause.words):
        return Statement(Kind.DOUBT, option) if not plain or turns(clause) else OTHER
    if len(plain) < len(before) or tail[1:2] == ["not"]:
        return Statement(Kind.REJECTION, option)
    if "would" in before and _is_elsewhere(clause.words):
        return OTHER
    if kind is Kind.BARE and _describes(words[:place], after, len(tail)):
        return OTHER
    past = any(word in PAST_VERBS for word in before) and not ("have" in before or "is" in before)
    return Statement(kind, option, turns(clause), loose=past or (kind is Kind.BARE and len(tail) < len(after)))


def _is_unclear_act(before: Sequence[str]) -> bool:
    """Whether words before an option tell an act of the writer's whose sense is not known: "I am required to choose C"."""
    known = HEDGES | NEGATIONS | OTHERS | {"if", "would"}
    return before[:1] == ["i"] and any(word in VERBS for word in before) and not any(word in known for word in before)


def _is_elsewhere(words: Sequence[str]) -> bool:
    """Whether a phrase places a choice in another situation: "with a stranger", "among friends", "after talking"."""
    return any(
        first in ("among", "against")
        or (first in PREPOSITIONS and second in ("a", "an"))
        or (first == "after" and second in ("talking", "speaking", "discussing", "hearing", "seeing", "knowing"))
        for first, second in pairwise(words)
    ) and not any(word in ("this", "such", "here") for word in words)


def _describes(before: Sequence[str], after: Sequence[str], tail: int) -> bool:
    """Whether an option with words after it is the subject of a description: "the D in this game is high"."""
    rest = after[tail:]
    if not rest or rest[0] in REASON_STOPS:
        return False
    return any(word in DETERMINERS for word in before) or any(word in COPULAS for word in rest)


def turns(clause: Clause) -> bool:
    """Whether a clause is marked as a conclusion or as a change of mind."""
    return clause.turn or clause.link in (Link.SO, Link.BUT) or any(word in FINALS for word in clause.words)


def core(words: Sequence[str]) -> list[str]:
    """The words without those that only lead up to the statement: "well", "I think that", "given our history"."""
    return _without_fillers(_from_subject(_without_fillers(words)))


def _from_subject(words: list[str]) -> list[str]:
    """The words from "I" if a phrase leads up to it: "for my friend I choose C", "instead of C I choose D"."""
    if not words or words[0] not in LEADING or "i" not in words[2:]:
        return words
    start = words.index("i", 2)
    phrase = words[:start]
    of_others = phrase[0] in PREPOSITIONS and any(word in OTHERS or word in PLACES for word in phrase)
    other = of_others or words[start - 1] in AUXILIARIES or any(word in NEGATIONS or word in HEDGES for word in phrase)
    return words if other else words[start:]


def _without_fillers(words: Sequence[str]) -> list[str]:
    start = 0
    while start < len(words):
        if list(words[start : start + 2]) in _INTRODUCTIONS:
            start += 2
        elif words[start] in FILLERS or words[start] in ADVERBS or words[start] == "that":
            start += 1
        else:
            break
    return list(words[start:])


_INTRODUCTIONS = (
    ["here", "is"],
    ["i", "think"],
    ["i", "believe"],
    ["i", "conclude"],
    ["i", "guess"],
    ["i", "suppose"],
    ["i", "feel"],
)


def _read_without_option(clause: Clause) -> Statement:
    words = clause.words
    text = f" {' '.join(words)} "
    if not words or _is_undecided(text) or any(_takes_back(text, retraction) for retraction in RETRACTIONS):
        return Statement(Kind.DOUBT)
    if clause.turn and words in (["i", "not"], ["not"]):
        return Statement(Kind.DOUBT)
    hedge = any(word in HEDGES for word in words) and all(word in HEDGES | {"i", "not", "or"} for word in words)
    return Statement(Kind.DOUBT if hedge else Kind.OTHER, turns=clause.turn or clause.link is Link.BUT)


def _takes_back(text: str, retraction: str) -> bool:
    """Whether a retraction is in a clause, and no negation before it."""
    before, found, _ = text.partition(f" {retraction} ")
    return found != "" and not any(word in NEGATIONS for word in before.split())


def _is_undecided(text: str) -> bool:
    """Whether a clause says that the writer has not decided, and not only that something else is unknown."""
    for uncertainty in UNCERTAINTIES:
        _, found, rest = text.partition(f" {uncertainty} ")
        if found and (not rest or rest.split()[0] in UNCERTAIN_ABOUT):
            return True
    return False


def _tail(after: Sequence[str], option: str) -> list[str]:
    """The words after an option up to a reason, a place or what is not chosen."""
    tail: list[str] = []
    for word in after:
        if word in TAIL_STOPS and not (tail and tail[0] in COPULAS):
            break
        if word != option or tail:
            tail.append(word)
    return tail


def _names_another(option: str, after: Sequence[str]) -> bool:
    """Whether another option stands beside this one: "C or D", "C to D", "C in this round and D in the next"."""
    directly = len(after) > 1 and after[0] in ("for", "in", "into", "to") and is_option(after[1])
    if directly or any(is_option(word) and word != option for word in _tail(after, option)):
        return True
    said = after[: next((index for index, word in enumerate(after) if word in REASON_STOPS), len(after))]
    return any(joint in ("and", "or") and is_option(word) and word != option for joint, word in pairwise(said))


def _kind(before: Sequence[str], tail: Sequence[str]) -> Kind:
    """What a clause does with its first option, from the words before and after it, negations left out."""
    if not before:
        return _kind_of_bare(tail)
    if len(before) > MOST_LEADING:
        return Kind.OTHER
    if before[0] == "i":
        return _kind_of_own_act(before[1:], tail)
    if before[0] == "it" and before[-1] in ("is", "be") and all(word in BEING for word in before[1:]):
        return _unless_described(Kind.CHOICE, tail)
    if before[0] == "let" and before[1:2] in (["us"], ["me"]):
        acts = before[2:]
        if acts == ["say"]:
            return _unless_described(Kind.CHOICE, tail)
        return Kind.OTHER if any(word in HYPOTHESES for word in acts) else _kind_of_own_act(acts, tail)
    if (verb := _end_of_name(before)) is not None:
        said = _skip(before[verb:], COPULAS | ADVERBS)
        if _end_of_name(said) is not None:  # "Answer: my choice is C"
            return _kind(said, tail)
        return _kind_of_named(before[:verb], before[verb:], tail)
    if (before[0] in VERBS or (before[0] in INTENTIONS and before[1:2] == ["to"])) and all(word in OWN_WORDS for word in before):
        return _unless_described(Kind.CHOICE, tail)
    return _kind_of_bare(tail) if all(word in ANSWERS or word in NAME_WORDS for word in before) else Kind.OTHER


def _kind_of_bare(tail: Sequence[str]) -> Kind:
    """The kind of "C", "C please", "C it is", "C is my choice", "C is better"."""
    if all(word in MANNER for word in tail):
        return Kind.BARE
    if tail[0] == "it" and len(tail) > 1 and all(word in COPULAS for word in tail[1:]) or list(tail) == ["is", "it"]:
        return Kind.CHOICE
    if tail[0] == "i" and all(word in OWN_WORDS for word in tail) and any(word in VERBS for word in tail):
        return Kind.CHOICE
    predicate = [word for word in _skip(tail, COPULAS | ADVERBS | HEDGES) if word != "not"]
    if tail[0] not in COPULAS | {"might", "may", "could"} or not predicate:
        return Kind.OTHER
    if len(predicate) == 1 and predicate[0] in PAST_VERBS:
        return Kind.CHOICE
    named = predicate[0] in DETERMINERS and any(word in ANSWERS or word in ("one", "way") for word in predicate[1:4])
    own = "i" in predicate[:4] and any(word in VERBS or word == "make" for word in predicate)
    if (named and (predicate[0] == "my" or "answer" in predicate[:4])) or (own and (named or predicate[0] in ("what", "where", "how"))):
        return Kind.CHOICE
    if named and (predicate[1] in SUPERLATIVES or predicate[1] == "way") and "better" not in predicate:
        return Kind.WEAK
    praised = any(word in PRAISE for word in predicate[:3]) and not any(word in OTHERS for word in predicate)
    return Kind.DOUBT if praised else Kind.OTHER


def _kind_of_own_act(acts: Sequence[str], tail: Sequence[str]) -> Kind:
    """The kind of "I choose C", "I will C", "I should pick C", from the words between "I" and the option."""
    if "and" in acts:  # "I will trust them and cooperate"
        last = len(acts) - list(reversed(acts)).index("and")
        known = HEDGES | NEGATIONS | MIXTURES
        return Kind.OTHER if any(word in known for word in acts) else _kind_of_own_act(acts[last:], tail)
    others_act = any(first == "them" and (second == "to" or second in VERBS) for first, second in pairwise(acts))
    if others_act or not all(word in OWN_WORDS for word in acts) or _is_counterfactual(acts):
        return Kind.OTHER
    if all(word in ADVERBS for word in acts):
        return Kind.CHOICE if _kind_of_bare(tail) is Kind.BARE else Kind.OTHER
    weak = any(word in WEAK_VERBS for word in acts) or _in_order(acts, ("have", "to"))
    if not weak and not any(word in VERBS or word in MODALS or word in INTENTIONS for word in acts):
        return Kind.OTHER
    weak = weak or any(word in DESIRES for word in acts)
    return _unless_described(Kind.WEAK if weak else Kind.CHOICE, tail)


def _end_of_name(before: Sequence[str]) -> int | None:
    """The number of words that name an answer, up to a verb of being: "my final answer", "the option I choose"."""
    verb = next((index for index, word in enumerate(before) if word in COPULAS and word not in MODALS), None)
    if verb is None:
        return None
    if before[verb - 1 : verb] and before[verb - 1] in MODALS:
        verb -= 1
    noun = next((index for index, word in enumerate(before[:verb]) if word in ANSWERS or word not in NAME_WORDS), verb)
    known = OWN_WORDS | PLACED_WORDS | ANSWERS
    if noun == verb or before[noun] not in ANSWERS or any(word in OTHERS for word in before[noun + 1 : verb]):
        return None
    if before[0] != "my" and not all(word in known for word in before[noun + 1 : verb]):
        return None
    return verb


def _kind_of_named(name: Sequence[str], verb: Sequence[str], tail: Sequence[str]) -> Kind:
    """The kind of "my answer is C", "my decision is to choose C", "the best move is C"."""
    if not all(word in OWN_WORDS or word in COPULAS for word in verb):
        return Kind.OTHER
    if tail and tail[0] in COPULAS:  # "Answer: C is my choice"
        return Kind.CHOICE if _kind_of_bare(tail) is Kind.CHOICE else Kind.OTHER
    recommends = any(word in SUPERLATIVES for word in name) and "answer" not in name
    return _unless_described(Kind.WEAK if recommends else Kind.CHOICE, tail)


def _unless_described(kind: Kind, tail: Sequence[str]) -> Kind:
    """The kind of a choice, unless the words after the option tell more than how it is chosen: "C is bad"."""
    return kind if all(word in HARMLESS for word in tail) else Kind.OTHER


def _skip(words: Sequence[str], skipped: Iterable[str]) -> list[str]:
    start = next((index for index, word in enumerate(words) if word not in skipped), len(words))
    return list(words[start:])


def _is_counterfactual(acts: Sequence[str]) -> bool:
    """Whether words tell what the writer would have done: "would have chosen", but not "would have to choose"."""
    return _in_order(acts, ("would", "have")) and not _in_order(acts, ("have", "to"))


def _in_order(words: Sequence[str], pair: tuple[str, str]) -> bool:
    """Whether two words stand side by side."""
    return pair in pairwise(words)
