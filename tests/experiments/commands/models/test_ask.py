"""`dilemmas ask`: what a model follows is found, said in words, and printed as data."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dilemmas.agents.models import open_model
from dilemmas.agents.models.backend import FakeBackend, ModelError, Request, Response
from dilemmas.envs.errors import InputError
from dilemmas.envs.seals import SealError
from dilemmas.experiments.commands.main import cli
from dilemmas.experiments.commands.models.ask import command
from dilemmas.experiments.reporting import progress
from dilemmas.experiments.run_folder import RunError

Share = Callable[[Request], float]
"""Probability of the label C after a prompt."""


class Opened(FakeBackend):
    """A model that stands in for one with weights."""


def first_named(request: Request) -> float:
    """Three of four times the label named first."""
    return 0.75 if request.prompt.endswith("C or D?") else 0.25


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)

    def run(share: Share, *words: str, mass: float = 1.0, fingerprint: str = "fake", portion: int = 0) -> Result:
        def answer(request: Request) -> Response:
            shares = dict.fromkeys(request.labels, 1 / max(1, len(request.labels)))  # of answers to questions of fact
            first = share(request)
            if set(request.labels) <= {"C", "D"}:
                shares = {"C": first, "D": 1 - first}
            text = "C" if request.seed[-1] // 4 % 4 < 4 * first else "D"
            return Response(tuple(math.log(mass * shares[label]) for label in request.labels), text)

        model = Opened(answer, "fake", fingerprint, portion=portion)
        monkeypatch.setattr(open_model, "open_model", lambda *_, **__: model)
        arguments = ["some/model", "--out", str(tmp_path / "ask"), *words]
        return CliRunner().invoke(command, arguments, catch_exceptions=False)

    return run


def data(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)["some/model"]
    return found


def test_an_answer_that_follows_the_order_is_told_from_one_that_follows_the_game(ask: Callable[..., Result]) -> None:
    found = data(ask(first_named, "--exact", "--json"))["within"]
    assert found["shares"]["place"] == pytest.approx(1)
    assert found["place_effect"] == pytest.approx(0.5)
    assert list(found["cooperation"].values()) == pytest.approx([0.5] * 20)


def test_what_is_an_artefact_or_noise_is_said_in_the_first_lines(ask: Callable[..., Result]) -> None:
    result = ask(first_named, "--exact", mass=0.3)
    first = " ".join(result.stdout.split("What the models answer")[0].split())
    assert "if 300 answers were drawn for each, rates as far apart would be chance" in first
    assert "follow the order and the labels of the options (100% of their variance) more than the game" in first
    assert "only 30.0% of the replies begin with one of the labels" in first


def test_what_is_an_artefact_or_noise_is_part_of_the_data(ask: Callable[..., Result]) -> None:
    """Of each set, beside its answers; what is not understood is said of every set."""
    words = ("--exact", "--sets", "within,new_context")
    printed = " ".join(ask(first_named, *words, mass=0.3).stdout.split())
    for name, title in (("within", "Within sample"), ("new_context", "New contexts")):
        about_facts, *others = data(ask(first_named, *words, "--json", mass=0.3))[name]["warnings"]
        assert about_facts.startswith("the model answers ")
        assert "questions about the rules and payoffs correctly" in about_facts
        assert len(others) == 3
        assert all(f"({title}): {text}" in printed for text in others)
        assert printed.count(f"({title}): ") == 3
    noisy = data(ask(lambda _: 0.5, "--json", "--no-comprehension", "--out", "runs/noisy"))["within"]["warnings"]
    assert any("two answers to the same scenario differ with probability" in text for text in noisy)


def test_where_nothing_speaks_against_the_answers_there_is_no_warning(ask: Callable[..., Result]) -> None:
    words = ("--exact", "--json", "--no-comprehension", "--presentation", "fixed")
    found = data(ask(lambda request: 0.9 if "friend" in request.prompt else 0.1, *words))
    assert found["within"]["warnings"] == []


@pytest.mark.parametrize("portion", [0, 12])
def test_progress_is_told_until_the_last_question(
    portion: int, ask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line for each step, as if it came after a long time; the questions about rules and payoffs have their own."""
    monkeypatch.setattr(progress, "FIRST_LINE", 0.0)
    monkeypatch.setattr(progress, "LATER", 0.0)
    told = [line.partition(": ") for line in ask(first_named, "--exact", "--json", portion=portion).stderr.splitlines()]
    steps = {
        name: [rest.split(",")[0] for label, _, rest in told if label == name and " of " in rest]
        for name in ("some/model", "some/model, rules and payoffs")
    }
    (answers, facts) = steps.values()
    assert answers[-1] == "20 of 20"
    assert answers[0] == "0 of 20"
    assert answers[1] == ("3 of 20" if portion else "20 of 20")
    last = facts[-1].split(" of ")
    assert last[0] == last[1]
    assert int(last[1]) > 100
    size = portion or 80
    assert facts == [f"{done} of {last[1]}" for done in [*range(0, int(last[1]), size), int(last[1])]]


