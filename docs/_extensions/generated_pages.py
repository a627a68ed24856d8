"""Pages made from the code when the site is built: the environments, the API reference, and the keys of a recipe.

They are written into folders that git ignores, so that the site never shows what the code no longer does.
"""

import dataclasses
import inspect
import json
import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import click
from file_formats import FORMATS, WRITTEN_BY_PEOPLE, json_schema
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

from dilemmas.envs.games.catalogue import ENVIRONMENTS
from dilemmas.experiments.commands.main import cli
from dilemmas.experiments.study.recipe import Recipe

PACKAGES = ("envs", "agents", "training", "experiments")


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx's entry point."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}


def write_pages(app: Sphinx) -> None:
    """Write all generated pages below the source folder."""
    name_commands(cli)
    source = Path(app.srcdir)
    _replace(source / "environments" / "reference", dict(environment_pages()))
    _replace(source / "api" / "reference", dict(api_pages()))
    schemas = {name: json_schema(name) for name in (*FORMATS, *WRITTEN_BY_PEOPLE)}
    pages = {f"{name}.md": schema_tables(schema) for name, schema in schemas.items()}
    pages |= {f"{name}.schema.json": json.dumps(schema, indent=1) for name, schema in schemas.items()}
    _replace(source / "formats" / "generated", {**pages, "recipe.md": recipe_table(Recipe)})


def _replace(folder: Path, pages: dict[str, str]) -> None:
    """Make a folder hold exactly these pages; those that have not changed are not written again."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def name_commands(group: click.Group) -> None:
    """Give every command the name by which it is called; those that are imported when needed do not know it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None:
            command.name = name
        if isinstance(command, click.Group):
            name_commands(command)


def environment_pages() -> Iterator[tuple[str, str]]:
    """The docstring of every environment's module, which is Markdown in PettingZoo's form."""
    for name in (*ENVIRONMENTS, "population"):
        module = import_module(f"dilemmas.envs.{name}_v0")
        title, _, page = (inspect.getdoc(module) or "").partition("\n")
        entry = f"```{{eval-rst}}\n.. py:module:: {module.__name__}\n```"
        yield f"{name}.md", f"{title}\n\n{entry}\n{_second_level(page)}\n"


def _second_level(text: str) -> str:
    """PettingZoo puts sections three levels deep, directly below the title; Sphinx wants the second level there."""
    return "\n".join(line[1:] if line.startswith("### ") else line for line in text.splitlines())


def api_pages() -> Iterator[tuple[str, str]]:
    """One page for every package and subpackage, with all its public modules."""
    for package in PACKAGES:
        yield from _api_page(f"dilemmas.{package}")


def _api_page(package: str) -> Iterator[tuple[str, str]]:
    found = import_module(package)
    modules = []
    for info in pkgutil.iter_modules(found.__path__, f"{package}."):
        if info.ispkg:
            yield from _api_page(info.name)
        elif not info.name.endswith(("_v0", "__main__")):
            modules.append(info.name)
    if modules:
        yield f"{package}.rst", _api_text(package, modules)


def _api_text(package: str, modules: list[str]) -> str:
    title = package.removeprefix("dilemmas.")
    head = [title, "=" * len(title), "", f".. automodule:: {package}", "   :no-members:", ""]
    summary = [".. py:currentmodule:: None", "", ".. autosummary::", "", *(f"   ~{module}" for module in modules), ""]
    body = [line for module in modules for line in _module_section(module)]
    return "\n".join([*head, *summary, *body])


def _module_section(module: str) -> list[str]:
    title = module.rpartition(".")[2]
    return [title, "-" * len(title), "", f".. automodule:: {module}", ""]


def schema_tables(schema: Mapping[str, Any]) -> str:
    """Every key of a file format in Markdown tables, one per kind of object, from its JSON schema."""
    whole = {"": schema} if "properties" in schema else {}
    kinds = {**whole, **schema.get("$defs", {})}
    return "\n\n".join(_schema_table(name, kind) for name, kind in kinds.items() if "properties" in kind)


def _schema_table(name: str, kind: Mapping[str, Any]) -> str:
    rows = ["| Key | Type | Required | Meaning |", "| --- | --- | --- | --- |"]
    for key, value in kind["properties"].items():
        needed = "yes" if key in kind.get("required", ()) else "no"
        rows.append(f"| `{key}` | {_schema_type(value)} | {needed} | {value.get('description', '')} |")
    title = f"**`{name}`.** {kind.get('description', '').rstrip('.')}." if name else "**At the top level.**"
    return "\n".join([title, "", *rows])


def _schema_type(value: Mapping[str, Any]) -> str:
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    if "enum" in value:
        return ", ".join(f"`{json.dumps(one)}`" for one in value["enum"])
    if "$ref" in value:
        return f"`{value['$ref'].rpartition('/')[2]}`"
    if alternatives := value.get("anyOf", value.get("oneOf")):
        return " or ".join(dict.fromkeys(_schema_type(one) for one in alternatives))
    kind = value.get("type", "any")
    if kind == "array" and isinstance(value.get("items"), dict):
        return f"array of {_schema_type(value['items'])}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def recipe_table(kind: type[Any], section: str = "") -> str:
    """Every key of a recipe in Markdown tables, one per TOML table: name, type, default and meaning."""
    hints, documents = get_type_hints(kind), _field_documents(kind)
    rows, below = [], []
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        if field.default_factory is hint:  # a table of the file
            below.append(recipe_table(hint, field.name))
        else:
            rows.append(f"| `{field.name}` | {_type(hint)} | {_default(field)} | {documents.get(field.name, '')} |")
    title = f"**Table `[{section}]`.** {_first_line(kind)}" if section else "**At the top of the file.**"
    head = ["| Key | Type | Default | Meaning |", "| --- | --- | --- | --- |"]
    return "\n\n".join([title, "\n".join([*head, *rows]), *below])


def _field_documents(kind: type[Any]) -> dict[str, str]:
    """The docstring under every field of a dataclass, on one line, as Markdown."""
    documents = ModuleAnalyzer.for_module(kind.__module__).find_attr_docs()
    texts = {name: " ".join(lines).strip() for (owner, name), lines in documents.items() if owner == kind.__name__}
    return {name: text.replace("``", "`").replace("|", "\\|") for name, text in texts.items()}


def _first_line(kind: type[Any]) -> str:
    return (inspect.getdoc(kind) or "").split("\n\n")[0].replace("``", "`").replace("\n", " ")


def _type(hint: Any) -> str:
    names = {int: "integer", float: "number", str: "string", bool: "boolean", tuple: "list of strings"}
    names[Mapping] = "tables by name"
    return names.get(get_origin(hint) or hint, "string or table")


def _default(field: "dataclasses.Field[Any]") -> str:
    """The default as TOML; of a template its name."""
    made = field.default_factory
    value = field.default if made is dataclasses.MISSING else made()
    if dataclasses.is_dataclass(value):
        value = value.name  # type: ignore[attr-defined]
    return f"`{json.dumps(value)}`" if value or value in (0, False) else "none"
