"""What a clause says in its place in a sentence: what is put beside it, who speaks, and what only leads up to it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from dilemmas.agents.models.reading.attributions import begs, is_elsewhere, pleads, reports
from dilemmas.agents.models.reading.clauses import Clause, is_option
from dilemmas.agents.models.reading.kinds import Kind
from dilemmas.agents.models.reading.recitals import (
    begins_with_number,
    is_about_answer,
    is_described,
    is_maxim,
    pays,
    recites_after,
    requests_answer,
    tells_own_act,
)
from dilemmas.agents.models.reading.statements import (
    OTHER,
    Statement,
    core,
    praises,
    read_clause,
    turns,
)
from dilemmas.agents.models.reading.vocabulary import (
    ADVERBS,
    ANSWERS,
    COPULAS,
    DETERMINERS,
    DISOWNED,
    EXPECTING,
    FILLERS,
    FINALS,
    HEDGES,
    LEADING,
    MIXTURES,
    MODALS,
    NEGATIONS,
    OPINIONS,
    OTHERS,
    PERSONS,
    PREPOSITIONS,
    PRESENT,
    SPEECH,
    SUBJECTS,
    VERBS,
    Link,
)


def goes_on(later: Sequence[Clause]) -> bool:
    """Whether more than a reason follows an option: amid other text it is the subject then, "J (closer to K)"."""
    until = next((place for place, one in enumerate(later) if one.link is Link.REASON), len(later))
    own = Link.AND, Link.BUT
    return not all(
        one.separator != ":"
        and (_leads(one) or any(map(is_option, one.words)) or (one.link in own and core(one.words)[:1] == ["i"]))
        for one in later[:until]
    )


def _any_chooses(found: Sequence[Statement]) -> bool:
    """Whether one of the statements is a choice."""
    return any(one.chooses for one in found)


def in_place(clauses: Sequence[Clause], place: int, found: list[Statement]) -> Statement:
    """What a clause says in its place in the sentence; `found`: the statements before it."""
    before = clauses[:place]
    clause = _with_subject(clauses[place], before)
    said = read_clause(clause)
    if said == Statement(Kind.READER) and any(
        one.separator == ":" or clause.words[0] == "as" for one in clauses[place + 1 : place + 2]
    ):
        return OTHER  # "their choice: D", "as they said, trust pays"
    if not clause.words and not _any_chooses(found) and any(is_option(word) for one in before for word in one.words):
        return OTHER  # "I thought about D, but no"
    if said == OTHER and any(one.turn for one in clauses[: place + 1]) and praises(clause.words):
        return Statement(Kind.DOUBT, core(clause.words)[0])
    if clause.words[:2] == ["which", "is"] and said == OTHER and any(map(tells_own_act, before[-1:])):
        return read_clause(replace(clause, words=["i", "choose", *clause.words[2:]]))  # "the safe one, which is D"
    if said == OTHER and clause.turn and _acts_anew(clause):
        return Statement(Kind.DOUBT, next(filter(is_option, clause.words)))
    chosen = _any_chooses(found)
    if clause.link is Link.OR and begins_with_number(clause):
        return OTHER
    named = any(is_option(word) and word != said.option for one in before for word in one.words)
    phrase = said == OTHER and before and core(before[-1].words)[:1] != [] and core(before[-1].words)[0] in LEADING
    if clause.link is Link.OR and not phrase and (all(map(_leads, before)) or (said.chooses and named)):
        return Statement(Kind.DOUBT, said.option)
    if chosen and (clause.link is Link.OR or clause.words[:1] == ["or"] or _mixes(clause)):
        return Statement(Kind.DOUBT, said.option)
    if next_act := _next_act(clause, found):
        return Statement(Kind.DOUBT, next_act)
    if said.kind is Kind.DOUBT and before and (not found or not found[-1].chooses):
        guessed = not said.option and all(word in HEDGES or word == "i" for word in clause.words)
        of_others = clause.separator == ":" and any(word in OTHERS for word in before[-1].words)
        return OTHER if clause.words and (guessed or of_others) else said
    if said.kind is Kind.BARE:
        return _bare_in_place(clauses, place, found, said)
    if not said.chooses:
        return said
    of_speaker = clause.separator == ":" and before and _names_speaker(before[-1])
    of_reader = clause.link is Link.NONE and any(_is_for_reader(one, clause.separator) for one in before[-1:])
    reported = bool(before) and core(before[-1].words) in (["i", "said"], ["i", "promised"])
    recited = any(_recites_outcome(one, core(clause.words)) for one in clauses[place + 1 : place + 2])
    elsewhere = "would" in clause.words and any(
        one.link is Link.NONE and is_elsewhere(one.words) for one in before[-1:]
    )
    rejected = found[-1].option if found and found[-1].kind is Kind.REJECTION else said.option
    if elsewhere and rejected != said.option and "my" in before[-1].words:
        return replace(said, kind=Kind.WEAK)  # "I wouldn't choose D against my own sister, I'd choose C"
    act = clause.words[: next((place for place, word in enumerate(clause.words) if is_option(word)), 0)]
    asked = said.asked and any(begs(one.words) for one in clauses[max(0, place - 1) : place + 2])
    asked = asked or pleads([word for one in before[-1:] for word in one.words if word == "please"] + act)
    another = (
        of_speaker
        or asked
        or of_reader
        or reported
        or recited
        or elsewhere
        or not _is_own(clause, before)
        or is_described(clauses, place)
    )
    return OTHER if another else said


def _next_act(clause: Clause, found: Sequence[Statement]) -> str:
    """The other option of an act that is joined to a choice: "choose C and then choose D"; empty for none."""
    words = [word for word in core(clause.words) if word not in ("to", "later", "afterwards", "next")]
    joined = clause.link is Link.AND and not clause.turn and words[:1] != [] and words[0] in VERBS
    option = words[1] if joined and any(map(is_option, words[1:2])) else ""
    return option if found and found[-1].chooses and found[-1].option != option else ""


def _acts_anew(clause: Clause) -> bool:
    """Whether a clause may be an act of the writer's in words that are not known: "no, I'd put it at 8"."""
    words = core(clause.words)
    before = words[: next((place for place, word in enumerate(words) if is_option(word)), 0)]
    another = any(word in OTHERS or word in HEDGES or word in NEGATIONS or word == "have" for word in before)
    own = before[:1] in (["let"], ["make"]) or (before[:1] == ["i"] and any(word in VERBS for word in before))
    return own and not another and not is_elsewhere(words)


