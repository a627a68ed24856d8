"""What the words before and after an option make of it: a choice, a recommendation, a rejection or nothing."""

from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import pairwise

from dilemmas.agents.models.reading.vocabulary import (
    ADVERBS,
    ANSWERS,
    COPULAS,
    DEEDS,
    DESIRES,
    DETERMINERS,
    DISOWNED,
    EVIDENT,
    FILLERS,
    FILLINGS,
    HEDGES,
    HYPOTHESES,
    INTENTIONS,
    MANNER,
    MIXTURES,
    MODALS,
    NEGATIONS,
    NOUNS,
    OTHERS,
    OWN_SIDE,
    PAST_VERBS,
    PRAISE,
    QUALITIES,
    RANKED,
    SUPERLATIVES,
    TAIL_STOPS,
    VERBS,
    WAYS,
    WAYS_TO_ACT,
    WEAK_VERBS,
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
    READER = "reader"
    """Says what the reader chooses, "you choose C", or, without an option, that the one before is that of others."""
    OTHER = "other"
    """Says nothing about the writer's choice."""


MOST_LEADING = 40
"""Largest number of words before the option of a choice."""


OWN_WORDS = FILLINGS | VERBS | MODALS | ADVERBS | WEAK_VERBS | FILLERS


HARMLESS = MANNER | ADVERBS | ANSWERS | DETERMINERS | FILLERS


BEING = MODALS | frozenset(["is", "be", "must", "has", "have", "to"])


PLACED_WORDS = frozenset(
    [
        "this",
        "that",
        "question",
        "game",
        "scenario",
        "situation",
        "round",
        "case",
        "me",
        "here",
        "make",
        "making",
        "think",
        "feel",
    ]
)


NAME_WORDS = DETERMINERS | QUALITIES | SUPERLATIVES


RELATIVE_WORDS = NAME_WORDS | ANSWERS | NOUNS | ADVERBS | {"what", "where", "how", "that", "which"}
"""Words before "I" in a clause that says of an option that the writer chooses it."""

THE_BEST = frozenset(["for", "me", "here", "overall", "in", "this", "case", "situation", "scenario", "game", "now"])
"""Words after "the best" that leave it a recommendation without a noun: "C is the best for me"."""

CLEFT_WORDS = OWN_WORDS | HARMLESS | PLACED_WORDS | {"actually"}
"""Words of a clause that says of an option that the writer chooses it: "C is what I actually choose"."""


def kind_of(before: Sequence[str], tail: Sequence[str]) -> Kind:
    """What a clause does with its first option, from the words before and after it, negations left out."""
    if not before:
        return _kind_of_bare(tail)
    if len(before) > MOST_LEADING:
        return Kind.OTHER
    if before[0] == "i":
        return _kind_of_own_act(before[1:], tail)
    if before[0] == "it" and before[-1] in ("is", "be") and all(word in BEING for word in before[1:]):
        cleft = tail[:2] == ["that", "i"] and _tells_choice(tail[2:])  # "it is C that I choose"
        return Kind.CHOICE if cleft else _unless_described(Kind.CHOICE, tail)
    if before[0] == "let" and before[1:2] in (["us"], ["me"]):
        acts = before[2:]
        if acts == ["say"]:
            return _unless_described(Kind.CHOICE, tail)
        return (
            Kind.OTHER
            if any(word in HYPOTHESES or word in ("start", "begin") for word in acts)
            else _kind_of_own_act(acts, tail)
        )
    if (verb := _end_of_name(before)) is not None:
        said = _skip(before[verb:], COPULAS | ADVERBS)
        if _end_of_name(said) is not None:  # "Answer: my choice is C"
            return kind_of(said, tail)
        return _kind_of_named(before[:verb], before[verb:], tail)
    verbal = all(word in VERBS or word == "to" for word in before) or list(before) == ["plan"]
    said_of = _kind_of_bare(tail) if verbal else Kind.OTHER
    if said_of is Kind.CHOICE or (said_of is Kind.WEAK and list(before) == ["choosing"]):
        return said_of  # "cooperating it is", "plan B it is", "choosing C is the best option"
    if (before[0] in VERBS or (before[0] in INTENTIONS and before[1:2] == ["to"])) and all(
        word in OWN_WORDS and word != "i" for word in before
    ):
        return _unless_described(Kind.CHOICE, tail)
    named = all(word in ANSWERS or word in NAME_WORDS or word in ("of", "total") for word in before)
    return _kind_of_bare(tail) if named else Kind.OTHER


def _kind_of_bare(tail: Sequence[str]) -> Kind:
    """The kind of "C", "C please", "C it is", "C is my choice", "C is better"."""
    if all(word in MANNER for word in tail):
        return Kind.BARE
    it_is = tail[0] == "it" and tail[-1] in COPULAS | {"has"} and all(word in BEING for word in tail[1:])
    if it_is or list(tail) == ["is", "it"]:
        return Kind.CHOICE
    if tail[0] == "i" and all(word in OWN_WORDS for word in tail) and any(word in VERBS for word in tail):
        return Kind.CHOICE
    if list(tail) == ["remains"]:
        return Kind.BARE
    if all(word in COPULAS for word in tail):  # "from a moral standpoint, C is"
        return Kind.DOUBT
    predicate = _skip(tail, COPULAS | ADVERBS | HEDGES | {"not", "have", "has", "to"})
    if tail[0] not in COPULAS | {"might", "may", "could"} or not predicate:
        return Kind.OTHER
    if len(predicate) == 1 and predicate[0] in PAST_VERBS:
        return Kind.CHOICE
    named = predicate[0] in DETERMINERS and any(word in ANSWERS or word in NOUNS for word in predicate[1:4])
    own = "i" in predicate[:4] and _tells_choice(predicate[predicate.index("i") + 1 :])
    own = own and all(word in RELATIVE_WORDS for word in predicate[: predicate.index("i")])
    answer = predicate.index("answer") if "answer" in predicate[:4] else 0
    plain = answer > 0 and all(word in NAME_WORDS for word in predicate[:answer])  # not "the textbook answer"
    mine = predicate[0] == "my" and _is_name(predicate[1:])
    if (named and (mine or plain)) or (own and (named or predicate[0] in ("what", "where", "how"))):
        return Kind.CHOICE
    the_best = predicate[:2] == ["the", "best"] and all(word in THE_BEST for word in predicate[2:])
    if the_best or (named and (predicate[1] in SUPERLATIVES or predicate[1] == "way")):
        return Kind.OTHER if _is_for_others(predicate) else Kind.WEAK
    praised = any(word in PRAISE for word in predicate[:3]) and not any(word in OTHERS for word in predicate)
    return Kind.DOUBT if praised else Kind.OTHER


def _is_name(words: Sequence[str]) -> bool:
    """Whether words up to a noun for an answer leave it the writer's: "final answer", but not "lucky number"."""
    nouns = (ANSWERS | NOUNS) - NAME_WORDS
    noun = next((place for place, word in enumerate(words) if word in nouns), len(words))
    return not any(word in RANKED | DISOWNED | HEDGES or word.endswith("'s") for word in words[:noun])


def _tells_choice(acts: Sequence[str]) -> bool:
    """Whether words after "I" say of an option before them that the writer chooses it: "C is what I choose"."""
    end = next((place for place, word in enumerate(acts) if word in TAIL_STOPS - OWN_WORDS), len(acts))
    chosen = any(word in VERBS or word in ("make", "making") for word in acts[:end]) and "them" not in acts
    return chosen and all(word in CLEFT_WORDS for word in acts[:end]) and not _is_counterfactual(acts)


def _is_for_others(predicate: Sequence[str]) -> bool:
    """Whether an option is called the best for others: "the best choice for them", "the best thing they can do"."""
    if any(word in ("they", "he", "she", "you") for word in predicate):
        return True
    start = next((place for place, word in enumerate(predicate) if word in ("for", "of")), len(predicate))
    about = frozenset(predicate[start:])
    return bool(about & OTHERS) and not about & OWN_SIDE


def _kind_of_own_act(acts: Sequence[str], tail: Sequence[str]) -> Kind:
    """The kind of "I choose C", "I will C", "I should pick C", from the words between "I" and the option."""
    if "and" in acts:  # "I will trust them and cooperate"
        last = len(acts) - list(reversed(acts)).index("and")
        known = HEDGES | NEGATIONS | MIXTURES
        return Kind.OTHER if any(word in known for word in acts) else _kind_of_own_act(acts[last:], tail)
    if "by" in acts[1:-1] and acts[-1] in WAYS | {"with", "for"}:  # "I will cooperate by choosing C"
        deed = _skip(acts, MODALS | ADVERBS | FILLERS | DESIRES | {"be", "to", "am"})[0]
        return _unless_described(Kind.CHOICE, tail) if deed in DEEDS else Kind.OTHER
    if acts[:2] == ["confirm", "that"] and "i" in acts:  # "I confirm that I have 20"
        return _kind_of_own_act(acts[acts.index("i") + 1 :], tail)
    if acts[-2:] == ["to", "be"] and any(word in ANSWERS for word in acts):  # "I want my answer to be C"
        acts = acts[:-2]
    others_act = any(first == "them" and (second == "to" or second in VERBS) for first, second in pairwise(acts))
    if others_act or acts[-1:] == ["be"] or not all(word in OWN_WORDS for word in acts) or _is_counterfactual(acts):
        return Kind.OTHER
    if all(word in ADVERBS for word in acts):
        return _unless_described(Kind.CHOICE, tail)
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
    if before[:2] == ["what", "i"]:
        return verb if _tells_choice(before[2:verb]) else None
    noun = next((index for index, word in enumerate(before[:verb]) if word in ANSWERS or word not in NAME_WORDS), verb)
    known = OWN_WORDS | PLACED_WORDS | ANSWERS | OWN_SIDE
    own = before[noun] in NOUNS and (
        "i" in before[noun + 1 : noun + 3]
        or (before[noun] in WAYS_TO_ACT and any(word in SUPERLATIVES for word in before[:noun]))
    )
    if (
        noun == verb
        or not (own or before[noun] in ANSWERS)
        or any(word in OTHERS - OWN_SIDE for word in before[noun + 1 : verb])
    ):
        return None
    if before[noun + 1 : noun + 2] == ["in"] and "i" not in before:  # "the amount in the pot is 20"
        return None
    if before[0] != "my" and not all(word in known for word in before[noun + 1 : verb]):
        return None
    return verb


def _kind_of_named(name: Sequence[str], verb: Sequence[str], tail: Sequence[str]) -> Kind:
    """The kind of "my answer is C", "my decision is to choose C", "the best move is C"."""
    if not all(word in OWN_WORDS or word in COPULAS or word in EVIDENT for word in verb):
        return Kind.OTHER
    if tail and tail[0] in COPULAS:  # "Answer: C is my choice"
        return Kind.CHOICE if _kind_of_bare(tail) is Kind.CHOICE else Kind.OTHER
    if "first" in name and "my" not in name:  # "the first option is C"
        return Kind.OTHER
    recommends = any(word in SUPERLATIVES for word in name) and "answer" not in name
    if recommends and "for" in verb:  # "the best decision is for C"
        return Kind.OTHER
    return _unless_described(Kind.WEAK if recommends else Kind.CHOICE, tail)


def _unless_described(kind: Kind, tail: Sequence[str]) -> Kind:
    """The kind of a choice, unless the words after the option tell more than how it is chosen: "C is bad"."""
    return kind if all(word in HARMLESS for word in tail) else Kind.OTHER


def _skip(words: Sequence[str], skipped: Iterable[str]) -> list[str]:
    start = next((index for index, word in enumerate(words) if word not in skipped), len(words))
    return list(words[start:])


def _is_counterfactual(acts: Sequence[str]) -> bool:
    """Whether words tell what the writer would have done, or has always done; not "would have to choose"."""
    if "always" in acts and "have" in acts:
        return True
    return _in_order(acts, ("would", "have")) and not _in_order(acts, ("have", "to"))


def _in_order(words: Sequence[str], pair: tuple[str, str]) -> bool:
    """Whether two words stand side by side."""
    return pair in pairwise(words)
