"""The rate of the null player: the teacher's mean cooperation over the training scenarios."""

from typing import Any

from dilemmas.experiments.study.alignment import null_rate
from dilemmas.experiments.study.answers import ESTIMATES
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric


def _measure(data: StudyData) -> dict[str, Any]:
    """How many scenarios and answers the student was trained on, and the null player's rate by each estimate."""
    rates = {str(estimate): null_rate(data.training, estimate) for estimate in ESTIMATES}
    examples = sum(answers.readable for answers in data.training)
    return {"scenarios": len(data.training), "examples": examples, "null_rate": rates}


NULL_PLAYER = Metric("training", _measure)
