"""The report: it says what was measured, in every form, and nothing in it is markup."""

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from dilemmas.envs.prompts.scenarios import study_sets
from dilemmas.experiments.reporting.charts import Dumbbell, GapRow, dumbbells, gaps, lines
from dilemmas.experiments.reporting.page import Table
from dilemmas.experiments.study.answers import Answers, ScenarioResult
from dilemmas.experiments.study.metrics import Comprehension, agreement, bias, consistency, match_row
from dilemmas.experiments.study.report import Evaluation, Model, print_tables, results, write_report
from dilemmas.experiments.study.sections import brief

HOSTILE = "<script>alert(1)</script> [/red] ]]> | `x` [a](http://b) \x1b[31m \u202e \ud800"
RNG = np.random.default_rng(0)
BY_LABEL = np.array([[[1.0, 0.0], [0.9, 0.1]], [[0.1, 0.9], [0.2, 0.8]]])
"""Someone who goes by the label in a scenario with two actions, (assignment, order, action)."""


def answers(p: float) -> Answers:
    heard = int(RNG.binomial(97, p))
    return Answers((p, 1 - p), (heard, 97 - heard), unreadable=3)


def scenario(name: str) -> ScenarioResult:
    """A teacher that depends on the scenario, a student that does not, and one half way between."""
    teacher = 0.1 + 0.8 * RNG.random()
    game, context = name.split("/")
    half_way = answers((teacher + 0.8) / 2)
    return ScenarioResult(name, game, context, answers(teacher), untuned=answers(0.8), tuned=half_way)


def evaluation(text: str = "plain") -> Evaluation:
    sets = {name: [scenario(one.name) for one in group] for name, group in study_sets().items()}
    games = RNG.integers(0, 2, (6, 5)).astype(float)
    shares = np.array([[0.7, 0.3], [0.2, 0.8]])
    return Evaluation(
        recipe=text,
        models=[Model(role, text, text, miniature=True) for role in ("teacher", "untuned", "tuned")],
        sets=sets,
        training=[result.teacher for result in sets["within"]],
        observations=100,
        seed=7,
        seconds=12.5,
        template="study@0123456789ab",
        provenance={"python": "3.11", "packages": {"numpy": "2"}, "command": ["dilemmas", text]},
        matches=[match_row(text, text, text, games, games, games, RNG)],
        agreement=[agreement(text, shares, shares, np.array([0, 1]), RNG)],
        consistency=[consistency("stag_hunt/summit", [0, 1, None], [text, text])],
        comprehension=[Comprehension(text, "payoff", 9, 10)],
        bias=[bias(name, text, (text, "D"), [BY_LABEL, 1 - BY_LABEL], RNG) for name in ("within", text)],
    )


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    return results(evaluation(), resamples=200)


@pytest.fixture(scope="module")
def hostile() -> dict[str, Any]:
    return results(evaluation(HOSTILE), resamples=50)


def shown(measured: dict[str, Any], width: int = 80) -> str:
    file = io.StringIO()
    print_tables(Console(file=file, width=width, force_terminal=True, color_system=None), measured)
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
    assert measured["seconds"] == 12.5


def test_results_are_json(measured: dict[str, Any]) -> None:
    assert json.loads(json.dumps(measured, allow_nan=False)) == measured


