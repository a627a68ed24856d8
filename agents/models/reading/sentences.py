"""What a sentence of a reply says: its clauses in their places, conditions, reasons and recited payoffs left out."""

from collections.abc import Sequence
from dataclasses import replace

from dilemmas.agents.models.reading.clauses import Clause, Sentence, is_option
from dilemmas.agents.models.reading.kinds import THE_BEST, Kind
from dilemmas.agents.models.reading.placement import goes_on, in_place
from dilemmas.agents.models.reading.recitals import pays, recites
from dilemmas.agents.models.reading.statements import OTHER, Statement, core, read_clause, turns
from dilemmas.agents.models.reading.vocabulary import (
    HEDGES,
    HYPOTHESES,
    LIMITS,
    MODALS,
    OTHERS,
    OWN_SIDE,
    TEMPORAL,
    VERBS,
    Link,
)


def read_sentence(sentence: Sentence, first: bool = False) -> list[Statement]:
    """The statements of a sentence about the writer's own choice; `first`: whether the reply begins with it.

    Reasons count for nothing, conditions make the whole sentence hypothetical up to a conclusion ("so I choose"), and
    a question or a recital of payoffs states no choice.
    """
    clauses, found, places = sentence.clauses, list[Statement](), list[int]()
    if len(clauses) > MOST_CLAUSES:
        return [Statement(Kind.DOUBT)]
    if recites(clauses):
        so = next((place for place, one in enumerate(clauses) if place and one.link is Link.SO), len(clauses))
        pays_on = so == len(clauses) or any(map(pays, clauses[so:]))
        return found if pays_on else read_sentence(Sentence(clauses[so:], sentence.question))  # "C: 10, D: 6, so C"
    hypothetical = subordinate = False
    for place, clause in enumerate(clauses):
        own = clause.link is not Link.CONDITION and core(clause.words)[:1] == ["i"]
        if clause.link is Link.SO or (own and turns(clause) and "instead" not in clause.words):
            hypothetical = subordinate = False
        elif clause.link is Link.REASON:
            subordinate = True
        elif not subordinate and _supposes(clause):
            hypothetical = True
            if clause.separator == ":":  # "I choose C: if they do so too, we both gain"
                continue
            start = place if clause.joined else _last_conjunct(clauses[:place])
            found = [
                OTHER if index >= start and (one.chooses or _praises(one, clauses[index])) else one
                for index, one in zip(places, found, strict=True)
            ]
        elif subordinate and clause.separator not in ("", "(") and not any(one.chooses for one in found):
            subordinate = False
        apart = clause.separator != "" and clause.link is Link.NONE
        if subordinate and clause.words and (apart or not any(map(is_option, clause.words))):
            doubts = [one for one in [read_clause(clause)] if one.kind is Kind.DOUBT]
            found += doubts
            places += [place for _ in doubts]
        if not subordinate:
            statement = _where_allowed(in_place(clauses, place, found), clauses, place, first)
            if (
                statement == OTHER
                and (clause.turn or clause.link is Link.BUT)
                and not OTHERS.intersection(clause.words[:1])
            ):
                statement = replace(OTHER, turns=True)
            found.append(_if_hypothetical(statement, clauses, place) if hypothetical else statement)
            places.append(place)
    if core(clauses[-1].words) == ["not"]:
        found.append(Statement(Kind.DOUBT))
    if sentence.question:
        asked = [Statement(Kind.DOUBT)] if clauses[0].turn else []  # "wait, what if they choose D?"
        return asked + [one for one in found if one.kind is Kind.DOUBT]
    return found


def _where_allowed(said: Statement, clauses: Sequence[Clause], place: int, first: bool) -> Statement:
    """A statement, or another one where its form is a choice only in other places."""
    so = clauses[place].link is Link.SO
    planned = clauses[place].words[-1:] == ["first"] and any(one.link is Link.CONDITION for one in clauses[place:])
    if said.chooses and planned:  # "choose C first, and if they betray you, switch to D"
        return Statement(Kind.DOUBT, said.option)
    if said.kind is Kind.BARE:
        allowed = first or so or not (said.loose or goes_on(clauses[place + 1 :]))
        return said if allowed else Statement(Kind.DOUBT, said.option)
    temporal = any(one.words[0] in TEMPORAL for one in clauses[: place + 1] if one.words)
    if not said.loose or (first and not temporal) or (so and said.turns):
        return said
    return Statement(Kind.DOUBT, said.option)


