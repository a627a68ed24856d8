"""Summaries of each kind of population dynamics: data for programs, and a table and notes for people.

`DYNAMICS` lists the kinds with the options that each accepts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil, inf, isfinite
from typing import Any

import numpy as np

from dilemmas.envs.rules.networks import Edges, build_network
from dilemmas.experiments.dynamics.alpha_rank import POPULATION, alpha_rank, responses, sweep
from dilemmas.experiments.dynamics.costs import MOST_RECORDS, check_generations, check_pairs, check_simulation
from dilemmas.experiments.dynamics.deterministic import Course, best_response, ecological, replicator
from dilemmas.experiments.dynamics.fixation import FITNESS, GAMES, RULES, Process, fixation, small_mutation
from dilemmas.experiments.dynamics.invasion import ROUNDING, invasions, takeovers
from dilemmas.experiments.dynamics.moran import moran, start_counts
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix
from dilemmas.experiments.reporting.format import NONE, num, with_span
from dilemmas.experiments.reporting.parsing import listed
from dilemmas.experiments.reporting.uncertainty.intervals import wilson

Settings = Mapping[str, Any]
"""Options by name: those that the dynamics accept, with defaults for those that were not given."""


@dataclass(frozen=True, eq=False)
class DynamicsSummary:
    """Result of one kind of dynamics."""

    data: dict[str, Any]
    """Result as JSON values."""
    headings: tuple[str, ...]
    """Headings of the table; the first column holds names."""
    rows: Sequence[tuple[str, ...]]
    """Cells of the table."""
    notes: Sequence[str] = ()
    """Sentences below the table."""
    series: Mapping[str, list[float]] = field(default_factory=dict)
    """Shares over time by name, for a chart."""
    unit: str = "generation"
    """Unit of time; time is counted from 0."""


def _course(course: Course, unit: str) -> DynamicsSummary:
    fates = course.fates()
    rows = [
        (fate.name, num(fate.start, 3), num(fate.end, 3), NONE if fate.gone is None else f"{fate.gone:g}")
        for fate in fates
    ]
    data = {
        "times": course.times.tolist(),
        "shares": course.series(),
        "mean_payoff": course.payoffs.tolist(),
        "fates": list(map(asdict, fates)),
    }
    notes = [f"mean payoff: initially {num(course.payoffs[0], 3)}, finally {num(course.payoffs[-1], 3)}"]
    if course.times[1] > 1:
        notes.append(f"recorded every {course.times[1]:g} units of time, also for when a strategy is extinct")
    headings = ("player", "initial share", "final share", f"extinct from {unit}")
    return DynamicsSummary(data, headings, rows, notes, course.series(), unit)


def _replicator(matrix: PayoffMatrix, settings: Settings) -> DynamicsSummary:
    start, time = _start(settings, float), settings["generations"]
    every = max(1.0, time / MOST_RECORDS)
    return _course(replicator(matrix, start, time=time, every=every, mutation=settings["mutation"]), "time")


def _ecological(matrix: PayoffMatrix, settings: Settings) -> DynamicsSummary:
    check_generations(settings["generations"], len(matrix.names))
    every = ceil(settings["generations"] / MOST_RECORDS)
    kept = {name: settings[name] for name in ("generations", "mutation", "baseline")}
    return _course(ecological(matrix, _start(settings, float), every=every, **kept), "generation")


def _best_response(matrix: PayoffMatrix, settings: Settings) -> DynamicsSummary:
    check_generations(settings["generations"], len(matrix.names))
    every = ceil(settings["generations"] / MOST_RECORDS)
    kept = {name: settings[name] for name in ("generations", "revising", "temperature")}
    return _course(best_response(matrix, _start(settings, float), every=every, **kept), "generation")


def _moran(matrix: PayoffMatrix, settings: Settings) -> DynamicsSummary:
    n, runs, mutation, process = settings["population"], settings["runs"], settings["mutation"], _process(settings)
    start, k = start_counts(matrix, n, _start(settings, int)), len(matrix.names)
    every = check_simulation(k, n, runs, settings["generations"], settings["graph"] is not None)
    edges = _edges(settings, n)
    if not (edges or mutation):
        check_pairs(k, n)
    rng, steps = np.random.default_rng(settings["seed"]), settings["generations"] * n
    kept = {"steps": steps, "runs": runs, "mutation": mutation, "edges": edges, "every": every * n}
    played = moran(matrix, start, rng, process=process, **kept)
    shares, over = played.series(), played.taken_over()
    exact = {} if edges or mutation else _exact(matrix, start, process)
    rows = [
        {
            "player": name,
            "initial number": str(start[name]),
            "final share": num(shares[name][-1], 3),
            **({} if mutation else {"took over": with_span(over[name] / runs, wilson(over[name], runs))}),
            **({"long run": num(exact["long_run"][name], 3)} if exact else {}),
        }
        for name in sorted(matrix.names, key=lambda name: (-shares[name][-1], name))
    ]
    data = {
        "population": n,
        "start": start,
        "times": played.times.tolist(),
        "shares": shares,
        "runs": runs,
        "taken_over": over,
        "steps": played.steps.tolist(),
        **exact,
    }
    lasting = f"took over: share of {runs} runs of up to {steps:,} steps, with 95% interval"
    notes = [
        f"{runs} runs of {steps:,} steps" if mutation else lasting,
        _about_process(process, edges, n),
        *_notes(exact),
    ]
    return DynamicsSummary(data, tuple(rows[0]), [tuple(row.values()) for row in rows], notes, shares)


def _exact(matrix: PayoffMatrix, start: Mapping[str, int], process: Process) -> dict[str, Any]:
    """Results without sampling error: the long run, and for two types the fixation probability and times."""
    n, first = sum(start.values()), matrix.names[0]
    found: dict[str, Any] = {"long_run": dict(small_mutation(matrix, n, process).ranking())}
    if len(matrix.names) == 2 and 0 < start[first] < n:
        exact = fixation(matrix.payoffs, n, start[first], process)
        values = {**asdict(exact), "probability": exact.probability}
        found["exact"] = {"player": first, **{key: _finite(value) for key, value in values.items()}}
    return found


def _notes(exact: Mapping[str, Any]) -> list[str]:
    notes = ["long run: share of time in the limit of rare mutations"] if exact else []
    if "exact" in exact:
        notes.append(
            f"exact probability that {exact['exact']['player']} takes over: {exact['exact']['probability']:.6g}"
        )
    return notes


def _edges(settings: Settings, n: int) -> Edges | None:
    graph, degree = settings["graph"], settings["degree"]
    if graph is None:
        if degree is not None:
            raise DynamicsError(f"--degree {degree}: in a well-mixed population all are neighbours; give --graph too")
        return None
    _, edges = build_network(graph, n, degree)
    if edges is None:
        raise DynamicsError(f"--graph {graph} has no neighbours; omit --graph for a well-mixed population")
    return edges


def _about_process(process: Process, edges: Edges | None, n: int) -> str:
    """The population and its update rule in words."""
    where = "well mixed" if edges is None else f"on a graph, {2 * len(edges) / n:g} neighbours each"
    counted = "all games" if process.games == "all" else f"games with {process.games}"
    games = f", fitness from {counted}" if process.rule == "death-birth" else ""
    return f"{n} players, {where}; {process.rule}{games}"


def _invasion(matrix: PayoffMatrix, settings: Settings) -> DynamicsSummary:
    check_pairs(len(matrix.names), settings["population"])
    found = invasions(matrix)
    finite = takeovers(matrix, settings["population"], _process(settings))
    favoured = (finite.relative > 1 + ROUNDING).sum(axis=1).tolist()
    rows = [
        {
            "resident": one.name,
            "stability": one.stability.value,
            "invaded by": ", ".join([*one.invaded, *(f"({name})" for name in one.drifting)]) or NONE,
            **({} if found.certain.all() else {"uncertain": str(len(one.uncertain))}),
            "favoured": str(count),
        }
        for one, count in zip(found.residents(), favoured, strict=True)
    ]
    data = {
        "players": list(matrix.names),
        "entries": [[entry.value for entry in row] for row in found.entries],
        "residents": list(map(asdict, found.residents())),
        "population": finite.n,
        "relative_fixation": finite.relative.tolist(),
        "stable_in_population": finite.stable,
    }
    notes = [
        "stable: against these strategies, one type of mutant at a time; in parentheses: neutral drift",
        f"favoured: number of types of which one mutant takes over {finite.n} players with probability > 1/{finite.n}",
        _about_process(_process(settings), None, finite.n),
    ]
    if not found.certain.all():
        notes.append("uncertain: number of types for which the sampled payoffs do not decide (95% intervals)")
    return DynamicsSummary(data, tuple(rows[0]), [tuple(row.values()) for row in rows], notes)


def _alpha_rank(matrix: PayoffMatrix, settings: Settings) -> DynamicsSummary:
    graph, n = responses(matrix), settings["population"]
    ranking = alpha_rank(graph, settings["alpha"], n).ranking()
    swept = sweep(graph, n=n)
    limit = dict(swept.limit.ranking())
    data = {
        "alpha": settings["alpha"] if isfinite(settings["alpha"]) else "inf",
        "population": n,
        "masses": dict(ranking),
        "sweep": {"alphas": swept.alphas.tolist(), "masses": swept.series()},
    }
    rows = [(str(place), name, num(mass, 4), num(limit[name], 4)) for place, (name, mass) in enumerate(ranking, 1)]
    headings = ("rank", "player", f"mass, alpha = {settings['alpha']:g}", f"alpha = {swept.alphas[-1]:.3g}")
    unit = f"doublings of alpha from {swept.alphas[0]:.3g}"
    return DynamicsSummary(data, headings, rows, series=swept.series(), unit=unit)


FINITE = {"rule": RULES[0], "fitness": FITNESS[0], "intensity": 1.0, "games": GAMES[0]}
"""Options of a `Process` with their defaults."""

DYNAMICS: dict[str, tuple[Callable[[PayoffMatrix, Settings], DynamicsSummary], Settings]] = {
    "replicator": (_replicator, {"start": None, "generations": 100, "mutation": 0.0}),
    "ecological": (_ecological, {"start": None, "generations": 100, "mutation": 0.0, "baseline": 0.0}),
    "best-response": (_best_response, {"start": None, "generations": 100, "revising": 0.1, "temperature": 0.0}),
    "moran": (
        _moran,
        {
            **FINITE,
            **{"start": None, "generations": 1000, "mutation": 0.0, "population": 100},
            **{"runs": 100, "seed": 0, "graph": None, "degree": None},
        },
    ),
    "invasion": (_invasion, {**FINITE, "population": 100}),
    "alpha-rank": (_alpha_rank, {"alpha": inf, "population": POPULATION}),
}
"""Name -> function that makes the summary, and the accepted options with their defaults."""


def _start(settings: Settings, kind: type[float] | type[int]) -> dict[str, Any] | None:
    """Parse ``a=0.2,b=0.8`` as shares, or numbers of players, by name."""
    if settings["start"] is None:
        return None
    parts = listed(settings["start"])
    if not parts:
        raise DynamicsError("--start is empty; needs NAME=VALUE,...")
    found = {}
    for part in parts:
        name, _, value = (word.strip() for word in part.rpartition("="))
        if name in found:
            raise DynamicsError(f"--start names '{name}' twice")
        try:
            found[name] = kind(value)
        except ValueError:
            what = "a share" if kind is float else "a number of players"
            raise DynamicsError(f"--start: '{part}'; needs NAME=VALUE, where VALUE is {what}") from None
    return found


def _process(settings: Settings) -> Process:
    return Process(settings["rule"], settings["fitness"], settings["intensity"], settings["games"])


def _finite(value: Any) -> Any:
    """The value, or None instead of infinity, which JSON does not have."""
    return None if isinstance(value, float) and not isfinite(value) else value