def _bare_in_place(clauses: Sequence[Clause], place: int, found: list[Statement], said: Statement) -> Statement:
    clause, later = clauses[place], clauses[place + 1 :]
    last = clauses[place - 1] if place else Clause()
    if last.words[-1:] == ["not"] and clause.separator == "(":  # "not (D)"
        return replace(said, kind=Kind.REJECTION)
    if (clause.separator == ":" and _names_speaker(last)) or any(one.words[:1] == ["who"] for one in later[:1]):
        return OTHER
    if said.loose and any("from" in one.words and OTHERS.intersection(one.words) for one in later):
        return OTHER  # "C from me, D from them"
    predicate = next((one for one in later if one.words[:1] and one.words[0] in COPULAS), None)
    if predicate is not None:  # "C, the fair option, is my choice"
        joined = read_clause(Clause(words=[*clause.words, *predicate.words]))
        named = joined.kind is Kind.WEAK and clause.separator == "(" and len(core(last.words)) == 1
        return joined if joined.kind is Kind.CHOICE or named else OTHER  # "cooperation (C) is the best choice"
    repeats = found and found[-1] == replace(said, turns=found[-1].turns)
    if repeats and clause.separator == "," and clause.link is Link.NONE:
        found[-1] = OTHER
        return OTHER
    if recites_after(clauses, place) or is_described(clauses, place):
        return OTHER
    if _may_stand_alone(clauses, place, found):
        return said
    beside = clause.separator != ":" and any(one.chooses for one in found)
    turned = turns(clause) or clauses[0].link is Link.OR
    if beside or turned:
        return replace(said, kind=Kind.DOUBT)
    named = clause.separator == ":" and last.words[-1:] != [] and last.words[-1] in ANSWERS
    return replace(said, kind=Kind.OTHER) if named else OTHER


