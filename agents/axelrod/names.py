"""Names of the strategies of Axelrod-Python: parse a name into a class and parameters, and format it again.

    TitForTat, Tit For Tat, tit_for_tat             a class, or its name in Axelrod's tables
    Random(p=0.3), Random(0.3), Random: 0.3         with parameters
    Handshake(initial_plays=[C, D, D])              C and D are moves

Values are read as literals and never evaluated.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from inspect import signature
from multiprocessing import get_start_method, set_start_method
from typing import Any

from dilemmas.agents.strategies.catalogue import key_of
from dilemmas.agents.strategies.finite_state import StrategyError
from dilemmas.envs.names import UnknownNameError, closest_name, lookup

Parameters = dict[str, Any]

NOT_PLAIN = (SyntaxError, ValueError, TypeError, MemoryError, RecursionError)
"""Errors of parsing text that is not a literal."""
UNQUOTED = ("C", "D", "True", "False", "None")
"""Words that are not strings."""


@cache
def axelrod_library() -> Any:
    """Axelrod-Python, whose import takes ten seconds or more; `StrategyError` if it is not installed."""
    method = get_start_method(allow_none=True)
    try:
        library = import_module("axelrod")
    except ImportError as error:
        raise StrategyError(f'Axelrod-Python is not installed ({error}): pip install "dilemmas[axelrod]"') from None
    set_start_method(method, force=True)  # since 4.14 the import changes it for the whole process
    return library


def parse_name(text: str) -> tuple[Any, Parameters]:
    """The class and the parameters of a name; `InputError` if no strategy has this name."""
    text = text.strip()
    if found := _class(text):
        return found, {}
    name, parenthesis, values = text.partition("(")
    if parenthesis and (found := _class(name.strip())):
        return found, _called(found, values)
    if ": " in text:
        return _displayed(text)
    raise _unknown(name)


def format_name(cls: Any, parameters: Mapping[str, Any]) -> str | None:
    """The name of a class with parameters; None if their values cannot be written as literals."""
    if not parameters:
        return str(cls.__name__)
    arguments = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
    try:
        readable = _called(cls, f"{arguments})") == parameters
    except StrategyError:
        return None
    return f"{cls.__name__}({arguments})" if readable else None


def make_player(cls: Any, parameters: Mapping[str, Any]) -> Any:
    """A player of a class; `InputError` for parameters that it does not accept."""
    known = dict.fromkeys(_parameters(cls))
    for name in parameters:
        lookup("parameter", name, known, place=f"Axelrod's {cls.__name__}")
    try:
        return cls(**parameters)
    except Exception as error:  # classes raise any exception for invalid values
        given = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
        raise StrategyError(f"Axelrod's {cls.__name__}({given}): {type(error).__name__}: {error}") from error


def _class(name: str) -> Any:
    """The class of a name, in any capitalisation and punctuation; None if there is none."""
    known = _classes()
    if name in known or set("():") & set(name):  # Retaliate(2) is not Retaliate2
        return known.get(name)
    return {key_of(word): cls for word, cls in known.items()}.get(key_of(name))


@cache
def _classes() -> Mapping[str, Any]:
    """Axelrod's strategies by class name and by name in tables, without evolvable ones, which are random."""
    library = axelrod_library()
    exported: list[Any] = [one for one in vars(library).values() if isinstance(one, type)]
    players = [one for one in exported if issubclass(one, library.Player) and one.name != library.Player.name]
    fixed = [one for one in players if not issubclass(one, library.EvolvablePlayer)]
    return {name: cls for cls in fixed for name in (cls.name, cls.__name__)}


LISTED = 'python -c "import axelrod; print(*[one.__name__ for one in axelrod.all_strategies])"'
"""A command that prints the names of Axelrod's strategies."""


def _unknown(name: str) -> UnknownNameError:
    close = closest_name(name, [cls.__name__ for cls in _classes().values()])
    way_out = f"did you mean '{close}'?" if close else f"list them: {LISTED}"
    return UnknownNameError(f"unknown strategy of Axelrod '{name.strip()}'; {way_out}")


def _parameters(cls: Any) -> list[str]:
    return [name for name in signature(cls.__init__).parameters if name != "self"]


def _called(cls: Any, values: str) -> Parameters:
    """The parameters in the text after an opening parenthesis: ``0.3)`` or ``p=0.3)``."""
    try:
        call = ast.parse(f"f({values}", mode="eval").body
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
            raise ValueError("not a list of values")
        positional = [_value(node) for node in call.args]
        named = {str(keyword.arg): _value(keyword.value) for keyword in call.keywords}
    except NOT_PLAIN:
        raise StrategyError(
            f"Axelrod's {cls.__name__}({values}: parameters must be literals, as in Random(p=0.3)"
        ) from None
    return _placed(cls, positional) | named


def _placed(cls: Any, values: Sequence[Any]) -> Parameters:
    known = _parameters(cls)
    if len(values) > len(known):
        takes = f"has the parameters {', '.join(known)}" if known else "has no parameters"
        raise StrategyError(f"Axelrod's {cls.__name__} {takes}; got {len(values)} values")
    return dict(zip(known, values, strict=False))


def _displayed(text: str) -> tuple[Any, Parameters]:
    """Parse a name in Axelrod's tables such as ``Random: 0.3``: a name and the values of its parameters in order."""
    if text in _displays():
        return _displays()[text], {}
    name, _, values = text.partition(": ")
    if not (found := _class(name)):
        raise _unknown(name)
    parameters = _placed(found, _listed(values))
    if repr(make_player(found, parameters)) != text:
        known = ", ".join(f"{parameter}=..." for parameter in _parameters(found))
        raise StrategyError(f"Axelrod has no strategy '{text}'; write {found.__name__}({known})")
    return found, parameters


@cache
def _displays() -> Mapping[str, Any]:
    """Axelrod's strategies by their full names in tables; takes one or two seconds."""
    return {repr(cls()): cls for cls in axelrod_library().all_strategies}


def _listed(values: str) -> list[Any]:
    """Displayed values, in which strings have no quotes; empty if they cannot be parsed."""
    quoted = re.sub(r"\b[A-Za-z_]\w*", lambda word: word[0] if word[0] in UNQUOTED else repr(word[0]), values)
    try:
        return list(_value(ast.parse(f"({quoted},)", mode="eval").body))
    except NOT_PLAIN:
        return []


def _value(node: ast.expr) -> Any:
    return ast.literal_eval(_Moves().visit(node))


class _Moves(ast.NodeTransformer):
    """Replaces the names C and D by Axelrod's actions."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(axelrod_library().Action[node.id]) if node.id in ("C", "D") else node