def test_what_was_put_is_said_of_this_command(ask: Callable[..., Result]) -> None:
    def told(*words: str) -> str:
        (line,) = [line for line in ask(first_named, "--exact", *words).stderr.splitlines() if "were put" in line]
        return line

    assert told() == told("--out", "runs/other")
    first = told("--out", "runs/third").split(" of ")
    assert first[0] != "fake: 0"
    assert told().startswith("fake: 0 of ")
    assert told().endswith("100.0% were known")
    again = ask(first_named, "--exact", "--no-comprehension").stderr
    assert "were put to the model" not in again


def test_a_number_of_answers_is_refused_where_none_are_sampled(ask: Callable[..., Result]) -> None:
    with pytest.raises(InputError, match="--observations 50: with --exact no answers are sampled"):
        ask(first_named, "--exact", "--observations", "50")


def test_sampled_answers_are_spread_over_the_presentations(ask: Callable[..., Result]) -> None:
    found = data(ask(first_named, "--observations", "16", "--json", "--sets", "within,new_context"))
    assert set(found) == {"within", "new_context"}
    assert found["within"]["unreadable"] == 0
    assert set(found["within"]["sampled"].values()) == {0.5}
    assert found["within"]["disagreement"] == pytest.approx(8 / 15), "16 answers, 8 of each"


def test_a_model_whose_replies_are_no_labels_is_refused_unless_asked_for(ask: Callable[..., Result]) -> None:
    refused = "a share of {} of its replies begins with one of the labels C, D, less than the {} .* smaller --min-mass"
    with pytest.raises(InputError, match=refused.format("1e-12", "0.01")):
        ask(first_named, "--exact", mass=1e-12)
    with pytest.raises(InputError, match=refused.format("0.9999", "1")):
        ask(first_named, "--exact", "--min-mass", "1", "--out", "runs/all", mass=0.99994)
    asked = ask(first_named, "--exact", "--min-mass", "0", "--out", "runs/any", mass=1e-12)
    assert asked.exit_code == 0


def test_a_model_that_does_not_exist_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for words in (["ask", "no/such"], ["replicate", "--teacher", "no/such", "--student", "miniature-student"]):
        with pytest.raises(InputError, match="'no/such': no such directory"):
            CliRunner().invoke(cli, [*words, "--out", "run"], catch_exceptions=False)
        assert list(tmp_path.iterdir()) == []


def test_calibrated_a_preference_for_a_label_or_a_place_is_taken_out(ask: Callable[..., Result]) -> None:
    """Odds of 3 for the label named first, and of 2 for the one whose payoffs are told as they are."""

    def share(request: Request) -> float:
        odds = (3.0 if request.prompt.endswith("C or D?") else 1 / 3) * (1.0 if "N/A" in request.prompt else 2.0)
        return odds / (1 + odds)

    plain = data(ask(share, "--exact", "--presentation", "fixed", "--json"))["within"]["cooperation"]
    assert list(plain.values()) == pytest.approx([6 / 7] * 20)
    words = ("--exact", "--presentation", "fixed", "--calibrate", "--json", "--out", "runs/calibrated")
    assert list(data(ask(share, *words))["within"]["cooperation"].values()) == pytest.approx([2 / 3] * 20)


def test_a_survey_is_resumed_and_the_presentation_can_be_fixed(ask: Callable[..., Result]) -> None:
    before = data(ask(first_named, "--json"))
    assert data(ask(first_named, "--json")) == before
    with pytest.raises(InputError, match="other settings"):
        ask(first_named, "--exact", "--json", "--presentation", "fixed")


