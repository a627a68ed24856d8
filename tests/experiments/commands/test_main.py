"""The command line: quick, and every mistake answered in one line with the way out."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dilemmas.agents.versions import dilemmas_version
from dilemmas.experiments.commands.main import COMMANDS, cli, main


def dilemmas(*arguments: str, cwd=None) -> subprocess.CompletedProcess[str]:
    code = "from dilemmas.experiments.commands.main import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom dilemmas.experiments.commands.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('torch', 'transformers', 'numpy', 'pettingzoo', 'mesa') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_a_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert not ended.value.code
    assert "Usage:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replicat"], "did you mean 'replicate'"),
        (["replicate", "--recipe", "miniture"], "did you mean 'miniatures'"),
        (["replicate", "--recipe", "miniatures", "--teacher", "miniature-teachr"], "did you mean 'miniature-teacher'"),
        (["compile", "tit_for_tta", "--game", "harmony"], "did you mean 'tit_for_tat'"),
        (["compile", "tit_for_tat", "--game", "harmonny"], "did you mean 'harmony'"),
        (["compile", "miniature-student", "--game", "harmony", "--context", "freinds"], "did you mean 'friends'"),
        (["look", "nowhere"], "nowhere"),
        (["replay", "nowhere"], "nowhere"),
        (["watch", "nowhere"], "nowhere"),
        (["replicate", "--observations", "0"], "0 is not in the range 1<=x<=1000000"),
        (["replicate", "--seed", "x"], "'x' is not a valid"),
        (["replicate", "--seed", "-1"], "-1 is not in the range 0<=x<=9223372036854775807"),
        (["replicate", "--obervations", "3"], "--observations"),
        (["replicate", "--out", "notes.txt"], "'notes.txt' is a file"),
        (["replicate", "--out", "notes.txt/run"], "notes.txt/run: Not a directory"),
        (["replicate", "--device", "cpuu"], "unknown device 'cpuu'; this machine has cpu"),
        (["replicate", "--dry-run", "--device", "gpu"], "unknown device 'gpu'; this machine has cpu"),
        (
            ["replicate", "--recipe", "miniatures", "--dry-run", "--teacher", "./nosuch"],
            "'./nosuch': no such directory",
        ),
        (
            ["replicate", "--recipe", "miniatures", "--dry-run", "--student", "notes.txt/model/x"],
            "'notes.txt/model/x': no such directory",
        ),
        (["replicate", "--student", "miniature-studet", "--teacher", "miniature-teacher"], "'miniature-student'"),
        (["compile", "tit_for_tat"], "Missing option '--game'. (see "),
        (["compile", "tit_for_tat", "--game", "harmony", "--out", "notes.txt/t.json"], "notes.txt"),
        (["miniatures", "biuld"], "build"),
        (["tournament", "evolve", "runs/none", "--alpha", "1e309"], "'1e309' is too large a number"),
        (["tournament", "run", "--agents", "./=none.json,tft"], "error: =none.json: "),
        (["games", "public_goods", "--set", "n_players=3000"], "at most 699 of so many players can be solved"),
        (["evalute"], "unknown command 'evalute'; did you mean 'evaluate'?"),
        (["tournament", "list"], "there is no command 'list': `dilemmas tournament strategies` lists"),
        (["tournament", "strateges"], "did you mean 'strategies'"),
        (["look", "notes.txt"], "notes.txt contains no example"),
        (["look", "notes.txt", "--show", "-1"], "-1 is not in the range 0<=x<=1000000"),
    ],
)
def test_an_error_is_one_line_with_the_remedy(
    arguments: list[str], message: str, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    found = capsys.readouterr().err
    assert ended.value.code == 2
    assert found.count("\n") == 1
    assert message in found
    assert not (tmp_path / "runs" / "replicate" / "recipe.json").exists()


@pytest.mark.parametrize(("name", "ending"), [("miniatures", "; repeat the same command to resume"), ("watch", "")])
def test_ctrl_c_names_the_remedy_only_for_resumable_commands(name: str, ending: str, monkeypatch, capsys) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupted)
    with pytest.raises(SystemExit) as ended:
        main([name, "run"], cli)
    assert ended.value.code == 130
    assert capsys.readouterr().err == f"interrupted{ending}\n"


@pytest.mark.parametrize(
    ("package", "command", "extra"),
    [
        ("torch", "distill tft --game stag_hunt --student miniature:student --out made", "llm"),
        ("torch", "merge miniature-student+made --out merged", "llm"),
        ("torch", "replicate --out made", "llm"),
        ("aiohttp", "server openai:m@http://127.0.0.1:9/v1", "api"),
        ("mesa", "lattice --table none.json", "abm"),
    ],
)
def test_a_package_that_is_missing_is_an_error_with_its_extra(package, command, extra, tmp_path) -> None:
    code = (
        "import sys\nfrom importlib.machinery import PathFinder\n"
        "class Without(PathFinder):\n"
        "    find_spec = classmethod(lambda cls, name, path=None, target=None: None"
        f" if name.partition('.')[0] == {package!r} else PathFinder.find_spec(name, path, target))\n"
        "sys.meta_path[sys.meta_path.index(PathFinder)] = Without\n"
        "from dilemmas.experiments.commands.main import main; main()"
    )
    arguments = [sys.executable, "-c", code, *command.split()]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f'pip install "dilemmas[{extra}]"' in done.stderr


def test_the_version_is_printed() -> None:
    done = dilemmas("--version")
    assert (done.returncode, done.stdout) == (0, f"dilemmas {dilemmas_version()}\n")


def dry_run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What `dilemmas replicate --dry-run` prints, or says on stderr where it fails."""
    with pytest.raises(SystemExit) as ended:
        main(["replicate", "--dry-run", *arguments])
    found = capsys.readouterr()
    assert (ended.value.code or 0) == code, found.err
    return found.err if code else found.out


