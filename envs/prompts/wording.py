"""Groups of optional sentences of a template, the way to decide, and the check of the placeholders of all sentences."""

import re
import string
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from dilemmas.envs.errors import InputError


class TemplateError(InputError):
    """An invalid template (the message has file and key), or a game for which the template has no sentence."""


@dataclass(frozen=True, slots=True)
class PayoffTable:
    """The payoffs as a table: a heading, then one row per case."""

    pair: str = ""
    """Heading of a two-player game."""
    pair_row: str = ""
    """One joint action of a two-player game."""
    group: str = ""
    """Heading of a two-action game of more players."""
    group_row: str = ""
    """One action, and one number of others who cooperate."""


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """The form of the answer; each sentence follows a question that lists labels."""

    reply: str = ""
    """A reply, such as ``I choose {label}.``; what is before the label is written for the model."""
    alone: str = ""
    """Request for an answer without a reason; ``{replies}`` are the possible replies, in the reverse of the order in
    which the labels are named, which weakens preferences for a place."""
    reasoned: str = ""
    """Request for an answer with a reason, likewise."""
    examples: str = ""
    """Examples of answers in this form, before the question; ``{first}`` and ``{last}`` are the first and the last
    label of the question, so that the examples of a counterbalanced question name each label equally often."""


Way = Literal["answer", "motivate", "reason", "predict", "mixed"]
"""How a model decides: it answers at once; it answers and gives its reason; it reasons and then answers; it predicts
what the others choose and then answers; or it states the probability of every action."""
DELIBERATE = ("reason", "predict", "mixed")
"""Ways in which a model writes something before its action is decided."""


@dataclass(frozen=True, slots=True)
class WayToDecide:
    """What a model writes when it chooses an action from labels, and how the action is read from it."""

    way: Way = "answer"
    """How the model decides: ``answer``, ``motivate``, ``reason``, ``predict`` or ``mixed``."""
    request: str = ""
    """What follows the question where the way is ``reason``, ``predict`` or ``mixed``, in place of the form of the
    answer; ``{replies}`` as there, ``{predictions}`` are the possible predictions in the same order."""
    prediction: str = ""
    """A prediction, such as ``I expect {label}.``; what is before the label is written for the model."""
    group_prediction: str = ""
    """The same of the number of others who cooperate, in a two-action game of more players; optional."""
    levels_prediction: str = ""
    """The same of the mean contribution of the others, in a public goods game with more contribution levels;
    optional."""
    tokens: int = 256
    """Maximum length of a reasoning, or of a reply that states probabilities, in tokens; at least 1."""
    samples: int = 1
    """Number of reasonings or statements over which the probabilities of an action are averaged, at least 1."""

    def __post_init__(self) -> None:
        for key in ("tokens", "samples"):
            if getattr(self, key) < 1:
                raise TemplateError(f"decision.{key} = {getattr(self, key)}; needs at least 1")
        if self.way in DELIBERATE and not self.request:
            raise TemplateError(f"decision.way = '{self.way}' needs the sentence decision.request")
        for key in ("prediction", "group_prediction", "levels_prediction") if self.way == "predict" else ():
            sentence = getattr(self, key)
            if (sentence or key == "prediction") and not sentence.partition("{label}")[0].strip():
                raise TemplateError(f"decision.way = 'predict' needs decision.{key}, with words before {{label}}")


@dataclass(frozen=True, slots=True)
class RoundMemory:
    """How much of the observed history is told round by round."""

    rounds: int = 0
    """Number of last rounds that are told one by one, 1 or more; 0 for all."""
    pair: str = ""
    """Summary of the rounds before them in a two-player game; empty to leave them out."""
    group: str = ""
    """Summary of the rounds before them in a game of more players; empty to leave them out."""
    count: str = ""
    """How often an action was chosen, within a summary."""

    def __post_init__(self) -> None:
        if self.rounds < 0:
            raise TemplateError(f"memory.rounds = {self.rounds}; needs 0 (all rounds) or more")


@dataclass(frozen=True, slots=True)
class Quotation:
    """Text messages as blocks of quoted lines. Without a prefix, a message is quoted within its sentence."""

    prefix: str = ""
    """Beginning of every quoted line, with which no other line of a prompt begins, such as ``>`` and a space."""
    mine: str = ""
    """Line above the own message."""
    theirs: str = ""
    """Line above the message of the other player."""
    other: str = ""
    """Line above the message of one of several others, who are numbered from 1."""

    def __post_init__(self) -> None:
        if self.prefix and (not self.prefix.isprintable() or not self.prefix.strip()):
            raise TemplateError(f"quotation.prefix = {self.prefix!r}; needs characters that can be seen")


