"""Commands with a model behind a server that tells much, little or nothing about probabilities."""

import json
import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("torch")

from click.testing import CliRunner
from stub_server import Payload, Raw, StubServer, chat, failing

from dilemmas.agents.models.servers.settings import ServerSettings
from dilemmas.agents.tables.table_file import load_table
from dilemmas.experiments.commands.main import main
from dilemmas.experiments.commands.models.server import command as server_command

SHARES = {"C": 0.3, " C": 0.2, "D": 0.15, " D": 0.05, "1": 0.1, "10": 0.002, "0": 0.001} | {
    f"word{number}": 0.197 / 20 for number in range(20)
}


def answering(most: int, forces: bool = False) -> Callable[[Payload], Payload | Raw]:
    """A server that lists so many tokens at most, and perhaps writes what it is made to write."""

    def answer(payload: Payload) -> Payload | Raw:
        if payload.get("top_logprobs", 0) > most > 0:
            return failing(400, {"message": f"top_logprobs must be at most {most}"})
        drawn = random.Random(payload["seed"]).choices(list(SHARES), list(SHARES.values()))[0]
        found = chat(payload | {"n": 1}, drawn.strip() if payload["temperature"] else "C", SHARES if most else None)
        if forces and "structured_outputs" in payload and payload.get("logprobs"):
            (text,) = payload["structured_outputs"]["choice"]
            token = {"token": text, "logprob": math.log(SHARES.get(text, 1e-9))}
            found["choices"][0]["logprobs"] = {"content": [token]}
        return found

    return answer


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; returns its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)

    def called(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        return int(ended.value.code or 0), *capsys.readouterr()

    return called


@pytest.fixture
def spec(request: pytest.FixtureRequest) -> Iterator[str]:
    with StubServer(answering(*request.param)) as server:
        yield server.spec


MATCHES = ("--game", "prisoners_dilemma", "--context", "friends", "--repetitions", "3", "--rounds", "2", "--out", "run")


@pytest.mark.parametrize("spec", [(0,)], indirect=True)
@pytest.mark.parametrize(
    "words",
    [
        ("ask", "SPEC", "--exact"),
        ("ask", "SPEC", "--calibrate"),
        ("ask", "SPEC", "--exact", "--template", "vignette"),
        ("replicate", "--teacher", "SPEC", "--student", "miniature-student"),
    ],
)
def test_without_probabilities_a_study_is_refused_before_it_begins(run: Run, spec: str, words: tuple[str, ...]) -> None:
    code, _, said = run(*(spec if word == "SPEC" else word for word in words), "--out", "run")
    assert code == 2
    assert "gives no log-probabilities" in said
    assert "`dilemmas tournament run`" in said
    assert not Path("run").exists()


@pytest.mark.parametrize("spec", [(20,)], indirect=True)
@pytest.mark.parametrize("template", ["vignette", "reason"])
@pytest.mark.parametrize(
    "words",
    [("ask", "SPEC", "--exact"), ("replicate", "--teacher", "SPEC", "--student", "miniature-student")],
)
def test_a_begun_reply_that_the_server_does_not_continue_is_noticed_before_it_is_needed(
    run: Run, spec: str, words: tuple[str, ...], template: str
) -> None:
    asked = (spec if word == "SPEC" else word for word in words)
    code, _, said = run(*asked, "--template", template, "--out", "run")
    assert code == 2
    assert f"does not score what follows a begun reply, as template '{template}' needs" in said
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("spec", "template"), [((0,), "study"), ((0,), "vignette"), ((20,), "vignette")], indirect=["spec"]
)
def test_answers_without_probabilities_have_standard_errors(run: Run, spec: str, template: str) -> None:
    words = ("--template", template, "--labels", "C,D", "--observations", "24", "--out", "run")
    code, shown, said = run("ask", spec, *words, "--json")
    assert code == 0, said
    assert "its replies are sampled and read: nothing is exact" in said
    (found,) = json.loads(shown).values()
    assert (found["within"]["estimate"], found["within"]["label_mass"]) == ("sampled", None)
    rates, errors = found["within"]["cooperation"], found["within"]["errors"]
    assert len(rates) == 20
    drawn = [(rates[name] - 0.5) / errors[name] for name in rates]  # C is each action equally often
    assert 0.5 < math.sqrt(sum(one**2 for one in drawn) / len(drawn)) < 1.6
    code, shown, _ = run("ask", spec, *words)
    assert "nothing is exact" in shown
    assert "±" in shown
    (folder,) = Path("run").iterdir()
    assert json.loads((folder / "server.json").read_text(encoding="utf-8"))["model"]["endpoint"] == "chat"
    assert "server of model: " in (folder / "log.txt").read_text(encoding="utf-8")