def _recites_outcome(following: Clause, choice: Sequence[str]) -> bool:
    """Whether the clause after a choice is what comes of it: "I choose D: 5 or 1", "choose D: they lose"."""
    if following.link is Link.REASON:
        return False
    addressed = following.words != [] and all(word in OTHERS | SPEECH | DETERMINERS for word in following.words)
    if following.separator == "," and (
        reports(following.words) or (addressed and choice[:1] != [] and choice[0] in VERBS)
    ):  # "choose C, partner", "choose C, they said"
        return True
    if choice[:1] != ["i"] and pays(following):  # "choose C, you get 6"
        return True
    if following.link is Link.AND and _acts_of_others(following):
        return True  # "I choose C, and they choose D"
    named = len(following.words) == 2 and following.words[0] in OTHERS and is_option(following.words[1])
    if named and choice[:1] != [] and choice[0] in VERBS | {"i"}:
        return True  # "I contribute 0, others 20"
    if following.separator == ",":
        return begins_with_number(following) and len(following.words) < 3
    imperative = choice[:1] != [] and choice[0] in VERBS
    of_others = imperative and following.words[:1] != [] and following.words[0] in OTHERS
    cells = all(is_option(word) or word[0].isdigit() or word in ("points", "each") for word in following.words)
    if imperative and following.separator in (":", "(") and cells and following.words[:1] not in ([], choice[-1:]):
        return True  # "contribute 0: 44", "choose C (6 or 1)"
    told = any(word in COPULAS for word in following.words)  # "I choose D: 3 points are enough"
    return following.separator == ":" and ((begins_with_number(following) and not told) or of_others)


def _acts_of_others(clause: Clause) -> bool:
    """Whether a clause tells what others choose: "the other person chooses D", but not what they may or will choose."""
    place = next((place for place, word in enumerate(clause.words) if is_option(word)), 0)
    words = [word for word in clause.words[:place] if word not in ADVERBS and word not in DETERMINERS]
    told = 1 < len(words) < 4 and words[0] in OTHERS and words[-1].removesuffix("s") in VERBS
    return told and not any(word in MODALS for word in words)


def _names_speaker(clause: Clause) -> bool:
    """Whether a clause names somebody else, or what is not the answer: "my friend", "them", "player 2"."""
    named = [word for word in clause.words if word not in DETERMINERS and not word[0].isdigit()]
    if any(word in DISOWNED for word in named):  # "the wrong answer: I choose C"
        return True
    return named != [] and all(word in OTHERS or word in SPEECH for word in named)


def _is_for_reader(clause: Clause, separator: str) -> bool:
    """Whether a clause tells the reader what to answer: "your choice is option 5, ...", "you have to say: ..."."""
    words = clause.words
    answer = words[:1] == ["your"] and words[1:2] != [] and words[1] in ANSWERS
    told = words[:1] == ["you"] and any(word in DUTIES for word in words[1:3])
    asked = core(words)[:1] != [] and core(words)[0] in VERBS and words[-1] in ("with", "as", "saying")
    return (answer and (separator == "," or len(words) > 2)) or ((told or asked) and separator == ":")


DUTIES = frozenset(["have", "should", "must", "can", "need", "could", "may", "will", "would"])
"""Verbs of what the reader has to do."""


def _mixes(clause: Clause) -> bool:
    """Whether a clause gives the choice before it a probability."""
    return any(word in MIXTURES for word in clause.words) and "sure" not in clause.words


def _is_own(clause: Clause, before: Sequence[Clause]) -> bool:
    """Whether the subject of a choice is the writer: a clause without a subject takes that of the one before."""
    words = core(clause.words)
    if not before or not words or words[0] not in VERBS or all(map(_leads, before)):
        return True
    subject = _subject(before)
    joined = clause.link is not Link.NONE and subject[0] in VERBS  # "trust them and choose C"
    return not _foresees(subject) and (subject[:1] in (["i"], ["let"], ["keep"]) or joined)


def _with_subject(clause: Clause, before: Sequence[Clause]) -> Clause:
    """A clause with the writer as its subject where it shares that of the one before: "and will choose C"."""
    if clause.link not in (Link.AND, Link.BUT) or not clause.words or clause.words[0] not in MODALS:
        return clause
    subject = _subject(before)
    return replace(clause, words=["i", *clause.words]) if subject[:1] == ["i"] and not _foresees(subject) else clause


def _subject(before: Sequence[Clause]) -> list[str]:
    """The words of the last clause that may have a subject, from the subject."""
    return core(next((one.words for one in reversed(before) if not _leads(one)), []))


