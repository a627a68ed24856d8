"""What a sentence of a reply says: its clauses in their places, conditions, reasons and recited payoffs left out."""

from collections.abc import Sequence
from dataclasses import replace

from dilemmas.agents.models.reading.clauses import Clause, Sentence, is_option
from dilemmas.agents.models.reading.statements import (
    CHOOSING,
    OTHER,
    Kind,
    Statement,
    core,
    read_clause,
    turns,
)
from dilemmas.agents.models.reading.vocabulary import (
    ADVERBS,
    ANSWERS,
    COPULAS,
    DETERMINERS,
    EXPECTING,
    FILLERS,
    FINALS,
    HEDGES,
    HYPOTHESES,
    LEADING,
    MIXTURES,
    MODALS,
    NEGATIONS,
    OTHERS,
    PAYING,
    PERSONS,
    PREDICATES,
    PREPOSITIONS,
    SPEECH,
    TEMPORAL,
    VERBS,
    Link,
)


def read_sentence(sentence: Sentence, first: bool = False) -> list[Statement]:
    """The statements of a sentence about the writer's own choice; `first`: whether the reply begins with it.

    Reasons count for nothing, conditions make the whole sentence hypothetical up to a conclusion ("so I choose"), and
    a question or a recital of payoffs states no choice.
    """
    clauses, found = sentence.clauses, list[Statement]()
    if len(clauses) > MOST_CLAUSES:
        return [Statement(Kind.DOUBT)]
    if _recites(clauses):
        return found
    hypothetical = subordinate = False
    for place, clause in enumerate(clauses):
        if clause.link is Link.SO or (turns(clause) and core(clause.words)[:1] == ["i"]):
            hypothetical = subordinate = False
        elif clause.link is Link.REASON:
            subordinate = True
        elif not subordinate and _supposes(clause):
            hypothetical = True
            if clause.separator == ":":  # "I choose C: if they do so too, we both gain"
                continue
            own = _last_conjunct(clauses[:place])
            found = [OTHER if one.chooses and index >= own else one for index, one in enumerate(found)]
        elif subordinate and clause.separator and not any(one.chooses for one in found):
            subordinate = False
        if not subordinate:
            statement = _in_place(clauses, place, found)
            if (
                statement.kind is Kind.BARE
                and not first
                and clause.link is not Link.SO
                and _goes_on(clauses[place + 1 :])
            ):
                statement = OTHER
            temporal = any(one.words[0] in TEMPORAL for one in clauses[: place + 1] if one.words)
            if statement.loose and (not first or (statement.kind is not Kind.BARE and temporal)) and not (statement.turns and clause.link is Link.SO):
                statement = OTHER if statement.kind is Kind.BARE else Statement(Kind.DOUBT, statement.option)
            unconditional = any(word in ("still", "anyway", "nonetheless", "nevertheless") for word in clause.words)
            supposed = hypothetical and not (unconditional and clause.words[:1] == ["i"])
            found.append(_if_hypothetical(statement, clause, clauses[0]) if supposed else statement)
    if clauses[-1].words == ["not"]:
        found.append(Statement(Kind.DOUBT))
    return [one for one in found if one.kind is Kind.DOUBT] if sentence.question else found


def asks_of_others(sentence: Sentence) -> bool:
    """Whether a sentence is a question about others: an option alone after it is theirs."""
    words = [word for clause in sentence.clauses for word in clause.words]
    return sentence.question and any((word in OTHERS and word not in ADDRESSED) or word == "would" for word in words) and "i" not in words


ADDRESSED = frozenset(["you", "your", "we", "us", "our", "both"])


def _goes_on(later: Sequence[Clause]) -> bool:
    """Whether more than a reason follows an option: amid other text it is the subject then, "J (closer to K)"."""
    until = next((place for place, one in enumerate(later) if one.link is Link.REASON), len(later))
    return not all(one.separator != ":" and (_leads(one) or any(map(is_option, one.words))) for one in later[:until])


def _supposes(clause: Clause) -> bool:
    """Whether a clause is a condition or opens a hypothesis: "if ...", "suppose ...", "case 1", "at first"."""
    words = clause.words[2:] if clause.words[:1] == ["let"] else clause.words
    said = words[:1] == ["say"] and any(map(is_option, words[1:2]))  # "let us say 4"
    supposed = bool(words) and not said and (words[0] in HYPOTHESES or all(word in HEDGES for word in words))
    return clause.link is Link.CONDITION or supposed


