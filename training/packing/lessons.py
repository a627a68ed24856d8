"""Lessons: texts with the tokens that a network is to predict in them, and the trees in which they are read together.

Texts that begin alike are read as one prefix tree (trie): what they share is read once. A token attends to the tokens
that lead to it from the root, so that every text is read as if it stood alone.
"""

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dilemmas.agents.models.networks.texts import common_start

Tokens = tuple[int, ...]

SHARED = 0.25
"""Least share of a text that is in common with the one before, so that the two are read in one tree."""
LONGEST = 1024
"""Most tokens of a row with several texts: attention takes time in proportion to the square."""
LONGEST_IN_BLOCKS = 4096
"""The same where attention is computed block by block; its mask takes memory in proportion to the square."""
ATTENTION = 1600
"""Tokens of a row at which attention takes as long as all else (SmolLM2-135M on a CPU: a fifth at 360)."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One term of the loss: -weight * log P(token | the first `place` tokens of the text)."""

    place: int
    """Number of tokens before the predicted one, at least 1."""
    token: int
    """Id of the predicted token, which need not be the one in the text."""
    weight: float = 1.0
    """Weight of the term."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An action in a presentation of a situation."""

    situation: str
    """Name of the situation."""
    action: int
    """Index of the action, the same in all presentations."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text, and what is to be predicted in it."""

    tokens: Tokens
    """Token ids, at least one."""
    targets: tuple[Target, ...]
    """Terms of the loss."""
    answer: Answer | None = None
    """The action whose label the targets are, if presentations are compared by them."""
    whole: bool = False
    """Whether a teacher's whole distribution is to be learned at each target, in place of its token."""

    @property
    def question(self) -> Tokens:
        """The tokens before the first prediction."""
        return self.tokens[: self.targets[0].place]

    @property
    def read(self) -> Tokens:
        """The tokens that have to be read: none after the last prediction."""
        return self.tokens[: max((target.place for target in self.targets), default=0)]


@dataclass(frozen=True, slots=True)
class Tree:
    """Texts as a prefix tree of N tokens, each before those that continue it."""

    tokens: list[int]
    """Id of each token, length N."""
    positions: list[int]
    """Number of tokens that lead to each, length N."""
    ends: list[int]
    """Index after the last token that continues each, length N: token i attends to token j if j <= i < ends[j]."""
    paths: list[list[int]]
    """Index of each token of each text."""


@dataclass(frozen=True, slots=True)
class PlantedRow:
    """Lessons that are read together."""

    lessons: Sequence[Lesson]
    """The lessons."""
    tree: Tree
    """What is read of them, in the same order."""


def completion(
    before: Sequence[int], after: Sequence[int], weight: float = 1.0, answer: Answer | None = None
) -> Lesson:
    """A text in which the tokens `after` are to be predicted, each with the given weight."""
    targets = tuple(Target(len(before) + i, token, weight) for i, token in enumerate(after))
    return Lesson((*before, *after), targets, answer)


def build_tree(texts: Sequence[Tokens]) -> Tree:
    """A prefix tree of texts; each shares with the one before what both begin with."""
    tree = Tree([], [], [], [])
    before: Tokens = ()
    path: list[int] = []
    for text in texts:
        common = common_start(before, text)
        for index in path[common:]:
            tree.ends[index] = len(tree.tokens)
        path = [*path[:common], *range(len(tree.tokens), len(tree.tokens) + len(text) - common)]
        tree.tokens.extend(text[common:])
        tree.positions.extend(range(common, len(text)))
        tree.ends.extend([0] * (len(text) - common))
        tree.paths.append(path)
        before = text
    for index in path:
        tree.ends[index] = len(tree.tokens)
    return tree


def plant(lessons: Sequence[Lesson]) -> PlantedRow:
    """A row of lessons, in the given order."""
    return PlantedRow(lessons, build_tree([lesson.read for lesson in lessons]))


def total_weight(lessons: Iterable[Lesson]) -> float:
    """Sum of the weights of all targets."""
    return sum(target.weight for lesson in lessons for target in lesson.targets)


def arrange(lessons: Sequence[Lesson], packed: bool, most: int = LONGEST, blocks: bool = False) -> list[PlantedRow]:
    """The lessons in the rows in which they are read.

    Parameters
    ----------
    lessons
        In any order, which does not matter.
    packed
        Whether a row may hold several texts. If not, each of its texts is the beginning of the next.
    most
        Tokens of a row beyond which no more texts are joined that begin otherwise.
    blocks
        Whether attention is computed block by block: a row then takes no more time than its texts alone.
    """
    limit = min(most, LONGEST_IN_BLOCKS if blocks else LONGEST)

    def belongs(common: int, before: Tokens, after: Tokens, size: int) -> bool:
        if not packed:
            return common == len(before)
        return size <= limit if blocks else common >= SHARED * len(after) and size <= LONGEST

    groups: list[list[Lesson]] = []
    sizes: list[int] = []
    for one in sorted(lessons, key=lambda one: (one.read, one.targets)):
        before = groups[-1][-1].read if groups else ()
        common = common_start(before, one.read)
        more = len(one.read) - common
        if groups and belongs(common, before, one.read, sizes[-1] + more):
            groups[-1].append(one)
            sizes[-1] += more
        else:
            groups.append([one])
            sizes.append(len(one.read))
    return [plant(row) for row in (_balanced(groups, sizes, limit) if packed and not blocks else groups)]


def _balanced(groups: Sequence[list[Lesson]], sizes: Sequence[int], most: int) -> list[list[Lesson]]:
    """Groups joined to rows of about the same length, so many that padding and attention together cost least."""
    if not groups:
        return []
    total, longest = sum(sizes), max(sizes)
    limit = max(longest, most)
    few, many = math.ceil(total / limit), math.ceil(total / longest) + 1
    counts = np.unique(np.linspace(few, many, 8).astype(int)).tolist()
    tried = [_joined(groups, sizes, min(count, len(groups))) for count in (*counts, len(groups))]
    fitting = [(length, rows) for length, rows in tried if length <= limit]
    return min(fitting, key=lambda one: len(one[1]) * one[0] * (1 + one[0] / ATTENTION))[1]


def _joined(groups: Sequence[list[Lesson]], sizes: Sequence[int], count: int) -> tuple[int, list[list[Lesson]]]:
    """Length of the longest of so many rows, and the rows: groups go to the shortest row, the long ones first."""
    rows: list[list[Lesson]] = [[] for _ in range(count)]
    lengths = [(0, row) for row in range(count)]
    for place in sorted(range(len(groups)), key=lambda place: -sizes[place]):
        length, row = heapq.heappop(lengths)
        rows[row].extend(groups[place])
        heapq.heappush(lengths, (length + sizes[place], row))
    return max(lengths)[0], rows
