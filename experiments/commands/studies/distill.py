"""`dilemmas distill`: tune a student on anything that was recorded, or on any agent."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from dilemmas.agents.models.model_files import is_miniature
from dilemmas.agents.specifications import parse_spec
from dilemmas.envs.data_files import check_value, json_text
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.prompts.contexts import context as context_named
from dilemmas.envs.rules.factory import rules_of
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.group import ComputingCommand
from dilemmas.experiments.commands.options import (
    FramedBy,
    Location,
    framing_options,
    json_option,
    print_json,
    seed_option,
    set_option,
    settings_of,
)
from dilemmas.experiments.distilling.folders import STUDY
from dilemmas.experiments.distilling.sources import (
    HISTORIES,
    QUESTIONS,
    SCENARIOS,
    Lessons,
    Relabelling,
    is_recorded,
    taught,
)
from dilemmas.experiments.distilling.teaching import nobody
from dilemmas.experiments.reporting.format import number_of
from dilemmas.experiments.reporting.parsing import listed
from dilemmas.experiments.reporting.progress import MeasuredTask, progress_bar
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.training.demonstrations import Demonstration
from dilemmas.training.lora import LoraSettings, Method

if TYPE_CHECKING:
    from dilemmas.experiments.distilling.distillation import Distillation

WAY_OUT = "take less data or a smaller model"
STEPS = 300
"""Optimiser steps with which probabilities are taught by default: there are few questions, and each says all."""
OPPONENTS, ROUNDS, MATCHES = "random", 20, 10
"""The usual matches of a student, with ``--on-policy``."""


def _show(found: dict[str, Any] | list[Demonstration], as_json: bool) -> None:
    """Print where the student is, or of a dry run one demonstration and how many there are."""
    if isinstance(found, list):
        _show_demonstrations(found, as_json)
    elif as_json:
        print_json(found)
    else:
        held = found["demonstrations"] - found["taught"]
        apart = f"; {held:,} of them held out" if held else ""
        echo(
            f"{found['adapter']}: {number_of(found['demonstrations'], 'demonstration')} of"
            f" {number_of(found['questions'], 'question')}{apart}"
        )


@click.command(cls=ComputingCommand, show=_show)
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option("--student", required=True, shell_complete=completion.models, help="Language model that is tuned.")
@click.option("--out", type=Location(file_okay=False), required=True, help="Folder of the student and its data.")
@click.option(
    "--method",
    type=click.Choice(get_args(Method)),
    default="soft",
    show_default=True,
    help="What is learned: the teacher's probabilities (soft), what it wrote or did (hard), its probabilities and what"
    " it wrote (motivated), or its probabilities of every token of what it wrote (tokens).",
)
@click.option(
    "--teacher",
    shell_complete=completion.models,
    show_default="that of the study among DATA",
    help="Language model on this machine whose probabilities of every token are taught (tokens).",
)
@click.option(
    "--on",
    multiple=True,
    metavar="WORD or FILE",
    show_default="scenarios for language models without --game, else histories",
    help=f"What agents among the data are asked about: {SCENARIOS} (the training scenarios of the recipe), {HISTORIES}"
    f" (all of --game), {QUESTIONS} (random games), or recorded play; repeatable.",
)
@click.option(
    "--player", "players", multiple=True, help="Whose recorded decisions are taught: agent or seat; repeatable."
)
@click.option(
    "--anew", is_flag=True, help="Ask recorded questions in the words of the student, not as they were asked."
)
@click.option("--game", shell_complete=completion.games, help="Game of histories.")
@set_option
@click.option("--memory", type=click.IntRange(0, 10), default=1, show_default=True, help="Rounds of histories.")
@click.option(
    "--questions", type=click.IntRange(1, 1_000_000), show_default="from the recipe", help="Number of random games."
)
@click.option(
    "--answers",
    type=click.IntRange(1, 1_000_000),
    default=300,
    show_default=True,
    help="Answers of an agent that are drawn in every situation (hard).",
)
@click.option(
    "--on-policy",
    "times",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="How often the student plays matches, DATA, which is one agent, says what it would have done there, and the"
    " student is taught anew on all of it.",
)
@click.option("--opponents", show_default=OPPONENTS, metavar="AGENT,...", help="Opponents of these matches.")
@click.option("--rounds", type=click.IntRange(1, 10_000), show_default=str(ROUNDS), help="Rounds of a match.")
@click.option(
    "--matches", type=click.IntRange(1, 10_000), show_default=str(MATCHES), help="Matches against each opponent."
)
@click.option(
    "--recipe",
    "recipe_name",
    shell_complete=completion.recipes,
    show_default="miniatures for a built-in student, else study",
    help="Recipe with training scenarios, words and LoRA settings.",
)
@click.option(
    "--lora",
    "lora",
    multiple=True,
    metavar="KEY=VALUE",
    callback=lambda ctx, parameter, values: settings_of(values, "--lora"),
    show_default=f"from the recipe; with soft and motivated steps={STEPS} where it has none",
    help="Setting of the adapter or its training, such as rank=8; repeatable.",
)
@framing_options("team", in_recipe=True)
@seed_option("order, first weights and whatever is drawn")
@click.option("--dry-run", is_flag=True, help="Collect the data, print one demonstration and their number, and exit.")
@json_option
def command(
    data: tuple[str, ...], student: str, out: Path, dry_run: bool, framing: FramedBy, **chosen: Any
) -> dict[str, Any] | list[Demonstration] | None:
    """Tune a student on play: of a study's teacher, of recorded matches, of chat data, or of any agent.

    DATA are run folders, *.trajectory.jsonl files, chat data in *.jsonl, policy tables and agents (`dilemmas agents`).
    Every decision becomes the question that its player was asked, with what the teacher does there. An interrupted
    distillation is resumed by repeating the command.

    \b
    dilemmas distill runs/replicate --student miniature:student --out runs/soft
    dilemmas distill tit_for_tat --game prisoners_dilemma --student miniature:student --out runs/tft
    """
    from dilemmas.experiments.study.conduct.procedure import check_tuned, token_teacher

    unknown = check_student(student)
    lessons = _lessons(data, student, framing, **chosen)
    token_teacher(lessons.recipe, lessons.teacher)
    if dry_run:
        if unknown:
            echo(f"student: {unknown}", err=True)
        else:
            check_tuned(lessons.recipe)
        return list(taught(lessons))
    from dilemmas.experiments.distilling.distillation import Distillation

    work = Distillation(out, lessons)
    if work.processes.first:
        return _carry_out(work)
    work.run(nobody, lambda *_: None)
    return None


def _lessons(
    data: tuple[str, ...],
    student: str,
    framed: FramedBy,
    *,
    method: Method,
    teacher: str | None,
    on: tuple[str, ...],
    players: tuple[str, ...],
    anew: bool,
    game: str | None,
    settings: dict[str, Any],
    memory: int,
    questions: int | None,
    answers: int,
    recipe_name: str | None,
    lora: dict[str, Any],
    seed: int,
    **play: Any,
) -> Lessons:
    """What the options ask for."""
    if settings and game is None:
        raise InputError("--set: needs --game")
    recipe = load_recipe(recipe_name or ("miniatures" if is_miniature(student) else "study"))
    framing = framed(recipe.prompting)
    usual = {"steps": recipe.lora.steps or STEPS} if method in ("soft", "motivated") else {}
    tuning = check_value(asdict(recipe.lora) | usual | {"method": method} | lora, LoraSettings, "--lora")
    recipe = replace(
        recipe,
        seed=seed,
        models=replace(recipe.models, student=student, device=framing.device),
        prompting=replace(
            recipe.prompting, template=framing.words, presentation=framing.presentation, min_mass=framing.min_mass
        ),
        questions=replace(recipe.questions, number=questions or recipe.questions.number),
        lora=tuning,
    )
    return Lessons(
        data,
        on,
        recipe,
        framing,
        (context_named(framing.context, framing.words.contexts),),
        None if game is None else stage_game(game, **settings),
        memory,
        players,
        anew,
        answers,
        _token_teacher(data, method, teacher),
        _relabelling(data, game, settings, memory, **play),
    )


def _token_teacher(data: tuple[str, ...], method: Method, teacher: str | None) -> str:
    """The model whose probabilities of tokens are taught; empty with other methods."""
    if method != "tokens":
        if teacher is not None:
            raise InputError(f"--teacher: needs --method tokens; with {method}, what teaches is among DATA")
        return ""
    studies = [path for word in data if (path := Path(word).expanduser() / STUDY).is_file()]
    if teacher is None and not studies:
        raise InputError("--method tokens: needs --teacher, the language model whose probabilities are taught")
    return teacher or load_recipe(str(studies[0])).models.teacher


def _relabelling(
    data: tuple[str, ...],
    game: str | None,
    settings: dict[str, Any],
    memory: int,
    *,
    times: int,
    opponents: str | None,
    rounds: int | None,
    matches: int | None,
) -> Relabelling | None:
    """The matches of ``--on-policy``."""
    if not times:
        given = {"--opponents": opponents, "--rounds": rounds, "--matches": matches}
        if idle := [option for option, value in given.items() if value is not None]:
            raise InputError(f"{idle[0]}: needs --on-policy, the matches of the student")
        return None
    if game is None:
        raise InputError("--on-policy: needs --game, which the student plays")
    _check_agent(data)
    rules = rules_of(game, **settings, rounds=rounds or ROUNDS, memory=memory)
    others = listed(opponents or OPPONENTS)
    for spec in others:
        parse_spec(spec, rules.n_players, rules.stage)
    return Relabelling(times, others, rules, matches or MATCHES)


def check_student(student: str) -> str:
    """Why a student that is not on this machine could not be checked, or nothing; the hub is not asked.

    `InputError` if it cannot be tuned.
    """
    from dilemmas.agents.models.open_model import check_trainable
    from dilemmas.experiments.study.conduct.procedure import check_without_loading

    check_trainable(student)
    return check_without_loading(student)


def _check_agent(data: tuple[str, ...]) -> None:
    """`InputError` unless the data are one agent."""
    if len(data) > 1 or is_recorded(data[0]):
        raise InputError(f"--on-policy: needs one agent that teaches; got {', '.join(data)}")
    parse_spec(data[0])


def _show_demonstrations(shown: list[Demonstration], as_json: bool) -> None:
    questions = len({one.prompt for one in shown})
    if as_json:
        print_json({"demonstrations": len(shown), "questions": questions, "first": asdict(shown[0]) if shown else None})
        return
    for one in shown[:1]:
        echo(one.prompt)
        about = asdict(one)
        del about["prompt"]  # shown above, as it is read
        echo(json_text(about, indent=1))
    echo(f"{number_of(len(shown), 'demonstration')} of {number_of(questions, 'question')}", err=True)


def _carry_out(work: "Distillation") -> dict[str, Any]:
    """Carry out a distillation with a progress bar; what was tuned."""
    with progress_bar(SafeConsole(stderr=True)) as bar:
        tasks = [MeasuredTask(bar, name, WAY_OUT) for name in ("the teacher is asked", "the student is trained")]
        return asdict(work.run(*(task.follow for task in tasks)))