def _last_conjunct(clauses: Sequence[Clause]) -> int:
    """The place of the last clause with a link and a subject of its own; 0 for none."""
    linked = (Link.AND, Link.BUT)
    places = [place for place, one in enumerate(clauses) if one.link in linked and one.words[:1] and one.words[0] in OTHERS | {"i"}]
    return max(places, default=0)


def _if_hypothetical(statement: Statement, clause: Clause, first: Clause) -> Statement:
    if not statement.chooses:
        return OTHER if statement.option and statement.kind is Kind.DOUBT and clause.link is Link.CONDITION else statement
    return replace(statement, kind=Kind.DOUBT) if first.link is Link.BUT or first.turn else OTHER


def _in_place(clauses: Sequence[Clause], place: int, found: list[Statement]) -> Statement:
    """What a clause says in its place in the sentence; `found`: the statements before it."""
    clause, before = clauses[place], clauses[:place]
    said = read_clause(clause)
    chosen = any(one.kind in CHOOSING for one in found)
    if clause.link is Link.OR and all(map(_leads, before)):
        return Statement(Kind.DOUBT, said.option)
    if chosen and (clause.link is Link.OR or clause.words[:1] == ["or"] or _mixes(clause)):
        return Statement(Kind.DOUBT, said.option)
    if said.kind is Kind.DOUBT and before and (not found or not found[-1].chooses):
        guessed = not said.option and all(word in HEDGES or word == "i" for word in clause.words)
        of_others = clause.separator == ":" and any(word in OTHERS for word in before[-1].words)
        return OTHER if clause.words and (guessed or of_others) else said
    if said.kind is Kind.BARE:
        if (predicate := _predicate(clauses[place + 1 :])) is not None:
            joined = read_clause(Clause(words=[*clause.words, *predicate.words]))
            return joined if joined.kind is Kind.CHOICE else OTHER
        repeats = found and found[-1] == replace(said, turns=found[-1].turns)
        if repeats and clause.separator == "," and clause.link is Link.NONE:
            found[-1] = OTHER
            return OTHER
        if _recites_after(clauses, place) or _is_described(clauses, place):
            return OTHER
        if _may_stand_alone(clauses, place, found):
            return said
        beside = bool(found) and found[-1].chooses
        turned = turns(clause) or clauses[0].link is Link.OR
        return replace(said, kind=Kind.DOUBT) if beside or turned else OTHER
    if clause.separator == ":" and before and _names_speaker(before[-1]):
        return OTHER
    following = clauses[place + 1 : place + 2]
    imperative = core(clause.words)[:1] != ["i"]
    recited = any(
        (one.separator == "," and _begins_with_number(one) and len(one.words) < 3)
        or (one.separator == ":" and (_begins_with_number(one) or imperative and one.words[:1] and one.words[0] in OTHERS))
        for one in following
    )
    return OTHER if said.chooses and (recited or not _is_own(clause, before) or _is_described(clauses, place)) else said


def _names_speaker(clause: Clause) -> bool:
    """Whether a clause names somebody else: "my friend", "them", "player 2"."""
    named = [word for word in clause.words if word not in DETERMINERS and not word[0].isdigit()]
    return named != [] and all(word in OTHERS or word in SPEECH for word in named)


def _predicate(later: Sequence[Clause]) -> Clause | None:
    """The predicate of a subject after something put in: "C, the fair option, is my choice"."""
    return next((one for one in later if one.words[:1] and one.words[0] in COPULAS), None)


def _mixes(clause: Clause) -> bool:
    """Whether a clause gives the choice before it a probability."""
    return any(word in MIXTURES for word in clause.words) and "sure" not in clause.words


def _is_own(clause: Clause, before: Sequence[Clause]) -> bool:
    """Whether the subject of a choice is the writer: a clause without a subject takes that of the one before."""
    words = core(clause.words)
    if not before or not words or words[0] not in VERBS or all(map(_leads, before)):
        return True
    subject = next((one.words for one in reversed(before) if not _leads(one)), [])
    return core(subject)[:1] in (["i"], ["let"], ["keep"]) or core(subject)[0] in VERBS


def _leads(clause: Clause) -> bool:
    """Whether a clause only leads up to what follows: a filler, a reason or "given our history"."""
    words = core(clause.words)
    light = all(word in ADVERBS or word in FILLERS or word in COPULAS for word in words)
    about = frozenset(words)
    of_others = words[:1] and words[0] in PREPOSITIONS | {"for"} and about & PERSONS and not about & {"sake", "benefit"}
    return clause.link is Link.REASON or light or (words[0] in LEADING and not of_others)


