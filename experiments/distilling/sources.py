"""What the words of `dilemmas distill` mean: data that teach, and situations about which a teacher is asked."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from dilemmas.agents.agent import PERSON
from dilemmas.agents.matches.trajectory import may_be_trajectory
from dilemmas.agents.models.model_files import GGUF, is_miniature
from dilemmas.agents.roster import Framing
from dilemmas.agents.specifications import Kind, parse_spec
from dilemmas.agents.tables.compilation import TellProgress
from dilemmas.agents.tables.table_file import load_table
from dilemmas.envs.checks import check_different_files
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import UnknownNameError
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.labels import counterbalanced
from dilemmas.envs.rules.choices import options_now
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.experiments.distilling.folders import (
    check_study,
    demonstration_files,
    holds_model,
    is_distillation,
    is_study,
    play_in,
    taught_by_study,
)
from dilemmas.experiments.distilling.recorded import recorded_turns
from dilemmas.experiments.distilling.situations import FramedDecision, of_histories, of_scenarios
from dilemmas.experiments.distilling.teaching import (
    StudentPrompts,
    TeachingError,
    nobody,
    teach_play,
    teach_policy,
)
from dilemmas.experiments.inference.play_tables import TABLES
from dilemmas.experiments.inference.recorded_play import recorded_files
from dilemmas.experiments.study.recipe import TRAINING_SET, Recipe
from dilemmas.experiments.study.teachers import teacher_of
from dilemmas.training.demonstrations import Demonstration, read_demonstrations

SCENARIOS, HISTORIES, QUESTIONS = "scenarios", "histories", "questions"
"""Situations that need no file: the training scenarios of the recipe, all histories of the game, random games."""
RECORDED = "a run folder, recorded play (*.trajectory.jsonl) or chat data (*.jsonl)"
"""What can be taught beside agents."""


@dataclass(frozen=True, slots=True)
class Relabelling:
    """On-policy relabelling: what the teacher would do on the histories that the student reaches."""

    times: int
    """How often the student plays and is then taught again, 1 or more."""
    opponents: tuple[str, ...]
    """Agents against which it plays."""
    rules: Repeated
    """Rules of the matches."""
    matches: int
    """Matches against each opponent."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a student is taught from, and how it is told."""

    data: tuple[str, ...]
    """Run folders, files and agents."""
    on: tuple[str, ...]
    """What agents among them are asked about; empty: the usual for each kind of agent."""
    recipe: Recipe
    """Words, training scenarios, random games, method and seed."""
    framing: Framing
    """How a teacher that is a language model is opened and asked."""
    contexts: tuple[Context, ...]
    """Contexts of histories; the first one is that of recorded play without a prompt."""
    game: StageGame | None = None
    """Game of histories; None: that of a policy table."""
    memory: int = 1
    """Rounds of the longest histories."""
    players: tuple[str, ...] = ()
    """Whose recorded decisions are taught."""
    anew: bool = False
    """Whether recorded prompts are replaced by the questions of the student."""
    answers: int = 300
    """Answers of an agent that are drawn in every situation, for hard labels."""
    teacher: str = ""
    """Model whose probabilities of tokens are taught, with method ``tokens``."""
    relabelling: Relabelling | None = None
    """Matches of the student in which the teacher is asked what it would have done; None without."""

    @property
    def prompts(self) -> StudentPrompts:
        """How the student will be asked."""
        words, shown = self.recipe.prompting, is_miniature(self.recipe.models.student)
        return StudentPrompts(words.template, counterbalanced(words.presentation, shown), self.recipe.seed)


def taught(lessons: Lessons, kept: Path | None = None, tell: TellProgress = nobody) -> Iterator[Demonstration]:
    """The demonstrations from each of the data in turn.

    Parameters
    ----------
    lessons
        What is taught.
    kept
        Folder in which the answers of language models are kept.
    tell
        Called with the number of situations that an agent has been asked about, and of all.

    Raises
    ------
    InputError
        If one of the data cannot be used.
    """
    check_different_files(file for word in lessons.data if is_recorded(word) for file in recorded_in(word))
    for word in lessons.data:
        if not is_recorded(word):
            _check_agent(word)
    for word in lessons.data:
        nothing = True
        for one in _of_recorded(word, lessons) if is_recorded(word) else _of_agent(word, lessons, kept, tell):
            nothing = False
            yield one
        if nothing:
            raise TeachingError(f"{word}: nothing was decided there, so nothing can be taught")


def is_recorded(word: str) -> bool:
    """Whether a word names something recorded, not an agent."""
    path = Path(word).expanduser()
    return path.suffix == ".jsonl" or (path.is_dir() and not holds_model(path))


def recorded_in(word: str) -> list[Path]:
    """What is recorded: the folder of a study, files of demonstrations, or trajectories."""
    path = Path(word).expanduser()
    if not path.exists():
        raise TeachingError(f"{word}: there is no such file; give {RECORDED}, or an agent (`dilemmas agents`)")
    if is_study(path):
        check_study(path)
        return [path]
    if is_distillation(path):
        return demonstration_files(path)
    if path.is_dir():
        return play_in(path)
    if not path.stat().st_size:
        raise TeachingError(f"{word}: the file is empty; give {RECORDED}")
    return recorded_files(path) if may_be_trajectory(path) else [path]


