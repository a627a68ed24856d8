"""Recipes: everything that the results of a study depend on.

`dilemmas.experiments.study.recipe_files` reads them from TOML files; recipes/study.toml documents every key.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain, product
from typing import Any

from dilemmas.agents.models.answers import MIN_MASS
from dilemmas.agents.models.model_files import is_miniature
from dilemmas.agents.models.networks.number_formats import NUMBER_FORMATS
from dilemmas.agents.models.servers.settings import ServerSettings
from dilemmas.agents.specifications import is_model
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.checks import check_numbers
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import lookup
from dilemmas.envs.prompts.contexts import STOCK, Context, built_in_contexts, stock_contexts
from dilemmas.envs.prompts.labels import Presentation, Showing, counterbalanced, with_opposite
from dilemmas.envs.prompts.prompts import presentations
from dilemmas.envs.prompts.random_games import QuestionSettings, random_scenarios
from dilemmas.envs.prompts.scenarios import KNOWN_GAMES, NEW_GAMES, Scenario, cross
from dilemmas.envs.prompts.template_choices import variants
from dilemmas.envs.prompts.templates import Template, load_template
from dilemmas.envs.theory.outcomes import is_symmetric
from dilemmas.envs.validation import Count, Seed, Share
from dilemmas.experiments.populations.torus import LatticeSettings
from dilemmas.experiments.study.definitions import (
    OwnContext,
    check_askable,
    check_names,
    own_contexts,
    own_games,
    template_entry,
)
from dilemmas.training.lora import LoraSettings

TRAINING_SET = "within"
"""The set of the training scenarios."""
SETS = (TRAINING_SET, "new_context", "new_game", "new_both")
"""The sets of scenarios that can be evaluated, in the order in which they are asked."""


class RecipeError(InputError):
    """A recipe that cannot be used."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Teacher and student: a directory, a hub id (``id@revision``), or a built-in miniature.

    The teacher may be behind a server (``openai:MODEL@URL``).
    """

    teacher: str = "miniature-teacher"
    """Model whose answers are the teaching data, or any other agent whose probabilities are."""
    student: str = "miniature-student"
    """Smaller model of the same family, which is tuned."""
    device: str = "auto"
    """``cpu``, ``cuda``, ``cuda:1``, or ``auto``."""
    dtype: str = "auto"
    """Number format of the weights, as for `dilemmas.agents.models.open_model.open_local`."""

    def __post_init__(self) -> None:
        lookup("dtype", self.dtype, dict.fromkeys(NUMBER_FORMATS))


@dataclass(frozen=True, slots=True)
class Prompting:
    """How scenarios are put into words and answers are sampled."""

    template: Template = field(default_factory=lambda: load_template("study"))
    """In a file: the name of a built-in template, the path of a TOML file, or a table of sentences."""
    presentation: Showing = "auto"
    """``counterbalanced``: with all assignments and orders of the labels equally often, so that a preference for a
    label or a place cancels, and is measured; ``fixed``: those of the template; ``auto``: fixed if all models are
    miniatures."""
    min_mass: Share = MIN_MASS
    """Smallest share of a model's replies, by its own probabilities, that must begin with one of the labels."""
    calibrate: bool = False
    """Whether the exact probabilities of scenarios are divided by those of the same question without its payoffs;
    sampled answers, matches and policy tables stay as they are."""
    paraphrases: Count = 0
    """Number of the template's paraphrases in which scenarios are asked beside its own wording, all equally often, as
    all presentations are. Matches have the template's own wording."""
    temperature: float = 1.0
    """Of sampled answers."""
    max_tokens: Count = 32
    """Maximum length of an answer with motivation, in tokens."""
    answer_tokens: Count = 16
    """Maximum length of an answer alone, in tokens."""
    sampled: bool = True
    """Whether answers are drawn from models; if not, only their own probabilities are measured."""

    def __post_init__(self) -> None:
        check_numbers(self, "temperature", 0)
        check_numbers(self, "min_mass", 0, 1)
        check_numbers(self, "max_tokens answer_tokens", 1)
        check_numbers(self, "paraphrases", 0)
        if self.calibrate and self.template.deliberate:
            raise RecipeError("calibrate: needs a template in which a model answers at once")
        variants(self.template, self.paraphrases)

    @property
    def wordings(self) -> list[Template]:
        """The wordings in which scenarios are asked: the template's own, its paraphrases, and all of its personas if
        they are counterbalanced."""
        return variants(self.template, self.paraphrases)


def _contexts(known: bool) -> tuple[str, ...]:
    return tuple(name for name, context in built_in_contexts().items() if context.known is known)


