"""Tables for the terminal: text stays text, and columns keep to their side."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dilemmas.experiments.reporting.terminal_table import fact_table, number_column, terminal_table, word_column


def lines(table: Table, width: int = 40) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_words_are_at_the_left_and_numbers_at_the_right() -> None:
    table = terminal_table([word_column("name"), number_column("share")], [["a", "0.5"], ["bcdef", "10.25"]])
    assert lines(table) == ["name   share", "a        0.5", "bcdef  10.25"]


def test_cells_and_headings_are_never_markup() -> None:
    table = terminal_table([word_column("[bold]")], [["[/]"], ["\x1b[31mred"]])
    assert lines(table) == ["[bold]", "[/]", "␛[31mred"]


def test_words_wrap_and_whole_words_and_numbers_do_not() -> None:
    table = terminal_table(
        [word_column("a"), word_column("b", whole=True), number_column("c")], [["abcdefgh", "ijklmnop", "0.25"]]
    )
    first, *rest = lines(table, 18)[1:]
    assert first.endswith("ijklmnop  0.25")
    assert rest, "the first column is folded"


def test_a_styled_cell_keeps_its_style() -> None:
    table = terminal_table([word_column("action")], [[Text("C", "bold")]])
    console = Console(force_terminal=True, color_system="standard")
    with console.capture() as captured:
        console.print(table)
    assert "\x1b[1mC" in captured.get()


def test_facts_are_named_at_the_left_and_long_ones_wrap() -> None:
    table = fact_table({"kind": "[red]", "greed": "1 2 3 4 5 6 7"})
    assert lines(table, 14) == ["kind   [red]", "greed  1 2 3 4", "       5 6 7"]