def test_a_survey_goes_on_with_a_smaller_label_mass_but_not_with_a_larger_one(ask: Callable[..., Result]) -> None:
    with pytest.raises(ModelError, match="with a smaller --min-mass"):
        ask(first_named, "--exact", "--json", mass=0.001)
    assert data(ask(first_named, "--exact", "--json", "--min-mass", "0", mass=0.001))["within"]["label_mass"] < 0.01
    with pytest.raises(InputError, match="other settings"):
        ask(first_named, "--exact", "--json", mass=0.001)


@pytest.mark.parametrize("words", [["--exact"], ["--observations", "2"]])
def test_a_survey_with_an_edited_recipe_or_answer_is_refused(
    ask: Callable[..., Result], words: list[str], tmp_path: Path
) -> None:
    ask(first_named, *words)
    (folder,) = (tmp_path / "ask").iterdir()
    (answers,) = (folder / "answers").iterdir()
    whole = answers.read_text()
    answers.write_text(whole.replace("0.75", "0.25", 1))
    assert data(ask(first_named, *words, "--json")) == data(ask(first_named, *words, "--json"))
    assert answers.read_text() == whole
    recipe = folder / "recipe.json"
    recipe.write_text(recipe.read_text().replace('"seed": 0', '"seed": 7'))
    for more in ([], ["--seed", "7"]):
        with pytest.raises(SealError, match=r"recipe\.json has been changed"):
            ask(first_named, *words, *more)


