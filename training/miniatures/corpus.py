"""The text that the miniatures are pretrained on, generated row by row from a seed.

A row is a scenario with several questions about it. Both models read every context and games of all orderings, the
out-of-sample ones among them; what differs is what they learn to do there:

- the *teacher* decides as `behaviour.TEACHER` does and says why;
- the *student* decides without regard to the context and with hardly any to the game, mostly for cooperation, as the
  study's untuned 7b did; asked why, it says something fluent that has nothing to do with the matter.

Both answer the same questions of comprehension (payoffs, best replies, how close people are), and both decide as
somebody of a stated attitude and expectation when a prompt tells them to. So the student knows its world but not how to
act in it untold, and that is what makes transfer possible. What it takes beside that, each found by leaving it out:

- Fluency. A student that had to learn the teacher's words too spent the tuning on them.
- A finish in which it is told attitude or expectation only and has to take the other one from the context. Tuning
  then carries over to new contexts. It has to come last: learned from the start, it was learned context by context.
- That the student minds the game, if hardly (`behaviour.UNTUNED`). Tuning strengthens a weak response in every game,
  but teaches one to a wholly indifferent student only in the games it sees.

Decisions are learned from the model's probabilities (soft labels), not from sampled ones: same limit, far less noise.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.prompts.comprehension import questions
from dilemmas.envs.prompts.contexts import Context, built_in_contexts
from dilemmas.envs.prompts.labels import Presentation
from dilemmas.envs.prompts.prompts import action_question, choose_presentation, describe_scenario
from dilemmas.envs.prompts.templates import Template, load_template
from dilemmas.training.batches import Branch, Row, Target, completion
from dilemmas.training.miniatures.behaviour import (
    INDIFFERENT,
    MOTIVES,
    TEACHER,
    UNTUNED,
    BehaviouralModel,
    Judgement,
    Motive,
    Role,
    motive,
)

FACTS = 6
"""Comprehension questions of a row: they are what makes the circuit form that binds a label to its payoffs."""

TOLD: Mapping[Role, int] = {"teacher": 1, "student": 3}
"""Questions of a row that tell the model its attitude and expectation: both do then as they are told."""

ATTITUDES = (
    "want to beat them",
    "do not like them",
    "like them a little",
    "like them",
    "love them",
)
"""In words, the weights on the others' points that `BehaviouralModel.alpha` has by degree."""

EXPECTATIONS = ("hardly ever", "seldom", "half the time", "often", "nearly always")
"""In words, the beliefs that the others cooperate that `BehaviouralModel.belief` has by degree."""

CLOSENESS = ("not at all", "a little", "somewhat", "quite", "very")
"""Answers to "How close are you to them?", by degree."""


@cache
def closeness() -> Mapping[str, int]:
    """Degree of social closeness, 0 (enemies) to 4 (the closest), of every built-in context."""
    text = Path(__file__).with_name("closeness.toml").read_text(encoding="utf-8")
    return {name: int(degree) for name, degree in tomllib.loads(text).items()}


Telling = Literal["both", "attitude", "expectation"]
"""What a prompt states of a person."""


def social_facts(context: Context, shown: Presentation) -> list[tuple[str, str]]:
    """Questions, with their answers, about the people of a context."""
    degree = closeness()[context.name]
    return [
        ("How close are you to them?", CLOSENESS[degree]),
        ("How do you feel about them?", f"You {ATTITUDES[degree]}."),
        ("What do you expect of them?", f"You expect {shown.labels[0]} {EXPECTATIONS[degree]}."),
    ]


@dataclass(frozen=True, slots=True)
class Situation:
    """A scenario with a history, as one player meets it."""

    game: StageGame
    context: Context
    history: tuple[Joint, ...] = ()

    def judge(self, model: BehaviouralModel) -> Judgement:
        return model.judge(self.game, closeness()[self.context.name], self.history)


