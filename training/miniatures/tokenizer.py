"""Tokenizer of the miniatures: byte-level BPE in which every word of the corpus is one token, with a chat template."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from dilemmas.envs.prompts.comprehension import questions
from dilemmas.envs.prompts.contexts import built_in_contexts
from dilemmas.envs.prompts.prompts import choose_presentation, scenario_prompt
from dilemmas.envs.prompts.templates import load_template
from dilemmas.training.miniatures.behaviour import MOTIVES
from dilemmas.training.miniatures.corpus import ATTITUDES, CLOSENESS, EXPECTATIONS, draw_situation, motivation

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}<assistant>"
    "{% generation %} {{ message['content'] }}{{ eos_token }}{% endgeneration %}"  # what trainers learn from
    "{% else %}<user>{{ message['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def tokenizer_texts(seed: int, count: int) -> Iterator[str]:
    """A sample of all texts of the corpus, on which the tokenizer is trained."""
    template = load_template("study")
    yield from (f" {n}" for n in range(61) for _ in range(50))
    for context in built_in_contexts().values():
        yield from [context.pair] * 20 + [context.opening(n) for n in range(3, 7)] * 5
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        situation = draw_situation(rng, 0.4, 0.4)
        shown = choose_presentation(template, situation.game)
        yield scenario_prompt(template.motivated(), situation.game, situation.context, situation.history, shown)
        for degree, reason, action in product(range(len(CLOSENESS)), MOTIVES, (0, 1)):
            yield f" {shown.labels[action]}. {motivation(degree, reason, action, shown, index % 4)}"
        for asked in questions(situation.game, shown, situation.history):
            yield f"{asked.text} {asked.answer}"
        yield from (f"How close are you to them? {degree}" for degree in CLOSENESS)
        yield from (
            f"You {attitude} and expect {shown.labels[0]} {often}."
            for attitude, often in zip(ATTITUDES, EXPECTATIONS, strict=True)
        )


def build_tokenizer(seed: int = 0) -> PreTrainedTokenizerFast:
    """Byte-level BPE in which every word of the corpus and every number up to 60 is one token."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?\p{L}+| ?\p{N}+|\n| ?[^\s\p{L}\p{N}]|\s"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4096,
        min_frequency=5,
        special_tokens=["<pad>", "<s>", "</s>", "<user>", "<assistant>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(tokenizer_texts(seed, 2000), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        extra_special_tokens=["<user>", "<assistant>"],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=1024,
    )