def _may_stand_alone(clauses: Sequence[Clause], place: int, found: Sequence[Statement]) -> bool:
    """Whether an option alone is a choice: at the beginning, after words that lead up to it, or set apart."""
    clause, before = clauses[place], clauses[:place]
    if clause.link is Link.BUT:
        last = found[-1] if found else OTHER
        rejected = last.kind is Kind.REJECTION and last.option not in clause.words
        return rejected or any(word in FINALS for word in clause.words)
    if clause.link is Link.SO or clause.turn or all(map(_leads, before)):
        return True
    if clause.separator == ":":
        if any(word in NEGATIONS for word in before[-1].words) and any(map(is_option, before[-1].words)):
            return not any(map(is_option, frozenset(before[-1].words) & frozenset(clause.words)))
        return _tells_own_act(before[-1]) or _is_about_answer(before[-1])
    if clause.separator == "(" and place == len(clauses) - 1:
        return _tells_own_act(before[-1]) or (place == 1 and len(before[-1].words) == 1)
    return False


def _tells_own_act(clause: Clause) -> bool:
    """Whether a clause tells what the writer does, in words of its own: "I will trust them"."""
    words = frozenset(clause.words)
    plain = not words & (HEDGES | MIXTURES | EXPECTING) and not any(map(is_option, words))
    denied = words & NEGATIONS and clause.words[-1] in VERBS | COPULAS
    own = clause.words[0] in ("i", "let") or ("i" in words and clause.words[-1] in VERBS and not words & OTHERS)
    return own and plain and not denied


def _is_about_answer(clause: Clause) -> bool:
    """Whether a clause says something about the answer: "the choice is clear"."""
    words = frozenset(clause.words)
    others = words & (NEGATIONS | HEDGES | OTHERS) or any(map(is_option, words))
    return clause.words[0] in ("my", "the") and clause.words[1:2] != [] and clause.words[1] in ANSWERS and not others


def _recites_after(clauses: Sequence[Clause], place: int) -> bool:
    """Whether an option alone is the name of what follows: "C: 6", "C: you get 6", "C: cooperate"."""
    following = clauses[place + 1 : place + 2]
    later = clauses[place + 1 :]
    if any(one.separator in (":", "(", "-") and _begins_with_number(one) for one in later):
        return True
    if any(one.link is not Link.REASON and _is_cell(one) for one in later):
        return True
    return any((_begins_with_number(one) and one.link is not Link.REASON) or _explains_not(one, clauses[place]) for one in following)


def _is_described(clauses: Sequence[Clause], place: int) -> bool:
    """Whether an option without a subject is that of a later clause: "choosing C (the first) gives 10"."""
    words = core(clauses[place].words)
    alone = bool(words) and (is_option(words[0]) or words[0] in VERBS)
    return alone and any(one.words[:1] and one.words[0] in PREDICATES for one in clauses[place + 1 :])


def _begins_with_number(clause: Clause) -> bool:
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
        return (first in OTHERS and _pays(clause)) or (clause.separator == "(" and is_option(first))
    return first not in EXPLAINING or any(map(is_option, clause.words)) or _pays(clause)


MOST_CLAUSES = 60
"""Largest number of clauses of a sentence that can be plain."""

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
    ]
)
"""First words of an explanation after a label and a colon."""


def _recites(clauses: Sequence[Clause]) -> bool:
    """Whether a sentence tells what follows from the choices of several: "I choose C, they choose D: I get 1"."""
    reason = next((place for place, one in enumerate(clauses) if place and one.link is Link.REASON), len(clauses))
    clauses = clauses[:reason]
    return any(_pays(one) or (one.separator == ":" and _begins_with_number(one)) for one in clauses) and any(
        clause.link not in (Link.REASON, Link.CONDITION)
        and clause.words[0] in OTHERS
        and any(map(is_option, clause.words))
        and not _pays(clause)
        for clause in clauses
        if clause.words
    )


def _pays(clause: Clause) -> bool:
    """Whether a clause tells a payoff: "you get 6"."""
    verb = next((place for place, word in enumerate(clause.words) if word in PAYING), len(clause.words))
    return any(is_option(word) or word[0].isdigit() for word in clause.words[verb:])
