"""What is said of the answers of language models: warnings, and tables for a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from dilemmas.agents.agent import Source
from dilemmas.experiments.asking.survey import SetAnswers, Survey
from dilemmas.experiments.reporting.format import num
from dilemmas.experiments.reporting.page import Notice, Section, Table
from dilemmas.experiments.reporting.variance import FACTORS
from dilemmas.experiments.study.metrics.bias import LEVEL, more_by_order
from dilemmas.experiments.study.metrics.comprehension import misunderstood
from dilemmas.experiments.study.metrics.consistency import MAX_DISAGREEMENT
from dilemmas.experiments.study.metrics.label_mass import FEW
from dilemmas.experiments.study.titles import scenario_title, set_title


def survey_sections(asked: Mapping[str, Survey]) -> list[Section]:
    """Warnings and tables, by the name of the model."""
    return [*_warned(asked), *_tables({name: one.sets for name, one in asked.items()})]


def all_warnings(survey: Survey, answers: SetAnswers) -> list[str]:
    """What speaks against the answers of a model to a set, whole sentences."""
    return [*(f"the model {text}" for text in misunderstood(survey.facts)), *_warnings(answers)]


def _warned(asked: Mapping[str, Survey]) -> list[Section]:
    notices = [Notice(f"{spec} {text}") for spec, one in asked.items() for text in misunderstood(one.facts)]
    notices += [
        Notice(f"{spec} ({set_title(name)}): {text}")
        for spec, survey in asked.items()
        for name, one in survey.sets.items()
        for text in _warnings(one)
    ]
    return [Section("Warnings", tuple(notices))] if notices else []


def _warnings(found: SetAnswers) -> list[str]:
    warnings = []
    if found.weight == 0:
        return ["no reply could be read: nothing was measured."]
    if found.errors:
        warnings.append(
            f"all rates are of sampled answers, about {found.weight} readable ones for each scenario; nothing is exact."
        )
    if found.margin:
        warnings.append(f"the rates are not exact: the server tells the probabilities within ±{found.margin:.2g} only.")
    several = len(found.cooperation) > 1
    if several and found.alike > LEVEL:
        exact = found.estimate is Source.EXACT
        drawn = f"if {found.weight} answers were drawn" if exact else f"with {found.weight} answers"
        warnings.append(
            f"all scenarios are answered alike: {drawn} for each, rates as far apart would be chance"
            f" (p = {found.alike:.2f}). {'They tell no scenario from another' if exact else 'It may all be noise'}."
        )
    if several and found.shares and (more := more_by_order(asdict(found.shares))):
        by_order, by_content = more
        warnings.append(
            f"the answers follow the order and the labels of the options ({by_order:.0%} of their variance) more than"
            f" the game and the context ({by_content:.0%})."
        )
    if found.label_mass is not None and found.label_mass < FEW:
        warnings.append(f"only {found.label_mass:.1%} of the replies begin with one of the labels.")
    if found.noisy:
        warnings.append(
            f"two answers to the same scenario differ with probability {num(found.disagreement)}, above"
            f" {MAX_DISAGREEMENT:.2f}."
        )
    return warnings


def _tables(found: Mapping[str, Mapping[str, SetAnswers]]) -> list[Section]:
    rows = [(spec, name, one) for spec, sets in found.items() for name, one in sets.items()]
    summary = Table(
        "What the models answer",
        ("model", "set", "mass", "place effect", *FACTORS, "wordings", "disagreement", "unreadable"),
        tuple(
            (
                spec,
                set_title(name),
                num(one.label_mass),
                _with_error(one.place_effect, one.place_error),
                *(num(getattr(one.shares, key) if one.shares else None) for key in FACTORS),
                _span(one.wordings),
                num(one.disagreement),
                num(one.unreadable),
            )
            for spec, name, one in rows
        ),
        words=2,
        note="Mass: probability that a reply begins with one of the labels. Place effect: how much more probable the"
        " first action is where it is named first; after ±, the largest standard error that it can have if answers are"
        " sampled. Place, label, context, game: share of the variance of the answers that follows each. Wordings:"
        " lowest and highest mean cooperation of the template's wordings. Disagreement: probability that two answers to"
        " the same scenario differ.",
        missing="not known, not asked, or asked in one presentation only",
    )
    scenarios = [name for sets in next(iter(found.values())).values() for name in sets.cooperation]
    rates = {
        spec: {name: _rate(one, name) for one in sets.values() for name in one.cooperation}
        for spec, sets in found.items()
    }
    cooperation = Table(
        "Cooperation by scenario",
        ("scenario", *found),
        tuple((scenario_title(name), *(rates[spec][name] for spec in found)) for name in scenarios),
        words=1,
        note="By the models' own probabilities, or by sampled answers with the standard error after ±; the mean over"
        " all wordings and presentations. In brackets the lowest and the highest of the wordings, if there are"
        " several.",
    )
    return [Section(table.title, (table,)) for table in (summary, cooperation)]


def _span(rates: Sequence[float]) -> str:
    """The lowest and the highest of several rates."""
    return f"{num(min(rates))}–{num(max(rates))}" if len(rates) > 1 else num(None)


def _with_error(value: float | None, error: float | None) -> str:
    return num(value) + ("" if error is None else f" ± {num(error)}")


def _rate(found: SetAnswers, scenario: str) -> str:
    rate = _with_error(found.cooperation[scenario], found.errors.get(scenario))
    worded = [one for one in found.by_wording[scenario] if one is not None]
    return f"{rate} ({_span(worded)})" if len(worded) > 1 else rate
