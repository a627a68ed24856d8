"""A prefix tree reads what texts share once, and arranges them in rows without losing one."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.training.packing.lessons import LONGEST, Lesson, Target, arrange, build_tree, completion

texts = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8).map(tuple), min_size=1, max_size=8)


@given(texts.map(sorted))
def test_every_token_of_a_tree_sees_its_text_and_nothing_else(given_texts) -> None:
    tree = build_tree(given_texts)
    for text, path in zip(given_texts, tree.paths, strict=True):
        for place, index in enumerate(path):
            seen = [j for j in range(index + 1) if index < tree.ends[j]]
            assert [tree.tokens[j] for j in seen] == list(text[: place + 1])
            assert tree.positions[index] == place
    assert len(tree.tokens) == len({text[:size] for text in given_texts for size in range(1, len(text) + 1)})


@given(texts, st.booleans())
def test_rows_hold_every_lesson_once(given_texts, packed) -> None:
    lessons = [completion(text, [3, 4], weight) for text in given_texts for weight in (0.25, 0.75)]
    rows = arrange(lessons, packed)
    assert Counter(lesson for row in rows for lesson in row.lessons) == Counter(lessons)
    if not packed:
        for row in rows:
            assert len(row.tree.tokens) == len(row.lessons[-1].read)


def test_equal_lessons_cost_nothing_more() -> None:
    (row,) = arrange([completion((1, 2, 3), [4, 5])] * 300, packed=True)
    assert len(row.tree.tokens) == 4


def test_texts_that_share_little_are_read_in_rows_of_their_own() -> None:
    long, other = completion(range(1, 300), [4]), completion((1, 2, *range(300, 600)), [4])
    assert len(arrange([long, other], packed=True)) == 2


def test_rows_do_not_grow_without_end() -> None:
    lessons = [completion(range(LONGEST), range(i, i + 60)) for i in range(50)]
    assert all(len(row.tree.tokens) <= LONGEST + 60 for row in arrange(lessons, packed=True))


def test_nothing_is_read_after_the_last_prediction() -> None:
    assert Lesson((7, 8, 9, 10), (Target(2, 5),)).read == (7, 8)
    assert completion([7, 8], [9, 10]).read == (7, 8, 9)


def test_rows_of_a_batch_have_little_padding() -> None:
    rng = np.random.default_rng(0)
    lessons = [completion(rng.integers(0, 99, rng.integers(20, 300)).tolist(), [5, 6]) for _ in range(60)]
    lengths = [len(row.tree.tokens) for row in arrange(lessons, packed=True)]
    assert sum(lengths) > 0.9 * len(lengths) * max(lengths)
    assert max(lengths) <= LONGEST


def test_nothing_is_arranged_in_no_rows() -> None:
    assert arrange([], packed=True) == arrange([], packed=False) == []
