"""Prompt templates: sentences with placeholders, read from TOML files."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from dilemmas.envs.data_files import check_value, read_toml
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import did_you_mean


class TemplateError(InputError):
    """An invalid template (the message has file and key), or a game for which the template has no sentence."""


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

    reply_begins: str = ""
    """Beginning of the reply to a question for an action, written for the model, which continues it with a label; it
    raises the probability that a label follows at once."""
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

    def __post_init__(self) -> None:
        for item in fields(self):
            if item.name != "labels":
                _check_placeholders(item.name, getattr(self, item.name))
        if len(set(self.letters)) < len(self.letters) or not all(map(str.isalnum, self.letters)):
            raise TemplateError(f"letters = {self.letters!r}; needs different letters or digits, without spaces")
        if len(self.labels) != 2 or not all_different(self.labels):
            raise TemplateError(
                f"labels = {list(self.labels)!r}; needs a list of two different words, without spaces around them"
            )

    @property
    def digest(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of all sentences, which identify the wording of a prompt."""
        return sha256(repr(asdict(self)).encode()).hexdigest()[:12]

    def words(self, key: str, game: StageGame) -> str:
        """Return a sentence with its placeholders.

        Parameters
        ----------
        key
            Key of the sentence.
        game
            The game, for the error message.

        Raises
        ------
        TemplateError
            If the template does not have the sentence.
        """
        sentence: str = getattr(self, key)
        if not sentence:
            raise TemplateError(
                f"template '{self.name}' has no sentence '{key}', which '{game.name}' needs with these rules; copy it"
                " from envs/prompts/template_files/study.toml, or change the game"
            )
        return sentence

    def say(self, key: str, game: StageGame, **values: object) -> str:
        """Return a sentence with `values` in place of its placeholders; raises the errors of `words`."""
        return self.words(key, game).format(**values)


OPTIONAL = tuple(field.name for field in fields(Template) if field.default == "")
"""Keys of the optional sentences."""

PLACEHOLDERS = {
    "pair_rule": {"labels"},
    "pair_line": {"mine", "theirs", "my_payoff", "their_payoff"},
    "group_rule": {"labels", "players"},
    "group_line": {"mine", "counts", "cooperate", "payoffs"},
    "levels_rule": {"endowment", "labels", "multiplier", "players"},
    "pair_history": {"ago", "mine", "theirs"},
    "group_history": {"ago", "mine", "count", "cooperate"},
    "levels_history": {"ago", "mine", "theirs"},
    "rounds_ago": {"number"},
    "question": {"labels"},
    "unlike_rule": {"labels", "their_labels"},
    "any_amount": {"endowment"},
    "unequal_own": {"endowment", "labels"},
    "unequal_other": {"endowment", "labels"},
    "unequal_pot": {"multiplier", "players"},
    "threshold_lost": {"threshold"},
    "threshold_refund": {"threshold"},
    "amount_question": {"endowment"},
    "neighbours_rule": {"count", "labels"},
    "partner_rule": {"others"},
    "partner_or_none": {"others"},
    "alone_history": {"ago", "mine"},
    "clock": {"round", "rounds"},
    "punish_rule": {"points", "cost", "effect"},
    "reward_rule": {"points", "cost", "effect"},
    "said_pair": {"ago", "mine", "theirs"},
    "said_group": {"ago", "mine", "theirs"},
    "sanctions_pair": {"ago", "mine", "theirs"},
    "sanctions_group": {"ago", "mine", "theirs"},
    "signal_question": {"labels"},
    "punish_pair_question": {"labels"},
    "punish_group_question": {"labels"},
    "reward_pair_question": {"labels"},
    "reward_group_question": {"labels"},
}
"""Placeholders that each sentence may use."""


TEMPLATE_FILES = Path(__file__).with_name("template_files")
"""Folder of the built-in templates."""


def template_files() -> dict[str, Path]:
    """Files of the built-in templates by name."""
    return {file.stem: file for file in sorted(TEMPLATE_FILES.glob("*.toml"))}


@cache
def load_template(name_or_path: str) -> Template:
    """Read a template.

    Parameters
    ----------
    name_or_path
        Name of a built-in template, or path of a TOML file, ending in ``.toml``.

    Raises
    ------
    TemplateError
        If the template does not exist or is invalid.
    """
    known = template_files()
    path = Path(name_or_path) if name_or_path.endswith(".toml") else known.get(name_or_path, TEMPLATE_FILES)
    if not path.is_file():
        raise TemplateError(
            f"unknown template '{name_or_path}'{did_you_mean(name_or_path, known)} (or the path of a .toml file)"
        )
    return read_toml(path, Template, TemplateError)


def build_template(table: Mapping[str, Any], place: str) -> Template:
    """Make a template from a table.

    Parameters
    ----------
    table
        Values by key, as in ``template_files/study.toml``.
    place
        Source of the table; it begins the error message.

    Raises
    ------
    TemplateError
        If a key is unknown or missing, or a value is invalid.
    """
    return check_value(table, Template, place, TemplateError)


MARKS = set(string.punctuation + "\u201c\u201d\u2018\u2019\u00ab\u00bb\u2022")
"""Quotes, brackets and markdown, which are not part of a label when a reply is read."""


def all_different(labels: Sequence[str]) -> bool:
    """Whether labels can be told from each other in a reply: none consists of `MARKS`, is not visible or has spaces at
    an end, and no two differ in spaces only."""
    legible = all(set(label) - MARKS and label.isprintable() and label == label.strip() for label in labels)
    return legible and len({" ".join(label.split()) for label in labels}) == len(labels)


def _check_placeholders(key: str, sentence: str) -> None:
    allowed = PLACEHOLDERS.get(key, set())
    try:
        used = [parts for _, *parts in string.Formatter().parse(sentence) if parts[0] is not None]
    except ValueError as error:
        raise TemplateError(f"{key}: {error}; write a literal brace twice") from None
    for field, form, conversion in used:
        if form or conversion:
            raise TemplateError(f"{key}: write {{{field}}} without a format; values are filled in as they are")
        if field not in allowed:
            raise TemplateError(
                f"{key} uses {{{field}}}; its valid placeholders are: {', '.join(sorted(allowed)) or 'none'}"
            )
