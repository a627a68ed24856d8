"""What a clause of a reply says about the writer's own choice, read by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dilemmas.agents.models.reading.attributions import attributes, is_elsewhere, reports
from dilemmas.agents.models.reading.clauses import Clause, announces, is_option
from dilemmas.agents.models.reading.kinds import HARMLESS, Kind, kind_of
from dilemmas.agents.models.reading.vocabulary import (
    ADVERBS,
    ANSWERS,
    AUXILIARIES,
    CONSEQUENCES,
    COPULAS,
    DETERMINERS,
    FILLERS,
    FINALS,
    HEDGES,
    LEADING,
    MIXTURES,
    MODALS,
    NEGATIONS,
    OTHERS,
    OWN_SIDE,
    PARTIAL,
    PAST_VERBS,
    PEOPLE,
    PLACES,
    PRAISE,
    PREDICATES,
    PREPOSITIONS,
    PRESENT,
    QUALITIES,
    REASON_STOPS,
    RETRACTIONS,
    TAIL_STOPS,
    UNCERTAIN_ABOUT,
    UNCERTAINTIES,
    VERBS,
    VOICES,
    Link,
)

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

    own: bool = False
    """Whether its subject is the writer."""
    asked: bool = False
    """Whether it is a choice or a recommendation that does not say whose: "choose C", "C is the best option"."""
    partial: bool = False
    """Whether it praises an option in one respect, and is not called the writer's view: "D is the safer option"."""

    @property
    def chooses(self) -> bool:
        """Whether it is a choice of any kind."""
        return self.kind in CHOOSING


OTHER = Statement(Kind.OTHER)


def read_clause(clause: Clause) -> Statement:
    """What a clause says by itself; a clause without a subject is read as the writer's."""
    words = _from_subject(clause.words)
    place = next((index for index, word in enumerate(words) if is_option(word)), None)
    if place is None:
        return _read_without_option(clause)
    option, after = words[place], words[place + 1 :]
    of_others = after[:1] in (["from"], ["by"]) and any(word in OTHERS for word in after)  # "D from them"
    if of_others or "example" in after:
        return OTHER
    before = core(words[:place])
    tail = _tail(after, option)
    if before[:1] == ["or"] or before[:2] in (["should", "i"], ["shall", "i"]):
        return Statement(Kind.DOUBT, option)
    plain = [word for word in before if word not in NEGATIONS and word not in HEDGES]
    if _names_another(option, after):
        more = any(not is_option(word) and word not in LIST_WORDS for word in after)
        described = not (before or clause.separator) and "or" not in after and more
        announced = not described and len(plain) == len(before) and kind_of(plain, []) is not Kind.OTHER
        return Statement(Kind.DOUBT, "" if before else option) if announced else OTHER
    kind = kind_of(plain, tail)
    if kind is Kind.OTHER and not before and _is_fragment(after):
        return Statement(Kind.DOUBT, option)
    if kind is Kind.OTHER and _is_unclear_act(before) and kind_of(plain, []) is kind:
        return Statement(Kind.DOUBT, option)
    if kind is Kind.OTHER:
        if _addresses(before):
            return Statement(Kind.READER, option)
        if "you" in before and announces(before[: before.index("you")] or ["you"]):  # "the answer is: you choose C"
            return Statement(Kind.DOUBT, option)
        return Statement(kind, option) if _is_said_otherwise(before) else OTHER
    if any(word in HEDGES for word in (*before, *tail)) or any(word in MIXTURES for word in clause.words):
        return Statement(Kind.DOUBT, option) if not plain or turns(clause) else OTHER
    if len(plain) < len(before) or tail[1:2] == ["not"]:
        return Statement(Kind.REJECTION, option)
    limited = "only" in before and any(word in ("with", "against", "among", "after") for word in after)
    of_kind = kind is Kind.BARE and any(one == "for" and other in PEOPLE for one, other in pairwise(after))
    if ("would" in (*before, *tail) or kind is Kind.BARE) and (limited or of_kind or is_elsewhere(clause.words)):
        return OTHER
    if kind is Kind.BARE and _describes(words[:place], after, len(tail)):
        return OTHER
    rest = after[len(tail) :]
    described = any(word in PREDICATES for word in rest) or (rest[:1] == ["as"] and "my" not in rest)
    if before[:1] != [] and before[0].endswith("ing") and described:  # "choosing C with them is foolish"
        return OTHER
    meant = rest[:2] in (["for", "granted"], ["to", "mean"]) or (rest[:2] == ["to", "be"] and "the" in rest[2:3])
    if meant or (described and "mark" in before):
        return OTHER  # "I take C for granted", "I mark C as the first"
    past = any(word in PAST_VERBS for word in before) and not ("have" in before or "is" in before)
    loose = past or (kind is Kind.BARE and (len(tail) < len(after) or "of" in before))
    own = before[:1] == ["i"]
    asked = (kind is Kind.WEAK and not own) or (
        kind is Kind.CHOICE and before[:1] != [] and before[0] in VERBS - ANSWERS
    )
    viewed = (turns(clause) and clause.link is not Link.BUT) or any(word in ("i", "me", "my") for word in clause.words)
    partial = kind is Kind.WEAK and not viewed and any(word in PARTIAL for word in clause.words)
    return Statement(kind, option, turns(clause), loose, own, asked, partial)


