"""Reports: blocks, and writers for HTML, Markdown and the terminal.

All strings in blocks are text: the three writers escape them, so text of a model is never markup or a control sequence.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import count
from string import Template

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from dilemmas.agents.visible_text import visible
from dilemmas.experiments.reporting.format import NONE
from dilemmas.experiments.reporting.terminal_text import one_line


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of text."""

    text: str
    """Plain text."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning."""

    text: str
    """Plain text."""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A bulleted list."""

    items: tuple[str, ...]
    """One text per bullet."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure; its numbers are in a table nearby."""

    svg: str
    """SVG from `dilemmas.experiments.reporting.charts`, with escaped text."""
    caption: str
    """Text below the figure."""


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A text of several lines word for word, collapsed in HTML until the reader opens it; not on a terminal."""

    title: str
    """Heading of the text."""
    text: str
    """The text."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: columns of words, followed by columns of numbers."""

    title: str
    """Heading of the table."""
    columns: tuple[str, ...]
    """Headings of the columns."""
    rows: tuple[tuple[str, ...], ...]
    """Cells, one per column."""
    words: int = 1
    """Number of columns with words, aligned left; the others have numbers, aligned right."""
    note: str = ""
    """Text below the table."""
    folded: bool = False
    """Collapse the table in HTML until the reader opens it."""
    missing: str = "no value, because there was nothing to compute it from, such as readable replies"
    """What a cell with only a dash means; shown below a table that has one."""

    @property
    def dash_note(self) -> str:
        """Explanation of the dash; empty if no cell has only a dash."""
        return f"{NONE}: {self.missing}." if any(NONE in row for row in self.rows) else ""


WIDEST = 10_000
"""Width of a terminal in which every table fits."""

