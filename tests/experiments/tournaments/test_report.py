"""What a tournament shows people: the right numbers in the right places, legible, and no name is markup."""

import io
import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from dilemmas.agents.agent import Source
from dilemmas.agents.engines.dispatch import ENGINES, EXACT
from dilemmas.experiments.reporting.svg import NARROW, WIDTH
from dilemmas.experiments.tournaments import tables as tables
from dilemmas.experiments.tournaments.charts import MOST_NARROW, HeatMap, ScoreRow, heat_map, scores, ticks
from dilemmas.experiments.tournaments.fixtures import Fixture, Row
from dilemmas.experiments.tournaments.report import print_tables, write_report
from dilemmas.experiments.tournaments.run_folder import tournament_data
from dilemmas.experiments.tournaments.standings import standings

HOSTILE = "<script>alert(1)</script> [/red] ]]> | `x` [a](http://b) \x1b[31m \u202e"
LONG = "miniature-student+runs/replicate-with-a-long-name/adapter"
SVG = "{http://www.w3.org/2000/svg}"
DILEMMA = {"a": {"a": 3.0, "b": 0.0}, "b": {"a": 5.0, "b": 1.0}}
"""A prisoner's dilemma in which a always cooperates and b always defects."""


def data(
    payoffs: dict[str, dict[str, float]],
    engine: str = "chain",
    matches: int = 1,
    seats: int = 2,
    apart: Sequence[set[str]] = (),
    spread: float = 0.2,
    aborted: int = 0,
    source: str = "",
) -> dict[str, Any]:
    """Results with given payoffs of each player against each other, with a spread between matches; `source`: that of
    the first player's probabilities, if it plays from a table."""
    names, rng = tuple(payoffs), np.random.default_rng(0)
    rows = []
    for group in combinations_with_replacement(names, seats):
        if set(group) in apart:
            continue
        mean = [np.mean([payoffs[name][other] for other in set(group) - {name} or {name}]) for name in group]
        earned = 100 * (np.array(mean) + spread * (matches > 1) * rng.standard_normal((matches, seats)))
        fixture = Fixture(group, engine, 0, matches)
        none = np.zeros((seats, 1 + 2 * seats, 2)), np.zeros((seats, 2 * seats))
        kept = np.full((matches, seats), 50.0)
        rows.append(Row(fixture, np.full(matches, 100.0), earned, kept, *none, None, aborted))
    settings = {"game": "prisoners_dilemma", "agents": names, "options": {"rounds": 100}, "seed": 0, "meetings": None}
    settings |= {"repetitions": matches, "sources": {names[0]: source} if source else {}}
    return tournament_data(settings, standings(names, rows))


def field(names: Sequence[str], **more: Any) -> dict[str, Any]:
    """A field in which the k-th player always earns k tenths of a point more than the first, who earns one."""
    return data({name: dict.fromkeys(names, 1 + place / 10) for place, name in enumerate(names)}, **more)


def named(count: int) -> list[str]:
    kinds = ("tit_for_tat", "grim", "first_by_tideman_and_chieruzzi", LONG, "模型" * 9, "zd(3)")
    return [f"{kinds[i % len(kinds)]}_{i}" for i in range(count)]


def report(results: dict[str, Any], folder: Path) -> str:
    write_report(folder, results)
    return (folder / "report.html").read_text(encoding="utf-8")


def shown(results: dict[str, Any], width: int = 80) -> str:
    file = io.StringIO()
    print_tables(Console(file=file, width=width, force_terminal=True, color_system=None), results)
    return file.getvalue()