def test_a_dry_run_states_recipe_and_cost_and_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(dry_run(capsys, "--observations", "50", "--out", str(tmp_path / "run")))
    assert found["observations"] == 50
    assert found["cost"]["teaching_examples"] == 20 * 50
    assert found["prompting"]["presentation"] == "auto"
    for role in ("teacher", "student"):
        needs = found["estimate"][role]
        assert not needs["not_measured"]
        assert needs["seconds"] > 1000 * needs["seconds_per_text"] > 0
        assert needs["memory_bytes"] > 10_000_000
    shuffled = dry_run(capsys, "--presentation", "counterbalanced", "--out", str(tmp_path / "run"))
    assert json.loads(shuffled)["prompting"]["presentation"] == "counterbalanced"
    assert not (tmp_path / "run").exists()


def test_a_dry_run_refuses_a_question_that_the_run_would_refuse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with a system text that is longer than the context of the model."""
    said = dry_run(capsys, "--system", "Be brief. " * 3000, "--out", str(tmp_path / "run"), code=2)
    assert "the maximum of miniature-teacher is" in said


def test_a_dry_run_says_which_models_it_cannot_check_without_the_hub(tmp_path, monkeypatch, capsys) -> None:
    asked = []

    def only_cached(name: str, *, local_files_only: bool, **_: object) -> str:
        asked.append((name, local_files_only))
        raise FileNotFoundError(name)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", only_cached)
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')
    with pytest.raises(SystemExit) as ended:
        main(["replicate", "--dry-run", "--teacher", "nosuch", "--student", "org/small"])
    assert ended.value.code == 0
    found = capsys.readouterr()
    assert json.loads(found.out)["models"]["teacher"] == "nosuch"
    needs = json.loads(found.out)["estimate"]
    assert "nosuch" in needs["teacher"]["not_measured"]
    assert needs["student"]["seconds"] is None
    teacher, student = found.err.splitlines()
    assert teacher.startswith("not checked: teacher: 'nosuch' is no built-in model and no directory")
    assert "'org/small'" in student
    with pytest.raises(SystemExit) as ended:  # the base that an adapter names is not fetched by the study either
        main(["replicate", "--dry-run", "--teacher", "adapter", "--student", "org/small"])
    assert ended.value.code == 2
    assert "its base model cannot be used ('org/base'" in capsys.readouterr().err
    assert list(dict.fromkeys(asked)) == [("nosuch", True), ("org/small", True), ("org/base", True)]


@pytest.mark.parametrize(("given", "missing"), [("--teacher", "--student"), ("--student", "--teacher")])
def test_a_model_without_the_other_one_is_refused(
    given: str, missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other one would be a model of the study, from the hub, that nobody named."""
    with pytest.raises(SystemExit) as ended:
        main(["replicate", given, "miniature-student", "--out", str(tmp_path / "run")])
    assert ended.value.code == 2
    assert f"{given} without {missing}: give both models" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    with pytest.raises(SystemExit) as ended:
        main(["replicate", given, "miniature-student", "--recipe", "miniatures", "--dry-run"])
    assert ended.value.code == 0


def paths(group: click.Group, context: click.Context) -> Iterator[click.Parameter]:
    """The arguments and options of all commands that are paths."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from paths(command, context)
        else:
            yield from (one for one in command.params if isinstance(one.type, click.Path))


def test_an_empty_path_is_an_error_not_the_current_folder() -> None:
    context = click.Context(cli)
    found = list(paths(cli, context))
    assert len(found) > 12
    for one in found:
        with pytest.raises(click.BadParameter, match="the path is empty"):
            one.type.convert("", one, context)
