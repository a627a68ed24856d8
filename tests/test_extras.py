"""The wheel in clean virtual environments: without extras, and with each extra alone.

Slow, and skipped where pip reaches no index.
"""

import os
import shlex
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
STUDY = "replicate --observations 5 --out study"
TABLE = "compile tit_for_tat --game prisoners_dilemma --out table.json"
TOURNAMENT = "tournament run --agents tft,alld"
NEEDS_EXTRA = {
    "ask miniature-teacher --exact --out nothing": "llm",
    STUDY: "llm",
    "compile miniature-student --game prisoners_dilemma --context friends": "llm",
    "tournament run --agents tft,miniature-student": "llm",
    "miniatures build": "llm",
    "lattice --table table.json": "abm",
    "tournament run --agents tft,axelrod:Adaptive": "axelrod",
    f"{TOURNAMENT} --executor ray --out nothing": "cluster",
    "tournament export played --out matches.parquet": "parquet",
}
"""Command -> the extra that it needs."""


class Installation:
    """The wheel in a virtual environment of its own. Commands run in `folder`.

    Parameters
    ----------
    folder : Path
        An empty folder.
    wheel : Path
        The distribution.
    extra : str
        Extra to install with it, none if empty.
    """

    def __init__(self, folder: Path, wheel: Path, extra: str = "") -> None:
        venv.create(folder / "venv", with_pip=True, symlinks=True)
        self.folder = folder
        self.bin = folder / "venv" / "bin"
        self.pip("install", f"{wheel}[{extra}]" if extra else str(wheel))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, without any variable that shows Python another copy of dilemmas."""
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        program = str(self.bin / words[0])
        return subprocess.run(
            [program, *words[1:]], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=1200
        )

    def pip(self, command: str, *words: str) -> None:
        """Run pip with the pinned versions."""
        done = self.run("pip", command, "--quiet", "--disable-pip-version-check", "-c", str(CONSTRAINTS), *words)
        assert done.returncode == 0, done.stderr

    def dilemmas(self, command: str) -> str:
        """What a command prints; it must succeed."""
        done = self.run("dilemmas", *shlex.split(command))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, command: str) -> str:
        """The only line of a command that must be refused."""
        done = self.run("dilemmas", *shlex.split(command))
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        (line,) = done.stderr.splitlines()
        return line

    def evaluate(self, code: str) -> str:
        """What a line of Python prints."""
        done = self.run("python", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def has(self, package: str) -> bool:
        return self.evaluate(f"import importlib.util; print(importlib.util.find_spec({package!r}))") != "None"


@pytest.fixture(scope="module")
def wheel(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel; skips where pip reaches no index."""
    place = str(tmp_path_factory.mktemp("index"))
    words = ["download", "--quiet", "--no-deps", "--retries", "1", "--dest", place, "-c", str(CONSTRAINTS), "click"]
    asked = subprocess.run([sys.executable, "-m", "pip", *words], capture_output=True, text=True)
    if asked.returncode:
        pytest.skip(f"pip reaches no index: {asked.stderr.strip().splitlines()[-1]}")
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def core(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel without extras, with a policy table and a tournament in its folder."""
    made = Installation(tmp_path_factory.mktemp("core"), wheel)
    made.dilemmas(TABLE)
    made.dilemmas(f"{TOURNAMENT} --out played")
    return made


def test_the_core_has_games_and_tournaments(core: Installation) -> None:
    version = core.evaluate("import dilemmas; print(dilemmas.__version__)")
    assert core.run("python", "-m", "dilemmas", "--version").stdout == f"dilemmas {version}\n"
    assert core.dilemmas("--help").startswith("Usage: dilemmas ")
    assert "prisoners_dilemma" in core.dilemmas("games")
    assert "tit_for_tat" in core.dilemmas(TOURNAMENT)
    make = "import pettingzoo, dilemmas.envs; print(pettingzoo.make('parallel', 'dilemmas/stag_hunt-v0'))"
    assert core.evaluate(make) == "stag_hunt_v0"


def test_the_core_is_installed_from_the_wheel_and_has_no_extra(core: Installation) -> None:
    place = core.evaluate("import dilemmas; print(dilemmas.__file__)")
    assert place.startswith(str(core.folder / "venv"))
    assert not any(map(core.has, ("torch", "transformers", "peft", "mesa", "axelrod", "ray", "pyarrow", "pandas")))


@pytest.mark.parametrize(("command", "extra"), NEEDS_EXTRA.items())
def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    core: Installation, command: str, extra: str
) -> None:
    assert f'pip install "dilemmas[{extra}]"' in core.refusal(command)
    assert not (core.folder / "nothing").exists()


def test_benchmarks_without_their_rivals_name_the_extra(core: Installation) -> None:
    for name, extra in (("envs", "peers"), ("tournaments", "axelrod")):
        done = core.run("dilemmas", "bench", name, "--turns", "1", "--seconds", "0.01")
        assert done.returncode == 0, done.stderr
        missing = [line for line in done.stderr.splitlines() if line.startswith("not measured")]
        assert missing
        assert all(line.endswith(f'(pip install "dilemmas[{extra}]")') for line in missing)


def test_the_command_of_the_message_installs_the_extra(wheel: Path, tmp_path: Path) -> None:
    """Also while dilemmas is on no index: pip takes the extra of the installed copy."""
    made = Installation(tmp_path, wheel)
    made.dilemmas(TABLE)
    message = made.refusal("lattice --table table.json")
    program, command, *words = shlex.split(message[message.index("pip install") :])
    assert program == "pip"
    made.pip(command, *words)
    assert "cooperation" in made.dilemmas("lattice --table table.json --size 5 --steps 3")


def test_llm_alone_runs_the_study(wheel: Path, tmp_path: Path) -> None:
    made = Installation(tmp_path, wheel, "llm")
    assert not any(map(made.has, ("mesa", "pandas", "matplotlib")))
    assert "Gap closed" in made.dilemmas(STUDY)
    assert (tmp_path / "study" / "report.html").is_file()
    made.dilemmas("replay study")
    made.dilemmas("look study")


def test_abm_alone_runs_the_lattice(wheel: Path, tmp_path: Path) -> None:
    made = Installation(tmp_path, wheel, "abm")
    made.dilemmas(TABLE)
    assert "cooperation 1.000 in step 1" in made.dilemmas("lattice --table table.json --size 10 --steps 5")
    assert (tmp_path / "lattice" / "lattice.csv").is_file()
    assert not made.has("torch")


def test_axelrod_alone_lets_its_strategies_play(wheel: Path, tmp_path: Path) -> None:
    made = Installation(tmp_path, wheel, "axelrod")
    assert "Adaptive" in made.dilemmas("tournament run --agents tft,axelrod:Adaptive")
    assert not made.has("torch")


def test_cluster_alone_plays_on_ray(wheel: Path, tmp_path: Path) -> None:
    made = Installation(tmp_path, wheel, "cluster")
    local = made.dilemmas(f"{TOURNAMENT},random --json --out local")
    assert local
    made.dilemmas(f"{TOURNAMENT},random --executor ray --workers 2 --out cluster")
    results = [(tmp_path / name / "results.json").read_bytes() for name in ("local", "cluster")]
    assert results[0] == results[1]


def test_parquet_alone_exports_parquet(wheel: Path, tmp_path: Path) -> None:
    made = Installation(tmp_path, wheel, "parquet")
    made.dilemmas(f"{TOURNAMENT} --engine vectorised --out played")
    made.dilemmas("tournament export played --out matches.parquet")
    count = made.evaluate("from pyarrow import parquet; print(parquet.read_table('matches.parquet').num_rows)")
    assert count == str(3 * 10 * 2)  # pairs, repetitions, seats
