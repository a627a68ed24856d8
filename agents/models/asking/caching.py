"""A model that is asked every question once: in a process, and with a file also in later ones and beside others."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dilemmas.agents.models.asking.kept_texts import KeptTexts
from dilemmas.agents.models.asking.known_answers import KnownAnswers
from dilemmas.agents.models.asking.pace import Pace, is_small
from dilemmas.agents.models.backend import Backend, Request, Response, ScoreKey


class CachingBackend:
    """A backend that requests the label probabilities of a prompt from another backend only once.

    The cost of a run is then determined by the number of different prompts: with a memory of one round a two-player
    game has five, however many matches are played. Sampled text is only kept for a resumed run, with
    `texts`; faults are not.
    """

    def __init__(self, below: Backend, path: Path | None = None) -> None:
        """
        Parameters
        ----------
        below
            The backend whose responses are cached.
        path
            File in which they are kept, as by `keep`; None to keep them in memory only.

        Raises
        ------
        KnownAnswersError
            If the file is damaged.
        """
        self.below = below
        self.one_by_one = False
        """Whether a small model is asked each question alone: its last digits then do not depend on what else is asked
        at the same time."""
        self.texts: KeptTexts | None = None
        """Where sampled texts are kept, if they are."""
        self._known: dict[ScoreKey, Response] = {}
        self.asked = 0
        """Number of requests for label probabilities."""
        self.put = 0
        """How many of them were put to the backend below."""
        self._file: KnownAnswers | None = None
        self._pace: Pace | None = None
        if path is not None:
            self.keep(path)

    def keep(self, path: Path) -> None:
        """Keep the answers in a file from now on, as they come; those in the file are not asked again.

        `KnownAnswersError` if it is damaged.
        """
        self._file, self._pace = KnownAnswers(path, self.below), Pace(self.below)
        self._known |= self._file.read()

    @property
    def hits(self) -> str:
        """How many requests for label probabilities were put to the backend below, in words; empty without any."""
        if not self.asked:
            return ""
        share = 1 - self.put / self.asked
        return f"{self.name}: {self.put:,} of {self.asked:,} questions were put to the model, {share:.1%} were known"

    @property
    def name(self) -> str:
        return self.below.name

    @property
    def fingerprint(self) -> str:
        return self.below.fingerprint

    @property
    def engine(self) -> str:
        return self.below.engine

    @property
    def size(self) -> int:
        return self.below.size

    @property
    def portion(self) -> int:
        return self.below.portion

    @property
    def miniature(self) -> bool:
        return self.below.miniature

    @property
    def scores(self) -> bool:
        return self.below.scores

    @property
    def continues(self) -> bool:
        return self.below.continues

    @property
    def system_turn(self) -> bool:
        return self.below.system_turn

    def check_requests(self, requests: Sequence[Request]) -> None:
        self.below.check_requests(requests)

    def unload(self) -> None:
        self.below.unload()

    def unknown(self, requests: Sequence[Request]) -> list[Request]:
        """The different requests for label probabilities whose answers are not known yet."""
        scored = {one.key: one for one in requests if not one.max_tokens}
        return [one for key, one in scored.items() if key not in self._known]

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        """One response per request, in order. With a file the questions are put in portions, each written at once."""
        self.asked += sum(not request.max_tokens for request in requests)
        found = self.learn(requests)
        sampled = [request for request in requests if request.max_tokens]
        write = self.texts.write if self.texts else self.below.respond
        texts, known = iter(write(sampled) if sampled else ()), found | self._known
        return [next(texts) if r.max_tokens else known[r.key] for r in requests]

    def learn(self, requests: Sequence[Request]) -> dict[ScoreKey, Response]:
        """Put those of the questions to the backend below whose answers are not known; returns its answers, also its
        faults. They do not count as `asked`."""
        if self._file and self.unknown(requests):
            self._known |= self._file.read()
        found: dict[ScoreKey, Response] = {}
        for portion in self._portions(self.unknown(requests)):
            found |= self._put(self.unknown(portion))  # others may have asked it now
        return found

    def _portions(self, asked: Sequence[Request]) -> Iterator[Sequence[Request]]:
        if self.one_by_one and is_small(self.below):
            return ([one] for one in asked)
        return self._pace.portions(asked) if self._pace else iter([asked] if asked else [])

    def _put(self, asked: Sequence[Request]) -> dict[ScoreKey, Response]:
        """Put questions to the backend below, and remember what it answers."""
        if not asked:
            return {}
        answers = dict(zip((one.key for one in asked), self.below.respond(asked), strict=True))
        self.put += len(asked)
        self._known |= {key: one for key, one in answers.items() if not one.failed}
        if self._file:
            self._known |= self._file.add(answers)
        return answers
