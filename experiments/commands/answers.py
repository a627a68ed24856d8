"""Answers to names of commands that do not exist: which command does the job, or that there is none."""

from collections.abc import Iterator

_AGENTS = "`dilemmas tournament strategies` lists the strategies, `dilemmas agents` all kinds of agents"
_CONTEXTS = "contexts are listed by `dilemmas compile --help`"
_DISTIL = "a student is trained by `dilemmas distill`, and in `dilemmas replicate`"
_DRY_RUN = "`dilemmas replicate --dry-run` prints the resolved recipe; `--recipe FILE.toml` runs another one"
_ENVS = "`dilemmas games` lists the environments, `dilemmas games NAME` shows one"
_EVALUATE = "`dilemmas evaluate` compares agents with a teacher; the last stage of `dilemmas replicate` is evaluation"
_FETCH = "nothing is downloaded but the models you name, when they are used first"
_LIST = "`dilemmas games` lists environments, `dilemmas tournament strategies` strategies, `dilemmas watch RUN` matches"
_PLAY = "agents play in `dilemmas tournament run --agents A,B --engine environment --out FOLDER`, `human` is a person"
_POPULATION = "population dynamics: `dilemmas tournament evolve`; lattice: `dilemmas lattice`"
_PROMPT = "`dilemmas prompt show` prints a prompt; `dilemmas watch RUN --match 0 --step 1 --plain` those of a match"
_REPORT = (
    "`replicate` and `tournament run` write report.html into --out; `dilemmas report RUN` and"
    " `dilemmas tournament show FOLDER` print the tables"
)
_RUN = "the study is `dilemmas replicate`, a tournament `dilemmas tournament run`"
_TABLE = "`dilemmas compile AGENT --game GAME` writes the policy table of an agent"
_WATCH = "`dilemmas watch RUN` steps through recorded matches in the terminal"
_WHICH = "`dilemmas fingerprint RUN` describes each player, `dilemmas infer RUN` estimates which strategies were played"

ANSWERS = {
    "abm": _POPULATION,
    "agent": _AGENTS,
    "analyse": _WHICH,
    "analyze": _WHICH,
    "benchmark": "speed is measured by `dilemmas bench envs` and `dilemmas bench tournaments`",
    "chart": _REPORT,
    "classify": _WHICH,
    "completion": "`dilemmas --help` ends with how to enable shell completion",
    "config": _DRY_RUN,
    "contexts": _CONTEXTS,
    "data": "`dilemmas look RUN` shows the teaching data of a run",
    "dataset": "`dilemmas look RUN` shows the teaching data of a run",
    "distil": _DISTIL,
    "download": _FETCH,
    "dynamics": _POPULATION,
    "env": _ENVS,
    "environments": _ENVS,
    "envs": _ENVS,
    "equilibria": "`dilemmas games NAME` shows the equilibria of a game, `--set KEY=VALUE` with other payoffs",
    "eval": _EVALUATE,
    "evaluation": _EVALUATE,
    "evolve": "strategies evolve in `dilemmas tournament evolve FOLDER`",
    "examples": "`dilemmas look RUN` shows the teaching data of a run",
    "export": "`dilemmas tournament export FOLDER --out matches.csv` writes a tournament's matches to a table",
    "finetune": _DISTIL,
    "fine-tune": _DISTIL,
    "game": _ENVS,
    "help": "`dilemmas --help` lists the commands, `dilemmas COMMAND --help` describes one",
    "info": _ENVS,
    "install": '`pip install "dilemmas[llm]"` adds language models; docs/install.md lists the other extras',
    "league": _RUN,
    "list": _LIST,
    "ls": _LIST,
    "lora": _DISTIL,
    "match": _PLAY,
    "matches": _WATCH,
    "models": "`dilemmas agents` lists how models are given: by directory, GGUF file, hub id, server or built-in name",
    "moran": _POPULATION,
    "payoffs": "`dilemmas games NAME` shows payoffs, `--set KEY=VALUE` changes them in every command",
    "play": _PLAY,
    "plot": _REPORT,
    "policy": _TABLE,
    "population": _POPULATION,
    "pretrain": "`dilemmas miniatures build` pretrains the built-in models; other models are already pretrained",
    "prompts": _PROMPT,
    "recipe": _DRY_RUN,
    "recipes": _DRY_RUN,
    "resume": "an interrupted run is resumed by repeating its command with the same --out",
    "run": _RUN,
    "scenarios": f"{_CONTEXTS}; games by `dilemmas games`",
    "serve": "no server is started here: `dilemmas server` shows what one that runs can do",
    "show": "`dilemmas tournament show FOLDER` prints a tournament again, `dilemmas watch RUN` recorded matches",
    "simulate": f"{_RUN}; {_POPULATION}",
    "solve": "`dilemmas games NAME` shows the equilibria of a game",
    "start": _RUN,
    "stats": _WHICH,
    "strategies": "strategies are listed by `dilemmas tournament strategies`",
    "strategy": "`dilemmas tournament strategies NAME` shows a strategy",
    "student": _DISTIL,
    "study": "the study is `dilemmas replicate`",
    "table": _TABLE,
    "teach": "the teacher plays in the first stage of `dilemmas replicate`",
    "teacher": "the teacher plays in the first stage of `dilemmas replicate`",
    "templates": "study, vignette, motivate, reason, predict, mixed, or a .toml file; see `dilemmas prompt show`",
    "test": "the tests are run by `make test` in a checkout; `dilemmas replay RUN` verifies a recorded run",
    "train": _DISTIL,
    "training": _DISTIL,
    "tui": _WATCH,
    "tune": _DISTIL,
    "verify": "`dilemmas replay RUN` plays recorded matches again and compares everything",
    "version": "`dilemmas --version` prints the version",
    "view": _WATCH,
    "viewer": _WATCH,
    "visualise": _WATCH,
    "visualize": _WATCH,
}
"""Name of something that is not a command -> what to use instead. Commands are in `main.COMMANDS`."""

TOURNAMENT_ANSWERS = {
    "abm": _POPULATION,
    "agents": _AGENTS,
    "list": "`dilemmas tournament strategies` lists the strategies",
    "play": "a tournament is played by `dilemmas tournament run`",
    "print": "the tables are printed by `dilemmas tournament show FOLDER`",
    "ranking": "the tables are printed by `dilemmas tournament show FOLDER`",
    "report": "`dilemmas tournament run --out FOLDER` writes report.html; `dilemmas tournament show FOLDER` prints it",
    "resume": "a tournament is resumed by repeating its command with the same --out",
    "results": "the tables are printed by `dilemmas tournament show FOLDER`",
    "start": "a tournament is played by `dilemmas tournament run`",
    "strategy": "`dilemmas tournament strategies NAME` shows a strategy",
}
"""The same for subcommands of `dilemmas tournament`."""


def suggested(answers: dict[str, str]) -> Iterator[str]:
    """The command lines in backquotes that the answers suggest."""
    for text in answers.values():
        yield from text.split("`")[1::2]
