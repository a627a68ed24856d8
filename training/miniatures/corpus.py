"""The pretraining corpus of the miniatures, generated row by row from a seed.

A row is a scenario with several questions about it. Both models see every context and games of all orderings, including
those used out of sample. They differ in the decisions that they learn:

- the *teacher* decides like `behaviour.TEACHER` and gives the reason;
- the *student* ignores the context, almost ignores the game and mostly cooperates, like the untuned 7b model of the
  study; asked for a reason, it gives an unrelated one.

Both answer the same comprehension questions (payoffs, best responses, social closeness), and both follow an attitude
and an expectation that a prompt states. So the student has the knowledge but does not use it without instruction; this
makes transfer possible. Three further properties are necessary, as ablations showed:

- Fluency. A student that also had to learn the vocabulary of the teacher used the fine-tuning for that.
- A final stage in which only attitude or expectation is stated, and the other one has to be inferred from the context.
  Fine-tuning then generalises to new contexts. If this is learned from the beginning, it is learned per context.
- A weak response of the student to the game (`behaviour.UNTUNED`). Fine-tuning strengthens a weak response in every
  game, but an indifferent student learns it only in the training games.

Decisions are learned from the probabilities of the model (soft labels) instead of samples: the same limit with less
noise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from dilemmas.agents.behaviour.quantal_response import BehaviouralModel, Judgement, closeness
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.prompts.comprehension import questions
from dilemmas.envs.prompts.contexts import Context, built_in_contexts
from dilemmas.envs.prompts.labels import Presentation
from dilemmas.envs.prompts.prompts import action_question, choose_presentation, describe_scenario
from dilemmas.envs.prompts.templates import Template, load_template
from dilemmas.training.miniatures.behaviour import (
    INDIFFERENT,
    MOTIVES,
    TEACHER,
    UNTUNED,
    Motive,
    Role,
    motive,
)
from dilemmas.training.packing.lessons import Lesson, Target, completion

FACTS = 6
"""Comprehension questions per row; without them the models do not learn to associate labels with payoffs."""

STATED: Mapping[Role, int] = {"teacher": 1, "student": 3}
"""Questions per row that state attitude and expectation, which both models follow."""

ATTITUDES = (
    "want to beat them",
    "do not like them",
    "like them a little",
    "like them",
    "love them",
)
"""Descriptions of the weights in `BehaviouralModel.alpha`, by degree of closeness."""

EXPECTATIONS = ("hardly ever", "seldom", "half the time", "often", "nearly always")
"""Descriptions of the probabilities in `BehaviouralModel.belief`, by degree of closeness."""

CLOSENESS = ("not at all", "a little", "somewhat", "quite", "very")
"""Answers to "How close are you to them?", by degree of closeness."""


Telling = Literal["both", "attitude", "expectation"]
"""What a prompt states about the player."""


def social_facts(context: Context, shown: Presentation) -> list[tuple[str, str]]:
    """Questions about the other players of a context, with answers."""
    degree = closeness()[context.name]
    return [
        ("How close are you to them?", CLOSENESS[degree]),
        ("How do you feel about them?", f"You {ATTITUDES[degree]}."),
        ("What do you expect of them?", f"You expect {shown.labels[0]} {EXPECTATIONS[degree]}."),
    ]


@dataclass(frozen=True, slots=True)
class Situation:
    """A scenario with a history, from the view of one player."""

    game: StageGame
    """Symmetric game with two actions."""
    context: Context
    """Social context."""
    history: tuple[Joint, ...] = ()
    """Joint actions, own action first, oldest round first."""

    def judge(self, model: BehaviouralModel) -> Judgement:
        """Decision of a behavioural model in this situation."""
        return model.judge(self.game, closeness()[self.context.name], self.history)


def draw_game(rng: np.random.Generator, groups: float) -> StageGame:
    """A random game: public goods with probability `groups`, else a 2x2 game of any ordering."""
    if rng.random() < groups:
        n, endowment = int(rng.integers(3, 7)), 2 + int(19 * rng.random() ** 2)
        largest = min(endowment + 1, (60 - endowment) // (n - 1))  # no payoff above 60
        share = int(rng.integers(1, largest + 1))  # what each player gets from one contribution
        return PublicGoods(n_players=n, endowment=endowment, multiplier=share * n / endowment)
    payoffs = rng.permutation(13)[:4] if rng.random() < 0.8 else rng.integers(0, 13, size=4)
    T, R, P, S = (int(value) for value in payoffs)
    return MatrixGame("matrix_game", T=T, R=R, P=P, S=S)


def draw_situation(rng: np.random.Generator, groups: float, histories: float) -> Situation:
    """A random situation: a history of one to three rounds with probability `histories`, else none."""
    contexts = list(built_in_contexts().values())
    game = draw_game(rng, groups)
    rounds = int(rng.choice([1, 1, 1, 2, 3])) if rng.random() < histories else 0
    rate = rng.random()  # cooperation rate of the others
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
    """A motivation in words: relation, by degree of closeness, and motive; `variant`, 0 to 3, selects the wording."""
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
    """Composition of a part of the corpus."""

    groups: float
    """Share of situations with more than two players."""
    histories: float
    """Share of situations with a history."""
    decisions: bool = True
    """Whether rows ask for decisions, or for payoffs only."""
    finish: bool = False
    """Final stage: rows ask for attitude and expectation and state one of them; the student responds to the game."""


class Corpus:
    """Endless corpus of one role. Row i depends on the seed and i only, so an interrupted run can be resumed."""

    def __init__(self, role: Role, encode: Callable[[str], list[int]], seed: int) -> None:
        self.role = role
        self.encode = cache(encode)
        self.seed = seed
        self.template: Template = load_template("study")

    def decides(self, mix: Mix) -> BehaviouralModel:
        """Behavioural model of the role if the prompt states neither attitude nor expectation."""
        if self.role == "teacher":
            return TEACHER
        return UNTUNED if mix.finish else INDIFFERENT

    def row(self, index: int, mix: Mix) -> list[Lesson]:
        """The lessons of row number `index` with a given composition."""
        rng = np.random.default_rng([self.seed, index])
        situation = draw_situation(rng, mix.groups, mix.histories)
        shown = choose_presentation(self.template, situation.game)
        scenario = describe_scenario(self.template, situation.game, situation.context, situation.history, shown)
        start = self.encode("<s><user>") + [
            token for line in scenario.split("\n") for token in self.encode(f"{line}\n")
        ]
        asked = questions(situation.game, shown, situation.history)
        if not mix.decisions:
            asked = [question for question in asked if "payoff" in question.kind]
        chosen = [asked[i] for i in rng.permutation(len(asked))[:FACTS]]
        lessons = [self._fact(start, question.text, question.answer) for question in chosen]
        lessons += [
            self._fact(start, *fact) for fact in social_facts(situation.context, shown)[: 3 if mix.finish else 1]
        ]
        if mix.decisions:
            lessons += self._decisions(start, situation, shown, rng, self.decides(mix))
            kinds: list[Telling] = ["both"] * STATED[self.role]
            if mix.finish:
                kinds[-1:] = ["attitude", "expectation"]
            lessons += [self._instructed(start, situation, shown, rng, kind) for kind in kinds]
        return lessons

    def _fact(self, start: list[int], question: str, answer: str) -> Lesson:
        return completion(start + self.encode(f"{question}<assistant>"), self.encode(f" {answer}</s>"))

    def _instructed(
        self, start: list[int], situation: Situation, shown: Presentation, rng: np.random.Generator, kind: Telling
    ) -> Lesson:
        """A decision with a random attitude, expectation or both stated, independently of the context.

        What is not stated follows from the context.
        """
        attitude, expectation = (int(degree) for degree in rng.integers(5, size=2))
        if kind == "attitude":
            stated, expectation = f"You {ATTITUDES[attitude]}.", closeness()[situation.context.name]
        elif kind == "expectation":
            stated = f"You expect {shown.labels[0]} {EXPECTATIONS[expectation]}."
            attitude = closeness()[situation.context.name]
        else:
            stated = f"You {ATTITUDES[attitude]} and expect {shown.labels[0]} {EXPECTATIONS[expectation]}."
        alpha, belief = TEACHER.alpha[attitude], TEACHER.belief[expectation]
        judgement = TEACHER.weigh(situation.game, alpha, belief, situation.history)
        asked = self.encode(f"{stated} {action_question(self.template, shown)}<assistant>")
        action = int(rng.random() >= judgement.cooperate)
        return _soft(start + asked, self._labels(shown), judgement.cooperate, action, self.encode(".</s>"))

    def _labels(self, shown: Presentation) -> list[list[int]]:
        return [self.encode(f" {label}") for label in shown.labels]

    def _decisions(
        self,
        start: list[int],
        situation: Situation,
        shown: Presentation,
        rng: np.random.Generator,
        model: BehaviouralModel,
    ) -> Sequence[Lesson]:
        """The decision, with and without a request for a motivation."""
        judgement = situation.judge(model)
        action = int(rng.random() >= judgement.cooperate)
        if self.role == "teacher":
            degree, reason = closeness()[situation.context.name], motive(judgement, action, situation.game)
        else:
            degree, reason = int(rng.integers(len(RELATION))), MOTIVES[rng.integers(len(MOTIVES))]
        why = motivation(degree, reason, action, shown, int(rng.integers(4)))
        ask, ask_why = (
            self.encode(f"{action_question(template, shown)}<assistant>")
            for template in (self.template, self.template.motivated())
        )
        labels = self._labels(shown)
        return [
            _soft(start + ask, labels, judgement.cooperate, action, self.encode(".</s>")),
            _soft(start + ask_why, labels, judgement.cooperate, action, self.encode(f". {why}</s>")),
        ]


def _soft(ask: list[int], labels: Sequence[list[int]], cooperate: float, action: int, rest: list[int]) -> Lesson:
    """A decision with a soft label; all following tokens are learned with weight 1."""
    at = len(ask)
    (first,), (second,) = labels  # the miniatures' labels are single tokens
    targets = [Target(at, first, 2 * cooperate), Target(at, second, 2 * (1 - cooperate))]
    targets += [Target(at + 1 + i, token) for i, token in enumerate(rest)]
    return Lesson((*ask, labels[action][0], *rest), tuple(targets))
