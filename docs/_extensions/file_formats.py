"""The JSON schemas of the file formats, from the types by which dilemmas reads the files."""

from collections.abc import Mapping, Sequence
from typing import Any

from dilemmas.agents.matches.record import MatchOutcome
from dilemmas.agents.matches.trajectory_format import EndLine, Header, HeaderLine, PromptLine, StartLine, StepLine
from dilemmas.agents.models.asking.known_answers import ScoredQuestion
from dilemmas.agents.tables.table_file import TableFile
from dilemmas.envs.validation import reader
from dilemmas.experiments.asking.survey import ReportedSet, SetAnswers
from dilemmas.experiments.series.aggregate import FinishedRun
from dilemmas.experiments.series.folder import SeriesResults
from dilemmas.experiments.series.plan import Experiment
from dilemmas.experiments.study.answers import Asked, ShareByEstimate
from dilemmas.experiments.study.evaluation import StudyFacts, results_type
from dilemmas.experiments.study.metrics.gap_closed import EstimateFigures, GapFigures, SetFigures
from dilemmas.experiments.study.metrics.registry import METRICS
from dilemmas.experiments.study.metrics.scenarios import AnswerRates
from dilemmas.experiments.tournaments.documents import ResultsFile, SettingsFile
from dilemmas.experiments.tournaments.fixtures import RowLine
from dilemmas.experiments.tournaments.settings import Settings
from dilemmas.training.demonstrations import DemonstrationLine
from dilemmas.training.examples import ExampleLine

FORMATS: Mapping[str, Any] = {
    "answer": Asked,
    "demonstration": DemonstrationLine,
    "ask_answers": ReportedSet,
    "experiment_results": SeriesResults,
    "experiment_run": FinishedRun,
    "label_probabilities": ScoredQuestion,
    "policy_table": TableFile,
    "study_results": results_type(METRICS),
    "teaching_example": ExampleLine,
    "tournament_results": ResultsFile,
    "tournament_row": RowLine,
    "tournament_settings": SettingsFile,
    "trajectory": HeaderLine | StartLine | PromptLine | StepLine | EndLine,
}
"""Type of a file, or of a line of it, by the name of the format."""
WRITTEN_BY_PEOPLE: Mapping[str, Any] = {"experiment": Experiment}
"""The same of files that people write, in which keys may be left out."""


BASES: Sequence[tuple[type, type]] = (
    (HeaderLine, Header),
    (ReportedSet, SetAnswers),
    (EndLine, MatchOutcome),
    (SettingsFile, Settings),
    (results_type(METRICS), StudyFacts),
    (AnswerRates, ShareByEstimate),
    (EstimateFigures, GapFigures),
    (SetFigures, GapFigures),
    (SetFigures, EstimateFigures),
)
"""Classes, each with one whose docstrings describe inherited keys."""


def json_schema(name: str) -> dict[str, Any]:
    """The JSON schema of a format."""
    schema = reader({**FORMATS, **WRITTEN_BY_PEOPLE}[name]).json_schema()
    definitions = schema.get("$defs", {})
    for kind, base in BASES:
        described = schema if schema.get("title") == kind.__name__ else definitions.get(kind.__name__, {})
        for key, value in reader(base).json_schema()["properties"].items():
            if "description" in value and key in described.get("properties", {}):
                described["properties"][key].setdefault("description", value["description"])
    words = {f"#/$defs/{word}": value for word, value in definitions.items() if "enum" in value}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_tidy(schema, words)}


def _tidy(value: Any, words: Mapping[str, Any]) -> Any:
    """The schema without titles, which repeat the keys, with the words of enumerations in place of references to them,
    and with descriptions in one line of Markdown."""
    if isinstance(value, list):
        return [_tidy(one, words) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _tidy(one, words) for key, one in value.items() if key != "title" or not isinstance(one, str)}
    if kept.get("$ref") in words:
        kept["enum"] = words[kept.pop("$ref")]["enum"]
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(kept["description"].split("\n\n")[0].split()).replace("``", "`")
    return kept
