"""The registry: a metric that is added to it is measured, reported and asked about; nothing else has to change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dilemmas.agents.models.backend import FakeBackend, Response
from dilemmas.experiments.reporting.format import Results
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.study import evaluation, report
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric
from dilemmas.experiments.study.metrics.registry import METRICS
from dilemmas.experiments.study.recipe_files import load_recipe


def shown(results: Results) -> Iterator[Section]:
    yield Section("Own metric", (Table("Seeds", ("seed",), ((str(results["own"]),),)),))


def test_every_metric_has_its_own_key() -> None:
    keys = [metric.key for metric in METRICS]
    assert len(keys) == len(set(keys))


def test_one_more_metric_is_measured_and_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []
    own = Metric(
        "own",
        int,
        lambda data: data.recipe.seed + 40,
        shown,
        shown,
        warnings=lambda results: ["an own warning"],
        limits=lambda results: ["an own limit"],
        ask=lambda recipe, backend: [asked.append(backend.name)],
    )
    for module in (evaluation, report):
        monkeypatch.setattr(module, "METRICS", (*METRICS, own))
    recipe = load_recipe("miniatures")
    results: dict[str, Any] = evaluation.evaluate(StudyData(recipe, [], {}, {}, [], lambda pairing: [], {}))
    assert results["own"] == 40
    assert results["warnings"] == ["an own warning"]
    report.write_study_report(tmp_path, results)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "## Own metric" in text
    assert "an own warning" in text
    assert "- an own limit" in text
    assert "Own metric" in [section.title for section in report.terminal_sections(results)]
    list(evaluation.ask_ahead(recipe, FakeBackend(lambda request: Response((-1.0,) * len(request.labels)), "model")))
    assert asked == ["model"]
