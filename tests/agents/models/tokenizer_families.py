"""Small tokenizers with the added tokens, the models and the chat templates of four families of language models."""

from collections.abc import Sequence
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

TEXTS = ("Which do you choose, C or D? Say why. If you choose C and they choose D, you get 10.\nuser model assistant",)

CHATML = """{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' + message.content.split('</think>')[-1].strip() }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content }}
    {%- endif %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if not enable_thinking %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}
"""
LLAMA_3 = """{{- bos_token }}
{%- set day = strftime_now('%d %b %Y') %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\nToday Date: ' + day + '\\n\\n<|eot_id|>' }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}
    {{- message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}
"""
GEMMA = """{{ bos_token }}
{%- for message in messages %}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] %}
    {{- '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<start_of_turn>model\\n' }}{%- endif %}
"""
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}[INST] {{ message.content }} [/INST]"
    "{% else %} {{ message.content }}{{ eos_token }}{% endif %}{% endfor %}"
)


def finished(backend: Tokenizer, special: Sequence[str], others: Sequence[str], template: str, **named: str) -> Any:
    """The tokenizer with its added tokens; `others` are those that are not marked special."""
    backend.add_special_tokens(list(special))
    backend.add_tokens([AddedToken(text, normalized=False) for text in others])
    return PreTrainedTokenizerFast(tokenizer_object=backend, chat_template=template, **named)


def byte_level(whole_words: bool) -> Tokenizer:
    """Byte-level BPE; the added tokens are outside its vocabulary."""
    bpe = Tokenizer(models.BPE(ignore_merges=whole_words))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False))
    return bpe


def chatml() -> Any:
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    others = ("<think>", "</think>", "<tool_call>")
    return finished(byte_level(False), special, others, CHATML, eos_token="<|im_end|>", pad_token="<|endoftext|>")


def llama_3() -> Any:
    special = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
    return finished(byte_level(True), special, (), LLAMA_3, bos_token="<|begin_of_text|>", eos_token="<|eot_id|>")


def gemma() -> Any:
    """BPE without words, with the control tokens in the vocabulary, and merges that make one of them from letters."""
    special = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>")
    others = ("<start_of_image>", "[multimodal]", "<h1>", "\n\n", "\u2581\u2581")
    letters = sorted({*"".join(TEXTS), *"\u2581<>[]/|_:.1", *"abcdefghijklmnopqrstuvwxyz"} - {" "})
    pieces = dict.fromkeys([*special, *others, *(f"<0x{n:02X}>" for n in range(256)), *letters, "<h", "1>"])
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    merges = [("<", "h"), ("1", ">"), ("<h", "1>")]
    bpe = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True))
    bpe.normalizer = normalizers.Replace(" ", "\u2581")
    bpe.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    return finished(bpe, special, others, GEMMA, bos_token="<bos>", eos_token="<eos>", unk_token="<unk>")


def mistral() -> Any:
    """Unigram with the control tokens in the vocabulary, where it would find them in any text."""
    special = ("<unk>", "<s>", "</s>", "[INST]", "[/INST]")
    letters = sorted({*"".join(TEXTS), *"\u2581<>[]/|_:.1", *"abcdefghijklmnopqrstuvwxyz"} - {" "})
    pieces = [(piece, 0.0) for piece in special] + [(piece, -9.0) for piece in letters] + [("choose", -4.0)]
    unigram = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    unigram.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    unigram.decoder = decoders.Metaspace(prepend_scheme="first", split=False)
    return finished(unigram, special, (), MISTRAL, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


FAMILIES = {"chatml": chatml, "llama_3": llama_3, "gemma": gemma, "mistral": mistral}