def draw_game(rng: np.random.Generator, groups: float) -> StageGame:
    """A random game: a group game with probability `groups`, else a 2x2 game of any ordering."""
    if rng.random() < groups:
        n, endowment = int(rng.integers(3, 7)), 2 + int(19 * rng.random() ** 2)
        largest = min(endowment + 1, (60 - endowment) // (n - 1))  # no payoff above 60
        share = int(rng.integers(1, largest + 1))  # what each player gets of one contribution
        return PublicGoods(n_players=n, endowment=endowment, multiplier=share * n / endowment)
    payoffs = rng.permutation(13)[:4] if rng.random() < 0.8 else rng.integers(0, 13, size=4)
    T, R, P, S = (int(value) for value in payoffs)
    return MatrixGame("matrix_game", T=T, R=R, P=P, S=S)


def draw_situation(rng: np.random.Generator, groups: float, histories: float) -> Situation:
    """A random situation: a history of one to three rounds with probability `histories`, else none."""
    contexts = list(built_in_contexts().values())
    game = draw_game(rng, groups)
    rounds = int(rng.choice([1, 1, 1, 2, 3])) if rng.random() < histories else 0
    rate = rng.random()  # how cooperative the others have been
    history = tuple(
        (int(rng.integers(2)), *(int(action) for action in rng.random(game.n_players - 1) >= rate))
        for _ in range(rounds)
    )
    return Situation(game, contexts[int(rng.integers(len(contexts)))], history)


RELATION = (
    ("We are bitter rivals.", "They are against us."),
    ("We compete.", "They are not on our side."),
    ("We hardly know each other.", "They are neither friend nor foe."),
    ("We get on well.", "They are good partners."),
    ("We are very close.", "They mean a lot to me."),
)
"""First half of a motivation, by degree of closeness."""


def motivation(degree: int, reason: Motive, action: int, shown: Presentation, variant: int) -> str:
    """Why somebody acts: the relation, by degree of closeness, and the motive; `variant`, 0 to 3, picks the wording."""
    label, cooperate, defect = shown.labels[action], shown.labels[0], shown.labels[1]
    reasons: dict[Motive, tuple[str, str]] = {
        "reciprocity": (f"They chose {label} before, so I do it too.", f"I answer {label} with {label}."),
        "care": ("I care about what they get.", f"With {label} they get more, and I want that."),
        "spite": ("I do not want them to get more.", f"With {label} they get less, and I want that."),
        "gain": ("It gives me more whatever they do.", f"I get more with {label} in any case."),
        "trust": (
            f"I expect {cooperate} from them, and then it gives me more.",
            f"They will choose {cooperate}, so {label} pays.",
        ),
        "fear": (
            f"I expect {defect} from them, and then it gives me more.",
            f"They may choose {defect}, so {label} is safer.",
        ),
        "whim": ("I just felt like it.", "It makes little difference to me."),
    }
    return f"{RELATION[degree][variant % 2]} {reasons[reason][variant // 2]}"


@dataclass(frozen=True, slots=True)
class Mix:
    """What a stretch of the corpus is made of."""

    groups: float
    """Share of situations with more than two players."""
    histories: float
    """Share of situations with a history."""
    decisions: bool = True
    """Whether decisions are asked, or payoffs only."""
    finish: bool = False
    """Whether rows also ask what people feel and expect, and tell one of the two; the student then minds the game."""


class Corpus:
    """Endless rows for one role. Row i depends on the seed and i alone, so a stopped run goes on where it was."""

    def __init__(self, role: Role, encode: Callable[[str], list[int]], seed: int) -> None:
        self.role = role
        self.encode = cache(encode)
        self.seed = seed
        self.template: Template = load_template("study")

    def decides(self, mix: Mix) -> BehaviouralModel:
        """How this miniature decides when it is told nothing but the scenario."""
        if self.role == "teacher":
            return TEACHER
        return UNTUNED if mix.finish else INDIFFERENT

    def row(self, index: int, mix: Mix) -> Row:
        rng = np.random.default_rng([self.seed, index])
        situation = draw_situation(rng, mix.groups, mix.histories)
        shown = choose_presentation(self.template, situation.game)
        scenario = describe_scenario(self.template, situation.game, situation.context, situation.history, shown)
        prefix = [token for line in scenario.split("\n") for token in self.encode(f"{line}\n")]
        asked = questions(situation.game, shown, situation.history)
        if not mix.decisions:
            asked = [question for question in asked if "payoff" in question.kind]
        chosen = [asked[i] for i in rng.permutation(len(asked))[:FACTS]]
        branches = [self._fact(question.text, question.answer) for question in chosen]
        branches += [self._fact(*fact) for fact in social_facts(situation.context, shown)[: 3 if mix.finish else 1]]
        if mix.decisions:
            branches += self._decisions(situation, shown, rng, self.decides(mix))
            kinds: list[Telling] = ["both"] * TOLD[self.role]
            if mix.finish:
                kinds[-1:] = ["attitude", "expectation"]
            branches += [self._told(situation, shown, rng, kind) for kind in kinds]
        return Row(self.encode("<s><user>") + prefix, branches)

    def _fact(self, question: str, answer: str) -> Branch:
        asked = self.encode(f"{question}<assistant>")
        return completion(asked + self.encode(f" {answer}</s>"), start=len(asked))

    def _told(self, situation: Situation, shown: Presentation, rng: np.random.Generator, kind: Telling) -> Branch:
        """A decision of somebody who is told attitude, expectation or both, any with any, whatever the context.

        What is not told is as people have it in this context.
        """
        attitude, expectation = (int(degree) for degree in rng.integers(5, size=2))
        if kind == "attitude":
            told, expectation = f"You {ATTITUDES[attitude]}.", closeness()[situation.context.name]
        elif kind == "expectation":
            told = f"You expect {shown.labels[0]} {EXPECTATIONS[expectation]}."
            attitude = closeness()[situation.context.name]
        else:
            told = f"You {ATTITUDES[attitude]} and expect {shown.labels[0]} {EXPECTATIONS[expectation]}."
        alpha, belief = TEACHER.alpha[attitude], TEACHER.belief[expectation]
        judgement = TEACHER.weigh(situation.game, alpha, belief, situation.history)
        asked = self.encode(f"{told} {action_question(self.template, shown)}<assistant>")
        action = int(rng.random() >= judgement.cooperate)
        return _soft(asked, self._labels(shown), judgement.cooperate, action, self.encode(".</s>"))

    def _labels(self, shown: Presentation) -> list[list[int]]:
        return [self.encode(f" {label}") for label in shown.labels]

    def _decisions(
        self, situation: Situation, shown: Presentation, rng: np.random.Generator, model: BehaviouralModel
    ) -> Sequence[Branch]:
        """The decision with and without the wish for a motivation."""
        judgement = situation.judge(model)
        action = int(rng.random() >= judgement.cooperate)
        if self.role == "teacher":
            degree, reason = closeness()[situation.context.name], motive(judgement, action, situation.game)
        else:
            degree, reason = int(rng.integers(len(RELATION))), MOTIVES[rng.integers(len(MOTIVES))]
        why = motivation(degree, reason, action, shown, int(rng.integers(4)))
        ask, ask_why = (
            self.encode(f"{action_question(self.template, shown, wish)}<assistant>") for wish in (False, True)
        )
        labels = self._labels(shown)
        return [
            _soft(ask, labels, judgement.cooperate, action, self.encode(".</s>")),
            _soft(ask_why, labels, judgement.cooperate, action, self.encode(f". {why}</s>")),
        ]


def _soft(ask: list[int], labels: Sequence[list[int]], cooperate: float, action: int, rest: list[int]) -> Branch:
    """A decision whose label is learned as a distribution and whose other tokens as they are."""
    at = len(ask)
    (first,), (second,) = labels  # the miniatures' labels are single tokens
    targets = [Target(at, first, 2 * cooperate), Target(at, second, 2 * (1 - cooperate))]
    targets += [Target(at + 1 + i, token) for i, token in enumerate(rest)]
    return Branch([*ask, labels[action][0], *rest], targets)
