"""Prompt templates: sentences with placeholders, read from TOML files."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from hashlib import sha256
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from dilemmas.envs.data_files import check_value
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import lookup
from dilemmas.envs.prompts.contexts import ContextTexts
from dilemmas.envs.prompts.template_tables import complete, read_template_table
from dilemmas.envs.prompts.wording import (
    DELIBERATE,
    PLAIN,
    AnswerFormat,
    PayoffTable,
    Quotation,
    RoundMemory,
    TemplateError,
    WayToDecide,
    check_labels,
    check_plain,
    differing,
    placeholders,
    sentences,
)
from dilemmas.envs.validation import overlay

Payoffs = Literal["words", "table", "both"]
"""How a template tells payoffs."""
EVERY = "counterbalanced"
"""Value of `Template.persona` for all personas equally often."""
NONE = "none"
"""What is chosen in place of a persona or a system text to have none, not even that of the template."""


@dataclass(frozen=True, slots=True)
class Template:
    """The sentences of prompts, with placeholders in braces; ``template_files/study.toml`` is an example.

    Sentences with an empty default are optional; a game or phase that needs a missing one is refused.
    """

    name: str
    """Identifier in records and reports."""
    labels: tuple[str, ...]
    """The two labels of the actions of a two-action game, most cooperative first."""
    pair_rule: str
    """Actions of a two-player game in which both players have the same number of them."""
    pair_line: str
    """Payoffs of one joint action of a two-player game."""
    group_rule: str
    """Actions of a two-action game of more players."""
    group_line: str
    """Payoffs of one action, by the number of others who cooperate."""
    levels_rule: str
    """Public goods game with more than two contribution levels or free amounts."""
    pair_history: str
    """A past round of a two-player game."""
    group_history: str
    """A past round of a two-action game of more players."""
    levels_history: str
    """A past round of a game of more players with more than two actions."""
    last_round: str
    """Adverbial of the last round."""
    rounds_ago: str
    """Adverbial of an earlier round."""
    question: str
    """Question for an action."""
    motivation: str
    """Request for the reason."""

    pair_action: str = ""
    """Payoffs of one own action of a two-player game, in place of `pair_line`; ``{cases}`` are those of `pair_case`."""
    pair_case: str = ""
    """What follows in `pair_action` from one action of the other player."""
    letters: str = ""
    """Labels of the actions of a game with more than two of them, one letter each."""
    unlike_rule: str = ""
    """Actions of a two-player game in which the players have different numbers of them."""
    any_amount: str = ""
    """Range of a free amount."""
    unequal_own: str = ""
    """Own endowment and contributions, if endowments are unequal."""
    unequal_other: str = ""
    """Endowment and contributions of another player, if endowments are unequal."""
    unequal_pot: str = ""
    """Multiplier of a public goods game with unequal endowments."""
    threshold_lost: str = ""
    """Threshold of a public goods game that does not refund contributions."""
    threshold_refund: str = ""
    """Threshold of a public goods game that refunds contributions."""
    amount_question: str = ""
    """Question for a free amount."""
    neighbours_rule: str = ""
    """Interaction with the neighbours in a population."""
    neighbours_mean: str = ""
    """Payoff that is the mean over the neighbours."""
    neighbours_sum: str = ""
    """Payoff that is the sum over the neighbours."""
    partner_rule: str = ""
    """Random partners in a population of an even number of players."""
    partner_or_none: str = ""
    """Random partners in a population of an odd number of players."""
    alone_history: str = ""
    """A past round without a partner."""
    clock: str = ""
    """Number of the round, if the players know the number of rounds."""
    talk_rule: str = ""
    """Talk before the players act."""
    punish_rule: str = ""
    """Punishment after the players have acted."""
    reward_rule: str = ""
    """Reward after the players have acted."""
    this_round: str = ""
    """Adverbial of the current round."""
    said_pair: str = ""
    """Signals of a turn of talk between two players."""
    said_group: str = ""
    """Signals of a turn of talk between more players."""
    sanctions_pair: str = ""
    """Effect of sanctions on two players."""
    sanctions_group: str = ""
    """Effect of sanctions on more players."""
    silence: str = ""
    """Label of the signal 0."""
    nobody: str = ""
    """Label of the option of sanctioning no other player."""
    signal_question: str = ""
    """Question for a signal."""
    words_question: str = ""
    """Question for a text message."""
    punish_pair_question: str = ""
    """Question for the punishment of the other player."""
    punish_group_question: str = ""
    """Question for the players to punish."""
    reward_pair_question: str = ""
    """Question for the reward of the other player."""
    reward_group_question: str = ""
    """Question for the players to reward."""

    contexts: ContextTexts = "contexts"
    """File of built-in contexts that open the prompt: ``contexts`` (a sentence each), ``vignettes`` (a paragraph)."""
    unit: str = "points"
    """Unit of the payoffs, which replaces ``{unit}`` in every sentence."""
    system: str = ""
    """Text of the system turn of the chat template; where it has none, it is put before the prompt."""
    label_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """Pairs of labels that can be chosen in place of `labels`, by name. They are no part of `digest`."""
    persona: str = ""
    """Name of the persona that the model is given, ``counterbalanced`` for each of them equally often, or none."""
    personas: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Descriptions of the person whom the model is to be, by name. Unused ones are no part of `digest`."""
    payoffs: Payoffs = "words"
    """Whether the payoffs of a game with few actions are told in sentences, as a table, or both."""
    table: PayoffTable = field(default_factory=PayoffTable)
    answer: AnswerFormat = field(default_factory=AnswerFormat)
    decision: WayToDecide = field(default_factory=WayToDecide)
    memory: RoundMemory = field(default_factory=RoundMemory)
    quotation: Quotation = field(default_factory=Quotation)
    paraphrases: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    """Other wordings with the same content: tables of the sentences that differ. They are no part of `digest`."""

    def __post_init__(self) -> None:
        prefix = self.quotation.prefix
        for key, sentence in sentences(self):
            if key in PLAIN:
                check_plain(key, sentence)
            elif key != "name":
                placeholders(key, sentence)
                if prefix and any(line.startswith(prefix.rstrip()) for line in sentence.split("\n")):
                    raise TemplateError(f"{key}: a line begins with {prefix!r}, which quotes messages")
        if len(set(self.letters)) < len(self.letters) or not all(map(str.isalnum, self.letters)):
            raise TemplateError(f"letters = {self.letters!r}; needs different letters or digits, without spaces")
        for key, pair in {"labels": self.labels, **{f"label_sets.{k}": v for k, v in self.label_sets.items()}}.items():
            check_labels(key, pair)
        for name, who in self.personas.items():
            check_plain(f"personas.{name}", who)
        for key in ("levels_rule", "unequal_own"):
            rule = getattr(self, key)
            if rule and "labels" not in placeholders(key, rule) | placeholders("question", self.question):
                raise TemplateError(f"{key} needs {{labels}}, unless the question has it")
        if self.decision.way in ("reason", "predict") and not self.answer_begins:
            raise TemplateError(f"decision.way = '{self.decision.way}' needs answer.reply, with words before {{label}}")
        if taken := {EVERY, NONE} & self.personas.keys():
            raise TemplateError(f"personas.{min(taken)}: the word has a meaning of its own; use another name")
        if self.persona not in ("", EVERY):
            lookup("persona", self.persona, self.personas, f"template '{self.name}'")
        if self.persona == EVERY and not self.personas:
            raise TemplateError(f"template '{self.name}': persona = '{EVERY}' needs personas")

    @property
    def digest(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of all that a prompt depends on, which identify its wording."""
        words = replace(self, personas=self.used_personas, label_sets={}, paraphrases=()).filled()
        return sha256(repr(words).encode()).hexdigest()[:12]

    def filled(self) -> dict[str, Any]:
        """The keys that differ from their defaults, as a table that `build_template` reads."""
        return differing(self)

    def reworded(self, number: int) -> "Template":
        """The template in another wording.

        Parameters
        ----------
        number
            0 for its own wording, or the number of a paraphrase, from 1.

        Raises
        ------
        TemplateError
            If there is no such paraphrase, or it changes more than the wording.
        """
        if not 0 <= number <= len(self.paraphrases):
            raise TemplateError(f"template '{self.name}' has {len(self.paraphrases)} paraphrases, but not {number}")
        if not number:
            return self
        words, place = self.paraphrases[number - 1], f"template '{self.name}': paraphrase {number}"
        own = {key: value for key, value in self.filled().items() if key != "paraphrases"}
        other = build_template(overlay(own, {**words, "name": f"{self.name}#{number}"}), place)
        mine, changed = dict(sentences(self)), dict(sentences(other))
        for key, sentence in changed.items():
            if sentence != mine[key] and key != "name" and (key in FIXED or not _alike(key, mine[key], sentence)):
                raise TemplateError(
                    f"{place}: {key} needs the placeholders of the sentence that it replaces, and words"
                )
        if other.labels != self.labels:
            raise TemplateError(f"{place}: labels are the same in all wordings")
        return other

    @property
    def who(self) -> str:
        """The description of the persona; empty without one."""
        return self.personas.get(self.persona, "")

    @property
    def deliberate(self) -> bool:
        """Whether a model writes something before it chooses an action from labels."""
        return self.decision.way in DELIBERATE

    @property
    def writes(self) -> bool:
        """Whether what the model writes before it chooses an action is sampled, so that the choice depends on it."""
        return self.decision.way in ("reason", "mixed")

    @property
    def answer_begins(self) -> str:
        """What is before the label in `answer.reply`: written for the model, it raises the probability of a label."""
        return self.answer.reply.partition("{label}")[0].rstrip().format(unit=self.unit)

    @property
    def reply_begins(self) -> str:
        """Beginning of the reply to a question that lists labels: `answer_begins`, unless the model writes first."""
        return "" if self.deliberate else self.answer_begins

    @property
    def used_personas(self) -> dict[str, str]:
        """Descriptions of the personas that the model is given, by name; empty without one."""
        return {name: who for name, who in self.personas.items() if self.persona in (EVERY, name)}

    def motivated(self) -> "Template":
        """The template with a request for the reason after an answer; itself if the model writes something before."""
        return self if self.deliberate else replace(self, decision=replace(self.decision, way="motivate"))

    def say(self, key: str, game: StageGame, **values: object) -> str:
        """Return a sentence with `values` in place of its placeholders.

        Parameters
        ----------
        key
            Key of the sentence, such as ``question`` or ``table.pair``.
        game
            The game, for the error message.

        Raises
        ------
        TemplateError
            If the template does not have the sentence.
        """
        sentence: str = attrgetter(key)(self)
        if not sentence:
            raise TemplateError(
                f"template '{self.name}' has no sentence '{key}', which '{game.name}' needs with these rules; copy it"
                " from envs/prompts/template_files/study.toml, or change the game"
            )
        return sentence.format(unit=self.unit, **values)


def _alike(key: str, mine: str, other: str) -> bool:
    """Whether two sentences have the same placeholders, and neither is empty."""
    return bool(mine and other) and placeholders(key, mine) == placeholders(key, other)


OPTIONAL = tuple(item.name for item in fields(Template) if item.default == "")
"""Keys of the optional sentences."""
FIXED = (
    *("contexts", "unit", "letters", "silence", "nobody", "system", "persona", "payoffs", "quotation.prefix"),
    "answer.reply",
    *("decision.way", "decision.prediction", "decision.group_prediction", "decision.levels_prediction"),
)
"""Keys that have the same value in all wordings of a template: settings, and the labels of options."""


@cache
def load_template(name_or_path: str) -> Template:
    """Read a template.

    Parameters
    ----------
    name_or_path
        Name of a built-in template, or path of a TOML file, ending in ``.toml``; followed by ``#1``, ``#2`` and so on
        for one of its paraphrases.

    Raises
    ------
    TemplateError
        If the template does not exist or is invalid.
    """
    begin, mark, number = name_or_path.rpartition("#")
    if mark and number.isdecimal() and len(number) < 4:
        return load_template(begin).reworded(int(number))
    template = check_value(read_template_table(name_or_path), Template, name_or_path, TemplateError)
    for paraphrase in range(len(template.paraphrases)):
        template.reworded(paraphrase + 1)  # errors are raised now
    return template


def build_template(table: Mapping[str, Any], place: str, folder: Path = Path()) -> Template:
    """Make a template from a table.

    Parameters
    ----------
    table
        Values by key, as in ``template_files/study.toml``.
    place
        Source of the table; it begins the error message.
    folder
        Folder from which the path of its ``base`` is found.

    Raises
    ------
    TemplateError
        If a key is unknown or missing, or a value is invalid.
    """
    return check_value(complete(table, place, folder), Template, place, TemplateError)
