"""Tokenizing text of two origins: that of a chat template, whose control tokens act, and that of people and models.

In a text that a person or a model wrote, ``<|im_end|>`` is seven letters and some marks. Tokenizers make the control
token of it wherever it comes from, also where the token is not marked special (``<think>``, ``<start_of_image>``).
`sanitize_control_tokens` of transformers leaves out the latter unless the template has them, so `SafeTokenizer` renames
every added token of a copy of the tokenizer, and its piece in the vocabulary of the model, to a name that only the
template's text is given. All else is tokenized as by the original.
"""

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

EDGE = "\U0010fffe"
"""Begins and ends the names of control tokens: a code point that Unicode reserves, which stands for no character."""
UNSAFE = re.compile(f"[\ud800-\udfff{EDGE}]")
"""Halves of surrogate pairs, which no tokenizer accepts, and `EDGE`; in texts they become U+FFFD."""


def control_tokens(tokenizer: Any) -> dict[str, int]:
    """The added tokens of a tokenizer of transformers, by text: all but those that are only spaces or line ends."""
    added = tokenizer.added_tokens_decoder.items()
    return {token.content: number for number, token in added if token.content.replace("\u2581", " ").strip()}


class SafeTokenizer:
    """A tokenizer that makes control tokens only of the text that `control` returns."""

    def __init__(self, tokenizer: Any) -> None:
        """`tokenizer`: one of transformers."""
        controls = control_tokens(tokenizer)
        self._names = {text: f"{EDGE}{place}{EDGE}" for place, text in enumerate(controls)}
        longest_first = sorted(map(re.escape, controls), key=len, reverse=True)
        self._pattern = re.compile("|".join(longest_first) or "(?!)")
        self._renamed = _renamed(tokenizer, self._names)
        self._numbers = {self._renamed.token_to_id(self._names[text]): number for text, number in controls.items()}

    def control(self, text: str) -> str:
        """Text of a template, in which control tokens act."""
        return self._pattern.sub(lambda found: self._names[found[0]], text)

    def plain(self, text: str) -> str:
        """Text of a person or a model, in which nothing acts."""
        return UNSAFE.sub("\ufffd", text)

    def encode(self, text: str) -> list[int]:
        """Tokens of what `control` and `plain` returned, joined; none is added at the ends."""
        tokens = self._renamed.encode(text, add_special_tokens=False).ids
        return [self._numbers.get(token, token) for token in tokens]


def _renamed(tokenizer: Any, names: dict[str, str]) -> "Tokenizer":
    """A copy of the tokenizer in which the added tokens have other names, also as pieces of the model."""
    from tokenizers import Tokenizer

    table = json.loads(tokenizer.backend_tokenizer.to_str())
    for token in table["added_tokens"]:
        if token["content"] in names:
            token |= {"content": names[token["content"]], "normalized": False, "single_word": False}
    model, vocabulary = table["model"], table["model"]["vocab"]
    if isinstance(vocabulary, dict):
        model["vocab"] = {names.get(piece, piece): number for piece, number in vocabulary.items()}
    else:  # Unigram: pieces with their scores
        model["vocab"] = [[names.get(piece, piece), score] for piece, score in vocabulary]
    if "merges" in model:
        model["merges"] = [pair for pair in model["merges"] if not _makes(pair, names)]
    if model.get("unk_token") in names:
        model["unk_token"] = names[model["unk_token"]]
    table |= {"truncation": None, "padding": None, "post_processor": None}
    return Tokenizer.from_str(json.dumps(table))


def _makes(pair: list[str] | str, names: dict[str, str]) -> bool:
    """Whether a merge makes a control token or is made of one."""
    left, right = pair if isinstance(pair, list) else pair.split(" ")
    return left + right in names or left in names or right in names
