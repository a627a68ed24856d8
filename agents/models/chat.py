"""Prompts and replies as tokens: one way for scoring, sampling and training."""

from typing import Any

from dilemmas.agents.models.backend import ModelError

Tokens = list[int]

FIXED = {"enable_thinking": False, "date_string": "01 Jan 2024"}
"""For templates that know them: answer at once, and do not change from day to day."""


def prompt_text(tokenizer: Any, prompt: str) -> str:
    """The text that a reply continues: the chat template around the prompt, or the prompt as plain text."""
    if tokenizer.chat_template is None:
        return f"{tokenizer.bos_token or ''}{prompt}\nAnswer:"
    messages = [{"role": "user", "content": prompt}]
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **FIXED))


def encode_prompt(tokenizer: Any, prompt: str) -> Tokens:
    """Tokens of `prompt_text`; the sequence is begun at most once."""
    tokens: Tokens = tokenizer(prompt_text(tokenizer, prompt), add_special_tokens=False)["input_ids"]
    if tokens[:2] == [tokenizer.bos_token_id] * 2:
        raise ModelError(f"the chat template begins the prompt twice with '{tokenizer.bos_token}'; mend the template")
    return tokens


def encode_reply(tokenizer: Any, prompt: str, reply: str) -> Tokens:
    """Tokens with which a model writes `reply` after `prompt`, without the stop token.

    Prompt and reply are joined inside the template first and split afterwards, so a space that the template puts before
    a reply is part of it.
    """
    head = prompt_text(tokenizer, prompt)
    body, _ = _after(tokenizer, head, prompt, reply)
    start: Tokens = tokenizer(head, add_special_tokens=False)["input_ids"]
    whole: Tokens = tokenizer(head + body, add_special_tokens=False)["input_ids"]
    if whole[: len(start)] == start:
        return whole[len(start) :]
    return list(
        tokenizer(body, add_special_tokens=False)["input_ids"]
    )  # the joint would merge tokens across the border


def stop_token(tokenizer: Any, prompt: str) -> int:
    """The token that ends a reply: the one the template puts after it, else the tokenizer's end of sequence."""
    _, rest = _after(tokenizer, prompt_text(tokenizer, prompt), prompt, "C")
    tokens: Tokens = tokenizer(rest, add_special_tokens=False)["input_ids"] if rest else []
    if tokens and tokens[0] in tokenizer.all_special_ids:
        return tokens[0]
    return int(tokenizer.eos_token_id)


def _after(tokenizer: Any, head: str, prompt: str, reply: str) -> tuple[str, str]:
    """What stands in the conversation after `head`: up to the end of the reply, and behind it."""
    if tokenizer.chat_template is None:
        return f" {reply}", ""
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]
    whole = str(tokenizer.apply_chat_template(messages, tokenize=False, **FIXED))
    if not whole.startswith(head) or reply not in whole[len(head) :]:
        return reply, ""  # templates that rewrite the conversation
    end = whole.index(reply, len(head)) + len(reply)
    return whole[len(head) : end], whole[end:]
