"""The report: it says what was measured, in every form, and nothing in it is markup."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from dilemmas.agents.agent import Decision, Source
from dilemmas.agents.matches.record import MatchRecord, Move, match_outcome
from dilemmas.agents.models.backend import FakeBackend, Response
from dilemmas.experiments.reporting.page import Table
from dilemmas.experiments.study.answers import Answers, Asked, Presented, ScenarioResult
from dilemmas.experiments.study.data import StudyData, StudyModel
from dilemmas.experiments.study.evaluation import evaluate
from dilemmas.experiments.study.playing import Pairing
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.report import print_study_tables, terminal_sections, write_study_report

HOSTILE = "<script>alert(1)</script> [/red] ]]> | `x` [a](http://b) \x1b[31m \u202e \ud800"
RNG = np.random.default_rng(0)
BY_LABEL = ((1.0, 0.0), (0.9, 0.1), (0.1, 0.9), (0.2, 0.8))
"""Someone who goes by the label in a scenario with two actions, by presentation."""
ROUND = Decision(0, (0.7, 0.3), Source.EXACT, prompt="Which?", labels=("C", "D"))
MODELS = ("teacher", "untuned", "tuned")


def answers(p: float) -> Answers:
    heard = int(RNG.binomial(97, p))
    return Answers((p, 1 - p), (heard, 97 - heard), unreadable=3)


def scenario(name: str) -> ScenarioResult:
    """A teacher that depends on the scenario, a student that does not, and one half way between."""
    teacher = 0.1 + 0.8 * RNG.random()
    game, context = name.split("/")
    half_way = answers((teacher + 0.8) / 2)
    return ScenarioResult(name, game, context, answers(teacher), untuned=answers(0.8), tuned=half_way)


def asked(name: str) -> Asked:
    """One answer that can be read and one that cannot; labels go against the game in every other scenario."""
    presented = BY_LABEL if name.startswith(("prisoners", "harmony", "deadlock")) else BY_LABEL[::-1]
    ways = tuple(Presented("plain", ("C", "D"), exact, 1.0, 0.9, 0.0) for exact in presented)
    return Asked(name, ways, (("C", 0, "plain"), ("?", None, "")))


def match(number: int) -> MatchRecord:
    """Five rounds between two players who draw at random."""
    steps = tuple(
        tuple(
            Move(f"player_{seat}", [], int(RNG.integers(2)), float(RNG.integers(4)), decision=ROUND) for seat in (0, 1)
        )
        for _ in range(5)
    )
    return MatchRecord(number, 0, steps, match_outcome(steps))


def study(sets: Mapping[str, Sequence[ScenarioResult]] | None = None, resamples: int = 50) -> StudyData:
    """Records of a study counterbalanced; all models are unbiased in new questions."""
    recipe = load_recipe("miniatures")
    scenarios = {name: [one.name for one in group] for name, group in recipe.sets().items()}
    game, records = recipe.two_player_game("harmony"), [match(number) for number in range(6)]
    return StudyData(
        recipe=replace(
            recipe,
            name="plain",
            seed=7,
            observations=100,
            prompting=replace(recipe.prompting, presentation="counterbalanced"),
        ),
        models=[StudyModel(role, "plain", "plain", "plain", miniature=True) for role in MODELS],
        sets=sets or {name: [scenario(one) for one in group] for name, group in scenarios.items()},
        answers={role: {one: asked(one) for group in scenarios.values() for one in group} for role in MODELS},
        pairings=[Pairing(game, "friends", "teacher", opponent) for opponent in ("tuned", "plain")],
        records=lambda pairing: records,
        backends={role: FakeBackend(lambda request: Response((-1.0,) * len(request.labels)), role) for role in MODELS},
        resamples=resamples,
    )


def told_by(text: str, value: Any) -> Any:
    """Results in which the names and texts that say "plain" say something else."""
    if isinstance(value, dict):
        return {key: told_by(text, item) for key, item in value.items()}
    if isinstance(value, list):
        return [told_by(text, item) for item in value]
    return text if value == "plain" else value


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    return evaluate(study(resamples=200))


@pytest.fixture(scope="module")
def hostile(measured: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = told_by(HOSTILE, measured)
    for row in found["bias"]:
        row["labels"] = [HOSTILE, "D"]
    return found


def shown(measured: dict[str, Any], width: int = 80) -> str:
    file = io.StringIO()
    print_study_tables(Console(file=file, width=width, force_terminal=True, color_system=None), measured)
    return file.getvalue()


def test_results_hold_the_figures_under_their_names(measured: dict[str, Any]) -> None:
    for name in ("within", "new_context", "new_game", "new_both"):
        row = measured["alignment"][name]
        low, high = row["interval"]
        assert low <= row["gap_closed"] <= high
        assert row["gap_closed"] == pytest.approx(0.5), "the student is half way in every scenario"
        assert row["transfer"] == pytest.approx(row["gap_closed"] - row["null"], abs=1e-5)  # six digits are kept
        assert row["estimate"] == "exact"
    assert measured["seed"] == 7


def test_results_are_json(measured: dict[str, Any]) -> None:
    assert json.loads(json.dumps(measured, allow_nan=False)) == measured


def test_a_report_is_made_again_from_results_json(measured: dict[str, Any], tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, source in ((first, measured), (second, json.loads(json.dumps(measured)))):
        folder.mkdir()
        write_study_report(folder, source)
        assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.md", "scenarios.csv"]
    for name in ("report.html", "report.md", "scenarios.csv"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_one_more_set_changes_no_other_sets_interval() -> None:
    whole = study()
    part = replace(whole, sets={name: whole.sets[name] for name in ("within", "new_game")})
    first, second = (evaluate(data)["alignment"]["new_game"] for data in (whole, part))
    assert first == second


def test_without_probabilities_the_sampled_figures_stand_at_the_top() -> None:
    whole = study()
    heard = [replace(result, tuned=replace(result.tuned, exact=None)) for result in whole.sets["within"]]
    row = evaluate(replace(whole, sets={"within": heard}))["alignment"]["within"]
    assert row["estimate"] == "sampled"
    assert row["gap_closed"] == row["estimates"]["sampled"]["gap_closed"]
    assert len(row["estimates"]["exact"]["missing"]) == 20


def test_where_hardly_any_reply_begins_with_a_label_the_sampled_figures_stand_at_the_top() -> None:
    whole = study()
    rare = {
        name: replace(one, presented=tuple(replace(way, mass=0.005, whole=None) for way in one.presented))
        for name, one in whole.answers["untuned"].items()
    }
    found = evaluate(replace(whole, answers={**whole.answers, "untuned": rare}))
    assert {row["estimate"] for row in found["alignment"].values()} == {"sampled"}
    assert {row["whole"] for row in found["label_mass"] if row["model"] == "untuned"} == {None}


def test_every_scenario_and_model_has_a_line_in_the_table_for_other_programs(
    measured: dict[str, Any], tmp_path: Path
) -> None:
    write_study_report(tmp_path, measured)
    lines = list(csv.DictReader((tmp_path / "scenarios.csv").read_text(encoding="utf-8").splitlines()))
    rows = [(name, row, role) for name, group in measured["scenarios"].items() for row in group for role in MODELS]
    assert len(lines) == len(rows)
    for line, (name, row, role) in zip(lines, rows, strict=True):
        assert (line["set"], line["scenario"], line["model"]) == (name, row["name"], role)
        assert float(line["exact"]) == row[role]["exact"]


def test_a_run_with_nothing_to_say_still_has_a_report(tmp_path: Path) -> None:
    deaf = Answers(None, (0, 0), unreadable=4)
    same = ScenarioResult("a/b", "a", "b", answers(0.5), answers(0.5), deaf)
    fixed = load_recipe("miniatures")
    found = evaluate(StudyData(fixed, [], {"new_game": [same], "none": []}, {}, [], lambda pairing: [], {}))
    write_study_report(tmp_path, json.loads(json.dumps(found, allow_nan=False)))
    shown(found)
    assert found["alignment"]["new_game"]["gap_closed"] is None
    assert found["transfer_drop"] is None
    assert found["agreement"] == found["matches"] == found["bias"] == []
    assert any("unreadable" in text for text in found["warnings"])


def test_unreadable_replies_are_counted_with_bounds(measured: dict[str, Any]) -> None:
    row = measured["unreadable"][0]
    low, high = row["bounds"]
    assert (row["set"], row["role"], row["replies"], row["unreadable"]) == ("within", "teacher", 2000, 60)
    assert low < row["rate"] < high
    assert high - low == pytest.approx(0.03)


def test_drop_from_new_contexts_to_both_new_is_a_warning() -> None:
    whole = study()
    worse = [replace(result, tuned=result.untuned) for result in whole.sets["new_both"]]
    found = evaluate(replace(whole, sets={**whole.sets, "new_both": worse}))
    assert found["transfer_drop"]["drop"] == pytest.approx(1)
    assert any("surface patterns" in text for text in found["warnings"])


class Tags(HTMLParser):
    """Which tags and attributes a page has, and the words in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_nothing_a_model_wrote_is_markup_on_the_page(
    measured: dict[str, Any], hostile: dict[str, Any], tmp_path: Path
) -> None:
    pages = []
    for source in (measured, hostile):
        write_study_report(tmp_path, source)
        pages.append(Tags())
        pages[-1].feed((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert pages[1].tags == pages[0].tags
    assert pages[1].attributes == pages[0].attributes
    assert "<script>alert(1)</script> [/red] ]]> | `x` [a](http://b)" in pages[1].words
    assert not set("\x1b\u202e") & set(pages[1].words)


def test_the_page_needs_nothing_but_itself(measured: dict[str, Any], tmp_path: Path) -> None:
    write_study_report(tmp_path, measured)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r'<script|<link|<img|src=|href="[^#]|@import|url\(', page)
    assert set(re.findall(r"https?://[^\s\"<]*", page)) == {"http://www.w3.org/2000/svg"}, "the name of SVG, no address"
    names = re.findall(r'\bid="([^"]*)"', page)
    assert len(names) == len(set(names))


def test_markdown_tables_keep_their_columns_whatever_a_model_wrote(hostile: dict[str, Any], tmp_path: Path) -> None:
    write_study_report(tmp_path, hostile)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    quoted = re.findall(r"^(```+)text\n.*?\n\1$", text, re.MULTILINE | re.DOTALL)
    assert len(quoted) == 4
    told = re.sub(r"^(```+)text\n.*?\n\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "<script" not in told
    assert "](http" not in told


def test_terminal_tables_fit_80_columns_and_show_all_text(measured: dict[str, Any], hostile: dict[str, Any]) -> None:
    assert max(len(line) for line in shown(measured).splitlines()) <= 80
    assert "…" not in shown(measured)
    assert "[/red]" in shown(hostile)
    assert not set("\x1b\u202e") & set(shown(hostile))


@pytest.mark.parametrize("width", [30, 40, 60])
def test_a_narrow_terminal_shows_everything(measured: dict[str, Any], width: int) -> None:
    text = shown(measured, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    found = set(re.findall(r"[\w.]+", text))
    shown_tables = [part.blocks[0] for part in terminal_sections(measured) if isinstance(part.blocks[0], Table)]
    cells = [cell for table in shown_tables for row in table.rows for cell in row]
    assert set(re.findall(r"[\w.]+", " ".join(cells))) <= found


def test_only_miniatures_have_a_notice_about_large_models(measured: dict[str, Any], tmp_path: Path) -> None:
    words = "nothing about large language models"
    write_study_report(tmp_path, measured)
    found = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert words in found.partition("Within sample")[0], "before the first figure"
    assert words in " ".join(shown(measured, 80).split())
    grown = [{**model, "miniature": False} for model in measured["models"]]
    write_study_report(tmp_path, {**measured, "models": grown})
    assert words not in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_bias_is_reported_or_the_option_to_measure_it(measured: dict[str, Any], tmp_path: Path) -> None:
    row = measured["bias"][0]
    assert (row["label"]["value"], row["label_lean"]["value"]) == pytest.approx((0.8, 0)), "opposite in two scenarios"
    ask, lean = "--presentation counterbalanced", "Preference for C or the first named (1), D or the last named (−1)"
    write_study_report(tmp_path, measured)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert lean in text
    assert ask not in text
    assert lean in shown(measured)
    fixed = {**measured, "bias": []}
    write_study_report(tmp_path, fixed)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "Label and position bias" not in text
    assert ask in text
    assert "Preference for" not in shown(fixed)
