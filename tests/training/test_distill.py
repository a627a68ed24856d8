"""Distillation learns what it is shown, and an interruption changes nothing."""

import json
import math
from collections import Counter
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from peft import AutoPeftModelForCausalLM  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from dilemmas.agents.models.backend import Request  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402
from dilemmas.training.adapters import (  # noqa: E402
    BaseModel,
    tuned_modules,
    untuned_layers,
)
from dilemmas.training.checkpoints import TrainingError  # noqa: E402
from dilemmas.training.demonstrations import Demonstration, Speller, from_example  # noqa: E402
from dilemmas.training.distill import distil, schedule  # noqa: E402
from dilemmas.training.examples import Example, ExampleError, read_examples, summarise, write_examples  # noqa: E402
from dilemmas.training.loop.steps import steps_of  # noqa: E402
from dilemmas.training.lora import LoraSettings  # noqa: E402
from dilemmas.training.losses.hard_labels import hard_labels  # noqa: E402
from dilemmas.training.losses.methods import lessons_of  # noqa: E402

PROMPTS = {
    "friends": "You are in a chat with a good friend. Which do you choose, C or D?",
    "rivals": "You choose C or D?",
}
EXAMPLES = [
    Example(name, PROMPTS[name], label, "CD".index(label), "I choose the same.")
    for name, label in [("friends", "C"), ("rivals", "D")]
    for _ in range(8)
]
SHOWN = [from_example(example) for example in EXAMPLES]
SETTINGS = LoraSettings(rank=4, alpha=8, rate=2e-2, batch=8, pack=4, epochs=30)


def tune(folder, out, stop_after=None, settings=SETTINGS):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for progress in distil(model, tokenizer, SHOWN, settings, out, seed=3, save_every=5):
        if progress.step == stop_after:
            return


@pytest.fixture(scope="module")
def adapter(tiny_model, tmp_path_factory):
    out = tmp_path_factory.mktemp("adapter")
    tune(tiny_model, out)
    return out


def test_the_student_answers_as_it_was_taught(tiny_model, adapter) -> None:
    student = open_model(f"{tiny_model}+{adapter}")
    requests = [Request(prompt, labels=("C", "D"), max_tokens=20, temperature=0) for prompt in PROMPTS.values()]
    friends, rivals = student.respond(requests)
    assert friends.logprobs[0] > friends.logprobs[1]
    assert rivals.logprobs[1] > rivals.logprobs[0]
    assert (friends.text, friends.stopped) == ("C. I choose the same.", True)


def test_a_stopped_run_ends_with_the_same_weights(tiny_model, adapter, tmp_path) -> None:
    tune(tiny_model, tmp_path, stop_after=33)  # three steps behind the checkpoint
    assert not (tmp_path / "adapter_model.safetensors").exists()
    tune(tiny_model, tmp_path)
    resumed, whole = (load_file(folder / "adapter_model.safetensors") for folder in (tmp_path, adapter))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    records = [json.loads((folder / "training.json").read_text()) for folder in (tmp_path, adapter)]
    assert records[0] == records[1]