PLACEHOLDERS: Mapping[str, tuple[str, str]] = {
    "pair_rule": ("", "labels"),
    "pair_line": ("mine theirs my_payoff", "their_payoff"),
    "pair_action": ("mine cases", ""),
    "pair_case": ("theirs my_payoff", "mine their_payoff"),
    "group_rule": ("", "labels players"),
    "group_line": ("mine counts payoffs", "cooperate"),
    "levels_rule": ("endowment multiplier players", "labels"),
    "pair_history": ("mine theirs", "ago"),
    "group_history": ("mine count", "ago cooperate"),
    "levels_history": ("mine theirs", "ago"),
    "rounds_ago": ("number", ""),
    "question": ("", "labels"),
    "unlike_rule": ("labels their_labels", ""),
    "any_amount": ("endowment", ""),
    "unequal_own": ("endowment", "labels"),
    "unequal_other": ("endowment", "labels"),
    "unequal_pot": ("multiplier", "players"),
    "threshold_lost": ("threshold", ""),
    "threshold_refund": ("threshold", ""),
    "amount_question": ("", "endowment"),
    "neighbours_rule": ("", "count labels"),
    "partner_rule": ("", "others"),
    "partner_or_none": ("", "others"),
    "alone_history": ("mine", "ago"),
    "clock": ("rounds", "round"),
    "punish_rule": ("points cost effect", ""),
    "reward_rule": ("points cost effect", ""),
    "said_pair": ("mine theirs", "ago"),
    "said_group": ("mine theirs", "ago"),
    "sanctions_pair": ("mine theirs", "ago"),
    "sanctions_group": ("mine theirs", "ago"),
    "signal_question": ("labels", ""),
    "punish_pair_question": ("labels", ""),
    "punish_group_question": ("labels", ""),
    "reward_pair_question": ("labels", ""),
    "reward_group_question": ("labels", ""),
    "table.pair_row": ("mine theirs my_payoff", "their_payoff"),
    "table.group": ("", "cooperate"),
    "table.group_row": ("mine count payoff", "cooperate"),
    "answer.reply": ("label", ""),
    "answer.alone": ("", "labels replies"),
    "answer.reasoned": ("", "labels replies"),
    "answer.examples": ("first last", ""),
    "decision.request": ("", "labels replies predictions"),
    "decision.prediction": ("label", ""),
    "decision.group_prediction": ("label", "cooperate"),
    "decision.levels_prediction": ("label", ""),
    "memory.pair": ("mine theirs", "rounds"),
    "memory.group": ("mine theirs", "rounds"),
    "memory.count": ("label number", ""),
    "quotation.mine": ("", "ago"),
    "quotation.theirs": ("", "ago"),
    "quotation.other": ("number", "ago"),
}
"""Placeholders that each sentence needs, and those that it may use, besides ``{unit}``."""
DIVIDED = ("answer.reply", "decision.prediction", "decision.group_prediction", "decision.levels_prediction")
"""Sentences that are divided at their ``{label}``, which is in them once: what is before it begins a reply."""
PLAIN = ("unit", "system", "quotation.prefix")
"""Texts without placeholders, which are used as they are."""


def sentences(words: Any, group: str = "") -> Iterator[tuple[str, str]]:
    """The texts of a template or one of its groups, with their keys, such as ``table.pair``; `group`: its key."""
    for item in fields(words):
        value = getattr(words, item.name)
        if isinstance(value, str):
            yield f"{group}{item.name}", value
        elif is_dataclass(value):
            yield from sentences(value, f"{item.name}.")


def differing(words: Any) -> dict[str, Any]:
    """The values of a template or one of its groups that differ from their defaults, by key."""
    found = {}
    for item in fields(words):
        value = getattr(words, item.name)
        value = differing(value) if is_dataclass(value) else value
        if value and value != item.default:
            found[item.name] = value
    return found


def placeholders(key: str, sentence: str) -> set[str]:
    """The placeholders of a sentence; `TemplateError` if it lacks one, or has one that the key does not allow. An empty
    sentence, which a template does without, lacks none."""
    needed, optional = map(str.split, PLACEHOLDERS.get(key, ("", "")))
    allowed = {*needed, *optional, "unit"}
    try:
        used = [(field, form, how) for _, field, form, how in string.Formatter().parse(sentence) if field is not None]
    except ValueError as error:
        raise TemplateError(f"{key}: {error}; write a literal brace twice") from None
    for field, form, conversion in used:
        if form or conversion:
            raise TemplateError(f"{key}: write {{{field}}} without a format; values are filled in as they are")
        if field not in allowed:
            raise TemplateError(f"{key} uses {{{field}}}; its valid placeholders are: {', '.join(sorted(allowed))}")
    names = [field for field, _, _ in used]
    lost = [name for name in needed if name not in names]
    if sentence and lost:
        raise TemplateError(f"{key} = {sentence!r} needs {{{lost[0]}}}")
    if key in DIVIDED and sentence.count("{label}") > 1:
        raise TemplateError(f"{key} = {sentence!r} has {{label}} more than once")
    if key == "answer.examples" and names.count("first") != names.count("last"):
        raise TemplateError(f"{key} needs {{first}} and {{last}} equally often, so that no label is preferred")
    return set(names)


NAMED = re.compile(r"(\\\w+)?\{(\w+)\}")
"""What reads as a placeholder, and the command of LaTeX to whose braces it may belong."""


def check_plain(key: str, text: str) -> None:
    """`TemplateError` if a text that is used as it is has what reads as a placeholder; braces around something else, as
    in JSON, are part of the text."""
    for found in NAMED.finditer(text):
        if not found[1]:
            raise TemplateError(f"{key} uses {found[0]}, but the text is used as it is; it has no placeholders")


MARKS = string.punctuation + "\u201c\u201d\u2018\u2019\u00ab\u00bb\u2022"
"""Quotes, brackets and markdown, which are not part of a label when a reply is read."""


def all_different(labels: Sequence[str]) -> bool:
    """Whether labels can be told from each other in a reply: each is visible, without spaces and `MARKS` at its ends,
    and no two differ only in spaces or in how a letter is encoded, such as full-width ones."""
    read = {" ".join(unicodedata.normalize("NFKC", label).split()) for label in labels}
    plain = all(label.isprintable() and label == label.strip() for label in labels)
    return plain and len(read) == len(labels) and all(word and word == word.strip(MARKS) for word in read)


def check_labels(key: str, pair: Sequence[str]) -> None:
    """`TemplateError` if there are not two labels, or they cannot be told from each other or from placeholders."""
    if len(pair) != 2 or not all_different(pair):
        raise TemplateError(
            f"{key} = {list(pair)!r}; needs a list of two different words, without spaces or marks around them"
        )
    for label in pair:
        check_plain(key, label)
