"""`understudy miniatures build`: the two built-in models from their recipe."""

from collections.abc import Sequence
from pathlib import Path

import click


@click.group()
def command() -> None:
    """The two built-in models. They show that the pipeline works and say nothing about large language models."""


@command.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default="miniatures", show_default=True)
@click.option(
    "--role", "roles", multiple=True, type=click.Choice(["teacher", "student"]), help="Only one of them; default both."
)
def build(out: Path, roles: Sequence[str]) -> None:
    """Pretrain teacher and student, one process and one core each; the same command goes on after a stop."""
    from multiprocessing import get_context

    chosen = list(roles) or ["teacher", "student"]
    if len(chosen) == 1:
        return build_one(chosen[0], out / chosen[0])
    workers = [get_context("spawn").Process(target=build_one, args=(role, out / role)) for role in chosen]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            worker.join()
    except KeyboardInterrupt:
        for worker in workers:
            worker.terminate()
        raise
    if any(worker.exitcode for worker in workers):
        raise click.ClickException("a build failed; its message is above")


def build_one(role: str, out: Path) -> None:
    """Pretrain one miniature, with a line of progress every 50 steps on stderr."""
    import time

    import torch

    from understudy.training.miniatures import BUILDS, MEASURE_EVERY, pretrain

    torch.set_num_threads(1)  # two processes on two cores; on small matrices a second thread costs more than it brings
    key = "teacher" if role == "teacher" else "student"
    start, first = time.monotonic(), None
    for measured in pretrain(key, BUILDS[key], out):
        first = first or measured.step
        if measured.step % 50 == 0 or measured.errors:
            rate = (time.monotonic() - start) / (measured.step - first + 1)
            left = rate * (measured.steps - measured.step) / 60
            click.echo(f"{role}: step {measured.step}/{measured.steps}, loss {measured.loss:.3f}, {left:.0f} min left", err=True)
        if measured.errors and measured.step % MEASURE_EVERY == 0:
            click.echo("  " + ", ".join(f"{k} {v:.3f}" for k, v in measured.errors.items()), err=True)
    click.echo(f"{role}: {out}", err=True)