Block = Paragraph | Notice | Bullets | Figure | Verbatim | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its blocks."""

    title: str
    """The heading."""
    blocks: tuple[Block, ...]
    """Contents in order."""


def html(title: str, sections: Sequence[Section]) -> str:
    """A self-contained HTML page without scripts or external resources, with a list of its sections."""
    parts = []
    for place, section in enumerate(_numbered(sections)):
        blocks = "\n".join(map(_html, section.blocks))
        parts.append(f'<section id="s{place}"><h2>{_text(section.title)}</h2>\n{blocks}\n</section>')
    links = (f'<li><a href="#s{place}">{_text(section.title)}</a></li>' for place, section in enumerate(sections))
    return PAGE.substitute(title=_text(title), style=STYLE, links="".join(links), parts="\n".join(parts))


def markdown(title: str, sections: Sequence[Section]) -> str:
    """A report in Markdown, without figures."""
    parts = [f"# {_mark(title)}"]
    for section in _numbered(sections):
        parts += [f"## {_mark(section.title)}", markdown_blocks(section.blocks)]
    return "\n\n".join(parts) + "\n"


def markdown_blocks(blocks: Sequence[Block]) -> str:
    """Blocks in Markdown, without figures, as part of another page."""
    return "\n\n".join(text for block in blocks for text in _markdown(block))


def _numbered(sections: Sequence[Section]) -> Iterator[Section]:
    """The sections with numbers before the captions of figures and the titles of tables."""
    figures, tables = count(1), count(1)

    def numbered(block: Block) -> Block:
        if isinstance(block, Figure):
            return replace(block, caption=f"Figure {next(figures)}. {block.caption}")
        return replace(block, title=f"Table {next(tables)}. {block.title}") if isinstance(block, Table) else block

    for section in sections:
        yield Section(section.title, tuple(map(numbered, section.blocks)))


def print_sections(console: Console, sections: Sequence[Section]) -> None:
    """Print a report without figures to a terminal."""
    for section in sections:
        console.print(Text(one_line(section.title), style="bold"))
        for block in section.blocks:
            _print(console, block)
        console.print()


def fits(console: Console, table: Table) -> bool:
    """Whether a terminal is wide enough for a table; if not, its rows are printed as a list."""
    return console.measure(_rich(table), options=console.options.update(width=WIDEST)).minimum <= console.width


def _text(text: str) -> str:
    """Text escaped for HTML, with intervals kept on one line."""
    return INTERVAL.sub(r"\1,&nbsp;\2", escape(one_line(text)))


def _html(block: Block) -> str:
    match block:
        case Paragraph(text):
            return f"<p>{_text(text)}</p>"
        case Notice(text):
            return f'<p class="notice"><strong>Warning.</strong> {_text(text)}</p>'
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{_text(item)}</li>" for item in items) + "</ul>"
        case Figure(svg, caption):
            return f"<figure>{svg}<figcaption>{_text(caption)}</figcaption></figure>"
        case Verbatim(title, text):
            return f"<details><summary>{_text(title)}</summary><pre>{escape(visible(text))}</pre></details>"
        case Table():
            return _html_table(block)


def _html_table(table: Table) -> str:
    kinds = ["words" if column < table.words else "number" for column in range(len(table.columns))]
    heads = [
        f'<th scope="col" class="{kind}">{_text(name)}</th>' for kind, name in zip(kinds, table.columns, strict=True)
    ]
    rows = []
    for row in table.rows:
        first = f'<th scope="row" class="words">{_text(row[0])}</th>'
        rest = [f'<td class="{kind}">{_text(cell)}</td>' for kind, cell in zip(kinds[1:], row[1:], strict=True)]
        rows.append(f"<tr>{first}{''.join(rest)}</tr>")
    grid = f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    notes = " ".join(filter(None, (table.note, table.dash_note)))
    note = f'<p class="note">{_text(notes)}</p>' if notes else ""
    name = _text(table.title)
    if table.folded:
        return f'<details><summary>{name}</summary><div class="wide">{grid}</div>{note}</details>'
    return f'<h3>{name}</h3><div class="wide">{grid}</div>{note}'


def _mark(text: str) -> str:
    """Text escaped for Markdown, also in table cells."""
    for char in "\\`*_|~#":
        text = text.replace(char, "\\" + char)
    return escape(one_line(text), quote=False).replace("](", "]\\(").replace("][", "]\\[").replace("]:", "]\\:")


def _markdown(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield _mark(text)
        case Notice(text):
            yield f"> **Warning.** {_mark(text)}"
        case Bullets(items):
            yield "\n".join(f"- {_mark(item)}" for item in items)
        case Verbatim(title, text):
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
            yield f"### {_mark(title)}"
            yield f"{fence}text\n{visible(text)}\n{fence}"
        case Table():
            rule = [" :-- " if column < block.words else " --: " for column in range(len(block.columns))]
            yield f"### {_mark(block.title)}"
            yield "\n".join([_line(block.columns), f"|{'|'.join(rule)}|", *map(_line, block.rows)])
            yield from (_mark(note) for note in (block.note, block.dash_note) if note)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_mark, cells))} |"


def _print(console: Console, block: Block) -> None:
    match block:
        case Paragraph(text):
            console.print(Text(one_line(text)))
        case Notice(text):
            console.print(Text(f"Warning. {one_line(text)}", style="yellow"))
        case Bullets(items):
            for item in items:
                console.print(Text(f"- {one_line(item)}"))
        case Table():
            console.print(_rich(block) if fits(console, block) else _list(block))
            if block.dash_note:
                console.print(Text(one_line(block.dash_note), style="dim"))


def _rich(table: Table) -> RichTable:
    grid = RichTable(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column, name in enumerate(table.columns):
        if column < table.words:
            grid.add_column(Text(one_line(name)))
        else:
            widest = max(cell_len(one_line(cell)) for cell in (name, *(row[column] for row in table.rows)))
            grid.add_column(Text(one_line(name)), justify="right", no_wrap=True, min_width=widest)
    for row in table.rows:
        grid.add_row(*(Text(one_line(cell)) for cell in row))
    return grid


def _list(table: Table) -> Group:
    """The rows as a list, for a narrow terminal."""
    parts: list[RenderableType] = []
    for row in table.rows:
        named = zip(table.columns[table.words :], row[table.words :], strict=True)
        parts.append(Text(one_line(", ".join(row[: table.words]))))
        parts.append(Padding(Text(one_line("; ".join(f"{name} {cell}" for name, cell in named))), (0, 0, 0, 2)))
    return Group(*parts)


INTERVAL = re.compile(r"(\[−?[\d.]+), (−?[\d.]+\])")

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>$style</style>
</head>
<body>
<header><p class="eyebrow">dilemmas</p><h1>$title</h1></header>
<main>
<nav aria-label="Contents"><ul>$links</ul></nav>
$parts
</main>
</body>
</html>
""")

