"""Every format that the program reads: a file, what can happen to it, and what the program does with it."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from damage import (
    Damage,
    by_bytes,
    by_lines,
    in_a_line,
    in_json,
    in_toml,
    sealed_rows,
    sealed_trajectory,
)
from rich.console import Console

from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.record import RecordError
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter, read_trajectory
from dilemmas.agents.matches.trajectory_format import is_end_line
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.backend import FakeBackend, Response
from dilemmas.agents.models.model_files import find_model
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.table_file import load_table
from dilemmas.envs.games.catalogue import GAMES
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts import contexts, templates
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.seals import PROVENANCE, SEALS, Seals
from dilemmas.experiments.commands.look import example_text, summary_table
from dilemmas.experiments.dynamics.payoff_matrix import read_payoffs
from dilemmas.experiments.inference.recorded_play import by_subject, read_play
from dilemmas.experiments.replaying.replay import Result, replay_file
from dilemmas.experiments.series.plan import built_in_experiments, load_experiment, words_of
from dilemmas.experiments.study.answers import read_answers
from dilemmas.experiments.study.evaluation import read_results
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.report import print_study_tables, write_study_report
from dilemmas.experiments.tournaments.report import print_tables, write_report
from dilemmas.experiments.tournaments.run_folder import ROWS, kept_data, play_tournament, read_rows
from dilemmas.experiments.tournaments.settings import Settings
from dilemmas.experiments.tournaments.tournament import Tournament
from dilemmas.experiments.viewer.episode_screen import match_line
from dilemmas.experiments.viewer.watch import Place, Shelf, rendered_page
from dilemmas.training.examples import read_examples, summarise


@dataclass(frozen=True)
class Format:
    """A format of files that the program reads."""

    file: str
    """A file of it, in the corpus."""
    damages: tuple[Damage, ...]
    """What can happen to its bytes."""
    use: Callable[[Path], Any]
    """What the program does with the file; returns what it understood."""
    sealed: bool = False
    """Whether it has checksums: all that is understood must be what was written, or its beginning."""


def then(damage: Damage, repair: Callable[[bytes], bytes]) -> Damage:
    """Damage after which the checksums are made to fit."""
    return lambda data, rng: repair(damage(data, rng))


def screen() -> Console:
    return Console(file=StringIO(), width=80)


def watch(path: Path) -> Any:
    """As `dilemmas watch`: the list of matches, each match, and each of its steps."""
    shelf = Shelf([path])
    seen: list[Any] = []
    for number in range(len(shelf)):
        header, record = shelf.header(number), shelf.record(number)
        match_line(header, record, number, shelf.name(number))
        for step in (None, *range(1, len(record.steps) + 1)):
            rendered_page(screen(), shelf, Place(number, step))
        seen.append((header, record))
    for note in shelf.notes:
        raise RecordError(note)  # said on stderr
    return seen


def replay(path: Path) -> Any:
    return [(read_trajectory(path)[0], list(found)) for found in replay_file(path, None, Result())]


def play(path: Path) -> Any:
    found = by_subject(read_play([path], one="C"), "subject")
    return {
        name: [(one.match, one.own.tolist(), one.defectors.tolist()) for one in all_] for name, all_ in found.items()
    }


def show(path: Path) -> Any:
    """As `dilemmas tournament show`, which also writes the report."""
    data = kept_data(path.parent)
    print_tables(screen(), data)
    write_report(path.parent, data)
    return [data]


def study(path: Path) -> Any:
    """As `dilemmas replicate` on a finished run, which writes the report again."""
    found = read_results(path, load_recipe(str(path.parent / "recipe.json")))
    print_study_tables(screen(), found)
    write_study_report(path.parent, found)
    return [found]


def questions(path: Path) -> Any:
    """As `dilemmas replicate`: the answers that a model need not give again."""
    return CachingBackend(FakeBackend(lambda request: Response()), path)


def look(path: Path) -> Any:
    examples = read_examples(path)
    screen().print(summary_table(summarise(examples)))
    for example in examples:
        screen().print(example_text(example))
    return examples


def experiment(path: Path) -> Any:
    """As `dilemmas experiment`: the words of every command."""
    plan = load_experiment(str(path))
    values = {key: "x" for key in ("seed", "out", "teacher", "student", "recipe")}
    return [words_of(line, values) for variant in plan.variants.values() for line in variant.run]


def recipe(path: Path) -> Any:
    return load_recipe(str(path)).as_table()


def template(path: Path) -> Any:
    templates.load_template.cache_clear()
    found = templates.load_template(str(path))
    return [scenario_prompt(found, game, contexts.context("friends")) for game in list(GAMES.values())[:3]]


def table(path: Path) -> Any:
    found = load_table(path)
    return found.document(), found.probabilities.tolist(), found.traits.lookback


TRAJECTORY = (by_bytes, by_lines, in_a_line, *(then(one, sealed_trajectory) for one in (by_bytes, by_lines, in_a_line)))
JSON = (by_bytes, by_lines, in_json, in_json)
LINES = (by_bytes, by_lines, in_a_line)
TOML = (by_bytes, by_lines, in_toml, in_toml)
RESEALED = tuple(then(one, sealed_rows) for one in LINES)

FORMATS = {
    "trajectory, watched": Format("play.trajectory.jsonl", TRAJECTORY[:3], watch, sealed=True),
    "trajectory, replayed": Format("play.trajectory.jsonl", TRAJECTORY[:3], replay, sealed=True),
    "resealed trajectory, watched": Format("play.trajectory.jsonl", TRAJECTORY[3:], watch),
    "resealed trajectory of models, watched": Format("models.trajectory.jsonl", TRAJECTORY[3:], watch),
    "resealed trajectory of models, replayed": Format("models.trajectory.jsonl", TRAJECTORY[3:], replay),
    "resealed trajectory, replayed": Format("play.trajectory.jsonl", TRAJECTORY[3:], replay),
    "resealed trajectory, inferred from": Format("play.trajectory.jsonl", TRAJECTORY[3:], play),
    "rows": Format("cup/rows.jsonl", LINES, lambda path: [one.line() for one in read_rows(path)], sealed=True),
    "resealed rows": Format("unfinished/rows.jsonl", RESEALED, show),
    "settings": Format("unsealed/settings.json", JSON, show),
    "sealed results of a tournament": Format("cup/results.json", JSON, show, sealed=True),
    "results of a tournament": Format("unsealed/results.json", JSON, show),
    "payoffs of a tournament": Format(
        "unsealed/results.json", JSON, lambda path: read_payoffs(path.parent).payoffs.tolist()
    ),
    "recipe": Format("own.toml", TOML, recipe),
    "resolved recipe": Format("recipe.json", JSON, recipe),
    "experiment": Format("transfer.toml", TOML, experiment),
    "template": Format("mine.toml", TOML, template),
    "contexts": Format("contexts.toml", TOML, contexts.load_contexts),
    "policy table": Format("table.json", JSON, table),
    "teaching data": Format("examples.jsonl", LINES, look),
    "answers": Format("answers.jsonl", LINES, read_answers),
    "sealed results of a study": Format("study/results.json", JSON, study, sealed=True),
    "results of a study": Format("unsealed_study/results.json", JSON, study),
    "probabilities of labels": Format("questions.jsonl", LINES, questions),
    "adapter": Format("adapter/adapter_config.json", JSON, lambda path: find_model(str(path.parent)).name),
    "table of play": Format("lab.csv", (by_bytes, by_lines), play),
}


def make_corpus(folder: Path, run: Path) -> None:
    """Write a file of every format. `run`: folder of a study."""
    options = {"rounds": 4, "noise": 0.2, "talk": 1}
    agents = [strategy("tit_for_tat"), strategy("random")]
    header = Header("dilemmas/stag_hunt-v0", tuple(one.describe() for one in agents), 0, options, "friends", "study")
    with TrajectoryWriter(folder / "play.trajectory.jsonl", header) as writer:
        for record in run_matches(lambda: parallel("stag_hunt", **options), agents, 2, 0):
            writer.write(record)
    lines = sorted((run / "matches").glob("*teacher-untuned*"))[0].read_bytes().splitlines(keepends=True)
    ends = [number for number, line in enumerate(lines, 1) if is_end_line(line)]
    (folder / "models.trajectory.jsonl").write_bytes(b"".join(lines[: ends[1]]))
    settings = Settings("prisoners_dilemma", ("tft", "random", "alld"), {"rounds": 5, "noise": 0.1}, 2)
    for name in ("cup", "unfinished", "unsealed"):
        play_tournament(Tournament(settings), folder / name)
    (folder / "unfinished" / "results.json").unlink()
    (folder / "unfinished" / SEALS).unlink()
    (folder / "unsealed" / PROVENANCE).unlink()  # with it, results without a seal are refused
    (folder / "unsealed" / SEALS).unlink()
    Seals(folder / "unsealed").add(folder / "unsealed" / ROWS)
    prompts = Path(templates.__file__).parent
    shutil.copy(prompts / "contexts.toml", folder)
    shutil.copy(prompts / "template_files" / "study.toml", folder / "mine.toml")
    shutil.copy(built_in_experiments()["transfer"], folder)
    (folder / "own.toml").write_text(OWN, encoding="utf-8")
    (folder / "lab.csv").write_text("subject,match,round,own,other\n" + PLAYED, encoding="utf-8")
    shutil.copy(run / "recipe.json", folder)
    shutil.copy(run / "tables" / "teacher.json", folder / "table.json")
    lines_of = {
        "examples": "examples.jsonl",
        "answers": "answers/teacher.jsonl",
        "questions": "questions/teacher.jsonl",
    }
    for name, source in lines_of.items():
        first = (run / source).read_bytes().splitlines(keepends=True)[:5]
        (folder / f"{name}.jsonl").write_bytes(b"".join(first))
    shutil.copytree(run / "adapter", folder / "adapter")
    for name, files in {
        "study": ("results.json", "recipe.json", "models.json", PROVENANCE, SEALS),
        "unsealed_study": ("results.json", "recipe.json"),
    }.items():
        (folder / name).mkdir()
        for file in files:
            shutil.copy(run / file, folder / name)


PLAYED = "".join(f"{who},1,{n},{n % 2},{'1' if n > 3 else '0'}\n" for who in "ab" for n in range(1, 6))
OWN = """# A recipe with a game and a context of its own.
base = "miniatures"
observations = 2
[prompting]
temperature = 0.5
template = "study"
[scenarios]
games = ["harmony", "my_dilemma"]
contexts = ["friends", "pub"]
[lora]
rank = 8
[games.my_dilemma]
game = "matrix_game"
T = 9
R = 7
P = 2
S = 0
[contexts.pub]
title = "a chat in a pub"
pair = "You are in a pub with a friend."
group = "You are in a pub with {others} friends."
"""


def damaged(name: str, data: bytes, seed: int) -> bytes:
    """The bytes of a file of a format after damage number `seed`."""
    rng = random.Random(f"{name} {seed}")
    return rng.choice(FORMATS[name].damages)(data, rng)
