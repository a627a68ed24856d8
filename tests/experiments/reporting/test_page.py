"""Tables of a report: a dash is explained wherever the table is shown, and only if there is one."""

import pytest
from rich.console import Console

from dilemmas.experiments.reporting.format import num
from dilemmas.experiments.reporting.page import Section, Table, html, markdown, print_sections


def shown(value: float | None) -> list[str]:
    """A report with one number as HTML, as Markdown and in a terminal."""
    sections = [Section("Rates", (Table("Rates", ("model", "rate"), (("m", num(value)),), missing="no reply"),))]
    console = Console(width=60, color_system=None)
    with console.capture() as captured:
        print_sections(console, sections)
    return [html("Report", sections), markdown("Report", sections), captured.get()]


@pytest.mark.parametrize(("value", "explained"), [(None, True), (0.5, False)])
def test_a_dash_is_explained_if_there_is_one(value: float | None, explained: bool) -> None:
    assert [("–: no reply." in text) for text in shown(value)] == [explained] * 3