def test_a_report_is_made_again_from_results_json(measured: dict[str, Any], tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, source in ((first, measured), (second, json.loads(json.dumps(measured)))):
        folder.mkdir()
        write_report(folder, source)
        assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.md"]
    for name in ("report.html", "report.md"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_one_more_set_changes_no_other_sets_interval() -> None:
    whole = evaluation()
    part = replace(whole, sets={"new_game": whole.sets["new_game"]})
    found = (results(one, resamples=50)["alignment"]["new_game"] for one in (whole, part))
    assert next(found) == next(found)


def test_without_probabilities_the_sampled_figures_stand_at_the_top() -> None:
    whole = evaluation()
    heard = [replace(result, tuned=replace(result.tuned, exact=None)) for result in whole.sets["within"]]
    row = results(replace(whole, sets={"within": heard}), resamples=50)["alignment"]["within"]
    assert row["estimate"] == "sampled"
    assert row["gap_closed"] == row["estimates"]["sampled"]["gap_closed"]
    assert len(row["estimates"]["exact"]["missing"]) == 20


def test_a_run_with_nothing_to_say_still_has_a_report(tmp_path: Path) -> None:
    deaf = Answers(None, (0, 0), unreadable=4)
    same = ScenarioResult("a/b", "a", "b", answers(0.5), answers(0.5), deaf)
    empty = Evaluation("r", [], {"within": [same], "none": []}, [], 100, 0, 1.0, "t")
    found = results(empty, resamples=50)
    write_report(tmp_path, json.loads(json.dumps(found, allow_nan=False)))
    shown(found)
    assert found["alignment"]["within"]["gap_closed"] is None
    assert found["transfer_drop"] is None
    assert any("could not be read" in text for text in found["warnings"])


def test_unreadable_replies_are_counted_with_bounds(measured: dict[str, Any]) -> None:
    row = measured["unreadable"][0]
    low, high = row["bounds"]
    assert (row["replies"], row["unreadable"]) == (2000, 60)
    assert low < row["rate"] < high
    assert high - low == pytest.approx(0.03)


def test_drop_from_new_contexts_to_both_new_is_a_warning() -> None:
    whole = evaluation()
    worse = [replace(result, tuned=result.untuned) for result in whole.sets["new_both"]]
    found = results(replace(whole, sets={**whole.sets, "new_both": worse}), resamples=50)
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
        write_report(tmp_path, source)
        pages.append(Tags())
        pages[-1].feed((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert pages[1].tags == pages[0].tags
    assert pages[1].attributes == pages[0].attributes
    assert "<script>alert(1)</script> [/red] ]]> | `x` [a](http://b)" in pages[1].words
    assert not set("\x1b\u202e") & set(pages[1].words)


def test_the_page_needs_nothing_but_itself(measured: dict[str, Any], tmp_path: Path) -> None:
    write_report(tmp_path, measured)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|<img|src=|href=|@import|url\(", page)
    assert set(re.findall(r"https?://[^\s\"<]*", page)) == {"http://www.w3.org/2000/svg"}, "the name of SVG, no address"
    names = re.findall(r'\bid="([^"]*)"', page)
    assert len(names) == len(set(names))


def test_markdown_tables_keep_their_columns_whatever_a_model_wrote(hostile: dict[str, Any], tmp_path: Path) -> None:
    write_report(tmp_path, hostile)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    assert "<script" not in text
    assert "](http" not in text


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
    shown_tables = [part.blocks[0] for part in brief(measured) if isinstance(part.blocks[0], Table)]
    cells = [cell for table in shown_tables for row in table.rows for cell in row]
    assert set(re.findall(r"[\w.]+", " ".join(cells))) <= found


def test_only_miniatures_are_said_to_say_nothing_about_large_models(measured: dict[str, Any], tmp_path: Path) -> None:
    words = "nothing about large language models"
    write_report(tmp_path, measured)
    told = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert words in told.partition("Within sample")[0], "before the first figure"
    assert words in " ".join(shown(measured, 80).split())
    grown = [{**model, "miniature": False} for model in measured["models"]]
    write_report(tmp_path, {**measured, "models": grown})
    assert words not in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_bias_is_told_with_its_direction_or_how_to_ask_for_it(measured: dict[str, Any], tmp_path: Path) -> None:
    (row, _) = measured["bias"]
    assert (row["label"]["value"], row["label_lean"]["value"]) == pytest.approx((0.8, 0)), "opposite in two scenarios"
    ask, lean = "--shuffle-labels", "Lean towards plain or the first named (1), D or the last named (−1)"
    write_report(tmp_path, measured)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert lean in text
    assert ask not in text
    assert lean in shown(measured)
    fixed = results(replace(evaluation(), bias=()), resamples=50)
    write_report(tmp_path, fixed)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "the label or the place?" not in text
    assert ask in text
    assert "Lean towards" not in shown(fixed)


LONG = "against a player with a name that nobody would give " * 3

FIGURES = {
    "dumbbells": dumbbells(
        HOSTILE,
        HOSTILE,
        {
            HOSTILE: [Dumbbell(LONG, 0.5, 0.5, 0.5), Dumbbell("x", None, 1, 0, muted=True)],
            LONG: [Dumbbell("y", 0, 1, 0)],
        },
    ),
    "gaps": gaps(
        HOSTILE,
        HOSTILE,
        [
            GapRow(LONG, 0.5, (-3.0, 0.7), 0.2, "0.50 [−3.00, 0.70]"),
            GapRow(HOSTILE, -2.0, None, -5.0, "−2.00", hollow=True),
        ],
    ),
    "lines": lines(
        LONG,
        HOSTILE,
        {f"{i} {LONG}": {LONG: [0.2] * 999, "teacher": [1.0], HOSTILE: [0, 1], f"2 {LONG}": []} for i in range(5)},
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_well_formed_titled_and_escaped(name: str) -> None:
    root = ElementTree.fromstring(FIGURES[name].encode())
    space = "{http://www.w3.org/2000/svg}"
    assert [child.tag for child in root[:2]] == [f"{space}title", f"{space}desc"]
    assert {child.tag.removeprefix(space) for child in root.iter()} <= {
        *("svg", "title", "desc", "style", "g", "text", "line", "circle", "path", "polyline"),
    }
    assert "nan" not in FIGURES[name]


@pytest.mark.parametrize("name", FIGURES)
def test_no_two_texts_of_a_figure_overlap(name: str) -> None:
    root = ElementTree.fromstring(FIGURES[name].encode())
    boxes = []
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        size = 12 if "small" in text.get("class", "") else 13
        width, x, y = 0.5 * size * len(text.text or ""), float(text.get("x", 0)), float(text.get("y", 0))
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor", "start")]
        boxes.append((left, left + width, y - 0.75 * size, y + 0.2 * size, text.text))
    width, height = map(float, root.get("viewBox", "").split()[2:])
    for i, (left, right, top, bottom, words) in enumerate(boxes):
        assert 0 <= left <= right <= width, words
        assert 0 <= top < bottom <= height, words
        for other in boxes[:i]:
            apart = left >= other[1] or right <= other[0] or top >= other[3] or bottom <= other[2]
            assert apart, (words, other[4])