def _is_said_otherwise(before: Sequence[str]) -> bool:
    """Whether words before an option call it an answer of another kind, or that of a view of the question."""
    named = before[-1:] == ["is"] and any(word in ANSWERS for word in before[-2:-1])
    voice = before[-2:-1] if before[-1:] == ["to"] else before[-1:]
    viewed = voice != [] and voice[0] in VOICES and not any(word in OTHERS or word == "i" for word in before)
    return named or viewed


def _addresses(before: Sequence[str]) -> bool:
    """Whether words before an option say what the reader chooses: "you choose", "your choice is"."""
    answer = before[:1] == ["your"] and before[1:2] != [] and before[1] in ANSWERS and before[-1] in COPULAS
    act = before[:1] == ["you"] and before[-1] in VERBS and all(word in KNOWN_ACTS for word in before[1:])
    return answer or act


KNOWN_ACTS = MODALS | ADVERBS | VERBS

LIST_WORDS = HARMLESS | {"and", "both"}


def _is_fragment(after: Sequence[str]) -> bool:
    """Whether an option with a word or two after it, the first of which is no verb, may be meant as an answer."""
    known = PREDICATES | AUXILIARIES | OTHERS | HEDGES | NEGATIONS
    return 0 < len(after) < 3 and not after[0].endswith("s") and not any(word in known for word in after)


def _is_unclear_act(before: Sequence[str]) -> bool:
    """Whether words before an option tell an act of the writer's of unknown sense: "I am required to choose C"."""
    known = HEDGES | NEGATIONS | OTHERS | {"if", "would", "thought", "considered", "had", "wanted"}
    return before[:1] == ["i"] and any(word in VERBS for word in before) and not any(word in known for word in before)


def _describes(before: Sequence[str], after: Sequence[str], tail: int) -> bool:
    """Whether an option with words after it is the subject of a description: "the D in this game is high"."""
    rest = after[tail:]
    if not rest or rest[0] in REASON_STOPS or (rest[0] == "to" and not any(map(is_option, rest))):
        return False
    foreseen = any(map(is_option, rest)) and any(word in PREDICATES for word in rest)  # "C against C yields 6"
    return any(word in DETERMINERS for word in before) or any(word in COPULAS for word in rest) or foreseen


def turns(clause: Clause) -> bool:
    """Whether a clause is marked as a conclusion or as a change of mind."""
    return (
        clause.turn
        or clause.link in (Link.SO, Link.BUT)
        or any(word in FINALS | PRESENT | CONSEQUENCES for word in clause.words)
    )


def core(words: Sequence[str]) -> list[str]:
    """The words without those that only lead up to the statement: "well", "I think that", "given our history"."""
    return _without_fillers(_from_subject(_without_fillers(words)))


def praises(words: Sequence[str]) -> bool:
    """Whether an option is the subject of praise: "C is better for us"."""
    said = core(words)
    return said != [] and is_option(said[0]) and any(word in PRAISE for word in said)


def _from_subject(words: list[str]) -> list[str]:
    """The words from "I" if a phrase leads up to it: "for my friend I choose C", "instead of C I choose D"."""
    if not words or words[0] not in LEADING:
        return words
    if "i" not in words[2:]:
        return words[_own_answer(words) :]
    start = words.index("i", 2)
    if words[1:3] == ["that", "i"]:  # "given that I trust them I choose C"
        if "i" not in words[3:]:
            return words
        start = words.index("i", 3)
    phrase = words[:start]
    purpose = phrase[0] == "to" and phrase[1] not in OTHERS | DETERMINERS  # "to maximise our payoff I choose C"
    known = phrase[1:] if phrase[1] != "previously" else phrase[2:]  # "after last round I choose C"
    this = phrase[1] in ("this", "these", "such")
    of_others = (
        phrase[0] in PREPOSITIONS and not (purpose or this) and any(word in OTHERS or word in PLACES for word in phrase)
    )
    other = of_others or words[start - 1] in AUXILIARIES or any(word in NEGATIONS or word in HEDGES for word in known)
    return words if other else words[start:]


