"""Prompts and replies as tokens, in the same way for scoring, sampling and training."""

from typing import Any

from dilemmas.agents.models.backend import ModelError

FIXED = {"enable_thinking": False, "date_string": "01 Jan 2024"}
"""Variables for the chat templates that use them: answer without a chain of thought, and no dependence on the date."""


def prompt_text(tokenizer: Any, prompt: str) -> str:
    """The text that a reply continues: the prompt in the chat template, or as plain text if there is none."""
    if tokenizer.chat_template is None:
        return f"{tokenizer.bos_token or ''}{prompt}\nAnswer:"
    messages = [{"role": "user", "content": prompt}]
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **FIXED))


def encode_prompt(tokenizer: Any, prompt: str) -> list[int]:
    """Tokens of `prompt_text`.

    Raises
    ------
    ModelError
        If the chat template and the tokenizer both add a token for the beginning of the sequence.
    """
    tokens: list[int] = tokenizer(prompt_text(tokenizer, prompt), add_special_tokens=False)["input_ids"]
    if tokens[:2] == [tokenizer.bos_token_id] * 2:
        raise ModelError(f"the chat template begins the prompt with '{tokenizer.bos_token}' twice; fix the template")
    return tokens


def encode_reply(tokenizer: Any, prompt: str, reply: str) -> list[int]:
    """Tokens with which a model writes `reply` after `prompt`, without the stop token.

    Prompt and reply are joined in the template before they are tokenized, so a space that the template puts before a
    reply belongs to it.
    """
    head = prompt_text(tokenizer, prompt)
    body, _ = _after(tokenizer, head, prompt, reply)
    start: list[int] = tokenizer(head, add_special_tokens=False)["input_ids"]
    whole: list[int] = tokenizer(head + body, add_special_tokens=False)["input_ids"]
    if whole[: len(start)] == start:
        return whole[len(start) :]
    alone: list[int] = tokenizer(body, add_special_tokens=False)["input_ids"]  # a token would span the boundary
    return alone


def stop_token(tokenizer: Any, prompt: str) -> int:
    """The token that ends a reply: the one that the template puts after it, else the tokenizer's end of sequence."""
    _, rest = _after(tokenizer, prompt_text(tokenizer, prompt), prompt, "C")
    tokens: list[int] = tokenizer(rest, add_special_tokens=False)["input_ids"] if rest else []
    if tokens and tokens[0] in tokenizer.all_special_ids:
        return tokens[0]
    return int(tokenizer.eos_token_id)


def _after(tokenizer: Any, head: str, prompt: str, reply: str) -> tuple[str, str]:
    """The text of the conversation after `head`: up to the end of the reply, and after the reply."""
    if tokenizer.chat_template is None:
        return f" {reply}", ""
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]
    whole = str(tokenizer.apply_chat_template(messages, tokenize=False, **FIXED))
    if not whole.startswith(head) or reply not in whole[len(head) :]:
        return reply, ""  # templates that rewrite the conversation
    end = whole.index(reply, len(head)) + len(reply)
    return whole[len(head) : end], whole[end:]
