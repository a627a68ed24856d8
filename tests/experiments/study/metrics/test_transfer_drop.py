"""The share of the gap closed that is lost where the game is new too."""

import pytest

from dilemmas.experiments.study.metrics.transfer_drop import transfer_drop


def test_transfer_drop_is_the_share_lost() -> None:
    assert transfer_drop(0.6, 0.45) == pytest.approx(0.25)
    assert transfer_drop(-0.1, 0.2) is None, "nothing closed, nothing to lose"