def thinking(payload: Payload) -> Payload | Raw:
    """A model that thinks unseen for 100 tokens, and then chooses."""
    if payload["max_tokens"] < 100:
        return chat(payload, "", finish_reason="length")
    return chat(payload | {"n": 1}, f"I choose {random.Random(payload['seed']).choice('JF')}.")


TEAMS = """base = "study"
name = "teams"
[scenarios]
games = ["stag_hunt", "prisoners_dilemma"]
contexts = ["team"]
"""


@pytest.mark.parametrize(
    ("words", "more", "answered"),
    [
        (("--template", "reason"), "", True),
        (("--template", "reason", "--server", "scores=false"), "", True),
        (("--template", "vignette"), "", False),
        (("--template", "vignette"), "[prompting]\nanswer_tokens = 120\n", True),
    ],
)
def test_a_model_that_thinks_first_answers_where_it_has_room(
    run: Run, words: tuple[str, ...], more: str, answered: bool
) -> None:
    Path("teams.toml").write_text(TEAMS + more, encoding="utf-8")
    with StubServer(thinking) as server:
        code, shown, said = run(
            "ask", server.spec, *words, "--recipe", "teams.toml", "--observations", "4", "--json",
            "--out", "run",
        )  # fmt: skip
    assert "thinks before it answers" in said
    assert code == (0 if answered else 2), said
    if answered:
        (found,) = json.loads(shown).values()
        assert found["within"]["unreadable"] == 0
    else:
        assert "the reply was cut within the model's thoughts (finish_reason 'length'); use a template" in said


@pytest.mark.parametrize(("template", "answered"), [("reason", True), ("vignette", False)])
def test_in_matches_a_cut_thought_is_a_fault_and_no_unreadable_reply(run: Run, template: str, answered: bool) -> None:
    with StubServer(thinking) as server:
        words = ("--agents", f"{server.spec},tft", "--no-self-play", "--template", template)
        code, _, said = run("tournament", "run", *words, *MATCHES)
    assert code == (0 if answered else 2), said
    assert ("the reply was cut within the model's thoughts" in said) != answered
    assert "unreadable" not in said


@pytest.mark.parametrize("spec", [(0,)], indirect=True)
def test_no_model_of_several_is_asked_if_one_cannot_be(run: Run, spec: str) -> None:
    code, _, said = run("ask", "miniature-student", spec, "--exact", "--out", "run")
    assert code == 2
    assert "gives no log-probabilities" in said
    assert not Path("run").exists()


def test_replies_of_which_none_can_be_read_measure_nothing(run: Run) -> None:
    with StubServer(lambda payload: chat(payload, "Who knows?")) as server:
        code, shown, _ = run("ask", server.spec, "--template", "predict", "--observations", "2", "--out", "run")
    assert code == 0
    assert "no reply could be read: nothing was measured" in " ".join(shown.split())


@pytest.mark.parametrize("spec", [(0,), (20,)], indirect=True)
def test_in_matches_replies_are_sampled_where_there_are_no_probabilities(run: Run, spec: str) -> None:
    """Or where the user wants none."""
    agents = ("--agents", f"{spec},tit_for_tat", "--server", "scores=false", "--no-self-play")
    code, _, said = run("tournament", "run", *agents, *MATCHES)
    assert code == 0, said
    assert "its replies are sampled and read" in said
    record = next(Path("run", "matches").iterdir()).read_text(encoding="utf-8")
    assert '"ask": "sampled"' in record or '"ask":"sampled"' in record
    assert json.loads(Path("run", "results.json").read_text(encoding="utf-8"))["groups"][0]["engine"] == "environment"


@pytest.mark.parametrize("spec", [(20,)], indirect=True)
def test_a_tournament_records_what_each_server_can_do(run: Run, spec: str) -> None:
    code, _, said = run("tournament", "run", "--agents", f"one={spec},two={spec},tft", *MATCHES)
    assert code == 0, said
    found = json.loads(Path("run", "server.json").read_text(encoding="utf-8"))
    assert {name: one["listed"] for name, one in found.items()} == {"one": 20, "two": 20}
    log = Path("run", "log.txt").read_text(encoding="utf-8")
    assert "server of one: log-probabilities: of 20 tokens" in log
    assert "server of two: " in log
    assert run("tournament", "run", "--agents", "tft,alld", *MATCHES, "--force")[0] == 0
    assert not Path("run", "server.json").exists()
    assert not Path("run", "log.txt").exists()


