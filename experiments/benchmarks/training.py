"""Contenders of `dilemmas bench training`: steps of LoRA training on a model with random weights.

The data has the shape of the study's: prompts of 250 tokens with many completions of 60 tokens each. The plain loop is
what a user of peft writes first: one row per observation, the loss of the model itself. The trainer is the SFTTrainer
of TRL, which packs observations into rows of four, without checkpointing. The matrix product does as many
floating-point operations as packed rows need in the best case.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dilemmas.agents.models.model_files import check_installed
from dilemmas.experiments.benchmarks.models import body_size, matrix_product, random_model
from dilemmas.experiments.benchmarks.race import Bar, Contender, Play
from dilemmas.training.lora import LoraSettings

if TYPE_CHECKING:
    from dilemmas.training.packing.lessons import Lesson

PACKED, PLAIN, TRAINER, PRODUCT = "dilemmas", "peft, plain loop", "trl, packing", "matrix product"
BARS = (Bar(PACKED, 3, PLAIN), Bar(PACKED, 3, TRAINER), Bar(PACKED, 0.16, PRODUCT))
"""Three times the others; the share of the peak in the benchmark of peft."""
PROMPT, COMPLETION = 250, 60
"""Tokens of a prompt, and of a completion."""
TOGETHER = 4
"""Observations in a row of TRL."""


@dataclass(frozen=True, slots=True)
class TrainingWork:
    """A model with an adapter, its optimiser and one batch of study-shaped data."""

    adapted: Any
    optimiser: Any
    settings: LoraSettings

    @property
    def operations(self) -> float:
        """Floating-point operations of one observation in packed rows, 4 N T + 6 P T + 12 L d S T + 4 V d C.

        N is the number of weights without embedding and head, P that of the adapter, L the number of layers, d the
        width, V the size of the vocabulary, C the number of predicted tokens, T the number of tokens of which an
        observation has its share of the prompt, and S the mean number of tokens to which a token attends.
        """
        base = self.adapted.get_base_model()
        config, share = base.config, PROMPT / self.settings.pack
        adapter = sum(weights.numel() for weights in self.adapted.parameters() if weights.requires_grad)
        tokens = share + COMPLETION
        body = 4 * (body_size(base) - adapter) + 6 * adapter
        attended = share * PROMPT / 2 + COMPLETION * (PROMPT + COMPLETION / 2)
        attention = 12 * config.num_hidden_layers * config.hidden_size * attended
        return float(body * tokens + attention + 4 * config.vocab_size * config.hidden_size * COMPLETION)


def training_work(shape: str, device: str, dtype: str) -> TrainingWork:
    """A model of a size in `SHAPES` with a new adapter of the default settings."""
    check_installed()
    import torch

    from dilemmas.training.adapters import adapt, adapter_weights

    settings = LoraSettings()
    adapted = adapt(random_model(shape, device, dtype), settings, seed=0).train()
    return TrainingWork(adapted, torch.optim.AdamW(adapter_weights(adapted), lr=settings.rate), settings)


def training_contenders(given: TrainingWork) -> tuple[Contender, ...]:
    """The contenders; rates are in observations."""
    return (
        Contender(PACKED, "observations", lambda: packed(given)),
        Contender(PLAIN, "observations", lambda: plain(given)),
        Contender(TRAINER, "observations", lambda: trainer(given)),
        Contender(PRODUCT, "observations", lambda: matrix_product(given.adapted.get_base_model(), given.operations)),
    )


def packed(given: TrainingWork) -> Play:
    """Take one step of `dilemmas.training.distill` per call."""
    from dilemmas.training.distill import train_step
    from dilemmas.training.losses.objective import Objective
    from dilemmas.training.packing.batches import ALIKE
    from dilemmas.training.packing.network import Network

    lessons = study_lessons(given.settings)
    objective, step = Objective(Network(given.adapted, ALIKE)), [[lesson] for lesson in lessons]

    def play() -> int:
        train_step(objective, given.optimiser, step, given.settings, seed=0)
        return len(lessons)

    return play


def study_lessons(settings: LoraSettings) -> "list[Lesson]":
    """One batch of study-shaped data with random tokens."""
    import numpy as np

    from dilemmas.training.packing.lessons import completion

    rng = np.random.default_rng(0)

    def tokens(count: int) -> list[int]:
        return [int(token) for token in rng.integers(0, 512, count)]

    prompts = [tokens(PROMPT) for _ in range(-(-settings.batch // settings.pack))]
    return [completion(prompts[i // settings.pack], tokens(COMPLETION)) for i in range(settings.batch)]


def plain(given: TrainingWork) -> Play:
    """Take one step with one row per observation per call."""
    import torch

    adapted, optimiser = given.adapted, given.optimiser
    batch = given.settings.batch
    ids = torch.randint(0, 512, (batch, PROMPT + COMPLETION), device=adapted.device)  # (B, T)
    labels = ids.clone()  # (B, T)
    labels[:, :PROMPT] = -100  # the prompt is not learned

    def play() -> int:
        value = adapted(input_ids=ids, labels=labels, use_cache=False).loss
        value.backward()
        torch.nn.utils.clip_grad_norm_(adapted.parameters(), given.settings.clip)
        optimiser.step()
        optimiser.zero_grad()
        value.item()
        return batch

    return play


def trainer(given: TrainingWork) -> Play:
    """Let the SFTTrainer of TRL take two steps per call."""
    from tempfile import mkdtemp

    from datasets import Dataset  # type: ignore[import-not-found, import-untyped, unused-ignore]
    from trl import SFTConfig, SFTTrainer  # type: ignore[import-not-found, import-untyped, unused-ignore]

    from dilemmas.agents.models.open_model import open_local

    _, tokenizer = open_local("miniature-student", device="cpu").weights()
    lessons = study_lessons(given.settings) * 2
    mask = [0] * PROMPT + [1] * COMPLETION
    data = Dataset.from_dict(
        {"input_ids": [list(one.tokens) for one in lessons], "completion_mask": [mask] * len(lessons)}
    )
    device = given.adapted.device.type
    config = SFTConfig(
        output_dir=mkdtemp(),
        max_steps=2,
        packing=True,
        max_length=TOGETHER * (PROMPT + COMPLETION),
        per_device_train_batch_size=given.settings.batch // TOGETHER,
        completion_only_loss=True,
        gradient_checkpointing=False,
        bf16=device != "cpu",
        use_cpu=device == "cpu",
        learning_rate=given.settings.rate,
        max_grad_norm=given.settings.clip,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trained = SFTTrainer(given.adapted, config, train_dataset=data, processing_class=tokenizer)

    def play() -> int:
        trained.train()
        return len(lessons)

    return play
