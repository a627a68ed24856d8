"""The whole study: teach, distil, evaluate, measure. The caller shows progress and writes the report."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.asking.pace import is_small
from dilemmas.agents.models.backend import Backend
from dilemmas.agents.models.deciding.scored import require_scores
from dilemmas.agents.models.hub import NotCachedError
from dilemmas.agents.models.model_files import check_installed, find_model, split_spec
from dilemmas.agents.models.open_model import LazyModel, check_trainable, open_local, open_model
from dilemmas.agents.models.servers.server import ServerBackend
from dilemmas.agents.models.servers.settings import is_served, parse_address
from dilemmas.agents.models.weights import device_map
from dilemmas.agents.specifications import is_model
from dilemmas.envs.seals import RESULTS
from dilemmas.experiments.populations.torus import LATTICE_FILES, run_lattice, write_lattice
from dilemmas.experiments.run_folder import record_servers, write_json
from dilemmas.experiments.study import playing, stages, teaching
from dilemmas.experiments.study.answers import Role
from dilemmas.experiments.study.conduct.ahead import ask_in_parts
from dilemmas.experiments.study.data import collect
from dilemmas.experiments.study.evaluation import ask_ahead, evaluate, read_results
from dilemmas.experiments.study.recipe import TRAINING_SET, ModelSettings, Recipe, RecipeError
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.taught_facts import study_command, study_facts
from dilemmas.experiments.study.teachers import AgentTeacher, check_teacher
from dilemmas.training.demonstrations import Demonstration

NAMES = {"teacher": "the teacher", "untuned": "the untuned student", "tuned": "the tuned student"}


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """Progress of one task of the study."""

    task: str
    """Name of the task; the same for all its steps."""
    done: int
    """Steps completed; the first number of a task with a known total is that of an earlier attempt."""
    total: int | None = None
    """Steps of the task; None where it is not known yet."""
    note: str = ""
    """Further information, such as the loss."""


Steps = Generator[TaskProgress, None, dict[str, Any]]


def cost(recipe: Recipe) -> dict[str, int]:
    """How many replies the models write and how many examples the student reads."""
    scenarios = {name: len(group) for name, group in recipe.sets().items()}
    return {
        "teacher_replies": sum(scenarios.values()) * recipe.drawn,
        "student_replies": 2 * sum(scenarios.values()) * recipe.drawn,
        "teaching_examples": recipe.demonstrations,
        "training_steps": recipe.lora.steps or -(-recipe.lora.epochs * recipe.demonstrations // recipe.lora.batch),
    }


def check_models(models: ModelSettings) -> list[str]:
    """Check the device, and the models as far as they are on this machine, without asking the hub.

    Returns
    -------
    What could not be checked, a line per model that only the hub may have, or that is behind a server.

    Raises
    ------
    InputError
        If there is no such device, or a model does not exist or cannot be used.
    """
    check_device(models.device)
    unknown = []
    for role, spec in (("teacher", models.teacher), ("student", models.student)):
        if role == "student":
            check_trainable(spec)
        elif not is_model(spec):
            continue
        if reason := check_without_loading(spec):
            unknown.append(f"{role}: {reason}")
    return unknown


def check_device(device: str) -> None:
    """`ModelError` if there is no such device."""
    if device not in ("auto", "cpu"):  # these exist on every machine, also on one without torch
        check_installed()
        device_map(device)


def check_without_loading(spec: str) -> str:
    """Check a model as far as it is on this machine, without asking the hub or a server; why it could not be checked,
    or nothing. `InputError` if it does not exist or cannot be used."""
    if is_served(spec):
        return f"{parse_address(spec)}; no server is asked for it"
    try:
        find_model(*split_spec(spec), ask_hub=False)
    except NotCachedError as error:
        return f"{error}; a dry run does not ask the hub for it"
    return ""


def check_teaching(recipe: Recipe) -> None:
    """Check, before a model is asked, that the student can be taught as the recipe says.

    Raises
    ------
    InputError
        If a teacher that is no language model cannot decide in all scenarios and matches, or is to give motivations;
        with method ``tokens``, if the models are not both on this machine with the same tokens; if presentations are to
        be compared, and there is only one.
    """
    if not is_model(recipe.models.teacher):
        if recipe.lora.method == "motivated":
            raise RecipeError(f"[lora] method = 'motivated': {recipe.models.teacher} gives no motivations; choose soft")
        check_teacher(recipe, AgentTeacher(recipe.models.teacher))
    token_teacher(recipe, recipe.models.teacher)
    if recipe.lora.consistency and max(len(recipe.ways(one.game)) for one in recipe.sets()[TRAINING_SET]) == 1:
        raise RecipeError(
            "[lora] consistency: there is one presentation of each scenario; choose [prompting] presentation ="
            " 'counterbalanced'"
        )


def check_tuned(recipe: Recipe) -> None:
    """Check that the student has the layers that are to be tuned, without loading its weights.

    `InputError` if it has not, or there is no such model.
    """
    student = open_local(recipe.models.student)
    if recipe.lora.layers or recipe.lora.targets:
        from dilemmas.training.adapters import tuned_modules

        tuned_modules(student.network(), recipe.lora)


def token_teacher(recipe: Recipe, spec: str) -> LazyModel | None:
    """The model whose distributions of tokens are taught, with method ``tokens``; it is not loaded.

    Raises
    ------
    InputError
        If there is no such model on this machine, or it has other tokens than the student.
    """
    if recipe.lora.method != "tokens":
        return None
    from dilemmas.training.losses.token_divergence import check_same_tokens

    find = partial(open_local, device=recipe.models.device, dtype=recipe.models.dtype)
    teacher = find(spec)
    check_same_tokens(teacher.tokenizer(), find(recipe.models.student).tokenizer(), recipe.prompting.template.labels)
    return teacher


def finished_results(run: Run) -> dict[str, Any] | None:
    """What results.json of a finished run holds; None where the run is not finished.

    `RunError` where it is damaged, or was written by another version of dilemmas that uses another format.
    """
    path = run.folder / RESULTS
    return read_results(path, run.recipe) if path.is_file() else None


def carry_out(run: Run) -> Steps:
    """All stages of the study, resumed where a stopped run ended; returns what results.json then holds."""
    check_teaching(run.recipe)
    check_tuned(run.recipe)
    models = run.recipe.models
    find = partial(open_local, device=models.device, dtype=models.dtype)
    student = find(models.student)
    teacher = _teacher(run.recipe)
    if isinstance(teacher, ServerBackend):
        teacher.loaded()
        require_scores(teacher, run.recipe.prompting.template)
    _limit_threads(model for model in (teacher, student) if not isinstance(model, AgentTeacher))
    _try_out(run, "untuned", student)
    student.unload()
    _try_out(run, "teacher", teacher)
    run.begin()
    run.check_models({"teacher": teacher, "student": student})
    if isinstance(teacher, ServerBackend):
        record_servers(run.seals, {"teacher": teacher.capabilities})
    backends: dict[str, playing.Player] = {}
    with run.stage("teacher"):
        backends["teacher"] = yield from _answers(run, "teacher", teacher)
        teaching.teach(run)
        shown = _taught(run, backends["teacher"])
    with run.stage("untuned student"):
        backends["untuned"] = yield from _answers(run, "untuned", student)
    with run.stage("distillation"):
        yield from _distil(run, student, backends["teacher"], shown)
    with run.stage("tuned student"):
        tuned = find(f"{models.student}+{run.path('adapter')}") if shown else find(models.student)
        backends["tuned"] = yield from _answers(run, "tuned", tuned)
    with run.stage("matches"):
        played = playing.play_matches(run, backends)
        yield from _counted("the models play matches", played, len(playing.pairings(run.recipe)))
    with run.stage("population"):
        asked = run.recipe.population
        curves = run_lattice(playing.compile_tables(run, backends), asked.size, asked.steps, run.recipe.seed)
        folder = run.path("population")
        write_lattice(curves, folder)
        run.seals.add(*(folder / name for name in LATTICE_FILES))
    with run.stage("evaluation"):
        population = {role: curve.tolist() for role, curve in curves.items()}
        results = evaluate(collect(run, backends, population))
    for backend in backends.values():
        if isinstance(backend, CachingBackend):
            run.log(backend.hits)
    write_json(run.path(RESULTS), results)
    run.seals.add(run.path(RESULTS))
    return results


def _teacher(recipe: Recipe) -> LazyModel | ServerBackend | AgentTeacher:
    models = recipe.models
    if is_model(models.teacher):
        return open_model(models.teacher, device=models.device, dtype=models.dtype, servers=recipe.servers)
    return AgentTeacher(models.teacher)


def _try_out(run: Run, role: str, model: playing.Player) -> None:
    """Load a model of this machine that has not answered yet, and check its questions, before any model is asked."""
    if not isinstance(model, AgentTeacher) and not (run.folder / "answers" / f"{role}.jsonl").is_file():
        stages.check_room(run.recipe, role, model)
        playing.check_play(run.recipe, model)


def _limit_threads(models: Iterable[Backend]) -> None:
    """Small models run on one thread: on small matrices a second one costs more than it saves, many times more on a
    busy machine, and with one thread sums are added in the same order every time."""
    if all(map(is_small, models)):
        import torch

        torch.set_num_threads(1)


def _answers(run: Run, role: Role, model: Backend | AgentTeacher) -> Generator[TaskProgress, None, playing.Player]:
    """Ask a model everything, and release its weights before those of the next one are loaded."""
    replies = sum(len(group) for group in run.recipe.sets().values()) * max(1, run.recipe.drawn)
    answered, task = 0, f"{NAMES[role]} answers"
    if isinstance(model, AgentTeacher):
        for more in stages.ask_agent(run, role, model):
            answered += more
            yield TaskProgress(task, answered, replies)
        return model
    run.log_system_turn(model)
    for more in stages.ask_model(run, role, model):
        answered += more
        yield TaskProgress(task, answered, replies)
    backend = CachingBackend(model, run.path("questions", f"{role}.jsonl"))
    for done, total in ask_in_parts(partial(ask_further, run.recipe, role), backend):
        yield TaskProgress(f"{NAMES[role]} answers further questions", done, total)
    model.unload()
    return backend


def ask_further(recipe: Recipe, role: Role, backend: Backend) -> None:
    """Put to a model what matches, population, metrics and, to the teacher, the teaching will ask of it."""
    for _ in ask_ahead(recipe, backend):
        pass
    if role == "teacher":
        teaching.random_questions(recipe, backend)


def _taught(run: Run, teacher: playing.Player) -> list[Demonstration]:
    """What the student learns from; the teacher has answered already."""
    recipe, asked = run.recipe, teaching.teacher_answers(run.folder)
    shown = teaching.demonstrations(recipe, asked, recipe.lora.method)
    return [*shown * recipe.questions.repeats, *teaching.random_questions(recipe, teacher)]


def _distil(
    run: Run, student: LazyModel, teacher: playing.Player, shown: Sequence[Demonstration]
) -> Iterator[TaskProgress]:
    from dilemmas.training.adapters import ADAPTER_FILES, base_of
    from dilemmas.training.artefacts.cards import EVALUATE
    from dilemmas.training.distill import distil

    recipe, task = run.recipe, "the student is trained"
    if not shown:
        yield TaskProgress(task, 1, 1, "not at all: no reply of the teacher is readable")
        return
    yield TaskProgress(task, 0)
    model, tokenizer = student.weights()
    base = base_of(recipe.models.student, student.fingerprint, model)
    who = {"name": teacher.name, "fingerprint": teacher.fingerprint}
    steps = distil(
        model,
        tokenizer,
        shown,
        recipe.lora,
        run.path("adapter"),
        recipe.seed,
        base=base,
        teacher=token_teacher(recipe, recipe.models.teacher),
        taught={
            "teacher": who,
            "recipe": recipe.name,
            **study_facts(recipe),
            "on_policy": 0,
            EVALUATE: study_command(recipe, run.path("recipe.json"), run.path("adapter")),
        },
    )
    for step in steps:
        yield TaskProgress(task, step.step, step.total, step.note)
    run.seals.add(*(run.path("adapter", name) for name in ADAPTER_FILES))
    yield TaskProgress(task, 1, 1)
    student.unload()  # of the weights that were tuned


def _counted(task: str, steps: Iterable[object], total: int) -> Iterator[TaskProgress]:
    """The steps of a task, counted."""
    yield TaskProgress(task, 0, total)
    for done, _ in enumerate(steps, start=1):
        yield TaskProgress(task, done, total)
