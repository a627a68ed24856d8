"""All metrics of the study, in the order in which results.json lists them.

A new metric is appended here; evaluation, results.json and the report read this tuple.
"""

from dilemmas.experiments.study.metrics.agreement import AGREEMENT
from dilemmas.experiments.study.metrics.bias import BIAS
from dilemmas.experiments.study.metrics.comprehension import COMPREHENSION
from dilemmas.experiments.study.metrics.consistency import CONSISTENCY
from dilemmas.experiments.study.metrics.gap_closed import GAP_CLOSED
from dilemmas.experiments.study.metrics.label_mass import LABEL_MASS
from dilemmas.experiments.study.metrics.matches import MATCHES
from dilemmas.experiments.study.metrics.metric import Metric
from dilemmas.experiments.study.metrics.null_player import NULL_PLAYER
from dilemmas.experiments.study.metrics.pattern import PATTERN
from dilemmas.experiments.study.metrics.population import POPULATION
from dilemmas.experiments.study.metrics.scenarios import PROMPTS, SCENARIOS
from dilemmas.experiments.study.metrics.single_prompts import SINGLE_PROMPTS, WORDING
from dilemmas.experiments.study.metrics.transfer_drop import TRANSFER_DROP
from dilemmas.experiments.study.metrics.unreadable import DELIBERATIONS, UNREADABLE

METRICS: tuple[Metric, ...] = (
    NULL_PLAYER,
    GAP_CLOSED,
    SCENARIOS,
    PROMPTS,
    UNREADABLE,
    DELIBERATIONS,
    MATCHES,
    AGREEMENT,
    CONSISTENCY,
    COMPREHENSION,
    BIAS,
    LABEL_MASS,
    PATTERN,
    SINGLE_PROMPTS,
    WORDING,
    TRANSFER_DROP,
    POPULATION,
)
