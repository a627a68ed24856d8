"""Reading the action and the reason from the text of a reply. Strict: an unclear reply is unreadable, never guessed.

The grammar is described in ``docs/replies.md``. In short: the reply is unwrapped, its options are marked
(`dilemmas.agents.models.reading.options`), it is split into sentences and clauses, each clause is a choice, a
rejection, a doubt or nothing of the kind (`dilemmas.agents.models.reading.statements`), and one rule decides from their
sequence (`decide`).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from dilemmas.agents.models.reading.amounts import ENUMERATED, mark_amounts, without_enumeration
from dilemmas.agents.models.reading.clauses import names_option, split_sentences
from dilemmas.agents.models.reading.kinds import Kind
from dilemmas.agents.models.reading.options import FOREIGN, Marked, mark_labels
from dilemmas.agents.models.reading.recitals import described_options, entry, without_pairs
from dilemmas.agents.models.reading.references import resolve
from dilemmas.agents.models.reading.sentences import advises, asks_of_others, asks_reader, concluded, read_sentence
from dilemmas.agents.models.reading.statements import Statement
from dilemmas.agents.models.reading.wrappers import unwrap, without_markup

REASON_HEADING = re.compile(
    r"[\s*_#]*(?:reason(?:ing)?|motivation|explanation|why)[*_]*\s*[:–—-][\s*_]*", re.IGNORECASE
)


CLOSING = {**dict(zip("”’»)]}", "“‘«([{", strict=True)), **{mark: mark for mark in "\"'*_`"}}
"""Marks that close, and those that open what they close."""


SENTENCE = re.compile(r"[^\W\d](?:[.!?]\s|\n)")
"""The end of a sentence."""


ENTRY = re.compile(r"^[ \t]*\(?\d{1,2}[.)][ \t]+\W{0,3}\w+\W{0,3}(?:\([^()\n]{0,40}\))?[ \t.]*$", re.MULTILINE)
"""An entry of a numbered list that is one word: "1. C"."""


def read_action(text: str, labels: Sequence[str]) -> int | None:
    """The action that a reply chooses.

    Parameters
    ----------
    text
        The reply.
    labels
        Label of every action. Upper and lower case are equivalent, unless labels differ in nothing else.

    Returns
    -------
    int or None
        Index of the label; None if the reply does not clearly choose one.
    """
    found = _read(_mark(without_markup(unwrap(text, labels, answer_alone=True)), labels))
    return None if found is None else int(found)


def read_amount(text: str, most: float) -> float | None:
    """The amount that a reply chooses.

    Parameters
    ----------
    text
        The reply.
    most
        The largest possible amount, in points; "half" and "20%" are shares of it.

    Returns
    -------
    float or None
        The amount, from 0 to `most`; None if the reply does not clearly choose one.
    """
    return _read(mark_amounts(without_markup(unwrap(text, answer_alone=True)), most))


def read_motivation(text: str, label: str) -> str:
    """The text of a reply besides the label that it chooses; the whole text if it does not begin with the label.

    Marks that only close what was opened before the label are left out, and so is what has no word at all.
    """
    text = unwrap(text, (label,)).strip(" \n{}")
    named = re.search(rf"(?<!\w){re.escape(label)}(?!\w)", text, re.IGNORECASE)
    rest = text
    if named and not SENTENCE.search(text, 0, named.start()) and read_action(text[: named.end()], (label,)) == 0:
        rest = re.sub(r"""^["'“”‘’«»`*_~)\]}>]*[\s.,:;!–—-]*""", "", text[named.end() :])
    heading = REASON_HEADING.match(rest)
    rest = rest[heading.end() if heading else 0 :].strip()
    body = rest.rstrip("".join(CLOSING) + " \n")
    unopened = [mark for mark, opens in CLOSING.items() if not re.search(rf"(?<!\w){re.escape(opens)}(?=\w)", body)]
    rest = rest.rstrip("".join(unopened) + " \n")
    return rest if re.search(r"\w", rest) else ""


