"""The console of rich for output of the program: text is never markup, and no character of it acts on the terminal."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from dilemmas.agents.visible_text import visible


class SafeConsole(Console):
    """A console on stdout, or on stderr, that makes the text of everything it prints visible.

    Control sequences of rich itself, such as colours and cursor movements of a progress bar, are no text.
    """

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """The segments of a renderable; see `rich.console.Console.render`."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