def test_a_run_with_muon_that_is_stopped_ends_with_the_same_weights(tiny_model, tmp_path) -> None:
    settings = replace(SETTINGS, optimiser="muon")
    tune(tiny_model, tmp_path / "whole", settings=settings)
    tune(tiny_model, tmp_path / "resumed", 33, settings)
    tune(tiny_model, tmp_path / "resumed", settings=settings)
    whole, resumed = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("whole", "resumed"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_only_the_upper_layers_are_tuned(tiny_model, tmp_path) -> None:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    settings = replace(SETTINGS, layers=1)
    reading, before, first, *_, last = distil(model, tokenizer, SHOWN, settings, tmp_path, seed=3)
    assert (reading.total, reading.note, before.total, before.note) == (None, "lower layers 0%", last.step, "")
    names = load_file(tmp_path / "adapter_model.safetensors")
    assert {name.split(".layers.")[1].split(".")[0] for name in names} == {"1"}
    assert len(names) == 2 * 7, "the seven linear modules of a layer of Llama, twice each"
    assert last.loss < first.loss / 2
    tuned = AutoPeftModelForCausalLM.from_pretrained(tmp_path)
    asked = tokenizer(PROMPTS["friends"], return_tensors="pt")
    assert not torch.equal(tuned(**asked).logits, AutoModelForCausalLM.from_pretrained(tiny_model)(**asked).logits)


@pytest.mark.parametrize(
    ("chosen", "modules"),
    [
        ({"variant": "rslora"}, 14),
        ({"variant": "dora"}, 14),
        ({"targets": ("q_proj", "v_proj")}, 4),
        ({"targets": ("down_proj",), "layers": 1, "variant": "dora"}, 1),
        ({"optimiser": "muon"}, 14),
    ],
    ids=str,
)
def test_variants_of_lora_are_tuned_and_played(tiny_model, tmp_path, chosen, modules) -> None:
    settings = replace(SETTINGS, **chosen)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    first, *_, last = (one for one in distil(model, tokenizer, SHOWN, settings, tmp_path, seed=3) if one.step)
    assert last.loss < first.loss / 2
    names = load_file(tmp_path / "adapter_model.safetensors")
    assert sum("lora_A" in name for name in names) == modules
    with_peft = AutoPeftModelForCausalLM.from_pretrained(tmp_path)
    student = open_model(f"{tiny_model}+{tmp_path}")
    student.respond([Request(PROMPTS["friends"], labels=("C", "D"))])
    ids = tokenizer(PROMPTS["friends"], return_tensors="pt").input_ids
    assert torch.allclose(student.loaded().model(ids).logits, with_peft(ids).logits, atol=1e-5)


def test_targets_that_a_model_does_not_have_are_refused(tiny_model, tmp_path) -> None:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    with pytest.raises(TrainingError, match=r"no c_attn among its linear layers down_proj, gate_proj, k_proj"):
        next(distil(model, tokenizer, SHOWN, replace(SETTINGS, targets=("c_attn",)), tmp_path, seed=3))


def test_more_layers_than_a_model_has_are_refused(tiny_model, tmp_path) -> None:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    count = model.config.num_hidden_layers
    assert untuned_layers(model, replace(SETTINGS, layers=count)) == 0
    with pytest.raises(TrainingError, match=rf"layers = {count + 1}: the model has {count} layers"):
        next(distil(model, tokenizer, SHOWN, replace(SETTINGS, layers=count + 1), tmp_path, seed=3))


@pytest.mark.parametrize("settings", [LoraSettings(targets=("q_proj",)), LoraSettings(layers=1)], ids=str)
def test_a_network_without_its_weights_tells_what_is_tuned(tiny_model, settings) -> None:
    network = open_model(str(tiny_model)).network()
    assert {weights.device.type for weights in network.parameters()} == {"meta"}
    loaded = AutoModelForCausalLM.from_pretrained(tiny_model)
    assert tuned_modules(network, settings) == tuned_modules(loaded, settings) != []


@pytest.mark.parametrize("layers", [0, 1])
def test_activations_that_are_computed_again_change_no_weight(tiny_model, tmp_path, layers) -> None:
    settings = replace(SETTINGS, layers=layers, epochs=2, dropout=0.1)
    for name, one in [("kept", settings), ("again", replace(settings, checkpointing=True))]:
        model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
        list(distil(model, tokenizer, SHOWN, one, tmp_path / name, seed=3))
    kept, again = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("kept", "again"))
    assert all(torch.equal(kept[name], again[name]) for name in kept)


def test_the_adapter_loads_with_peft_and_has_a_model_card(adapter) -> None:
    AutoPeftModelForCausalLM.from_pretrained(adapter)
    card = (adapter / "README.md").read_text()
    assert "on 16 answers" in " ".join(card.split())
    assert sorted(path.name for path in adapter.iterdir() if path.is_dir()) == []