@pytest.mark.parametrize("words", [["--exact"], ["--observations", "2"]])
def test_a_survey_is_not_resumed_with_another_model_in_the_same_place(
    ask: Callable[..., Result], words: list[str]
) -> None:
    ask(first_named, *words, fingerprint="base+before")
    with pytest.raises(RunError, match=r"the model that answered .* base\+before, fake now has base\+after; restore"):
        ask(first_named, *words, fingerprint="base+after")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["miniature-teacher", "miniature-teacher"], "needs each of them once"),
        (["miniature:teacher", "miniature-teacher"], "miniature:teacher and miniature-teacher are the same"),
        (["miniature:student", "hf:miniature-student"], "are the same"),
        (["hf:some/model", "miniature-teacher", "some/model"], "hf:some/model and some/model are the same"),
        (["openai:m@http://127.0.0.1:1/v1", "openai:m@http://127.0.0.1:1/v1/"], "are the same"),
        (["miniature-teacher", "miniature-techer"], "did you mean 'miniature-teacher'"),
        (["miniature-teacher", ""], "'': no such directory"),
    ],
)
def test_no_model_is_asked_before_all_are_known(words: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        CliRunner().invoke(command, [*words, "--exact", "--out", str(tmp_path / "ask")], catch_exceptions=False)
    assert not (tmp_path / "ask").exists()


def test_a_model_is_asked_once_however_its_folder_is_spelled(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tiny_model)
    for other in (f"hf:{tiny_model}", f"{tiny_model}/../{tiny_model.name}", str(tmp_path / "link")):
        with pytest.raises(InputError, match="are the same"):
            CliRunner().invoke(command, [str(tiny_model), other, "--exact"], catch_exceptions=False)


@pytest.mark.parametrize("name", ["settings.json", "notes/mine.txt"])
def test_a_folder_with_other_content_is_refused_as_it_is(ask: Callable[..., Result], name: str, tmp_path: Path) -> None:
    path = tmp_path / "ask" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(InputError, match="not empty and holds something else"):
        ask(first_named, "--exact")
    assert [found for found in (tmp_path / "ask").rglob("*") if found.is_file()] == [path]


def follows_the_words(request: Request) -> float:
    """C if the question is whether to take it, else D."""
    return 0.9 if "Which do you take" in request.prompt else 0.2


def test_how_far_answers_follow_the_wording_is_told(ask: Callable[..., Result]) -> None:
    found = data(ask(follows_the_words, "--exact", "--paraphrases", "--json", "--presentation", "fixed"))["within"]
    assert len(found["by_wording"]) == 20
    assert all(rates == pytest.approx([0.2, 0.9, 0.2, 0.2]) for rates in found["by_wording"].values())
    assert list(found["cooperation"].values()) == pytest.approx([0.375] * 20)
    printed = ask(follows_the_words, "--exact", "--paraphrases", "--presentation", "fixed").stdout
    assert "0.20–0.90" in printed
    assert "0.38 (0.20–0.90)" in " ".join(printed.split())


def test_sampled_answers_are_spread_over_the_wordings(ask: Callable[..., Result]) -> None:
    words = ("--paraphrases", "--observations", "16", "--json", "--presentation", "fixed", "--no-comprehension")
    prompts: list[str] = []

    def share(request: Request) -> float:
        prompts.extend([request.prompt.rsplit("\n", 1)[1]] if request.max_tokens else [])
        return 0.5

    data(ask(share, *words))
    assert {question: prompts.count(question) for question in prompts} == {
        "Which do you choose, C or D?": 80,
        "Which do you take, C or D?": 80,
        "What do you decide on, C or D?": 80,
        "What is your choice, C or D?": 80,
    }


def test_a_model_that_guesses_about_the_payoffs_is_not_trusted(ask: Callable[..., Result]) -> None:
    warning = "questions about the rules and payoffs correctly"
    assert warning in " ".join(ask(first_named, "--exact").stdout.split())
    assert warning not in " ".join(ask(first_named, "--exact", "--no-comprehension").stdout.split())
    kinds = {one["kind"] for one in data(ask(first_named, "--exact", "--json"))["within"]["comprehension"]}
    assert {"payoff", "more", "together"} <= kinds


@pytest.mark.parametrize(("way", "shares"), [("reason", 0.75), ("predict", 0.75), ("mixed", 0.6)])
@pytest.mark.parametrize("exact", [True, False])
def test_scenarios_are_asked_in_every_way_to_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, shares: float, exact: bool
) -> None:
    """Each action is J in half of the presentations; what is written is recorded, with the probabilities."""
    written: list[Request] = []

    def answer(request: Request) -> Response:
        if not request.labels:
            written.append(request)
            return Response(text="J with 60%, F with 40%.")
        first = math.log(0.75 if request.labels[0] == "J" else 0.25)
        return Response((first, math.log(1 - math.exp(first))) if len(request.labels) == 2 else (-2.0,) * 4)

    monkeypatch.setattr(open_model, "open_model", lambda *_, **__: Opened(answer, "fake"))
    words = ["some/model", "--out", str(tmp_path), "--template", way, "--json", "--no-comprehension"]
    words += ["--exact"] if exact else ["--observations", "4"]
    found = data(CliRunner().invoke(command, words, catch_exceptions=False))["within"]
    assert list(found["cooperation"].values()) == pytest.approx([0.5] * 20)
    (path,) = tmp_path.glob("*/answers/untuned*.jsonl")
    (line, *_) = [json.loads(text) for text in path.read_text().splitlines()]
    assert [one["exact"][one["labels"].index("J")] for one in line["presented"]] == pytest.approx([shares] * 4)
    texts = {one["text"] for presented in line["presented"] for one in presented["deliberations"]}
    assert len(texts) == (2 if way == "predict" else 1)
    assert (line["presented"][0]["prediction"] is not None) == (way == "predict")
    asked = len(written)
    assert data(CliRunner().invoke(command, words, catch_exceptions=False))["within"] == found
    assert len(written) == asked, "what was written is kept"


def test_a_model_that_writes_nothing_readable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Opened(lambda request: Response(text="Hm."), "fake")
    monkeypatch.setattr(open_model, "open_model", lambda *_, **__: model)
    with pytest.raises(InputError, match=r"nothing that it wrote about .* in 10 attempts tells its choice"):
        CliRunner().invoke(
            command, ["some/model", "--out", str(tmp_path), "--template", "mixed", "--exact"], catch_exceptions=False
        )


def test_a_single_scenario_is_not_compared_with_others(ask: Callable[..., Result], tmp_path: Path) -> None:
    recipe = tmp_path / "one.toml"
    recipe.write_text('base = "study"\n[scenarios]\ngames = ["harmony"]\ncontexts = ["team"]\n', encoding="utf-8")
    shown = ask(first_named, "--exact", "--recipe", str(recipe)).stdout
    assert "alike" not in shown
    assert "more than the game and the context" not in " ".join(shown.split())
    assert "place effect 0.50" in " ".join(shown.split())