def _own_answer(words: Sequence[str]) -> int:
    """Where a phrase that leads up to the writer's answer ends: "after some thought my final answer is"; 0 for none."""
    for place in range(2, len(words) - 1):
        named = next((word for word in words[place + 1 :] if word not in QUALITIES), "")
        if words[place] == "my" and named in ANSWERS and words[place - 1] not in COPULAS:
            return 0 if any(word in NEGATIONS | HEDGES | OTHERS - OWN_SIDE for word in words[:place]) else place
    return 0


def _without_fillers(words: Sequence[str]) -> list[str]:
    start = 0
    while start < len(words):
        if list(words[start : start + 2]) in _INTRODUCTIONS:
            start += 2
        elif words[start] == "first" and words[start + 1 :] and words[start + 1] in ANSWERS:
            break  # "first option: C"
        elif words[start] in _LEFT_OUT or (words[start].isdigit() and words[start + 1 : start + 2] == ["i"]):
            start += 1
        else:
            break
    return list(words[start:])


_LEFT_OUT = FILLERS | ADVERBS | {"that"}

_INTRODUCTIONS = (
    ["here", "is"],
    ["i", "think"],
    ["i", "believe"],
    ["i", "conclude"],
    ["i", "feel"],
)


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


def _read_without_option(clause: Clause) -> Statement:
    words = clause.words
    text = f" {' '.join(words)} "
    if not words or _is_undecided(text) or any(_takes_back(text, retraction) for retraction in RETRACTIONS):
        return Statement(Kind.DOUBT)
    if reports(words) or attributes(words):
        return Statement(Kind.READER)
    if " ".join(core(words)) in _REFUSALS or (clause.turn and " ".join(words) in _TURNED) or _chooses_another(words):
        return Statement(Kind.DOUBT)
    hedge = (
        words[0] != "more"
        and any(word in HEDGES for word in words)
        and all(word in HEDGES | {"i", "not", "or", "more", "less", "most", "very"} for word in words)
    )
    return Statement(Kind.DOUBT if hedge else Kind.OTHER, turns=clause.turn or clause.link is Link.BUT)


def _chooses_another(words: Sequence[str]) -> bool:
    """Whether the writer chooses what is not named: "I choose another option", "I choose the other one"."""
    place = next((place for place, word in enumerate(words) if word in ("other", "another", "different")), 0)
    before = [word for word in core(words[:place]) if word not in DETERMINERS]
    plain = not any(word in NEGATIONS or word in HEDGES for word in before)
    return place > 0 and plain and " ".join(words[place + 1 :]) in _UNNAMED and kind_of(before, []) is Kind.CHOICE


_REFUSALS = frozenset(
    [
        "i not do it",
        *(
            f"i {will}{refuse}{to}"
            for will in ("", "will ", "would ", "must ", "have to ")
            for refuse in ("refuse", "decline", "abstain", "pass")
            for to in ("", " to answer", " to choose", " to say", " to decide", " to play", " to take part", " on this")
        ),
    ]
)
"""Clauses that refuse an answer, whatever was said before."""

_UNNAMED = frozenset(["", "one", "option", "choice", "answer", "action"])
_TURNED = frozenset(
    ["i not", "not", "thanks", "thank you", "the opposite", *(f"the other {noun}".strip() for noun in _UNNAMED)]
)
"""Clauses that take back what was said before, after a word that announces a change of mind."""


_JUDGED = frozenset(["is wrong", "not right", "is incorrect", "not correct"])


def _takes_back(text: str, retraction: str) -> bool:
    """Whether a retraction is in a clause, and no negation before it."""
    before, found, _ = text.partition(f" {retraction} ")
    subject = before.split()
    of_another = retraction in _JUDGED and subject[:1] != [] and subject[0].endswith("ing")  # "lying is wrong"
    return found != "" and not of_another and not any(word in NEGATIONS for word in subject)


UNDECIDED = frozenset(["it", "that", "this", "which", "what", "choice", "choose", "pick", "answer", "option", "i"])
"""Words for what does not matter where nothing is decided."""


def _is_undecided(text: str) -> bool:
    """Whether a clause says that the writer has not decided, and not only that something else is unknown."""
    for uncertainty in UNCERTAINTIES:
        before, found, rest = text.partition(f" {uncertainty} ")
        of_others = uncertainty == "not know" and _without_fillers(before.split()) != ["i"]  # "someone I do not know"
        of_else = uncertainty == "not matter" and not UNDECIDED.intersection(
            before.split()
        )  # "reputation does not matter"
        if found and not (of_others or of_else) and (not rest or rest.split()[0] in UNCERTAIN_ABOUT):
            return True
    return False
