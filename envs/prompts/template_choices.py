"""What is chosen of a template where it is used: persona, labels, system text, and wordings.

chosen = TemplateChoice("vignette", persona="nurse,farmer", labels="words").of()
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from dilemmas.envs.data_files import read_toml
from dilemmas.envs.names import lookup
from dilemmas.envs.prompts.templates import EVERY, NONE, Template, load_template
from dilemmas.envs.prompts.wording import TemplateError


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """A template, and what replaces its own persona, labels and system text; empty texts replace nothing, and ``none``
    takes the persona or the system text away."""

    template: str = ""
    """Name of a built-in template, or path of a TOML file; empty for another one that is given to `of`."""
    persona: str = ""
    """Names of personas of the template, separated by commas, or the path of a TOML file that describes some; several
    are given to the model equally often. ``counterbalanced``: all of the template; ``none``: nobody."""
    labels: str = ""
    """Name of a label set of the template, or two labels, separated by a comma."""
    system: str = ""
    """Text of the system turn; ``none``: no text."""

    def of(self, usual: Template | None = None) -> Template:
        """The template with what was chosen.

        Parameters
        ----------
        usual
            The template if none was named.

        Raises
        ------
        InputError
            If a name is unknown, a file cannot be read, or the labels cannot be told from each other.
        """
        base = load_template(self.template) if self.template or usual is None else usual
        return _chosen(base, self)


@cache
def _chosen(base: Template, choice: TemplateChoice) -> Template:
    found = _with_persona(base, choice.persona) if choice.persona else base
    if choice.labels:
        found = replace(found, labels=_labels(base, choice.labels))
    if choice.system:
        found = replace(found, system="" if choice.system == NONE else choice.system.strip())
    return found


def _with_persona(template: Template, wanted: str) -> Template:
    if wanted in (EVERY, NONE):
        return replace(template, persona=EVERY if wanted == EVERY else "")
    if wanted.endswith(".toml"):
        personas = read_toml(Path(wanted), dict[str, str], TemplateError)
    else:
        names = [name.strip() for name in wanted.split(",")]
        personas = {name: lookup("persona", name, template.personas, f"template '{template.name}'") for name in names}
    if not personas:
        raise TemplateError(f'{wanted}: needs a line such as nurse = "You are a nurse." for each persona')
    return replace(template, personas=personas, persona=EVERY if len(personas) > 1 else next(iter(personas)))


def _labels(template: Template, wanted: str) -> tuple[str, ...]:
    if "," in wanted:
        return tuple(label.strip() for label in wanted.split(","))
    return lookup("label set", wanted, template.label_sets, f"template '{template.name}'")


def variants(template: Template, paraphrases: int = 0) -> list[Template]:
    """All wordings of a template in which a question is asked equally often.

    Parameters
    ----------
    template
        The template.
    paraphrases
        Number of paraphrases beside its own wording, 0 or more.

    Returns
    -------
    Its own wording first, then the paraphrases; each with every persona, if they are counterbalanced.

    Raises
    ------
    TemplateError
        If it has fewer paraphrases.
    """
    worded = [template.reworded(number) for number in range(paraphrases + 1)]
    if template.persona != EVERY:
        return worded
    return [replace(one, persona=name) for one in worded for name in one.personas]
