"""What a server was found to be able to, for records and for people."""

from dataclasses import dataclass

THOUGHTS = ("thoughts: it thinks before it answers, and needs room for them (--template reason)",)
SAMPLING = {
    True: "replies differ as they should",
    False: "replies are all the same at temperature 1",
    None: "not known",
}
SEEDS = {
    True: "replies came again, asked one at a time",
    False: "replies do not come again",
    None: "not tested",
}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one model of one server was found to do when it was asked a few questions."""

    engine: str
    """The program that serves the model, with its version if it tells: ``llama.cpp b4242``."""
    model: str
    """Name of the model as the server tells it."""
    digest: str
    """First 12 hex digits of the SHA-256 of all that the server tells about the model."""
    endpoint: str
    """``chat`` or ``completions``."""
    listed: int
    """Largest number of tokens that it lists with log-probabilities; 0 if it gives none, if none are asked for, or if
    the model thinks before it answers, because the first ones are then those of its thoughts."""
    in_flight: int
    """Requests that are sent at the same time."""
    exact_in_flight: int
    """The same for questions about probabilities of labels."""
    spread: float | None
    """Largest difference between the probabilities of the same token when the same question was asked several times,
    alone and among others; 0 if they were equal, None if it was not measured."""
    thinks: bool
    """Whether the model thinks before it answers, although it is asked not to."""
    prefill: str | None
    """How it goes on with a begun reply; empty if it does not, None if that was not tested."""
    system_turn: bool
    """Whether it takes a system turn; without one, the text is put before the prompt."""
    forced: str | None
    """How it is made to write a text without a change of the log-probabilities; empty if there is no way, None if that
    was not tested."""
    replies: int
    """Replies that it gives to one request."""
    repeats_seeds: bool | None
    """Whether the same seeds gave the same replies, asked one at a time; None if replies do not differ anyway."""
    samples: bool | None
    """Whether replies at temperature 1 differed as they should; None if the question could not tell."""
    length_field: str
    """Name of the setting for the maximum length of a reply."""
    refused: tuple[str, ...]
    """Settings that it refused, so that its own values apply."""
    cache_off: bool
    """Whether its cache of prompts can be switched off for a request."""
    letters_per_token: float
    """Letters per token of plain English; 0 if it does not report tokens, so that cut prompts go unnoticed."""

    @property
    def fingerprint(self) -> str:
        """Engine, model and digest: a model is another one behind another engine."""
        return f"{self.engine} {self.model} {self.digest}"

    @property
    def exact(self) -> bool:
        """Whether probabilities of labels came again unchanged."""
        return self.listed > 0 and self.spread == 0

    def lines(self) -> list[str]:
        """The same for people."""
        return [
            f"engine: {self.engine}",
            f"model: {self.model} ({self.digest})",
            f"endpoint: {self.endpoint}; replies per request: {self.replies}; length: {self.length_field}",
            f"log-probabilities: {self._probabilities()}",
            *(THOUGHTS if self.thinks else ()),
            f"begun replies: {'not tested' if self.prefill is None else self.prefill or 'not continued'}",
            f"system text: {'a system turn' if self.system_turn else 'before the prompt'}",
            f"labels that are not listed: {self._unlisted()}",
            f"sampling: {self._sampling()}",
            f"seeds: {SEEDS[self.repeats_seeds]}",
        ]

    def _unlisted(self) -> str:
        if self.forced:
            return f"asked for by {self.forced}"
        return "bounded" if self.listed else "not tested"

    def _probabilities(self) -> str:
        if not self.listed:
            return f"none{' of its answers' if self.thinks else ''}, so there are no exact probabilities"
        how = "one at a time" if self.exact_in_flight == 1 else f"{self.exact_in_flight} at a time"
        cache = ", without prompt cache" if self.cache_off else ""
        if self.spread is None:
            return f"of {self.listed:,} tokens; {how}{cache}; not repeated"
        found = "came again exactly" if self.exact else f"moved by up to {self.spread:.2g} when asked again: not exact"
        return f"of {self.listed:,} tokens; {how}{cache}, they {found}"

    def _sampling(self) -> str:
        note = f"; refused: {', '.join(self.refused)}" if self.refused else ""
        return f"{SAMPLING[self.samples]}{note}"
