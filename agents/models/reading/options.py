"""Options in the text of a reply: labels and amounts become single characters, so that statements can be read alike."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from dilemmas.agents.models.reading.vocabulary import FILLERS, NEGATIONS, TAIL_STOPS, TURNS, participles

FIRST = 0xE000
"""Code of the character of option 0; the private characters that follow it stand for the others."""

OPTION = "[\ue000-\uf8ff]"
MOST_OPTIONS = 0xF8FF - FIRST

FOREIGN = -1
"""Index of an amount that is not an option."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A text in which every option is one character."""

    text: str
    """The text."""
    meanings: tuple[float, ...]
    """For each character, from `FIRST`: the index of a label, or an amount; `FOREIGN` for what is not an option."""
    denies: bool = False
    """Whether an option is a word that denies: "no"."""

    def meaning(self, word: str) -> float:
        """What the character of an option means."""
        return self.meanings[ord(word) - FIRST]


NUMBERED = frozenset(
    [
        "player",
        "players",
        "round",
        "case",
        "scenario",
        "step",
        "example",
        "turn",
        "day",
        "game",
        "team",
        "country",
        "firm",
        "person",
        "event",
        "row",
        "column",
        "figure",
        "table",
        "question",
        "type",
        "group",
        "set",
        "stage",
        "phase",
        "page",
    ]
)
"""Words that make a letter or number after them a name of something else."""

NUMERALS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_NUMBERS = [str(number) for number in range(len(NUMERALS))]
ORDINALS = ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
ORDINAL_FORMS = [f"the {ordinal}{noun}" for ordinal in ORDINALS for noun in ("", " one")]
AMBIGUOUS = frozenset(("a", "i", "right", *NUMERALS))
NAMES = frozenset(["option", "answer", "choice", "label", "letter", "action", "move", "decision", "number"])
"""Words before a label that make it a label also where it is another word."""

INTERJECTION = re.compile(
    r",\s+(?:i(?!\s+(?:would|will|wo|do|am)(?:n['’]t|\s+not)?\s*(?:[.!,;]|\Z))|so|let|what|now|then)\b", re.IGNORECASE
)
"""What follows a filler that is no label: "Right, I choose left"."""

IDIOM = re.compile(
    r"go (?:over|through|ahead|back|along|into|with|without|first|second|last|next|mad|home|to)\b|go\b(?<=here i go)"
    r"|right (?:away|now)\b|right\b(?:(?<=that['’]s right)|(?<=that is right))(?=[,:])"
    r"|straight (?:to the|away|from|forward)\b|left (?:with(?! \d)|over|out|me|behind|the)\b"
    r"|keep(?:ing)? (?:(?:(?:it|this|that|things|you) )?in mind|track|an eye|calm)\b"
    r"|keep(?:ing)? (?:(?:it|this|things) (?:simple|short|brief|quick)|(?:my|your|our) (?:promise|word))\b"
    r"|shar(?:e|ing) (?:my|your|our|their|his|her|this|that|the)"
    r" (?:thoughts?|reasoning|views?|concerns?|sentiments?|opinions?|worr(?:y|ies)|hopes?|feelings?|values|goals?)\b"
    r"|help! what\b|help(?:ing)? (?:myself|yourself)\b"
    r"|help\b(?:(?<=need help)|(?<=want help)|(?<=some help)|(?<=your help)|(?<=for help)|(?<=need of help))"
    r"|(?:blue|red)\b(?:(?<=feel blue)|(?<=feeling blue)|(?<=see red))"
    r"|tak(?:e|ing) (?:into|a look|care|place|turns|note|off|it (?:that|for)|that as|my (?:time|chances)"
    r"|(?:the|your|their|his|her|this|that) (?:point|hint))\b"
    r"|a (?:while\b(?! (?:i|it|they|he|she|you|we|the|[b-z])\b)|go\b|rather (?!than\b)|[a-z]+-[a-z])"
    r"|go(?:(?<=let['’]s go)|(?<=here we go))(?=:)"
    r"|stay(?:ing)? (?:out|calm|away|tuned)\b|wait (?:and see|a)\b|hold on\b",
    re.IGNORECASE,
)
"""Phrases that begin with a word that may be a label: "let's go over the options", "straight to the point"."""

