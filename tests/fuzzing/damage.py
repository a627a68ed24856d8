"""Damage to files: by bytes, as by a bad disk, and by values, as by a person or a program that is half right."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

WRONG: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**30, 1e300, float("nan"), float("inf")),
    *("", "x", "\x1b[2J\u202e", "C" * 100_000, [], [[]], {}, {"x": 1}, [None], ["a", 1]),
)
"""Values of which most are wrong wherever they are put."""
RAW = (
    *(b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\r", b"\n", b'"', b"{", b"]", b",", b"="),
    *(b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"[" * 3000, b'{"a":' * 3000, b"\\ud800", b"x." * 3000 + b"x=1\n"),
)
"""Bytes that parsers stumble over."""


def by_bytes(data: bytes, rng: random.Random) -> bytes:
    """Change, cut, repeat or insert some bytes."""
    a = rng.randrange(len(data) + 1)
    b = min(len(data), a + rng.choice((1, 1, 3, 20, 300)))
    damaged = {
        "changed": lambda: data[:a] + rng.randbytes(b - a) + data[b:],
        "flipped": lambda: data[:a] + bytes(one ^ 1 << rng.randrange(8) for one in data[a:b]) + data[b:],
        "lost": lambda: data[:a] + data[b:],
        "cut": lambda: data[:a],
        "repeated": lambda: data[:b] + data[a:],
        "inserted": lambda: data[:a] + rng.choice(RAW) + data[a:],
        "empty": lambda: b"",
    }
    return rng.choice(list(damaged.values()))()


def by_lines(data: bytes, rng: random.Random) -> bytes:
    """Lose, repeat or exchange lines."""
    lines = data.splitlines(keepends=True) or [b""]
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(3):
        case 0:
            lines.pop(i)
        case 1:
            lines.insert(j, lines[i])
        case _:
            lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def by_values(value: Any, rng: random.Random) -> Any:
    """A JSON value in which one value, key or element is another, missing, or one too many."""
    damaged = copy.deepcopy(value)
    holders = list(_holders(damaged))
    if not holders:
        return rng.choice(WRONG)
    holder = rng.choice(holders)
    keys: list[Any] = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = rng.choice(keys) if keys else "x"
    match rng.randrange(5):
        case 0 if keys:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice(("x", str(key) + "s", ""))] = rng.choice(WRONG)
        case 2 if isinstance(holder, list):
            holder.insert(rng.randrange(len(holder) + 1), rng.choice((*WRONG, *holder)))
        case _ if keys:
            holder[key] = rng.choice((*WRONG, [holder[key]], str(holder[key])))
    return damaged


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _holders(item)


def in_json(data: bytes, rng: random.Random) -> bytes:
    """A JSON file with a damaged value."""
    return json.dumps(by_values(json.loads(data), rng)).encode()


def in_a_line(data: bytes, rng: random.Random) -> bytes:
    """A JSON Lines file with a damaged value in one of its lines."""
    lines = data.splitlines()
    place = rng.randrange(len(lines))
    lines[place] = json.dumps(by_values(json.loads(lines[place]), rng), separators=(",", ":")).encode()
    return b"\n".join(lines) + b"\n"


def sealed_trajectory(data: bytes) -> bytes:
    """The file with checksums that fit its lines."""
    whole = b""
    for line in data.splitlines(keepends=True):
        before, mark, _ = line.rpartition(b',"sha256":')
        whole += line if not mark else before
        if mark:
            whole += f',"sha256":"{sha256(whole).hexdigest()}"}}\n'.encode()
    return whole


def sealed_rows(data: bytes) -> bytes:
    """The rows of a tournament with checksums that fit them."""
    bodies = (line.rpartition(b',"sha256":')[0] + b"}" for line in data.splitlines())
    return b"".join(b'%s,"sha256":"%s"}\n' % (one[:-1], sha256(one).hexdigest()[:16].encode()) for one in bodies)


def in_toml(data: bytes, rng: random.Random) -> bytes:
    """A TOML file in which the value of a key is another."""
    lines = data.decode().splitlines()
    places = [place for place, line in enumerate(lines) if " = " in line]
    wrong = (*(json.dumps(value) for value in WRONG), "nan", "2024-01-01", "[[x]]", "{a.b.c = 1}", "1" * 5000)
    place = rng.choice(places)
    lines[place] = f"{lines[place].partition(' = ')[0]} = {rng.choice(wrong)}"
    return "\n".join(lines).encode("utf-8", "surrogatepass")


Damage = Callable[[bytes, random.Random], bytes]