def _of_recorded(word: str, lessons: Lessons) -> Iterator[Demonstration]:
    path, files = Path(word).expanduser(), recorded_in(word)
    read = is_study(path) or is_distillation(path)
    if read and lessons.players:
        way_out = f", or give {path / 'matches'}" if (path / "matches").is_dir() else ""
        raise TeachingError(f"{word}: its teaching data are taught, which no player gave; leave --player out{way_out}")
    if is_study(path):
        yield from taught_by_study(path, lessons.recipe.lora.method)
    elif read or not may_be_trajectory(files[0]):
        for file in files:
            yield from read_demonstrations(file)
    else:
        turns = recorded_turns(files, lessons.players)
        yield from teach_play(lessons.prompts, lessons.contexts[0], turns, lessons.recipe.lora.method, lessons.anew)


def _of_agent(spec: str, lessons: Lessons, kept: Path | None, tell: TellProgress) -> list[Demonstration]:
    if lessons.recipe.lora.method in ("motivated", "tokens"):
        raise TeachingError(f"'{spec}' is asked for probabilities alone; choose --method soft, or give a study as DATA")
    words, game = asked_words(spec, lessons)
    told = replace(lessons, game=game)
    asked = [one for word in words for one in situations_on(word, told)]
    answers = lessons.answers if lessons.recipe.lora.method == "hard" else 0
    teacher = teacher_of(spec, lessons.framing, kept and teacher_file(kept, spec))
    return teach_policy(lessons.prompts, teacher, asked, answers, tell)


def asked_words(spec: str, lessons: Lessons) -> tuple[tuple[str, ...], StageGame | None]:
    """The words of ``--on`` for an agent that teaches, and the game of histories: that of a policy table if none is
    named."""
    parsed = parse_spec(spec)
    game = load_table(parsed.text).game if parsed.kind == "table" and lessons.game is None else lessons.game
    return lessons.on or _usual(parsed.kind, lessons.game), game


def _check_agent(spec: str) -> None:
    """`TeachingError` if a word of DATA is no agent, or a person."""
    path = Path(spec).expanduser()
    if path.suffix.lower() in TABLES:
        raise TeachingError(
            f"{spec}: a table of play does not say what each player was told, so it is not taught; write what they did"
            " after each outcome as a policy table (`dilemmas fingerprint` counts it), and give that"
            if path.is_file()
            else f"{spec}: there is no such file; give {RECORDED}, or an agent (`dilemmas agents`)"
        )
    if path.is_file() and path.suffix not in (".json", GGUF):
        raise TeachingError(f"{path}: needs a run folder, a .jsonl file, a policy table or an agent")
    try:
        parsed = parse_spec(spec)
    except UnknownNameError as error:
        raise TeachingError(f"{error}; or the path of recorded play, which '{spec}' is not") from None
    if parsed.kind == "person":
        name = parsed.own_name or PERSON
        raise TeachingError(
            f"'{spec}': a person is not asked in a distillation; record matches (`dilemmas tournament run --agents"
            f" {spec},tit_for_tat --no-self-play --out FOLDER`), and teach them: FOLDER --player {name} --method hard"
        )


def teacher_file(kept: Path, spec: str) -> Path:
    """The file with the answers of a teacher, in the folder for them."""
    return kept / f"{sha256(spec.encode()).hexdigest()[:8]}.jsonl"


def _usual(kind: Kind, named: StageGame | None) -> tuple[str, ...]:
    return (SCENARIOS,) if kind in ("model", "behaviour") and named is None else (HISTORIES,)


def situations_on(word: str, lessons: Lessons) -> Iterator[FramedDecision]:
    """What a word of ``--on`` means; `InputError` if it means nothing."""
    recipe = lessons.recipe
    if word == SCENARIOS or word in recipe.sets():
        yield from of_scenarios(recipe.sets()[TRAINING_SET if word == SCENARIOS else word])
    elif word == HISTORIES:
        if lessons.game is None:
            raise TeachingError("--on histories: needs the game, --game NAME")
        yield from of_histories(lessons.game, lessons.memory, lessons.contexts)
    elif word == QUESTIONS:
        for situation in of_scenarios(recipe.random_scenarios()):
            yield replace(situation, asked="opposite" if recipe.questions.opposite else "one")
    else:
        path = Path(word).expanduser()
        if not path.exists():
            known = dict.fromkeys((SCENARIOS, *recipe.sets(), HISTORIES, QUESTIONS))
            raise TeachingError(f"--on {word}: needs {', '.join(known)}, or the path of recorded play")
        for one in recorded_turns(recorded_files(path), lessons.players):
            view = one.turn.info.get("view")
            if view is not None and options_now(view):
                yield FramedDecision(view, lessons.contexts[0], asked="one", match=one.turn.key[0])