def _foresees(words: Sequence[str]) -> bool:
    """Whether the writer tells what others do: "I hope they trust me"."""
    for place, (word, following) in enumerate(pairwise(words)):
        if word in EXPECTING | OPINIONS and following != "to":
            return any(one in OTHERS for one in words[place:])
        if word == "trust" and following in SUBJECTS:
            return True
    return False


def _leads(clause: Clause) -> bool:
    """Whether a clause only leads up to what follows: a filler, a reason or "given our history"."""
    words = core(clause.words)
    apart = words[-1:] == ["aside"] or words[:1] == ["judging"]
    light = apart or all(word in ADVERBS or word in FILLERS or word in COPULAS for word in words)
    about = frozenset(words)
    of_others = words[:1] and words[0] in PREPOSITIONS | {"for"} and about & PERSONS and not about & {"sake", "benefit"}
    elsewhere = words[:1] and words[0] in PREPOSITIONS and words[1:2] in (["a"], ["an"]) and is_elsewhere(words)
    told = (
        clause.words[:1] != [] and clause.words[0] in LEADING and words[:1] == ["i"] and not any(map(is_option, words))
    )  # "given what I know"
    another = of_others or elsewhere or reports(clause.words)
    return clause.link is Link.REASON or light or told or (words[0] in LEADING and not another)


def _all_lead(before: Sequence[Clause], answer: Clause) -> bool:
    """Whether all clauses lead up to the answer; what is joined to a reason or in brackets after it belongs to it.

    What is joined may name the answer itself: "Since I can't know, and D pays more: D".
    """
    option = frozenset(word for word in answer.words if is_option(word))
    led = False
    for clause in before:
        linked = clause.link in (Link.AND, Link.OR) or clause.words[:1] == ["and"] or clause.separator == "("
        joined = led and linked and all(word in option for word in clause.words if is_option(word))
        led = joined or _leads(clause)
        if not led:
            return False
    return True


def _may_stand_alone(clauses: Sequence[Clause], place: int, found: Sequence[Statement]) -> bool:
    """Whether an option alone is a choice: at the beginning, after words that lead up to it, or set apart."""
    clause, before = clauses[place], clauses[:place]
    link = _effective_link(clauses, place)
    if link is Link.BUT and not clause.turn:
        last = found[-1] if found else OTHER
        words = before[-1].words if before else []
        if any(word in ANSWERS for word in words) and not any(map(is_option, words)):
            return True  # "not an easy choice, but C"
        if not any(is_option(word) for one in before for word in one.words):
            return True  # "it is a risk, but C"
        if any(word in USUAL for word in words) or ("i" in words and ("would", "have") in pairwise(words)):
            return True  # "usually D, but C"
        denied = last.kind is Kind.REJECTION or (words != [] and words[0] in NEGATIONS)
        rejected = denied and last.option not in clause.words and not frozenset(words) & frozenset(clause.words)
        return rejected or any(word in FINALS or word in PRESENT or word == "here" for word in clause.words)
    if link is Link.SO or clause.turn or _all_lead(before, clause):
        return True
    if clause.separator == ":":
        if any(word in NEGATIONS for word in before[-1].words) and any(map(is_option, before[-1].words)):
            return not any(map(is_option, frozenset(before[-1].words) & frozenset(clause.words)))
        said = before[-1]
        return tells_own_act(said) or is_about_answer(said) or requests_answer(said) or is_maxim(before)
    if clause.separator == "," and place == len(clauses) - 1 and any(word in VERBS for word in before[-1].words):
        return tells_own_act(before[-1]) and not any(word in NEGATIONS for word in before[-1].words)
    if clause.separator == "(" and all(one.link is Link.REASON for one in clauses[place + 1 : place + 2]):
        tells = tells_own_act(before[-1]) and not any(word in NEGATIONS for word in before[-1].words)
        return tells or (place == 1 and len(before[-1].words) == 1)
    return False


USUAL = frozenset(
    ["previously", "initially", "originally", "normally", "usually", "ordinarily", "ideally", "generally", "typically"]
)
"""Words that set an option off from the one that is chosen."""


def _effective_link(clauses: Sequence[Clause], place: int) -> Link:
    """The link of a clause, or of the phrase that leads up to it: "but for our friendship, C"."""
    while place and clauses[place].link is Link.NONE and _leads(clauses[place - 1]):
        place -= 1
    return clauses[place].link
