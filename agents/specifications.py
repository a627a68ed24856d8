"""The parser of agent specifications. `FORMS` lists them; ``NAME=`` before any of them gives it another name."""

from dataclasses import dataclass
from os.path import expanduser  # leaves ~nobody as it is, where pathlib has an error of its own
from pathlib import Path
from typing import Literal

from dilemmas.agents.agent import PERSON, Agent
from dilemmas.agents.behaviour.quantal_response import NAME as QUANTAL_RESPONSE
from dilemmas.agents.models.model_files import BUILT_IN, GGUF, KINDS
from dilemmas.agents.models.servers.settings import SERVED, is_served
from dilemmas.agents.strategies.catalogue import FAMILIES, GROUPS, STRATEGIES, Uniform, names_of, strategy
from dilemmas.agents.tables.table_file import TABLE, table_path
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import UnknownNameError, closest_names

AXELROD = "axelrod:"
"""Prefix of the strategies of Axelrod-Python."""
SUGGESTED = 3
"""Number of names that the message about an unknown agent suggests."""

Kind = Literal["strategy", "table", "model", "axelrod", "uniform", "behaviour", "person"]


class ContestantError(InputError):
    """Agents that cannot participate as specified."""


@dataclass(frozen=True, slots=True)
class AgentForm:
    """A way to specify an agent."""

    form: str
    """How it is written."""
    what: str
    """What it is."""
    example: str
    """One of them."""
    options: tuple[str, ...] = ()
    """Options of the command line on which it depends."""
    needs: str = ""
    """What the example needs; empty if it works everywhere."""


_ASKED = ("--context", "--template", "--persona", "--labels", "--system", "--presentation", "--min-mass")
_LOCAL = (*_ASKED, "--device")
FORMS = (
    AgentForm("NAME", "a strategy, by any of its names (`dilemmas tournament strategies`)", "tit_for_tat"),
    AgentForm("NAME(VALUES)", "a strategy with parameters", "random(0.3)"),
    AgentForm("uniform", "every possible action with the same probability, in any game", "uniform"),
    AgentForm(
        QUANTAL_RESPONSE,
        "a stated behavioural model: logit quantal response with social preferences, which depend on the context",
        QUANTAL_RESPONSE,
        ("--context",),
    ),
    AgentForm(f"{AXELROD}NAME", "a strategy of Axelrod-Python", "axelrod:Adaptive", needs="the extra axelrod"),
    AgentForm(
        f"{TABLE}FILE",
        "a policy table; the prefix may be left out before *.json",
        "table:random.json",
        needs="`dilemmas compile 'random(0.3)' --game stag_hunt --out random.json`",
    ),
    AgentForm("miniature:NAME", "a built-in language model, teacher or student", "miniature:teacher", _LOCAL),
    AgentForm(
        "hf:DIRECTORY_OR_ID",
        "a language model in a directory, or of the hub, also at a revision (ID@REVISION); the prefix may be left out"
        " before a directory and before OWNER/NAME",
        "hf:HuggingFaceTB/SmolLM2-135M-Instruct",
        _LOCAL,
        "the hub",
    ),
    AgentForm(
        "MODEL+ADAPTER",
        "any model on this machine with a LoRA adapter, by its directory or hub id",
        "miniature:student+runs/replicate/adapter",
        _LOCAL,
        "`dilemmas replicate`",
    ),
    AgentForm(
        "gguf:FILE",
        "a language model in a GGUF file; the prefix may be left out before *.gguf",
        "gguf:model.Q4_K_M.gguf",
        _LOCAL,
        "the file and the extra gguf",
    ),
    AgentForm(
        f"{SERVED}MODEL@URL",
        "a language model behind an OpenAI-compatible server",
        "openai:my-model@http://127.0.0.1:8000/v1",
        (*_ASKED, "--in-flight", "--server"),
        "a server",
    ),
    AgentForm(
        PERSON,
        "a person at this terminal, who reads what a language model reads and writes the replies",
        PERSON,
        ("--context", "--template", "--persona", "--labels", "--system"),
    ),
    AgentForm("NAME=AGENT", "any of these under another name", "Always=always_cooperate"),
    AgentForm("@SET", "a set of strategies, in lists only: @first_tournament, @automata, @all, @groups", "@automata"),
)
"""All ways to specify an agent, for people."""


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """A parsed specification of an agent; no file is opened."""

    own_name: str
    """NAME of ``NAME=AGENT``; empty if none is given."""
    text: str
    """The specification without that name."""
    kind: Kind

    def name_of(self, agent: Agent) -> str:
        """Name of the agent in tables."""
        names = {"table": Path(self.text).stem, "model": self.text, "axelrod": self.text}
        return self.own_name or names.get(self.kind, agent.name)


def parse_spec(spec: str, players: int = 2, game: StageGame | None = None) -> AgentSpec:
    """Parse the specification of an agent.

    `players`, `game`: number of players, and the game if it is known, as for `strategy`.

    Raises `UnknownNameError` for a word that is no agent, and `InputError` if a strategy cannot be used.
    """
    if not spec.isprintable():
        raise ContestantError(f"agent {spec!a}: needs printable characters, because its name stands in all results")
    own, equals, rest = spec.partition("=")
    if not equals or "(" in own or "/" in own:
        own, rest = "", spec
    elif not own.strip() or not rest.strip():
        raise ContestantError(f"agent '{spec}': needs a name and an agent, NAME=AGENT")
    text = rest.strip()
    kind = _kind(text, players, game)
    return AgentSpec(own.strip(), table_path(text) if kind == "table" else text, kind)


def is_model(spec: str) -> bool:
    """Whether a specification means a language model; a word that is no agent may be one that is not here."""
    try:
        return parse_spec(spec).kind == "model"
    except UnknownNameError:
        return True


def _kind(text: str, players: int, game: StageGame | None) -> Kind:
    """Kind of a specification; `UnknownNameError` for a word that is no strategy and no directory of a model."""
    if text.startswith(AXELROD):
        return "axelrod"
    if is_served(text):
        return "model"
    if text.startswith(TABLE) or (text.endswith(".json") and not text.startswith(tuple(KINDS))):
        return "table"
    if text == Uniform().name:
        return "uniform"
    if text == QUANTAL_RESPONSE:
        return "behaviour"
    if text == PERSON:
        return "person"
    if text in BUILT_IN or text.startswith(tuple(KINDS)) or any(mark in text.partition("(")[0] for mark in "/@+"):
        return "model"
    try:
        strategy(text, players, game)
    except UnknownNameError:
        if not Path(expanduser(text)).is_dir() and not text.endswith(GGUF):
            raise UnknownNameError(_unknown(text)) from None
        return "model"
    return "strategy"


def _unknown(text: str) -> str:
    """Error message about a word that is no agent: the nearest names, and how agents are given."""
    known = (name for rows in (STRATEGIES, GROUPS, FAMILIES) for entry in rows for name in names_of(entry))
    close = closest_names(text, dict.fromkeys([*known, *BUILT_IN, QUANTAL_RESPONSE, PERSON]), SUGGESTED)
    near = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    return (
        f"unknown agent '{text}'; {near}`dilemmas tournament strategies` lists the strategies, `dilemmas agents`"
        " all kinds of agents; a model is given by its directory or GGUF file, or by its hub id as owner/name or"
        " name@main"
    )
