"""`dilemmas tournament strategies`: a short list, and one strategy in full."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from dilemmas.agents.strategies.catalogue import FAMILIES, GROUPS, SECTIONS, STRATEGIES, listing
from dilemmas.envs.names import UnknownNameError
from dilemmas.experiments.commands.tournament.strategies import command


def shown(*arguments: str, width: int = 80) -> str:
    done = CliRunner(env={"COLUMNS": str(width)}).invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def data(*arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(shown(*arguments, "--json")))


def test_every_strategy_is_in_one_section() -> None:
    listed = [entry.name for section in SECTIONS.values() for entry in section]
    assert sorted(listed) == sorted(entry.name for entry in (*STRATEGIES, *GROUPS, *FAMILIES))


def test_the_list_has_a_line_per_strategy_and_section_and_fits_80_columns() -> None:
    lines = shown().splitlines()
    assert len(lines) == len(listing()) + len(SECTIONS)
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if not line.startswith(" ")] == list(SECTIONS)
    assert sorted(line.split()[0] for line in lines if line.startswith(" ")) == sorted(row.name for row in listing())


def test_one_strategy_is_described_in_full_by_any_of_its_names() -> None:
    for name in ("tit_for_tat", "TFT", "Tit For Tat"):
        facts = dict(line.split(maxsplit=1) for line in shown(name).splitlines() if not line.startswith(" "))
        assert facts["strategy"].strip() == "tit_for_tat"
        assert "Rapoport" in facts["source"]
        assert facts["states"].strip() == "2"
    assert "1 round" in shown("tit_for_tat")
    assert "looks back" not in shown("grim")


def test_a_family_is_described_with_its_parameters() -> None:
    (extort,) = data("zd_extort(3)")
    assert extort["parameters"] == ["chi"]
    assert {row["name"] for row in data("random(0.3)")} == {"random", "random(p)"}


def test_the_probabilities_are_those_of_the_game() -> None:
    """Press & Dyson 2012, chi = 3, phi = 1/26: (11/13, 1/2, 7/26, 0)."""
    assert data("zd_extort_3")[0]["vector"] == pytest.approx([1, 11 / 13, 1 / 2, 7 / 26, 0])
    assert data("zd_extort(3)")[0]["vector"] == pytest.approx([1, 11 / 13, 1 / 2, 7 / 26, 0])
    assert data("zd_extort")[0]["vector"] is None
    payoffs = ("--set", "T=6", "--set", "R=4", "--set", "P=2", "--set", "S=-1")
    assert data("zd_extort_2", *payoffs)[0]["vector"] == pytest.approx([1, 10 / 11, 1 / 2, 5 / 11, 0])
    assert "0.5 after CD, 0.454545 after DC" in " ".join(shown("zd_extort_2", *payoffs).split())


def test_sets_and_parts_of_names_and_sources_give_lists() -> None:
    assert len(data("@first_tournament")) == 15
    assert {"grim_2", "mutual_grim", "memory_one_grim"} < {row["name"] for row in data("gri")}
    assert {row["name"] for row in data("Nowak")} > {"win_stay_lose_shift", "generous_tit_for_tat"}


def test_the_json_of_all_has_a_description_and_a_section_of_each() -> None:
    rows = data()
    assert len(rows) == len(listing())
    assert all(row["description"] and row["section"] and row["source"] for row in rows)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown strategy 'tit_fro_tat'; did you mean 'tit_for_tat'"):
        shown("tit_fro_tat")
