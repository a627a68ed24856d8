"""Strict validation of JSON: a type as its schema, and errors in one line of plain words.

Any type of fields that JSON has can be a schema; mostly it is a frozen dataclass, which needs nothing for it.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NewType, TypeVar, cast

from annotated_types import Ge, Le, Lt

from dilemmas.envs.names import did_you_mean

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, TypeAdapter
    from pydantic_core import CoreSchema

Count = Annotated[int, Ge(0), Lt(1 << 63)]
"""A number of things, or an index."""
One = Annotated[int, Ge(1), Le(1)]
"""Version 1 of a format; a literal 1 would accept true."""
Seed = Annotated[int, Ge(0), Lt(1 << 128)]
"""A seed of a random generator."""
Share = Annotated[float, Ge(0), Le(1.000001)]
"""A probability, or another number from 0 to 1; it may be off by rounding."""

NEEDS = {
    "bool_type": "true or false",
    "dataclass_type": "keys with values",
    "dict_type": "keys with values",
    "enum": "{expected}",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "mapping_type": "keys with values",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "string_type": "a text",
    "too_long": "a list of at most {max_length}",
    "too_short": "a list of at least {min_length}",
    "tuple_type": "a list",
}
"""What is needed, by pydantic's type of error."""
NOT_JSON = "not JSON"
"""How the explanation of text that is not JSON begins."""
MOST_SHOWN = 60
"""Characters of a value that an error message shows."""

LONGEST_SHAPE, MOST_SHAPES = 1 << 14, 1 << 9
"""Bytes of the longest shape, and number of shapes, that `repeated_key` remembers."""
_OF_NUMBERS = b"0123456789abcdef.,-"
"""Characters of numbers and hashes, in which alike lines differ."""
_DIFFERENT: set[bytes] = set()
"""Shapes of text, which lacks `_OF_NUMBERS`, whose keys differ in every object even without these characters."""