def test_matches_without_one_complete_round_have_no_result(run: Run) -> None:
    with StubServer(lambda payload: chat(payload, "Who knows?")) as server:
        code, _, said = run("tournament", "run", "--agents", f"{server.spec},tit_for_tat", *MATCHES)
    assert code == 2
    assert "error: no round of" in said
    assert any(Path("run", "matches").iterdir())


@pytest.mark.parametrize("spec", [(0,)], indirect=True)
@pytest.mark.parametrize("template", ["study", "reason"])
def test_no_table_is_made_of_sampled_replies(run: Run, spec: str, template: str) -> None:
    words = ("--game", "prisoners_dilemma", "--context", "friends", "--template", template, "--out", "table.json")
    code, _, said = run("compile", spec, *words)
    assert code == 2
    assert "so there are no exact probabilities" in said
    assert "sampled and read" not in said
    assert "asked about each history" not in said


AMOUNTS = ("--game", "public_goods", "--set", "n_players=2", "--set", "levels=21", "--memory", "0", "--context", "team")


@pytest.mark.parametrize(("spec", "known"), [((5,), False), ((20,), False), ((20, True), True)], indirect=["spec"])
def test_many_labels_of_which_few_are_listed(run: Run, spec: str, known: bool) -> None:
    """Labels that are not listed are bounded; they are known where the server writes what it is made to write."""
    code, _, said = run("compile", spec, *AMOUNTS, "--out", "table.json")
    if not known:
        assert code == 2
        assert "are only known within" in said
        assert "--server scores=false" in said
    else:
        assert code == 0, said
        shares = {str(20 - place): share for place, share in enumerate(load_table("table.json").rows[0])}
        assert shares["1"] / shares["10"] == pytest.approx(SHARES["1"] / SHARES["10"], rel=1e-4)


@pytest.mark.parametrize("spec", [(20,)], indirect=True)
def test_a_model_behind_a_server_is_asked_for_its_probabilities(run: Run, spec: str) -> None:
    code, shown, said = run("ask", spec, "--exact", "--no-comprehension", "--json", "--out", "run")
    assert code == 0, said
    (found,) = json.loads(shown).values()
    assert found["within"]["label_mass"] == pytest.approx(0.7, abs=1e-5)


@pytest.mark.parametrize("spec", [(20,)], indirect=True)
def test_questions_of_fact_whose_answers_are_not_listed_are_not_known(run: Run, spec: str) -> None:
    """The labels are listed, numbers are not."""
    words = ("ask", spec, "--exact", "--template", "study", "--sets", "within", "--out", "run")
    code, shown, said = run(*words)
    assert code == 0, said
    code, printed, _ = run(*words, "--json")
    facts = {one["kind"]: one for one in next(iter(json.loads(printed).values()))["within"]["comprehension"]}
    assert facts["change"]["unknown"] == facts["change"]["asked"] > 0
    assert facts["worst_case"]["unknown"] == 0
    unknown, asked = (sum(one[key] for one in facts.values()) for key in ("unknown", "asked"))
    assert f"has no known answer to {unknown} of {asked} questions" in " ".join(shown.split())


FEW_LISTED = {"C": 0.9, " well": 0.06}


@pytest.mark.parametrize("listed", [FEW_LISTED, FEW_LISTED | {"D": 0.04}], ids=["bounded", "listed"])
def test_rates_that_rest_on_bounds_are_not_called_exact(run: Run, listed: dict[str, float]) -> None:
    with StubServer(lambda payload: chat(payload | {"n": 1}, "C", listed)) as server:
        words = ("ask", server.spec, "--exact", "--no-comprehension", "--template", "study", "--labels", "C,D")
        code, printed, said = run(*words, "--out", "run")
        assert code == 0, said
        _, shown, _ = run(*words, "--json", "--out", "run")
    (found,) = json.loads(shown).values()
    bounded = "D" not in listed
    assert ("are not exact" in " ".join(printed.split())) == bounded
    most = 0.04 / (0.9 + 0.04)  # share of D if it had all that is not listed
    assert found["within"]["margin"] == pytest.approx(most / 2 if bounded else 0, abs=1e-6)


def test_the_help_lists_all_keys_of_server() -> None:
    told = CliRunner().invoke(server_command, ["--help"]).stdout.partition("Keys of --server:\n")[2]
    keys = re.findall(r"^ {4,6}([a-z_]+)  ", told.partition("\nOptions:")[0], re.MULTILINE)
    assert keys == [field.name for field in fields(ServerSettings)]