GOES_FOR = re.compile(r"(?:go|going)[ \t](?:for|with)[ \t][\"'“‘*]?(\w+)", re.IGNORECASE)
"""A verb before a word that may be a label."""

ALONE = re.compile(r"\W*(?:\Z|[.!\n]|, please\b)|\W? it (?:is|will be)\W*(?:\Z|[.!\n])", re.IGNORECASE)
"""What follows a label that is also the pronoun "one"."""

FOLLOWERS = (TAIL_STOPS - {"the"}) | frozenset(
    [
        "is",
        "it",
        "was",
        "would",
        "seems",
        "sounds",
        "feels",
        "looks",
        "will",
        "because",
        "since",
        "so",
        "and",
        "or",
        "but",
        "if",
        "not",
        "please",
        "rather",
        "instead",
        "unless",
        "while",
        "although",
        "then",
        "definitely",
        "again",
        "now",
        "out",
        "if",
        "points",
        "who",
        "which",
        "when",
        "too",
        "even",
        "regardless",
        "whatever",
        "despite",
        "although",
        "tbh",
        "imo",
        "go",
        "goes",
        "actually",
        "anymore",
        "anyway",
        "nonetheless",
        "nevertheless",
        "exactly",
        "gives",
        "yields",
        "pays",
        "gets",
        "here",
    ]
)
"""Words that may follow a label that is also a word ("A", "I"), or an amount."""


LETTERED = re.compile(rf"(^|: ?)[ \t]*\(?[a-h][.)][ \t]*(?=[ \t]{OPTION})", re.M | re.I)
"""The letter of a list before an option: "b) C"."""


def mark_labels(text: str, labels: Sequence[str]) -> Marked:
    """Mark labels as whole words; upper and lower case are equivalent unless labels differ in nothing else."""
    pattern, folds, indices, acts = _labels(tuple(labels))

    def mark(match: re.Match[str]) -> str:
        word = match["option"]
        if word is None:
            return match[0]
        if not _is_option(match, indices):
            return match[0]
        form = word.casefold() if folds else word
        return f" {'choosing' if form in acts else ''} {chr(FIRST + indices[form])} "

    marked = pattern.sub(mark, _without_private(text))
    denies = any(label.casefold() in NEGATIONS for label in labels)
    return Marked(LETTERED.sub(r"\1", marked), tuple(range(len(labels))), denies)


def _is_option(match: re.Match[str], forms: Collection[str]) -> bool:
    """Whether a label that is also another word, such as the article, stands for itself; `forms`: those of labels."""
    text = match.string
    named = re.search(r"(\w+)[\s\"'(\[]+$", text[max(0, match.start() - 24) : match.start()])
    last = named[1].casefold() if named else ""
    if len(match["option"]) == 1 and last == "i":
        return False
    word, end = match["option"].casefold(), match.end("option")
    if word in FILLERS | TURNS and (last == "all" or _interjects(match)):
        return False
    if IDIOM.match(text, match.start("option")) or _goes_for(match, forms):
        return False
    if word == "one" or (word in ORDINAL_FORMS and not match[0].casefold().endswith(" option")):
        placed = word != "one" or last in NAMES or _begins(match)
        return placed and ALONE.match(match.string, match.end()) is not None
    if word not in AMBIGUOUS or last in NAMES:
        return True
    following = re.match(r"[ \t]+([^\W\d_]+)", text[end : end + 40])
    with_noun = word != "a" and end < match.end()  # "the right option"
    return following is None or following[1] in FOLLOWERS or with_noun or following[1].casefold() in forms


def _goes_for(match: re.Match[str], forms: Collection[str]) -> bool:
    """Whether a label is the verb of another: "I go for stay", "going with go"; also "I go for it"."""
    following = GOES_FOR.match(match.string, match.start("option"))
    return following is not None and following[1].casefold() in {*forms, "it"}


