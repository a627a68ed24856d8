"""All ways to specify an agent: each example that is listed works, with its prefix and under another name."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from dilemmas.agents.roster import Framing, contestants, make_agent
from dilemmas.agents.specifications import FORMS, AgentForm, parse_spec
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.table_file import save_table
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.experiments.commands import lattice
from dilemmas.experiments.commands.models import agents

KINDS = {
    "miniature": "model",
    "hf": "model",
    "gguf": "model",
    "openai": "model",
    "table": "table",
    "axelrod": "axelrod",
}
STAG_HUNT = stage_game("stag_hunt")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the table of the example."""
    monkeypatch.chdir(tmp_path)
    save_table(compile_agent(strategy("random(0.3)"), STAG_HUNT, 1), Path("random.json"))
    return tmp_path


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.form)
def test_the_example_of_each_form_is_of_its_kind(form: AgentForm, place: Path) -> None:
    if form.form == "@SET":
        return
    kind, colon, _ = form.example.partition(":")
    usual = {"uniform": "uniform", "quantal_response": "behaviour", "human": "person"}.get(form.example, "strategy")
    assert parse_spec(form.example).kind == (KINDS[kind] if colon else usual)
    if "=" not in form.example:
        assert parse_spec(f"Mine={form.example}").own_name == "Mine"


@pytest.mark.parametrize(
    "form", [form for form in FORMS if not form.needs and form.form != "@SET"], ids=lambda f: f.form
)
def test_an_example_that_needs_nothing_plays(form: AgentForm) -> None:
    if form.options:
        pytest.importorskip("torch")
    assert make_agent(form.example, framing=Framing()).decide


def test_a_table_is_found_with_its_prefix_and_without(place: Path) -> None:
    rules = Repeated(STAG_HUNT)
    seats = contestants(["table:random.json", "Mine=random.json", "tit_for_tat"], rules, Framing())
    assert list(seats) == ["random", "Mine", "tit_for_tat"]
    shutil.copy("random.json", "other.table")  # the prefix says what it is
    assert make_agent("table:other.table").describe() == make_agent("random.json").describe()
    done = CliRunner().invoke(
        lattice.command,
        ["--table", "table:random.json", "--size", "5", "--steps", "2", "--json"],
        catch_exceptions=False,
    )
    assert list(json.loads(done.stdout)) == ["random"]


def test_a_model_with_an_adapter_is_found_with_its_prefix(tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    settings = LoraConfig(r=1, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_model), settings).save_pretrained(tmp_path / "adapter")
    for base in (f"hf:{tiny_model}", str(tiny_model)):
        agent = make_agent(f"{base}+{tmp_path / 'adapter'}", framing=Framing(min_mass=0))
        assert agent.name.endswith("+adapter")


def test_a_word_that_is_no_agent_names_the_list_of_all_kinds() -> None:
    with pytest.raises(InputError, match=r"did you mean 'tit_for_tat'.*`dilemmas agents` all kinds of agents"):
        parse_spec("tit_fr_tat")


def test_the_list_is_printed_and_is_data() -> None:
    shown = CliRunner().invoke(agents.command, [], catch_exceptions=False).stdout
    data = json.loads(CliRunner().invoke(agents.command, ["--json"], catch_exceptions=False).stdout)
    assert [one["form"] for one in data] == [form.form for form in FORMS]
    for one in data:
        assert f"  example  {one['example']}" in shown
    served = next(one for one in data if one["form"] == "openai:MODEL@URL")
    assert {"--context", "--template", "--in-flight"} <= set(served["options"])
