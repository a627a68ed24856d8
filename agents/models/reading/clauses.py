"""Sentences and clauses of a reply whose options are marked."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dilemmas.agents.models.reading.options import OPTION
from dilemmas.agents.models.reading.phrases import write_out
from dilemmas.agents.models.reading.vocabulary import (
    ADVERBS,
    ANSWERS,
    COPULAS,
    DETERMINERS,
    FILLERS,
    FILLINGS,
    FINALS,
    HEDGES,
    HYPOTHESES,
    LINKS,
    MIXTURES,
    MODALS,
    NOT_ADVERBS,
    OTHERS,
    QUALITIES,
    SUPERLATIVES,
    TURNS,
    VERBS,
    Link,
)

TOKEN = re.compile(rf"{OPTION}|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['-][^\W\d_]+)*|\n|[^\w\s]")
ALTERNATIVES = re.compile(
    rf"\b(?:between|among|out of|of|from|over|than) (?:choosing )?{OPTION} ?(?:, {OPTION} ?)*,?"
    rf" ?(?:and|or) (?:choosing )?{OPTION}"
)
"""Options that a choice is made between."""

PREFERRED = re.compile(rf"(\bprefer(?:ring)? {OPTION} ?)to {OPTION}")
"""An option that is preferred to another."""

ECHO = re.compile(rf"(\A|[.!?\n] ?) ?{OPTION} ?or ?{OPTION} ?(?::|\.\.+|[–—-])")
"""The options of the question before an answer: "C or D: D"."""

ARROWS = re.compile(r"[-=]{1,8}>")
DASHES = re.compile(r"--+|\.\.+|(?<!:)//")

ENDS = frozenset(".!?;。؟؛\n")
SEPARATORS = {
    **dict.fromkeys((",", "、", "،", "|"), ","),
    **dict.fromkeys((":", "=", "→", "⇒"), ":"),
    **dict.fromkeys(("-", "–", "—"), "-"),
    "(": "(",
    ")": ")",
}
JOINTS = {"/": "or", "+": "and", "%": "percent"}

NAMES_OF_ANSWERS = ANSWERS | DETERMINERS | QUALITIES | SUPERLATIVES | COPULAS | FILLERS
OWN_ACTS = FILLINGS | VERBS | MODALS | ADVERBS | FILLERS | {"i"}
KNOWN_ADVERBS = ADVERBS | FILLERS | HEDGES | FINALS | MIXTURES | NOT_ADVERBS | frozenset(LINKS) | TURNS
MOST_ANNOUNCING = 12
"""Largest number of words that announce an option."""

CONSEQUENCE_STARTS = frozenset(
    ["i", "my", "the", "we", "let", "it", "here", "option", "both", "for", "in", "this", "that", "our", "going"]
)


@dataclass(slots=True)
class Clause:
    """The words between two separators or links."""

    separator: str = ""
    """The separator before it: one of the values of `SEPARATORS`, or none."""
    link: Link = Link.NONE
    turn: bool = False
    """Whether it begins with a word that announces a change of mind."""
    joined: bool = False
    """Whether it is a condition after "and" or "but", which applies to what follows alone."""
    words: list[str] = field(default_factory=list)
    """Words in lower case; options are single characters."""


@dataclass(slots=True)
class Sentence:
    """The clauses up to a full stop or the end of a line."""

    clauses: list[Clause]
    question: bool


def is_option(word: str) -> bool:
    """Whether a word is the character of an option."""
    return "\ue000" <= word <= "\uf8ff"


def names_option(sentence: Sentence) -> bool:
    """Whether an option is named in a sentence."""
    return any(is_option(word) for clause in sentence.clauses for word in clause.words)


def split_sentences(text: str) -> list[Sentence]:
    """The sentences of a text whose options are marked."""
    spaced = re.sub(r"[ \t\r\f\v]+", " ", re.sub(r"[’‘`´]", "'", text.lower()))
    spaced = spaced.replace(" & ", " and ")
    spaced = ECHO.sub(r"\1", PREFERRED.sub(r"\1", ALTERNATIVES.sub(" ", spaced)))
    tokens = TOKEN.findall(DASHES.sub(" – ", ARROWS.sub(" → ", write_out(spaced))))
    sentences = []
    builder = _Builder()
    for position, token in enumerate(tokens):
        ends = token in ENDS
        if ends and not (token == "\n" and builder.awaits_option(tokens, position)):
            sentences.append(builder.finish(question=token == "?"))
            builder = _Builder(supposed=_supposes(sentences[-1].clauses))
        elif not ends:
            builder.add(token, tokens[position + 1] if position + 1 < len(tokens) else "")
    sentences.append(builder.finish(question=False))
    return [sentence for sentence in sentences if sentence.clauses]


class _Builder:
    """Puts the tokens of one sentence into clauses."""

    def __init__(self, supposed: bool = False) -> None:
        self._clauses = [Clause()]
        self._supposed = supposed

    def add(self, token: str, following: str) -> None:
        """Add a token; `following` is the one after it."""
        clause = self._clauses[-1]
        if token in SEPARATORS:
            self._separate(SEPARATORS[token], following)
        elif token in TURNS and _is_turn(token, following) and _is_filled(clause.words):
            clause.turn = token != "sorry" or following not in ENDS | {")"}
        elif token == "whence" and self._is_hypothetical():
            clause.words.append("means")
        elif self._links(token, following):
            self._link(LINKS[token])
        elif token == "/" and not is_option(following):
            self._separate("(", following)
        elif token in JOINTS:
            clause.words.append(JOINTS[token])
        elif is_option(token) or token[0].isalnum():
            clause.words.append("simply" if _is_plain_adverb(token) else token)

    def awaits_option(self, tokens: list[str], position: int) -> bool:
        """Whether the clause announces an option that follows on a later line."""
        following = next((token for token in _after(tokens, position) if token != "\n"), "")
        return is_option(following) and announces(self._clauses[-1].words)

    def finish(self, question: bool) -> Sentence:
        """The sentence; a turn without any words is kept, because it takes back what was said before."""
        if not self._clauses[-1].words and self._clauses[-1].link is Link.CONDITION:  # "C, unless ..."
            self._clauses[-1].words = ["perhaps"]
        clauses = [clause for clause in self._clauses if clause.words or clause.turn]
        return Sentence(_without_asides(clauses), question)

    def _links(self, token: str, following: str) -> bool:
        if token not in LINKS:
            return False
        link, words = LINKS[token], self._clauses[-1].words
        if link is Link.SO:
            if words and words[-1] in COPULAS:  # "my choice is therefore C"
                return False
            return not words or following in CONSEQUENCE_STARTS or is_option(following)
        return link not in (Link.AND, Link.OR) or not is_option(following)

    def _is_hypothetical(self) -> bool:
        """Whether a condition stands before: "if they choose C, which means that I choose D" concludes nothing."""
        conditional = any(one.link is Link.CONDITION for one in self._clauses)
        return conditional or self._supposed or _supposes(self._clauses)

    def _link(self, link: Link) -> None:
        clause = self._clauses[-1]
        if clause.words:
            self._clauses.append(Clause(link=link))
        elif clause.link not in (Link.CONDITION, Link.REASON):
            clause.joined = link is Link.CONDITION and clause.link in (Link.AND, Link.BUT)
            clause.link = link

    def _separate(self, separator: str, following: str) -> None:
        clause = self._clauses[-1]
        if separator in (":", "-") and announces(clause.words):
            if clause.words[-1] not in COPULAS and clause.words[0] != "i":
                clause.words.append("is")
        elif self._leads_on(separator, following):
            return
        elif clause.words:
            self._clauses.append(Clause(separator))
        elif not clause.separator or (separator == ":" and clause.separator == ","):
            clause.separator = separator

    def _leads_on(self, separator: str, following: str) -> bool:
        """Whether a mark stands between words that announce an option and that option: not in "cooperating (C)"."""
        clause = self._clauses[-1]
        named = separator == "(" and len(clause.words) == 1
        announced = separator in (",", "(") and is_option(following) and clause.separator != "-"
        return announced and not named and announces(clause.words)


def _supposes(clauses: Sequence[Clause]) -> bool:
    """Whether a clause opens a hypothesis: "suppose they choose D"."""
    return any(one.words[:1] and one.words[0] in HYPOTHESES for one in clauses)


def _is_plain_adverb(token: str) -> bool:
    """Whether a word of no other role ends like an adverb: "unfortunately", "logically"."""
    return token.endswith("ly") and len(token) > 5 and token not in KNOWN_ADVERBS


def _is_filled(words: Sequence[str]) -> bool:
    """Whether there are only a few words that change nothing."""
    return len(words) <= MOST_ANNOUNCING and all(word in FILLERS for word in words)


def _is_turn(token: str, following: str) -> bool:
    """Whether a word announces a change of mind; "no" does not before a noun."""
    noun = following[:1].isalpha() or is_option(following)
    return token != "no" or not noun or following in TURNS or following in ("i", "my", "so", "let")


def _without_asides(clauses: list[Clause]) -> list[Clause]:
    """The clauses without what stands between an answer and its verb: "my answer, after all that, is C"."""
    for place in range(len(clauses) - 2, -1, -1):
        following = enumerate(clauses[place + 1 : place + 3], start=place + 1)
        verb = next((at for at, clause in following if clause.words[:1] == ["is"]), place)
        aside = [word for clause in clauses[place + 1 : verb] for word in clause.words]
        if (
            verb > place
            and _is_answer(clauses[place].words)
            and not any(is_option(w) or w in OTHERS | HYPOTHESES for w in aside)
        ):
            clauses[place].words += clauses[verb].words
            del clauses[place + 1 : verb + 1]
    return clauses


def _is_answer(words: Sequence[str]) -> bool:
    """Whether words name an answer and do no more: "my final answer"."""
    known = all(word in NAMES_OF_ANSWERS - COPULAS for word in words)
    return known and len(words) <= MOST_ANNOUNCING and any(word in ANSWERS for word in words)


def announces(words: Sequence[str]) -> bool:
    """Whether words without an option announce one: "my final answer is", "I choose to"."""
    if not words or len(words) > MOST_ANNOUNCING:
        return False
    if words[0] == "i":
        return all(word in OWN_ACTS for word in words) and any(word in VERBS for word in words)
    if len(words) == 1 and words[0] in VERBS:
        return True
    return all(word in NAMES_OF_ANSWERS for word in words) and any(word in ANSWERS for word in words)


def _after(tokens: list[str], position: int) -> Iterator[str]:
    for index in range(position + 1, min(position + 8, len(tokens))):
        yield tokens[index]