def decide(statements: Sequence[Statement]) -> str | None:
    """The option that a sequence of statements chooses, or None.

    The last choice decides, if nothing after it takes it back or names another option. If an earlier choice differs,
    the last one must be a sentence of its own that is marked as a conclusion or as a change of mind. Recommendations
    count only if there is no choice proper, and only if they agree.
    """
    statements = _without_lists(statements)
    choices = [place for place, one in enumerate(statements) if one.kind in (Kind.CHOICE, Kind.BARE)]
    weak = [place for place, one in enumerate(statements) if one.kind is Kind.WEAK]
    described = [place for place, one in enumerate(statements) if one.kind in (Kind.OTHER, Kind.READER) and one.option]
    if not choices and (not weak or len({statements[place].option for place in (*weak, *described)}) > 1):
        return None
    last = (choices or weak)[-1]
    option = statements[last].option
    told = {one.option for one in statements if one.kind is Kind.READER and one.option}
    if not statements[last].own and told - {option}:
        return None
    others = [place for place in choices if statements[place].option != option]
    if others:
        between = statements[others[-1] + 1 : last + 1]
        denied = Statement(Kind.REJECTION, statements[others[-1]].option)
        if not any(one.turns or one.kind is Kind.DOUBT or one == denied for one in between):
            return None
    later = [
        one
        for one, following in pairwise([*statements[last + 1 :], Statement(Kind.OTHER)])
        if not (one.kind is Kind.WEAK and following.kind is Kind.OTHER and following.turns)  # "I'd like D, but ..."
    ]
    return None if any(_contradicts(one, statements[last]) for one in later) else option


def _without_lists(statements: Sequence[Statement]) -> list[Statement]:
    """The statements without different options one after the other, none of which is chosen: "1. C 2. D"."""
    listed = [
        place
        for place, pair in enumerate(pairwise(statements))
        if all(one.kind is Kind.BARE and not one.turns for one in pair) and pair[0].option != pair[1].option
    ]
    dropped = frozenset((*listed, *(place + 1 for place in listed)))
    return [one for place, one in enumerate(statements) if place not in dropped]


def _contradicts(statement: Statement, choice: Statement) -> bool:
    """Whether a statement after a choice takes it back; a wish or a recommendation, also by any "but"."""
    if statement.kind is Kind.REJECTION:
        return statement.option == choice.option
    if statement.kind is Kind.READER and not statement.option:
        return choice.kind is Kind.BARE
    if statement.kind is Kind.OTHER:
        return statement.turns and choice.kind is Kind.WEAK
    return statement.kind in (Kind.DOUBT, Kind.WEAK) and statement.option != choice.option


def _without_asides(statements: Sequence[Statement], marked: Marked) -> list[Statement]:
    """The statements without amounts that are no options, alone before a choice: "so 32 each. I give 12"."""
    last = max((place for place, one in enumerate(statements) if one.kind is Kind.CHOICE), default=0)
    return [
        one
        for place, one in enumerate(statements)
        if place >= last or one.kind is not Kind.BARE or marked.meaning(one.option) != FOREIGN
    ]


def _mark(text: str, labels: Sequence[str]) -> Marked:
    """Mark the labels; contribution levels, which are amounts from 0, as amounts."""
    if not any(label[:1].isdigit() for label in labels):
        listed = len(ENTRY.findall(text)) > 1
        return mark_labels(ENUMERATED.sub("", ENTRY.sub("", text) if listed else text), labels)
    if "0" not in labels or not all(re.fullmatch(r"\d+(?:\.\d+)?", label) for label in labels):
        return mark_labels(without_enumeration(text, from_one=""), labels)
    index = {float(label): float(place) for place, label in enumerate(labels)}
    return mark_amounts(text, max(index), index.get)


def _read(marked: Marked) -> float | None:
    sentences = without_pairs(split_sentences(marked.text))
    resolve(sentences, denials=not marked.denies)
    others = [sentence for sentence in sentences if not entry(sentence.clauses)]
    if len(sentences) - len(others) > 1:
        sentences = others
    statements = list[Statement]()
    last = max((place for place, sentence in enumerate(sentences) if names_option(sentence)), default=0)
    listed = set[str]()
    for place, sentence in enumerate(sentences):
        if place and asks_reader(sentences[place - 1]) and advises(sentence):
            continue
        said = read_sentence(sentence, first=place == 0)
        if place and asks_of_others(sentences[place - 1]):
            said = [one for one in said if one.kind is not Kind.BARE and (one.option or one.kind is not Kind.DOUBT)]
        if place and sentences[place - 1].question and all(one == Statement(Kind.DOUBT) for one in said):
            continue  # "Would D be better? Perhaps."
        if 0 < place < last:  # amid other text a choice must say whose it is
            listed |= {one.option for one in said if one.asked and not one.turns}
            said = [one for one in said if not one.asked or one.turns]
        if listed:  # "Options: choose C. Choose D."
            said = [one for one in said if not one.asked or one.turns or one.option in listed]
        statements += said
    if better := concluded(sentences):
        statements.append(Statement(Kind.WEAK, better, turns=True))
    told = described_options(sentences)
    statements = [replace(one, kind=Kind.OTHER) if one.partial and told - {one.option} else one for one in statements]
    option = decide(_without_asides(statements, marked))
    meaning = FOREIGN if option is None else marked.meaning(option)
    return None if meaning == FOREIGN else meaning
