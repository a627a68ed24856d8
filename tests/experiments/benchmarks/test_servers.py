"""The benchmark of model servers: both contenders answer all questions."""

import pytest

pytest.importorskip("aiohttp")

from dilemmas.experiments.benchmarks.servers import served_questions, server_contenders, stub_server


def test_both_contenders_answer_all_questions() -> None:
    count = len(served_questions())
    assert count > 100
    with stub_server() as url:
        assert [one.prepare()() for one in server_contenders(url, in_flight=8)] == [count, count]