def _interjects(match: re.Match[str]) -> bool:
    """Whether a label stands apart at the beginning of a sentence: "Right, I choose left"."""
    return _begins(match) and INTERJECTION.match(match.string, match.end()) is not None


def _begins(match: re.Match[str]) -> bool:
    """Whether no word stands before a label in its clause."""
    before = match.string[max(0, match.start() - 24) : match.start()].rstrip(" \t\"'([")
    return not before or not before[-1].isalnum()


@cache
def _labels(labels: tuple[str, ...]) -> tuple[re.Pattern[str], bool, Mapping[str, int], Collection[str]]:
    """The pattern of labels and their other forms, whether case is ignored, the index of each form, and participles."""
    folds = len({label.casefold() for label in labels}) == len(labels)
    indices: dict[str, int] = {}
    forms = (lambda label: [label], _short_form(labels), _nouns, _participles)
    for form_of in forms:
        for index, label in enumerate(labels):
            for form in form_of(label):
                indices.setdefault(form.casefold() if folds else form, index)
    acts = {form.casefold() if folds else form for label in labels for form in _participles(label)}
    words = "|".join(_whole(form) for form in sorted(indices, key=len, reverse=True)) or "(?!)"
    short = "|".join(_whole(form) for form in indices if len(form) < 3) or "(?!)"
    names = "|".join(sorted(NUMBERED))
    pattern = (
        rf"\b(?:{names})\s+\#?(?:{short})(?!\w)"
        rf"|(?<!\w['’-])(?<!\d[.,])(?<!°)(?<!\b[a-zA-Z]\.)(?P<option>{words})"
        r"(?![#♯]|['’-]\w|-\s*\Z|[.,]\d|(?-i:\.[a-z])|\.[a-zA-Z](?!\w)|\s?%)"
        r"(?:\s+(?:option|button|key|card|side|one(?=[.,!;]|\s*\Z)))?(?!\w)"
    )
    return re.compile(pattern, re.IGNORECASE if folds else re.NOFLAG), folds, indices, acts - set(labels)


def _whole(form: str) -> str:
    """The pattern of a form as a whole word or number."""
    before = r"(?<![\w-])" if form[0].isdigit() else r"(?<!\w)" if form[0].isalnum() else ""
    return before + re.escape(form) + (r"(?!\w)" if form[-1].isalnum() else "")


def _short_form(labels: tuple[str, ...]) -> Callable[[str], list[str]]:
    """ "A" for "option A", if all labels are alike but for their last word."""
    beginnings = {label.rpartition(" ")[0].casefold() for label in labels}
    alike = len(labels) > 1 and len(beginnings) == 1 and "" not in beginnings
    return lambda label: [label.rpartition(" ")[2]] if alike else []


def _nouns(label: str) -> list[str]:
    """Other words for a label: "cooperation", "co-operate", "two"."""
    if label in _NUMBERS:
        number = _NUMBERS.index(label)
        word = NUMERALS[number]
        return [
            word,
            *(f"{noun} {word}" for noun in ("option", "number")),
            *(
                f"{before}{ORDINALS[number]}{after}"
                for before, after in (("", " option"), ("the ", ""), ("the ", " one"))
            ),
        ]
    if not _may_be_verb(label):
        return []
    return [f"{label.removesuffix('e')}ion", *([f"co-{label[2:]}"] if label.casefold().startswith("coop") else [])]


def _participles(label: str) -> list[str]:
    """ "defecting", "splitting", "keeping it" for a label whose first word may be a verb."""
    verb, *others = label.split(" ")
    return [" ".join([form, *others]) for form in participles(verb)] if _may_be_verb(verb) else []


def _may_be_verb(word: str) -> bool:
    return len(word) > 2 and word.isascii() and word.isalpha()


def _without_private(text: str) -> str:
    return re.sub(OPTION, " ", text)