_Schema = Mapping[str, Any]
_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True)
class Meets:
    """A condition on the values of a type, for `Annotated`."""

    check: Callable[[Any], None]
    """Raises a `ValueError` that says what is needed where a value does not meet the condition."""

    def __get_pydantic_core_schema__(self, kind: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(self._checked, handler(kind))

    def _checked(self, value: Any) -> Any:
        self.check(value)
        return value


def written(nulls: bool, later: Collection[str] = ()) -> Callable[[type[_Kind]], type[_Kind]]:
    """Class decorator: the keys that a file must have of a dataclass, whatever defaults its fields have in code.

    Parameters
    ----------
    nulls
        Whether the file has all keys, those without a value as null; if not, keys whose default is None may be absent.
    later
        Keys, None by default, that older files of the same version lack.
    """

    def without_defaults(kind: Any, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        schema = handler(source)
        fields: list[dict[str, Any]] = cast(Any, handler.resolve_ref_schema(schema))["schema"]["fields"]
        for one in fields:
            value = one["schema"]
            must = nulls or value.get("default", ...) is not None
            if value["type"] == "default" and must and one["name"] not in later:
                one["schema"] = value["schema"]
        return schema

    def mark(kind: type[_Kind]) -> type[_Kind]:
        kind.__get_pydantic_core_schema__ = classmethod(without_defaults)  # type: ignore[attr-defined]
        return kind

    return mark


@cache
def reader(kind: Hashable) -> "TypeAdapter[Any]":
    """The validator of a type: no unknown keys, no conversions, no NaN or infinite numbers."""
    from pydantic import ConfigDict, TypeAdapter

    # A dataclass takes the settings of what it is part of; under a name it is part of something.
    named = cast(Any, NewType)("Named", kind)
    strict = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True)
    return TypeAdapter(named, config=strict)


def explain(errors: Sequence[Mapping[str, Any]], adapter: "TypeAdapter[Any]") -> str:
    """The most helpful error of pydantic in words: where it is, what is needed, and the value.

    Parameters
    ----------
    errors
        The errors.
    adapter
        The validator that found them.
    """
    if errors[0]["type"] == "json_invalid":
        return _not_json(errors[0]["ctx"]["error"])
    schema = adapter.json_schema()
    faults = [_Fault(error, *_follow(schema, _object(error))) for error in errors]
    alike = Counter(fault.alternative for fault in faults)
    first = min(faults, key=lambda fault: fault.rank(alike[fault.alternative]))
    return first.words([fault for fault in faults if fault.place == first.place])


@dataclass(frozen=True, slots=True)
class _Fault:
    """An error of pydantic, and where it is."""

    error: Mapping[str, Any]
    place: str
    """Such as ``rounds[0].actions``; of a missing or unknown key the object."""
    keys: Mapping[str, None]
    """The keys that are known at this place."""
    alternative: tuple[str | int, ...]
    """Place and name of the alternative that was tried; empty if there is only one."""

    def rank(self, count: int) -> tuple[bool, int, bool, int]:
        """The smallest is the most helpful error. `count`: number of errors of this alternative.

        Another format or version explains all other errors; of alternatives, the value resembles that with the fewest
        errors, or the deepest ones; an unknown key may be a misspelt one that is missing.
        """
        loc = self.error["loc"]
        foreign, depth = loc[:1] in (("format",), ("version",)), len(loc)
        unknown = self.error["type"] == "unexpected_keyword_argument"
        return (not foreign, count, not unknown, -depth) if self.alternative else (not foreign, 0, not unknown, 0)

    def words(self, same_place: Sequence["_Fault"]) -> str:
        kind, key, got = self.error["type"], self.error["loc"][-1:], self.error["input"]
        where = f"{self.place}: " if self.place else ""
        if kind == "missing":
            few = f"needs a list of more than {key[0]}"
            return f"{where}{few if isinstance(key[0], int) else f'the key {key[0]!r} is missing'}"
        if kind == "unexpected_keyword_argument":
            return f"{where}unknown key {short_repr(key[0])}{did_you_mean(key[0][:MOST_SHOWN], self.keys)}"
        if kind == "value_error":
            return f"{where}{self.error['ctx']['error']}"
        needs = dict.fromkeys(_need(fault.error) for fault in same_place if fault.error["input"] is got)
        other = "; another version of dilemmas wrote it, which can read it" if key == ("version",) else ""
        return f"{where}needs {' or '.join(needs)}; got {short_repr(got)}{other}"


def short_repr(value: Any) -> str:
    """A value in an error message, cut if it is long."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def _not_json(reason: str) -> str:
    return f"{NOT_JSON}: {'nested too deeply' if reason.startswith('recursion') else reason}"


def _key(name: str) -> str:
    """A key in a place: in quotes if it is long or not a word."""
    return name if re.fullmatch(r"[\w-]+", name) and len(name) <= MOST_SHOWN else short_repr(name)


def _object(error: Mapping[str, Any]) -> Sequence[str | int]:
    """The place of an error; of a missing element or an unknown key the list or object."""
    loc: Sequence[str | int] = error["loc"]
    return loc[:-1] if error["type"] in ("missing", "unexpected_keyword_argument") else loc


def _need(error: Mapping[str, Any]) -> str:
    form = NEEDS.get(error["type"])
    return form.format(**error.get("ctx", {})) if form else error["msg"]


def _follow(root: _Schema, loc: Sequence[str | int]) -> tuple[str, dict[str, None], tuple[str | int, ...]]:
    """The place in words, the keys that are known there, and the alternative, of which pydantic puts the name in."""
    place, here, alternative = "", list(_alternatives(root, root)), 0
    for number, part in enumerate(loc, 1):
        below = [found for schema in here if (found := _below(schema, part)) is not None]
        if below or isinstance(part, int):
            place += f"[{part}]" if isinstance(part, int) else f"{'.' if place else ''}{_key(part)}"
            here = [one for schema in below for one in _alternatives(root, schema)]
        else:
            alternative = number
    return place, {key: None for schema in here for key in schema.get("properties", ())}, tuple(loc[:alternative])


def _below(schema: _Schema, part: str | int) -> Any:
    """The schema of a key or an element; None if there is none."""
    if isinstance(part, str):
        more = schema.get("additionalProperties")
        return schema.get("properties", {}).get(part, more if more else None)
    listed = schema.get("prefixItems", ())
    return listed[part] if part < len(listed) else schema.get("items")


def _alternatives(root: _Schema, schema: Any) -> Iterator[_Schema]:
    """The schemas of which a value must match one."""
    if not isinstance(schema, Mapping):
        return
    if "$ref" in schema:
        yield from _alternatives(root, root["$defs"][schema["$ref"].rpartition("/")[2]])
    for one in schema.get("anyOf", schema.get("oneOf", ())):
        yield from _alternatives(root, one)
    yield schema


def repeated_key(data: str | bytes) -> str:
    """Where an object of valid JSON has a key twice, in words; empty if none has. (Pydantic takes the last one.)

    Most lines of a file differ in numbers only. Of such lines only the first is parsed: what its shape shows of the
    keys holds for all of them, because no character that the shape lacks begins or ends a key or an object.
    """
    raw = data.encode() if isinstance(data, str) else data
    if len(raw) <= LONGEST_SHAPE and b"\\" not in raw:
        shape = raw.translate(None, _OF_NUMBERS)
        if shape in _DIFFERENT:
            return ""
        if _all_differ(raw, _WITHOUT_NUMBERS):
            if len(_DIFFERENT) >= MOST_SHAPES:
                _DIFFERENT.clear()
            _DIFFERENT.add(shape)
            return ""
    return "" if _all_differ(raw, _WHOLE) else next(_repeated(_parsed(raw, _PAIRS), ""))


class _RepeatedError(Exception):
    """An object with a key that it has already."""


def _differ(pairs: Sequence[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise _RepeatedError


def _differ_without_numbers(pairs: Sequence[tuple[str, Any]]) -> None:
    if len({key.encode().translate(None, _OF_NUMBERS) for key, _ in pairs}) < len(pairs):
        raise _RepeatedError


_WHOLE, _WITHOUT_NUMBERS, _PAIRS = (
    json.JSONDecoder(object_pairs_hook=hook, parse_int=len, parse_float=len)
    for hook in (_differ, _differ_without_numbers, tuple)
)
"""Two that check the keys of every object, and one that keeps them; no number is needed."""


def _parsed(raw: bytes, decoder: json.JSONDecoder) -> Any:
    return decoder.raw_decode(raw.decode().lstrip())[0]


def _all_differ(raw: bytes, decoder: json.JSONDecoder) -> bool:
    try:
        _parsed(raw, decoder)
    except _RepeatedError:
        return False
    return True


def _repeated(value: Any, place: str) -> Iterator[str]:
    """The keys that are there twice in a value of lists, and of tuples of pairs for objects."""
    if isinstance(value, tuple):
        for key, count in Counter(key for key, _ in value).items():
            if count > 1:
                yield f"{place}{': ' if place else ''}the key {short_repr(key)} is there {count} times; keep one"
        for key, below in value:
            yield from _repeated(below, f"{place}{'.' if place else ''}{_key(key)}")
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _repeated(below, f"{place}[{number}]")


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `above`, and those of `below` where it has none; tables are merged key by key."""
    joined = dict(below)
    for key, value in above.items():
        old = joined.get(key)
        joined[key] = overlay(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return joined
