"""The file in which texts are kept as a model writes them, so that a stopped run does not let them be written again."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from dilemmas.agents.models.asking.known_answers import REMEDY, KnownAnswersError
from dilemmas.agents.models.asking.pace import Pace
from dilemmas.agents.models.backend import Backend, Request, Response
from dilemmas.envs.data_files import append_text, complete_lines, drop_incomplete_line, json_text, parse_json


@dataclass(frozen=True, slots=True)
class WrittenText:
    """A text that a model wrote, readable or not."""

    asked: str
    """SHA-256 of the model and the request, with its seed."""
    text: str
    stopped: bool
    """Whether it ended by itself."""
    thoughts: str


class KeptTexts:
    """The texts of one model in a file of one process."""

    def __init__(self, path: Path, model: Backend, told: Callable[[int], None] = lambda written: None) -> None:
        """
        Parameters
        ----------
        path
            The file, which is created with the first text.
        model
            The model that writes.
        told
            Called with the number of texts in the file, those of before included, whenever there are more.

        Raises
        ------
        KnownAnswersError
            If the file is damaged.
        """
        self._path, self._model, self._told, self._pace = path, model, told, Pace(model, texts=True)
        self._known = {one.asked: one for one in self._read()}

    def _read(self) -> list[WrittenText]:
        if not self._path.is_file():
            return []
        drop_incomplete_line(self._path)
        place = f"{self._path}, line"
        return [
            parse_json(line, WrittenText, f"{place} {number}", KnownAnswersError, REMEDY)
            for number, line in complete_lines(self._path)
        ]

    def write(self, requests: Sequence[Request]) -> list[Response]:
        """One text per request, in order, written in portions that are kept at once; faults are not kept."""
        keys = [self._key(one) for one in requests]
        missing = [(key, one) for key, one in zip(keys, requests, strict=True) if key not in self._known]
        found: dict[str, Response] = {}
        for portion in self._pace.portions(missing):
            responses = self._model.respond([one for _, one in portion])
            new = dict(zip((key for key, _ in portion), responses, strict=True))
            found |= new
            self._keep({key: one for key, one in new.items() if one.answered})
        return [found[key] if key in found else self._response(key) for key in keys]

    def _keep(self, responses: dict[str, Response]) -> None:
        new = {key: WrittenText(key, one.text, one.stopped, one.thoughts) for key, one in responses.items()}
        append_text(self._path, "".join(json_text(asdict(one)) + "\n" for one in new.values()))
        self._known |= new
        self._told(len(self._known))

    def _key(self, request: Request) -> str:
        return sha256(repr((self._model.fingerprint, self._model.engine, request)).encode()).hexdigest()

    def _response(self, key: str) -> Response:
        one = self._known[key]
        return Response(text=one.text, stopped=one.stopped, thoughts=one.thoughts)