def asks_of_others(sentence: Sentence) -> bool:
    """Whether a sentence is a question about others: an option alone after it is theirs."""
    words = [word for clause in sentence.clauses if clause.link is not Link.CONDITION for word in clause.words]
    return (
        sentence.question
        and any((word in OTHERS and word not in ADDRESSED) or word == "would" for word in words)
        and (len(words) < 4 or any(word in VERBS or word in ("think", "expect") for word in words))
        and "i" not in words
    )


def asks_reader(sentence: Sentence) -> bool:
    """Whether a sentence is a question to the reader: what the reply asks to do after it is advice, "choose C then"."""
    words = [word for clause in sentence.clauses for word in clause.words]
    return sentence.question and ("you" in words or "your" in words) and "i" not in words


def advises(sentence: Sentence) -> bool:
    """Whether a sentence asks somebody to choose: "for friendship, choose C"."""
    return any(core(clause.words)[:1] in (["choose"], ["pick"], ["select"], ["go"]) for clause in sentence.clauses)


def concluded(sentences: Sequence[Sentence]) -> str:
    """The option that the last sentence concludes to be better, "so C is better"; empty for none.

    After a condition or a guess it is so only where these hold: "If they choose D, I get 3. So D is better."
    """
    clauses = [clause for sentence in sentences[-2:] for clause in sentence.clauses]
    said = core(clauses[-1].words) if len(clauses) > 1 and clauses[-1].link is Link.SO else []
    better = any(map(is_option, said[:1])) and said[1:3] == ["is", "better"] and THE_BEST.issuperset(said[3:])
    guessed = any(one.link is Link.CONDITION or (OTHERS - OWN_SIDE).intersection(one.words) for one in clauses)
    return said[0] if better and not guessed else ""


ADDRESSED = frozenset(["you", "your", "we", "us", "our", "both"])


def _supposes(clause: Clause) -> bool:
    """Whether a clause is a condition or opens a hypothesis: "if ...", "suppose ...", "case 1", "at first"."""
    words = clause.words[2:] if clause.words[:1] == ["let"] else clause.words
    said = words[:1] == ["say"] and any(map(is_option, words[1:2]))  # "let us say 4"
    supposed = bool(words) and not said and (words[0] in HYPOTHESES or all(word in HEDGES for word in words))
    limited = (
        clause.link is Link.BUT and words[:1] in (["only"], ["not"]) and words[1:2] != [] and words[1] in LIMITS
    )  # "but only after talking to them"
    return clause.link is Link.CONDITION or supposed or limited


def _praises(said: Statement, clause: Clause) -> bool:
    """Whether a statement praises the option that is the subject of its clause: "D would be better"."""
    return said.kind is Kind.DOUBT and clause.link is not Link.OR and clause.words[:1] == [said.option] != clause.words


def _last_conjunct(clauses: Sequence[Clause]) -> int:
    """The place of the last clause with a link or a separator, and a subject of its own; 0 for none."""
    places = [place for place, one in enumerate(clauses) if place and one.words and _has_subject(one)]
    return max(places, default=0)


def _has_subject(clause: Clause) -> bool:
    """Whether a clause begins with a subject of its own, set apart: "C, it is best if they choose it too"."""
    if clause.link is Link.AND and clause.words[0] in MODALS:  # "I choose C and will choose D if they do"
        return True
    telling = clause.words[0].endswith("ing") and clause.words[0] not in VERBS
    if telling or clause.words[0] in ("it", "this", "that", "there", "which"):
        return clause.separator != "" or clause.link in (Link.AND, Link.BUT)
    apart = clause.separator in (":", "-", "(", ")") or clause.link in (Link.AND, Link.BUT)
    return apart and clause.words[0] in OTHERS | {"i"}


def _if_hypothetical(said: Statement, clauses: Sequence[Clause], place: int) -> Statement:
    """A statement in a hypothesis; "I still choose C" is none."""
    clause, first = clauses[place], clauses[0]
    if clause.words[:1] == ["i"] and any(word in UNCONDITIONAL for word in clause.words):
        return said
    if said.chooses:
        unreal = any(one.link is Link.CONDITION and "were" in one.words for one in clauses[:place])
        planned = not unreal and (first.link is Link.BUT or first.turn or any(one.joined for one in clauses[:place]))
        return replace(said, kind=Kind.DOUBT) if planned else OTHER
    supposed = said.option and said.kind is Kind.DOUBT and clause.link is Link.CONDITION
    if supposed or _praises(said, clause):
        return OTHER
    return OTHER if said.kind in (Kind.OTHER, Kind.READER) else said


UNCONDITIONAL = frozenset(["still", "anyway", "nonetheless", "nevertheless"])

MOST_CLAUSES = 60
"""Largest number of clauses of a sentence that can be plain."""
