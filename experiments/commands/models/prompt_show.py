"""`dilemmas prompt show`: what a language model would see in a scenario, before any run.

dilemmas prompt show --template vignette --game stag_hunt --context business
dilemmas prompt show --template vignette --model miniature-student --history CC,CD --presentation all
dilemmas prompt show --persona nurse,farmer --model openai:my-model@http://127.0.0.1:8000/v1
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from dilemmas.agents.models.servers.settings import ServerSettings
from dilemmas.agents.visible_text import visible
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import game_name, stage_game
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.prompts.labels import Presentation
from dilemmas.envs.prompts.phrases import predicted_values
from dilemmas.envs.prompts.prompts import presentations, scenario_prompt
from dilemmas.envs.prompts.template_choices import TemplateChoice
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.rules.protocol import View
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.options import json_option, print_json, server_options, set_option, wording_options
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.recipe_files import load_recipe

if TYPE_CHECKING:
    from dilemmas.agents.models.open_model import LazyModel
    from dilemmas.agents.models.preview import Preview
    from dilemmas.agents.models.servers.server import ServerBackend

ALL = "all"
TURNS = {"system": "system turn", "user": "user turn", "assistant": "begun reply"}
ACTIONS = {"C": 0, "D": 1} | {str(number): number for number in range(10)}


SAMPLED = "the model's replies are sampled and read"
NOT_SCORED = {
    "reason": "they are computed after a reasoning, which the model writes first",
    "mixed": "the model states its probabilities in words, which are read",
}
"""Why labels have no probabilities, by way to decide."""


class PromptError(InputError):
    """A prompt that cannot be shown."""


@dataclass(frozen=True, slots=True)
class ShownPrompt:
    """A prompt in one wording and presentation, as people and as a model see it."""

    template: str
    """Name of the template, with the number of a paraphrase."""
    persona: str
    """Name of the persona; empty without one."""
    presentation: int
    """Number of the presentation, from 1."""
    labels: tuple[str, ...]
    """Label of each action, by index."""
    order: tuple[int, ...]
    """Indices of the actions in the order of the prompt."""
    text: str
    """The prompt."""
    system: str = ""
    """Text of the system turn."""
    seen: "Preview | None" = None
    """How the model sees it; None without a model."""
    predicts: tuple[str, ...] = ()
    """Labels of what the model predicts first, to which `seen` then belongs; empty if it does not."""
    after: tuple[str, "Preview"] | None = None
    """The most probable prediction, with how the model sees the question after it; None if it does not predict."""
    why: str = ""
    """Why labels have no probabilities; empty if they have."""


@click.command()
@click.option("--game", show_default="the recipe's first", shell_complete=completion.games, help="Name of a game.")
@set_option
@click.option(
    "--context", show_default="the recipe's first", shell_complete=completion.contexts, help="Social context."
)
@wording_options(None)
@click.option("--recipe", "recipe_name", default="study", show_default=True, help="Recipe with games and contexts.")
@click.option(
    "--history", default="", help="Rounds before, oldest first, own action first: CC,CD; or by number: 00,02."
)
@click.option(
    "--presentation", default="1", show_default=True, help="Number of the presentation of the labels, or all."
)
@click.option("--motivation", is_flag=True, help="Ask for the reason too.")
@click.option("--model", shell_complete=completion.models, help="Show the prompt as this model sees it.")
@click.option("--device", default="auto", show_default=True, help="Device of the model: cpu, cuda, cuda:1 or auto.")
@server_options
@json_option
def command(
    game: str | None,
    settings: Mapping[str, Any],
    context: str | None,
    wording: TemplateChoice,
    recipe_name: str,
    history: str,
    presentation: str,
    motivation: bool,
    model: str | None,
    device: str,
    servers: ServerSettings,
    as_json: bool,
) -> None:
    """Print what a language model would see in a scenario, before any run.

    With --model, the prompt is printed in the chat template of the model, with its number of tokens, the tokens of the
    labels, and the model's own probability of each label. For a model behind a server these are the messages that are
    sent, and the tokens and probabilities that the server tells. Several personas or wordings are printed one after the
    other.
    """
    recipe = load_recipe(recipe_name)
    recipe = replace(recipe, prompting=replace(recipe.prompting, template=wording.of(recipe.prompting.template)))
    stage = chosen_game(recipe, game or recipe.scenarios.games[0], settings)
    social = recipe.context(context or recipe.scenarios.contexts[0], "--context")
    past, wordings = parse_history(history, stage), recipe.prompting.wordings
    asked = [words.motivated() if motivation else words for words in wordings]
    shown = [
        ShownPrompt(words.name, words.persona, number, way.labels, way.order, text, words.system)
        for words in asked
        for number, way in chosen_presentations(words, stage, presentation)
        for text in [scenario_prompt(words, stage, social, past, way)]
    ]
    if model is not None:
        shown = list(seen_by(model, device, servers, shown, wordings[0], View(stage, 0, len(past), past)))
    if as_json:
        return print_json([_data(one) for one in shown])
    for one in shown:
        echo("\n".join(_lines(one, len(wordings) > 1, titled=len(shown) > 1 or model is not None)))


def chosen_game(recipe: Recipe, name: str, settings: Mapping[str, Any]) -> StageGame:
    """A game of the recipe by name; with settings, or if the recipe has no such game, one of the catalogue."""
    if not settings and name in recipe.games_by_name:
        return recipe.game(name)
    return stage_game(game_name(name), **settings)


def chosen_presentations(template: Template, game: StageGame, wanted: str) -> list[tuple[int, Presentation]]:
    """The presentation with the given number, or all, with their numbers from 1."""
    ways = list(enumerate(presentations(template, game), start=1))
    chosen = [way for way in ways if wanted in (ALL, str(way[0]))]
    if not chosen:
        raise PromptError(f"--presentation {wanted}: needs a number from 1 to {len(ways)}, or {ALL}")
    return chosen


def parse_history(text: str, game: StageGame) -> tuple[Joint, ...]:
    """Rounds such as ``CC,CD``, own action first; C is action 0, D is action 1, and digits are numbers of actions."""
    rounds = []
    for one in filter(None, text.split(",")):
        joint = tuple(ACTIONS.get(letter, -1) for letter in one.strip())
        fits = len(joint) == game.n_players and all(0 <= a < n for a, n in zip(joint, game.options, strict=True))
        if not fits:
            raise PromptError(
                f"--history {text}: '{one}' is no round of {game.name}; needs the actions of {game.n_players} players,"
                f" each C, D or a number below {min(game.options)}"
            )
        rounds.append(joint)
    return tuple(rounds)


def seen_by(
    model: str, device: str, servers: ServerSettings, shown: list[ShownPrompt], template: Template, view: View
) -> Iterator[ShownPrompt]:
    """The prompts with how a model sees them; labels have probabilities unless it writes something before, or is behind
    a server that cannot tell them."""
    from dilemmas.agents.models.backend import Request
    from dilemmas.agents.models.deciding.deliberation import DecisionQuestion, first_request
    from dilemmas.agents.models.deciding.scored import warn_if_sampled
    from dilemmas.agents.models.open_model import open_model
    from dilemmas.agents.models.preview import preview

    backend = open_model(model, device=device, servers=servers)
    scored, way = not warn_if_sampled(backend, template), template.decision.way
    why = NOT_SCORED.get(way, "") if scored else SAMPLED
    for one in shown:
        if not one.labels:
            yield replace(one, seen=preview(backend, Request(one.text, system=one.system)))
        elif way == "predict" and scored:
            yield _seen_with_prediction(backend, one, template, view)
        elif template.deliberate:
            asked = first_request(template, DecisionQuestion(one.text, one.labels), scored)
            yield replace(one, seen=preview(backend, asked), why=why)
        else:
            begun = template.reply_begins if backend.continues else ""
            asked = Request(one.text, one.labels if scored else (), prefill=begun, system=one.system)
            yield replace(one, seen=preview(backend, asked), why=why)


def _seen_with_prediction(
    model: "LazyModel | ServerBackend", one: ShownPrompt, template: Template, view: View
) -> ShownPrompt:
    from dilemmas.agents.models.backend import Request
    from dilemmas.agents.models.deciding.deliberation import DecisionQuestion, first_request, predictions
    from dilemmas.agents.models.preview import preview

    sentence, values = predicted_values(template, view, Presentation(one.labels, one.order))
    asked = DecisionQuestion(one.text, one.labels, values, prediction=sentence)
    seen = preview(model, first_request(template, asked, scored=True))
    if not seen.probabilities:
        return replace(one, seen=seen, why=SAMPLED)
    text = predictions(template, asked)[seen.probabilities.index(max(seen.probabilities))]
    then = Request(one.text, one.labels, prefill=f"{text} {template.answer_begins}", system=one.system)
    return replace(one, seen=seen, predicts=values, after=(text, preview(model, then)))


def _data(one: ShownPrompt) -> dict[str, Any]:
    data = asdict(one)
    seen = data.pop("seen")
    return data | (seen or {})


def _lines(one: ShownPrompt, worded: bool, titled: bool) -> Iterator[str]:
    """`worded`: whether the wording is named; `titled`: whether the presentation is."""
    if worded:
        yield visible(f"--- template {one.template}{f', persona {one.persona}' if one.persona else ''}")
    if titled:
        named = ", ".join(f"action {action} is {label}" for action, label in enumerate(one.labels))
        yield f"--- presentation {one.presentation}{f': {named}' if named else ''}"
    if one.seen is None:
        if one.system:
            yield from ("--- system turn", visible(one.system), "--- prompt")
        yield visible(one.text)
        return
    if one.seen.rendered:
        yield visible(one.seen.rendered)
    for message in one.seen.messages:
        yield from (f"--- {TURNS[message.role]}", visible(message.content))
    if one.seen.tokens:
        yield f"--- {one.seen.tokens} tokens"
    if one.predicts:
        yield "--- prediction"
    yield from _probabilities(one.predicts or one.labels, one.seen)
    if one.after:
        yield visible(f"--- answer after the most probable prediction, {one.after[0]!r}")
        yield from _probabilities(one.labels, one.after[1])
    if one.why:
        yield f"no probabilities of labels: {one.why}"


def _probabilities(labels: tuple[str, ...], seen: "Preview") -> Iterator[str]:
    written = seen.label_tokens or ((),) * len(labels)
    for label, tokens, share in zip(labels, written, seen.probabilities, strict=False):  # perhaps no scores
        how = f", written as {' '.join(map(repr, tokens))}" if tokens else ""
        yield visible(f"P({label}) = {share:.4f}{how}")
    if seen.probabilities:
        yield f"label mass {seen.mass:.4f}"
        yield visible(f"computed by {seen.engine}")
    if seen.margin:
        yield f"not exact: the probabilities may be off by {seen.margin:.2g}"