@dataclass(frozen=True, slots=True)
class ScenarioChoice:
    """Which games and contexts the student is trained on, which are new to it, and which sets are evaluated."""

    games: tuple[str, ...] = tuple(KNOWN_GAMES)
    """Games of the training scenarios."""
    contexts: tuple[str, ...] = field(default_factory=lambda: _contexts(known=True))
    """Contexts of the training scenarios: every game is put in every context."""
    new_games: tuple[str, ...] = tuple(NEW_GAMES)
    """Games that the student is not trained on."""
    new_contexts: tuple[str, ...] = field(default_factory=lambda: _contexts(known=False))
    """Contexts that the student is not trained on."""
    sets: tuple[str, ...] = SETS
    """Sets that are evaluated: ``within`` (the training scenarios, always needed), ``new_context``, ``new_game``,
    ``new_both``."""

    def __post_init__(self) -> None:
        for name in self.sets:
            lookup("set", name, dict.fromkeys(SETS))
        if TRAINING_SET not in self.sets:
            raise RecipeError(f"sets = {list(self.sets)}; needs '{TRAINING_SET}', the training scenarios")
        for key in ("games", "contexts", "sets"):
            once_each(key, getattr(self, key))
        for key, trained in (("new_games", self.games), ("new_contexts", self.contexts)):
            twice = [name for name in getattr(self, key) if name in trained]
            if twice:
                raise RecipeError(f"{key}: '{twice[0]}' is also in {key.removeprefix('new_')}; list it once")
            if len(set(getattr(self, key))) < len(getattr(self, key)):
                raise RecipeError(f"{key} = {list(getattr(self, key))}; needs each of them once")

    def parts(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Games and contexts of every set that is evaluated."""
        parts = {
            TRAINING_SET: (self.games, self.contexts),
            "new_context": (self.games, self.new_contexts),
            "new_game": (self.new_games, self.contexts),
            "new_both": (self.new_games, self.new_contexts),
        }
        return {name: part for name, part in parts.items() if name in self.sets}


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """The repeated games that the models play after tuning."""

    games: tuple[str, ...] = ("prisoners_dilemma", "stag_hunt", "snowdrift", "harmony")
    """Symmetric games for two with two actions."""
    contexts: tuple[str, ...] = ("business", "friends")
    """Every game is played in every context."""
    opponents: tuple[str, ...] = ("tit_for_tat", "always_cooperate", "always_defect", "random")
    """Strategies that every model plays; the models also play each other."""
    rounds: Count = 10
    """Rounds of a match."""
    repetitions: Count = 10
    """Matches of every pairing, under the same seeds for all three models."""

    def __post_init__(self) -> None:
        check_numbers(self, "rounds repetitions", 1)
        for key in ("games", "contexts"):
            once_each(key, getattr(self, key))
        once_each("opponents", tuple(map(strategy, self.opponents)), self.opponents)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole study."""

    name: str = "study"
    """Name of the recipe in reports."""
    seed: Seed = 0
    """Seed of everything random."""
    observations: Count = 300
    """Answers per scenario and model; also the number with which tests judge exact probabilities."""
    models: ModelSettings = field(default_factory=ModelSettings)
    prompting: Prompting = field(default_factory=Prompting)
    scenarios: ScenarioChoice = field(default_factory=ScenarioChoice)
    questions: QuestionSettings = field(default_factory=QuestionSettings)
    lora: LoraSettings = field(default_factory=LoraSettings)
    matches: MatchSettings = field(default_factory=MatchSettings)
    population: LatticeSettings = field(default_factory=LatticeSettings)
    servers: ServerSettings = field(default_factory=ServerSettings)
    """How models behind servers are asked; it may change when a study is resumed."""
    games: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Games of the recipe's own, by name: ``game``, the name in the catalogue, and options of that game. A game of the
    study by the same name is replaced."""
    contexts: Mapping[str, OwnContext] = field(default_factory=dict)
    """Contexts of the recipe's own, by name; a built-in one of the same name is replaced."""

    def __post_init__(self) -> None:
        check_numbers(self, "seed", 0)
        check_numbers(self, "observations", 1)
        self._check_names()
        if self.lora.method != "hard" and self.prompting.template.deliberate:
            raise RecipeError(
                f"[lora] method = '{self.lora.method}': template '{self.prompting.template.name}' lets a model write"
                " something before it answers, which only method = 'hard' teaches; choose another of the two"
            )
        if not self.prompting.sampled and (self.lora.method != "soft" or self.prompting.template.deliberate):
            raise RecipeError(
                "sampled = false: only [lora] method = 'soft' teaches without answers, and models that answer at once"
            )
        sets = self.sets()
        for name, group in sets.items():
            if not group:
                raise RecipeError(f"[scenarios] sets: '{name}' is empty; list its games and contexts, or omit it")
        first = {scenario.game.name: scenario for group in sets.values() for scenario in reversed(group)}
        for scenario in first.values():
            for template in self.prompting.wordings:
                check_askable(scenario, template, "[scenarios]")

    def _check_names(self) -> None:
        """Every name of a game or a context must be known; errors name section and key."""
        check_names("[games]", self.games)
        check_names("[contexts]", self.contexts)
        chosen, matches, population = self.scenarios, self.matches, self.population
        for key in ("games", "new_games"):
            for name in getattr(chosen, key):
                self.game(name, f"[scenarios] {key}")
        for name in matches.games:
            game = self.two_player_game(name, "[matches] games")
            for opponent in matches.opponents:
                strategy(opponent, game=game)
        self.two_player_game(population.game, "[population] game")
        for place, names in {
            "[scenarios] contexts": chosen.contexts,
            "[scenarios] new_contexts": chosen.new_contexts,
            "[questions] contexts": self.question_contexts,
            "[matches] contexts": matches.contexts,
            "[population] context": (population.context,),
        }.items():
            for name in names:
                self.context(name, place)
        tested = {name for key in ("new_context", "new_both") for name in chosen.parts().get(key, ((), ()))[1]}
        if known := sorted(tested.intersection(self.question_contexts)):
            raise RecipeError(f"[questions] contexts: '{known[0]}' is in a test set; take others, such as {STOCK}")

    def game(self, name: str, place: str = "") -> StageGame:
        """A game of the recipe's own or of the study, by name. `place`: where the name is used, for the message."""
        return lookup("game", name, self.games_by_name, place)

    def two_player_game(self, name: str, place: str = "") -> MatrixGame:
        """A symmetric two-player game with two actions, by name."""
        pairs = {name: game for name, game in self.games_by_name.items() if isinstance(game, MatrixGame)}
        return lookup("symmetric 2x2 game", name, pairs, place)

    def context(self, name: str, place: str = "") -> Context:
        """A context of the recipe's own or a built-in one, by name."""
        known = {**stock_contexts(), **built_in_contexts(self.prompting.template.contexts)}
        return lookup("context", name, {**known, **own_contexts(self.contexts)}, place)

    @property
    def games_by_name(self) -> dict[str, StageGame]:
        """The games of the study and of the recipe's own."""
        return {**KNOWN_GAMES, **NEW_GAMES, **own_games(self.games)}

    def sets(self) -> dict[str, list[Scenario]]:
        """The scenarios of every set that is evaluated, training scenarios first."""
        return {
            name: cross({game: self.game(game) for game in games}, {one: self.context(one) for one in contexts})
            for name, (games, contexts) in self.scenarios.parts().items()
        }

    @property
    def drawn(self) -> int:
        """Answers that are drawn per scenario and model; 0 where only probabilities are measured."""
        return self.observations if self.prompting.sampled else 0

    @property
    def counterbalanced(self) -> bool:
        """Whether models are asked in all presentations of the actions, the same for teacher and student."""
        asked = [spec for spec in (self.models.teacher, self.models.student) if is_model(spec)]
        return counterbalanced(self.prompting.presentation, all(map(is_miniature, asked)))

    def ways(self, game: StageGame) -> list[tuple[Template, Presentation]]:
        """The wordings (outer loop) and presentations of a game's actions (inner loop) in which models are asked."""
        shown = presentations(self.prompting.template, game)[: None if self.counterbalanced else 1]
        return list(product(self.prompting.wordings, shown))

    def ways_of_question(self, place: int, game: StageGame) -> list[int]:
        """Indices in `ways` of those in which the random game of this place is asked: one, or two opposite ones."""
        count = len(self.ways(game))
        shown = count // len(self.prompting.wordings)
        return with_opposite(place % count, shown) if self.questions.opposite else [place % count]

    @property
    def demonstrations(self) -> int:
        """Most demonstrations from which the student learns: one per reply, or per question if probabilities alone are
        taught."""
        training = self.sets()[TRAINING_SET]
        ways = sum(len(self.ways(scenario.game)) for scenario in training)
        scenarios = ways if self.lora.method == "soft" else len(training) * self.observations
        questions = self.questions.number * (2 if self.questions.opposite and self.counterbalanced else 1)
        return scenarios * self.questions.repeats + questions

    @property
    def question_contexts(self) -> list[str]:
        """Names of the contexts in which random games are told."""
        listed = self.questions.contexts or self.scenarios.contexts
        return [name for one in listed for name in (stock_contexts() if one == STOCK else [one])]

    def random_scenarios(self) -> list[Scenario]:
        """The random games about which the teacher is asked, in their contexts; unlike those of the test sets."""
        contexts = [self.context(name) for name in self.question_contexts]
        games = {name: [scenario.game for scenario in group] for name, group in self.sets().items()}
        return random_scenarios(self.questions, contexts, games[TRAINING_SET], chain(*games.values()), self.seed)

    @property
    def training_context(self) -> Context:
        """The first context of the training scenarios."""
        return self.context(self.scenarios.contexts[0])

    @property
    def games_of_fact(self) -> list[StageGame]:
        """The games of the scenarios that are evaluated about which there are questions of fact: those with two
        actions."""
        games = map(self.game, dict.fromkeys(name for names, _ in self.scenarios.parts().values() for name in names))
        return [game for game in games if set(game.options) == {2} and (game.n_players == 2 or is_symmetric(game))]

    def as_table(self) -> dict[str, Any]:
        """The resolved recipe as plain data, which `recipe_files.load_recipe` reads back."""
        table = asdict(self)
        table["prompting"]["template"] = template_entry(self.prompting.template)
        return table


def once_each(key: str, names: tuple[object, ...], given: tuple[str, ...] | None = None) -> None:
    """`RecipeError` for an empty list of names, or one that has a name twice. `given`: as the recipe writes them."""
    if not names or len(names) > len(set(names)):
        raise RecipeError(f"{key} = {list(given or names)}; needs one or more, each of them once")
