"""Demonstrations from situations: the teacher's policy in each, and the question as the student will be asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from dilemmas.agents.agent import Turn
from dilemmas.agents.models.deciding.questions import PosedTurn, pose_turn
from dilemmas.agents.tables.compilation import TellProgress, view_turn
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.labels import with_opposite
from dilemmas.envs.prompts.template_choices import variants
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.rules.choices import options_now, words_allowed
from dilemmas.experiments.distilling.recorded import DecidedTurn
from dilemmas.experiments.distilling.situations import FramedDecision
from dilemmas.experiments.study.teachers import Teacher
from dilemmas.training.demonstrations import Demonstration
from dilemmas.training.lora import Method


def nobody(done: int, total: int) -> None:
    """Tells nobody."""


RECORD = "record its matches (`dilemmas tournament run --engine environment`), and teach them with --method hard"
"""Way out where an agent that teaches gives no probabilities."""


class TeachingError(InputError):
    """Play that cannot be taught as asked."""


@dataclass(frozen=True, slots=True)
class StudentPrompts:
    """How the student will be asked."""

    template: Template
    """The sentences of the prompt."""
    counterbalanced: bool
    """Whether in all presentations of the actions, or in that of the template."""
    seed: int = 0
    """Seed of what is drawn: presentations, where a situation is taught in one of them, and answers."""

    def __post_init__(self) -> None:
        if self.template.deliberate:
            raise TeachingError(
                f"template '{self.template.name}' lets a model write something before it answers, which is not known of"
                " a player; choose another --template"
            )

    def posed(self, situation: FramedDecision, number: int) -> list[PosedTurn]:
        """A situation as the student will be asked, in one or more presentations. `number`: its place in the data."""
        rng = np.random.default_rng([self.seed, number])
        turn, every = Turn("", None, {}, None, rng), situation.asked != "one"
        ways = pose_turn(turn, situation.view, self.template, situation.context, self.counterbalanced, False, every)
        if situation.asked != "opposite":
            return ways
        shown = len(ways) // len(variants(self.template))
        return [ways[place] for place in with_opposite(int(rng.integers(len(ways))), shown)]

    def demonstration(
        self, prompt: str, labels: Sequence[str], probabilities: Sequence[float], reply: str = "", situation: str = ""
    ) -> Demonstration:
        """A question with what the teacher does there."""
        begun, system = self.template.answer_begins if labels else "", self.template.system
        return Demonstration(prompt, tuple(labels), tuple(probabilities), reply, begun, system, situation)


def policies(
    agent: Teacher, situations: Sequence[FramedDecision], way_out: str, tell: TellProgress = nobody
) -> list[tuple[float, ...]]:
    """The probabilities of an agent's actions in every situation.

    Parameters
    ----------
    agent
        Who is asked.
    situations
        What it is asked about.
    way_out
        What the user can do where it gives no probabilities, which ends the message about it.
    tell
        Called with the number of situations that are done, and of all.

    Raises
    ------
    TeachingError
        If the agent gives no probabilities in one of the situations.
    """
    places: dict[tuple[StageGame, Context], list[int]] = {}
    for place, situation in enumerate(situations):
        places.setdefault((situation.view.game, situation.context), []).append(place)
    found: dict[int, tuple[float, ...]] = {}
    for told, some in places.items():
        asked = agent(*told)
        turns = [view_turn(situations[place].view, place) for place in some]
        decisions = asked.policy(turns)
        tell(len(found) + len(some), len(situations))
        for place, decision in zip(some, decisions, strict=True):
            if decision.probabilities is None:
                raise TeachingError(f"'{asked.name}' gives no probabilities {_where(situations[place])}; {way_out}")
            found[place] = tuple(float(share) for share in decision.probabilities)
    return [found[place] for place in range(len(situations))]


def _where(situation: FramedDecision) -> str:
    """The situation in words; what is decided beside the game itself has a name of its own."""
    phase = situation.view.phase
    return f"in {situation.name}" if phase == "act" else f"in the phase '{phase}' of {situation.name}"


def teach_policy(
    student: StudentPrompts,
    teacher: Teacher,
    situations: Sequence[FramedDecision],
    answers: int = 0,
    tell: TellProgress = nobody,
) -> list[Demonstration]:
    """What the teacher does in situations, as demonstrations.

    Parameters
    ----------
    student
        How the student will be asked.
    teacher
        Who is asked.
    situations
        What the teacher is asked about; each has options to choose from.
    answers
        Number of answers that are drawn from the teacher's probabilities, whose shares are taught (hard labels); 0: its
        probabilities themselves (soft labels).
    tell
        Called with the number of situations that the teacher has been asked about, and of all.
    """
    shown = []
    for number, (situation, shares) in enumerate(
        zip(situations, policies(teacher, situations, RECORD, tell), strict=True)
    ):
        if answers:
            rng = np.random.default_rng([student.seed, number, 1])
            shares = tuple((rng.multinomial(answers, np.array(shares) / sum(shares)) / answers).tolist())
        ways = student.posed(situation, number)
        name = f"{situation.name}/{sha256(ways[0].prompt.encode()).hexdigest()[:8]}" if len(ways) > 1 else ""
        shown += [student.demonstration(one.prompt, one.labels, shares, situation=name) for one in ways]
    return shown


def teach_play(
    student: StudentPrompts, context: Context, decided: Iterable[DecidedTurn], method: Method, again: bool = False
) -> list[Demonstration]:
    """Recorded decisions as demonstrations.

    A decision that was made by a language model is taught with the prompt that it was given; any other, and every one
    if `again`, with the question that the student would be asked in its place, in one of the presentations.

    Parameters
    ----------
    student
        How the student will be asked.
    context
        How the game is told where no prompt is recorded.
    decided
        Decisions, with what the player knew.
    method
        ``hard``: what was written, or the action; ``soft``: the probabilities of the actions; ``motivated``: both;
        ``tokens``: what was written.
    again
        Whether recorded prompts are replaced.

    Raises
    ------
    TeachingError
        If probabilities are to be taught and there are none, or the game does not tell what a player knew.
    """
    return [_taught(student, context, one, method, again, number) for number, one in enumerate(decided)]


def _taught(
    student: StudentPrompts, context: Context, one: DecidedTurn, method: Method, again: bool, number: int
) -> Demonstration:
    decision, view = one.decision, one.turn.info.get("view")
    if decision.deliberations is not None:
        raise TeachingError(f"'{one.player}' wrote something before it answered, which is not taught")
    if method in ("soft", "motivated") and decision.probabilities is None:
        raise TeachingError(
            f"'{one.player}' has decisions without probabilities, which --method {method} teaches; choose --method hard"
        )
    if method in ("motivated", "tokens") and (not decision.reply or (again and method == "tokens")):
        raise TeachingError(f"'{one.player}' wrote nothing that --method {method} can teach; choose --method soft")
    if decision.prompt is None or again:
        if view is None:
            raise TeachingError(
                f"'{one.player}': the environment does not tell what a player knew, so nothing is asked"
            )
        posed = student.posed(FramedDecision(view, context, "one"), number)[0]
        prompt, labels, written = posed.prompt, posed.labels, None
    else:
        prompt, labels, written = decision.prompt, decision.labels or (), decision.reply
    chosen = decision.action
    if isinstance(chosen, str) or (view is not None and words_allowed(view) and not labels):
        return student.demonstration(prompt, (), (), str(chosen))
    if not labels or (view is not None and not options_now(view)):
        return student.demonstration(prompt, (), (), written or f"{float(np.ravel(chosen)[0]):g}")
    if method in ("hard", "tokens"):
        shares = tuple(float(place == chosen) for place in range(len(labels)))
        return student.demonstration(prompt, labels, shares, written or "")
    reply = written or "" if method == "motivated" else ""
    return student.demonstration(prompt, labels, decision.probabilities or (), reply)