def test_a_report_is_made_again_from_results_json(tmp_path: Path) -> None:
    results = field(named(7), engine="compiled", matches=5)
    first = report(results, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.md"]
    assert report(json.loads(json.dumps(results, allow_nan=False)), tmp_path) == first


def test_ranks_are_distributed_as_the_standard_errors_say() -> None:
    results = field(["low", "mid", "high"], engine="compiled", matches=20)
    shares = np.array(results["rank_distribution"])
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(shares.sum(axis=0), 1)  # no ties: somebody has each rank
    assert {one["player"]: one["first"] for one in results["ranking"]} == dict(
        zip(results["players"], shares[:, 0].tolist(), strict=True)
    )
    assert field(["low", "high"], engine="compiled", matches=1)["rank_distribution"] is None


def test_cells_are_payoffs_of_row_against_column_best_players_first(tmp_path: Path) -> None:
    page = report(data(DILEMMA), tmp_path)
    payoffs = re.findall(r"<title>(\w against \w: [\d.]+)</title>", page)
    assert payoffs[:4] == ["b against b: 1.00", "b against a: 5.00", "a against b: 0.00", "a against a: 3.00"]


def test_pairs_that_never_met_are_dashes_with_a_warning(tmp_path: Path) -> None:
    results = field("abcd", apart=[{"a", "b"}, {"c"}])
    page = report(results, tmp_path)
    assert len(re.findall(r'class="none"><title>', page)) == 2 * 2 * 3, "two maps of both widths with 3 empty cells"
    assert "1 of 6 pairs of players never met" in page, "that c never met itself is no matter"
    assert tables.matrix_table(results, range(4)).rows[0][3] == "–"
    assert "Population dynamics" not in page


def test_exact_results_are_reported_without_sampling_error(tmp_path: Path) -> None:
    page = report(data(DILEMMA), tmp_path)
    assert "there is no sampling error" in page
    assert "95%" not in page
    assert 'class="whisker"' not in page
    sampled = report(data(DILEMMA, "compiled", matches=10), tmp_path)
    assert "there is no sampling error" not in sampled
    assert 'class="whisker"' in sampled


@pytest.mark.parametrize("source", list(Source))
def test_probabilities_that_are_estimates_are_named_where_nothing_else_is_sampled(source: Source) -> None:
    text = " ".join(shown(data(DILEMMA, source=source), 500).split())
    own = source in (Source.EXACT, Source.RULE)
    assert ("there is no sampling error" in text) is own
    assert ("The probabilities of a are" in text) is not own


@pytest.mark.parametrize(("matches", "words"), [(1, "there are no intervals"), (3, "intervals wide"), (10, "")])
def test_few_matches_are_a_warning(matches: int, words: str) -> None:
    text = " ".join(shown(field("abc", engine="compiled", matches=matches), 500).split())
    assert words in text
    assert ("Warning" in text) == bool(words)


def test_unreadable_replies_are_a_warning() -> None:
    text = " ".join(shown(field("ab", engine="environment", matches=10, aborted=2), 500).split())
    assert "6 of 30 sampled matches were aborted" in text


def test_an_uncertain_first_place_is_reported(tmp_path: Path) -> None:
    equal = {name: dict.fromkeys("abcdef", 2.0) for name in "abcdef"}
    assert "but this may be chance" in report(data(equal, "compiled", 10), tmp_path)
    assert "but this may be chance" not in report(data(DILEMMA, "compiled", 10), tmp_path)
    assert "a, b, c, d and 2 more share the first place with 2.00" in report(data(equal), tmp_path)


def test_defectors_take_over_the_population_and_are_not_invaded(tmp_path: Path) -> None:
    write_report(tmp_path, data(DILEMMA))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert (
        "the largest final shares are: b 1.00. The mean payoff changes from 2.25 to 1.00" in text
    )  # (3 + 0 + 5 + 1) / 4, then mutual defection
    assert "| b | strict Nash | – | – |" in text
    assert "| a | unstable | b | – |" in text


def test_payoffs_have_intervals_and_players_fingerprints(tmp_path: Path) -> None:
    results = data(DILEMMA, "compiled", 10)
    results["fingerprints"]["a"][1] |= {"cooperated": 8.0, "times": 10.0, "interval": (0.49, 0.94)}
    write_report(tmp_path, results)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    half = 2.262 * results["standard_errors"][1][0]
    assert f"{results['payoff_matrix'][1][0]:.2f} ± {half:.2f}" in text
    assert "| a | – | 0.80 [0.49, 0.94] | – | – | – |" in text
    write_report(tmp_path, data(DILEMMA))
    assert "±" not in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_crowd_is_drawn_in_a_few_lines(tmp_path: Path) -> None:
    page = report(field(named(45)), tmp_path)
    assert len(re.findall(r'<polyline class="l\d" points="[^"]*"><title>', page)) == 2 * 6, (
        "for wide and for narrow pages"
    )
    assert "the 40 others" in page


def test_groups_of_three_are_listed_from_best_to_worst(tmp_path: Path) -> None:
    page = report(field("abcd", seats=3), tmp_path)
    assert "in groups with" in page
    assert "Population dynamics" not in page, "payoffs of pairs say nothing about groups"
    rows = tables.group_table(field("abcd", seats=3)["groups"]).rows
    assert [row[1] for row in rows][:2] == ["3 × d", "c, 2 × d"]
    assert rows[-1][:3] == ("20", "3 × a", "1.00")
    assert "3 × d" in shown(field("abcd", seats=3))


def test_every_engine_is_described_as_exact_or_sampled() -> None:
    assert {engine: words.startswith("exact") for engine, words in tables.ENGINES.items()} == {
        engine: engine in EXACT for engine in ENGINES
    }


class Tags(HTMLParser):
    """Which tags and attributes a page has, and the words in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attrs)}

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("seats", [2, 3])
def test_no_name_is_markup(seats: int, tmp_path: Path) -> None:
    """The same tags and attributes whatever players are called; in every form."""
    fields = [field(names, engine="compiled", matches=9, seats=seats) for names in ("xy", [HOSTILE, HOSTILE + "2"])]
    pages = [Tags(report(one, tmp_path)) for one in fields]
    assert pages[1].found - {"transform"} == pages[0].found
    assert "<script>alert(1)</script> [/red] ]]> | `x` [a](http://b)" in pages[1].words
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "](http" not in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    found = shown(fields[1], 300)
    assert "[/red]" in found
    assert not set("\x1b\u202e") & set(pages[1].words + text + found)


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    page = report(field(named(5), engine="compiled", matches=9), tmp_path)
    assert not re.search(r'<script|<link|<img|src=|href="[^#]|@import|url\(', page)
    names = re.findall(r'\bid="([^"]*)"', page)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("count", [2, 6, 12, 45])
def test_terminal_tables_fit_the_width_and_name_all_players(count: int, width: int) -> None:
    results = field([f"tit_for_{i}_tats" for i in range(count)], engine="compiled", matches=9)
    text = shown(results, width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert all(f"tit_for_{i}_tats" in text for i in range(count))
    assert ("too many for this terminal" in text) == (count == 45 or (count, width) == (12, 60))


def heat(count: int, width: float = WIDTH) -> str:
    names = named(count)
    values = [[None if i == j == 1 else 5 * (i * count + j) / count**2 for j in range(count)] for i in range(count)]
    shows = [lambda value: f"{value:.2f}", lambda value: f"{value:.1f}"]
    return heat_map(
        "t", "d", HeatMap(names, names, values, (0.0, 5.0), "points per round", "against", shows, "never met"), width
    )


def whiskers(count: int) -> str:
    rows = [
        ScoreRow(name, i - 2.5, (i - 4.0, i - 1.0), f"−{i}.50 [−{i}.50, {i}.50]") for i, name in enumerate(named(count))
    ]
    return scores("t", "d", "points per round", rows)


Box = tuple[float, float, float, float, str]


def boxes(root: ElementTree.Element) -> list[Box]:
    """Left, right, top and bottom of every text, by the mean width of a letter."""
    found = []
    for text in root.iter(f"{SVG}text"):
        size = float(text.get("font-size", 12 if "small" in text.get("class", "") else 13))
        width, x, y = 0.5 * size * cell_len(text.text or ""), float(text.get("x", 0)), float(text.get("y", 0))
        before = {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor", "start")] * width
        if text.get("transform"):  # turned by a quarter to the left
            found.append((x - 0.7 * size, x + 0.15 * size, y - width, y, text.text or ""))
        else:
            found.append((x - before, x - before + width, y - 0.7 * size, y + 0.15 * size, text.text or ""))
    return found


def narrow_heat(count: int) -> str:
    return heat(min(count, MOST_NARROW), NARROW)


def test_names_in_a_heat_map_are_shortened_only_where_there_is_no_room() -> None:
    assert ">first_by_tideman_and_chieruzzi_2<" in heat(9)
    assert ">first_by_tideman_and_chieruzzi_2<" not in heat(31)


@pytest.mark.parametrize("count", [2, 3, 5, 9, 16, 24, 31, 45, 60])
@pytest.mark.parametrize("draw", [heat, narrow_heat, whiskers])
def test_no_two_texts_of_a_figure_overlap_and_none_is_cut(draw: Any, count: int) -> None:
    root = ElementTree.fromstring(draw(count).encode())
    width, height = map(float, root.get("viewBox", "").split()[2:])
    kept: list[Box] = []
    for left, right, top, bottom, words in boxes(root):
        assert 0 <= left <= right <= width, words
        assert 0 <= top < bottom <= height, words
        for other in kept:
            assert left >= other[1] or right <= other[0] or top >= other[3] or bottom <= other[2], (words, other)
        kept.append((left, right, top, bottom, words))


@pytest.mark.parametrize(("count", "numbers"), [(2, 3), (16, 255), (60, 0)])
def test_cells_have_numbers_where_these_can_be_read(count: int, numbers: int) -> None:
    root = ElementTree.fromstring(heat(count).encode())
    cells = [group for group in root.iter(f"{SVG}g") if group.find(f"{SVG}title") is not None]
    assert len(cells) == count**2
    assert sum(cell.find(f"{SVG}text") is not None for cell in cells) == numbers, "all but the one that is missing"


def luminance(colour: str) -> float:
    """Relative luminance as of WCAG 2.2."""
    channels = [value / 255 for value in bytes.fromhex(colour.removeprefix("#"))]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_stand_out_from_their_cells_and_colours_are_in_order(dark: bool) -> None:
    """A contrast of 4.5 is what WCAG 2.2 asks of text (1.4.3)."""
    light_rules, _, dark_rules = heat(3).rpartition("@media(prefers-color-scheme:dark){")
    rules = dark_rules if dark else light_rules
    fills = dict(re.findall(r"\.h(\d+) path\{fill:(#\w{6})\}", rules))
    inks = {
        level: ink
        for which, ink in re.findall(r"([^{}]+ text)\{fill:(#\w{3})\}", rules)
        for level in re.findall(r"\.h(\d+)", which)
    }
    assert len(fills) == 21
    lights = [luminance(fills[str(level)]) for level in range(21)]
    assert lights == sorted(lights, reverse=not dark)
    for level, light in enumerate(lights):
        ink = {"#fff": 1.0, "#000": 0.0}[inks[str(level)]]
        assert (max(ink, light) + 0.05) / (min(ink, light) + 0.05) >= 4.5, level


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_are_round_even_and_enclose_the_values(low: float, span: float) -> None:
    marks = ticks(low, low + span)
    steps = np.diff(marks)
    assert marks[0] <= low + 1e-6 * steps[0]
    assert marks[-1] >= low + span - 1e-6 * steps[0]
    assert 2 <= len(marks) <= 8
    np.testing.assert_allclose(steps, steps[0], rtol=1e-4)