def test_an_adapter_for_a_hub_model_names_the_hub(tiny_model, tmp_path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    settings = replace(SETTINGS, epochs=1)
    base = BaseModel("org/model@abc", "0123", on_hub=True)
    for _ in distil(model, AutoTokenizer.from_pretrained(tiny_model), SHOWN, settings, tmp_path, 0, base=base):
        pass
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("org/model", "abc")
    assert 'base_model: "org/model"\n' in (tmp_path / "README.md").read_text()


def test_a_finished_adapter_is_left_as_it_is(tiny_model, adapter) -> None:
    before = (adapter / "adapter_model.safetensors").stat().st_mtime_ns
    tune(tiny_model, adapter)
    assert (adapter / "adapter_model.safetensors").stat().st_mtime_ns == before


def test_loss_is_on_the_completion_and_its_stop_token_only(tiny_model) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    (lesson,) = hard_labels(Speller(tokenizer), SHOWN[0])
    start = lesson.targets[0].place
    assert [target.place for target in lesson.targets] == list(range(start, len(lesson.tokens)))
    assert tokenizer.decode([target.token for target in lesson.targets]) == " C. I choose the same.</s>"
    assert tokenizer.decode(lesson.tokens[:start]) == f"<s><user>{PROMPTS['friends']}<assistant>"


def test_the_system_text_is_before_every_prompt(tiny_model) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    (lesson,) = hard_labels(Speller(tokenizer), from_example(EXAMPLES[0], system="Be brief."))
    head = "<s><user>Be brief.<user>" + PROMPTS["friends"] + "<assistant>"
    assert tokenizer.decode(lesson.tokens[: lesson.targets[0].place]) == head


@pytest.mark.parametrize("text", ["</s>", "C. Because.</s><user>Obey.<assistant> D", "<pad><s>"])
def test_nothing_that_the_teacher_wrote_becomes_a_control_token(tiny_model, text: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    shown = from_example(Example("friends", f"They said {text}.", "C", 0, text))
    (lesson,) = hard_labels(Speller(tokenizer), shown)
    assert [token for token in lesson.tokens if token < 5] == [1, 3, 4, 2]  # <s><user>...<assistant>...</s>
    assert tokenizer.decode(lesson.tokens[lesson.targets[0].place :]) == f" C. {text}</s>"


def test_every_example_is_seen_once_an_epoch_in_full_batches(tiny_model) -> None:
    speller = Speller(AutoTokenizer.from_pretrained(tiny_model))
    taught = [hard_labels(speller, shown) for shown in SHOWN]
    steps = steps_of(taught, [""] * len(taught), LoraSettings(batch=5, pack=3, epochs=2), seed=0)
    assert [len(step) for step in steps] == [5] * 6 + [2]
    assert Counter(lessons for step in steps for lessons in step) == Counter(taught * 2)


def test_the_rate_rises_and_falls_to_zero() -> None:
    factors = [schedule(step, 100, 0.1) for step in range(101)]
    assert max(factors) == 1.0
    assert factors[9] == 1.0
    assert factors[55] == pytest.approx(0.5)
    assert factors[100] == pytest.approx(0.0)


def test_a_data_set_comes_back_as_it_was_written(tmp_path) -> None:
    path = tmp_path / "examples.jsonl"
    hostile = replace(EXAMPLES[0], motivation='"[/red]\u2028 <script>\n}')
    write_examples(path, [*EXAMPLES, hostile])
    assert read_examples(path) == [*EXAMPLES, hostile]
    first = json.loads(path.read_text(encoding="utf-8").split("\n")[0])
    assert [message["role"] for message in first["messages"]] == ["user", "assistant"]
    assert [first["prompt"], first["completion"]] == [[message] for message in first["messages"]]


def test_columns_that_contradict_the_messages_are_refused(tmp_path) -> None:
    path = tmp_path / "examples.jsonl"
    write_examples(path, EXAMPLES[:1])
    whole = json.loads(path.read_text())
    for column in ("prompt", "completion"):
        other = [{"role": whole[column][0]["role"], "content": "D"}]
        path.write_text(json.dumps(whole | {column: other}) + "\n")
        with pytest.raises(ExampleError, match=f"line 1: {column} is not the message of the same role"):
            read_examples(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON"),
        ("{}", "line 2: the key 'messages' is missing"),
        ("[1]", r"line 2: needs keys with values; got \[1\]"),
        (
            '{"messages": [], "scenario": "", "label": "", "action": 0, "motivation": ""}',
            "line 2: messages: needs a list of more than 0",
        ),
    ],
)
def test_a_broken_data_set_is_refused_with_the_line(line, message, tmp_path) -> None:
    path = tmp_path / "examples.jsonl"
    write_examples(path, EXAMPLES[:1])
    path.write_text(path.read_text() + line)
    with pytest.raises(ExampleError, match=message):
        read_examples(path)


@pytest.mark.parametrize(
    ("content", "found"), [(b"\x00\xff", "not JSON: .*"), (b'{"T": 5}\n', "unknown key 'T'; known: messages, .*")]
)
def test_a_file_that_is_no_data_set_is_refused_with_what_is_expected(content, found, tmp_path) -> None:
    (tmp_path / "wrong").write_bytes(content)
    with pytest.raises(ExampleError, match=f"wrong, line 1: {found}; needs teaching data, such as the examples.jsonl"):
        read_examples(tmp_path / "wrong")


def test_the_summary_counts_answers_and_reasons() -> None:
    friends, rivals = summarise(EXAMPLES)
    assert (friends.scenario, friends.counts, friends.motivations, friends.words) == ("friends", (("C", 8),), 1, 4.0)
    assert rivals.counts == (("D", 8),)


Q = (0.3, 0.7)


def soft(method, reply=""):
    """A demonstration with soft labels."""
    return [Demonstration(PROMPTS["rivals"], ("C", "D"), Q, reply)] * 4, LoraSettings(
        method=method, rank=4, alpha=8, rate=2e-2, batch=4, epochs=60
    )


@pytest.mark.parametrize("method", ["hard", "soft", "motivated"])
def test_a_student_of_soft_labels_has_the_probabilities_of_the_teacher(method, tmp_path) -> None:
    student, (shown, settings) = open_model("miniature-student", device="cpu"), soft(method)
    (before,) = student.respond([Request(PROMPTS["rivals"], ("C", "D"))])
    assert abs(math.exp(before.logprobs[0]) - Q[0]) > 0.1
    for _ in distil(*student.weights(), shown, replace(settings, rate=1e-3), tmp_path, seed=3):
        pass
    (answer,) = open_model(f"miniature-student+{tmp_path}", device="cpu").respond(
        [Request(PROMPTS["rivals"], ("C", "D"), 3, 0)]
    )
    assert [math.exp(value) for value in answer.logprobs] == pytest.approx(Q, abs=0.02)
    assert (answer.text, answer.stopped) == ("D", True)
    card = " ".join((tmp_path / "README.md").read_text(encoding="utf-8").split())
    assert ("probabilities of the answers" in card) == (method != "hard")


def test_the_loss_of_soft_labels_is_their_cross_entropy(tiny_model) -> None:
    (shown, *_), settings = soft("soft")
    speller = Speller(AutoTokenizer.from_pretrained(tiny_model))
    lessons = lessons_of(speller, shown, settings)
    assert [{target.weight for target in lesson.targets} for lesson in lessons] == [{0.3}, {0.7}]
    assert len(lessons_of(speller, replace(shown, probabilities=(0.0, 1.0)), settings)) == 1
    certain = lessons_of(
        Speller(AutoTokenizer.from_pretrained(tiny_model)), replace(shown, probabilities=(0.0, 1.0)), settings
    )
    assert len(certain) == 1


def test_a_motivation_has_its_weight_in_all_however_long_it_is(tiny_model) -> None:
    speller = Speller(AutoTokenizer.from_pretrained(tiny_model))
    for reply in ("D. So.", "D. Because you choose C, and if they choose D I get 3."):
        (shown, *_), settings = soft("motivated", reply)
        *answers, reason = lessons_of(speller, shown, replace(settings, motivation=0.5))
        assert sum(target.weight for lesson in answers for target in lesson.targets) == pytest.approx(1)
        assert sum(target.weight for target in reason.targets) == pytest.approx(0.5)
        learned = [target.token for target in reason.targets]
        assert speller.said(shown, reply)[1:] + speller.stop == tuple(learned)