STYLE = """
:root{--ink:#1c1c1a;--soft:#62625d;--rule:#dddcd6;--ground:#faf9f5;--paper:#fff;--notice:#fdf0dd;--edge:#b84e00;
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;
--serif:Charter,"Bitstream Charter","Sitka Text",Cambria,Georgia,serif}
@media(prefers-color-scheme:dark){:root{--ink:#ecebe6;--soft:#a6a59e;--rule:#3a3a37;--ground:#121211;
--paper:#1a1a18;--notice:#33250f;--edge:#f2a35c}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:17px/1.55 var(--serif);
-webkit-text-size-adjust:100%}
header,main{max-width:56rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:3.5rem}
main{padding-bottom:5rem}
h1{font-size:2.1rem;line-height:1.18;font-weight:600;letter-spacing:-.012em;margin:.2rem 0 1.4rem;
text-wrap:balance;overflow-wrap:anywhere}
h2{font-size:1.45rem;line-height:1.25;font-weight:600;margin:3.2rem 0 .8rem;padding-top:1.1rem;
border-top:1px solid var(--rule)}
nav+section h2{border-top:0;margin-top:0;padding-top:0}
h3,summary{font:600 .92rem/1.4 var(--sans)}
h3{margin:1.9rem 0 .5rem}
nav ul{list-style:none;padding:0;max-width:none;columns:14rem;font:.88rem/1.5 var(--sans)}
nav li{margin:0;padding:.35rem 0}
nav a{color:inherit}
pre{font:.82rem/1.5 ui-monospace,"DejaVu Sans Mono",monospace;white-space:pre-wrap;
overflow-wrap:anywhere;margin:.5rem 0}
.eyebrow{margin:0;color:var(--soft);font:.8rem/1.5 var(--sans);letter-spacing:.1em;text-transform:uppercase}
p,ul{max-width:42rem;margin:.7rem 0;overflow-wrap:anywhere}
ul{padding-left:1.2rem}
li{margin:.35rem 0}
.notice{background:var(--notice);border-left:3px solid var(--edge);padding:.7rem 1rem;border-radius:0 4px 4px 0}
figure{margin:1.4rem 0;padding:1rem;background:var(--paper);border:1px solid var(--rule);border-radius:6px}
figcaption,.note{font:.82rem/1.5 var(--sans);color:var(--soft);max-width:46rem}
figcaption{margin-top:.7rem}
.note{margin:.5rem 0 0}
details{margin:.8rem 0;border-bottom:1px solid var(--rule);padding-bottom:.8rem}
summary{cursor:pointer}
.wide{overflow-x:auto;margin-top:.5rem}
table{border-collapse:collapse;font:.82rem/1.4 var(--sans);font-variant-numeric:tabular-nums lining-nums}
th,td{padding:.3rem .6rem;text-align:left;vertical-align:baseline;font-weight:400;
border-bottom:1px solid var(--rule)}
th:first-child{padding-left:0}
td:last-child,thead th:last-child{padding-right:0}
thead th{font-weight:600;color:var(--soft);vertical-align:bottom;border-bottom-color:var(--soft)}
tbody th{white-space:nowrap}
.number{text-align:right}
td.number{white-space:nowrap}
td.words{overflow-wrap:break-word;min-width:7.5rem;max-width:26rem}
@media print{body{background:#fff;font-size:11pt}figure,tr{break-inside:avoid}}
.narrow-page{display:none}
@media(max-width:40rem){body{font-size:16px}h1{font-size:1.6rem}figure{padding:.4rem;margin:1rem -.8rem}
.narrow-page{display:block}.wide-page{display:none}.scrolled{overflow-x:auto}.scrolled .fig{width:46rem}}
"""
