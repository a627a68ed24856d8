"""`dilemmas miniatures build`: pretrain the two built-in models."""

import time
from multiprocessing import get_context, parent_process
from pathlib import Path

import click

from dilemmas.experiments.commands.options import Location
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.training.miniatures.behaviour import Role

ROLES: tuple[Role, ...] = ("teacher", "student")


@click.group()
def command() -> None:
    """Build the two built-in models, which test the pipeline; they are no evidence about large language models."""


@command.command(short_help="Pretrain the teacher and the student.")
@click.option(
    "--out",
    type=Location(file_okay=False),
    default="miniatures",
    show_default=True,
    help="Folder of the models.",
)
@click.option(
    "--role",
    type=click.Choice(["teacher", "student"]),
    show_default="both",
    help="Build only this model, without a subprocess.",
)
def build(out: Path, role: Role | None) -> None:
    """Pretrain the teacher and the student in one process each, in about an hour.

    An interrupted build is resumed by repeating the command.
    """
    from dilemmas.agents.models.model_files import check_installed

    check_installed()
    if role is not None:
        return build_one(role, out / role)
    workers = [get_context("spawn").Process(target=_work, args=(role, out / role), daemon=True) for role in ROLES]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise click.ClickException("a build failed; see the message above")


def _work(role: Role, out: Path) -> None:
    """Build a model in a process of its own, which answers as a command does."""
    from dilemmas.experiments.commands.main import main

    main(["--out", str(out.parent), "--role", role], build)


def build_one(role: Role, out: Path) -> None:
    """Pretrain one model, with a line of progress on stderr every 50 steps."""
    import torch

    from dilemmas.training.miniatures.pretrain import BUILDS, pretrain

    torch.set_num_threads(1)  # two processes on two cores; matrices are too small for a second thread
    start, parent = time.monotonic(), parent_process()
    for steps, measured in enumerate(pretrain(role, BUILDS[role], out), start=1):
        if parent is not None and not parent.is_alive():
            raise SystemExit("the command that started this build has ended")
        if measured.step % 50 == 0:
            left = (measured.steps - measured.step) * (time.monotonic() - start) / steps / 60
            line = f"step {measured.step}/{measured.steps}, loss {measured.loss:.3f}, {left:.0f} min left"
            echo(f"{role}: {line}", err=True)
        if measured.errors:
            figures = ", ".join(f"{name} {value:.3f}" for name, value in measured.errors.items())
            echo(f"{role}: {figures}", err=True)
    echo(f"{role}: {out}", err=True)
