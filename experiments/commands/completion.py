"""Values that the shell completes: games and their options, agents, models, contexts, templates, recipes, engines …

Lists are imported when Tab is pressed.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from click.shell_completion import CompletionItem

Items = list[CompletionItem]


def games(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Games of the catalogue; for arguments of `dilemmas games`, environments."""
    from dilemmas.envs.games.catalogue import ENVIRONMENTS, GAMES, POPULATION

    names = [*ENVIRONMENTS, POPULATION] if isinstance(parameter, click.Argument) else list(GAMES)
    return _fitting(names, incomplete.replace("-", "_"))


def settings(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """``KEY=`` for every option of the game that is given."""
    from dilemmas.envs.errors import InputError
    from dilemmas.envs.rules.factory import options_of

    game = ctx.params.get("game") or ctx.params.get("name") or "prisoners_dilemma"
    try:
        known = options_of(game)
    except InputError:
        return []
    return [CompletionItem(f"{name}=", help=f"{value}") for name, value in known.items() if name.startswith(incomplete)]


def agent(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """One agent: strategies, families of strategies, built-in models, ``uniform``; otherwise files."""
    from dilemmas.agents.models.model_files import BUILT_IN, KINDS
    from dilemmas.agents.specifications import AXELROD
    from dilemmas.agents.tables.table_file import TABLE

    own, equals, text = incomplete.rpartition("=")
    found = [*_strategies(), *BUILT_IN, "uniform", AXELROD, TABLE, *KINDS]
    return _fitting(found, text, own + equals) or [CompletionItem(incomplete, type="file")]


def agents(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """The last of several comma-separated agents, or a set of strategies."""
    from dilemmas.agents.roster import sets

    before, comma, last = incomplete.rpartition(",")
    if last.startswith("@"):
        return _fitting(sets(), last, before + comma)
    items = [*([] if last else _fitting(sets(), last)), *agent(ctx, parameter, last)]
    return [CompletionItem(f"{before}{comma}{item.value}", item.type, item.help) for item in items]


def strategies(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Strategies and sets of them."""
    from dilemmas.agents.roster import sets

    return _fitting([*_strategies(), *sets()], incomplete)


def contexts(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Built-in social contexts, with their titles."""
    from dilemmas.envs.prompts.contexts import built_in_contexts

    known = built_in_contexts().values()
    return [CompletionItem(one.name, help=one.title) for one in known if one.name.startswith(incomplete)]


def templates(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Built-in prompt templates; otherwise files."""
    from dilemmas.envs.prompts import templates as module

    folder = Path(module.__file__).with_name("template_files")
    names = sorted(path.stem for path in folder.glob("*.toml"))
    return _fitting(names, incomplete) or [CompletionItem(incomplete, type="file")]


def recipes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Built-in recipes; otherwise files."""
    from dilemmas.experiments.study.recipe_files import built_in_recipes

    return _fitting(built_in_recipes(), incomplete) or [CompletionItem(incomplete, type="file")]


def experiments(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Built-in experiments; otherwise files."""
    from dilemmas.experiments.series.plan import built_in_experiments

    return _fitting(built_in_experiments(), incomplete) or [CompletionItem(incomplete, type="file")]


def recipe_settings(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """``TABLE.KEY=`` for every number and word of a recipe."""
    from dilemmas.experiments.study.recipe import Recipe

    table = Recipe().as_table()
    keys = [key for key, value in table.items() if not isinstance(value, dict)]
    keys += [f"{name}.{key}" for name, inner in table.items() if isinstance(inner, dict) for key in inner]
    return _fitting([f"{key}=" for key in keys], incomplete)


def models(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Built-in models; otherwise files."""
    from dilemmas.agents.models.model_files import BUILT_IN, KINDS

    return _fitting([*BUILT_IN, *KINDS], incomplete) or [CompletionItem(incomplete, type="file")]


def engines(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Engines of tournaments."""
    from dilemmas.agents.engines.dispatch import ENGINES

    return _fitting(["auto", *ENGINES], incomplete)


def graphs(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Graphs of tournaments."""
    from dilemmas.experiments.tournaments.settings import GRAPHS

    return _fitting(GRAPHS, incomplete)


def dynamics(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Population dynamics."""
    from dilemmas.experiments.dynamics.summaries import DYNAMICS

    return _fitting(DYNAMICS, incomplete)


def _strategies() -> Iterator[str]:
    """Names of strategies, then of families of strategies up to the parenthesis."""
    from dilemmas.agents.strategies.catalogue import FAMILIES, GROUPS, STRATEGIES

    yield from (entry.name for entry in STRATEGIES)
    yield from (entry.name for entry in GROUPS)
    opening = (
        r"\(" if os.environ.get("_DILEMMAS_COMPLETE", "").startswith("bash") else "("
    )  # others quote it themselves
    for family in FAMILIES:
        yield f"{family.name}{opening}"


def _fitting(names: Iterable[str], incomplete: str, before: str = "") -> Items:
    """Items for the names that begin with the typed text; `before`: text in front of it."""
    return [CompletionItem(before + name) for name in names if name.startswith(incomplete)]
