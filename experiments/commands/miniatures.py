"""`dilemmas miniatures build`: pretrain the two built-in models."""

import time
from multiprocessing import get_context, parent_process
from pathlib import Path

import click

from dilemmas.training.miniatures.behaviour import Role

ROLES: tuple[Role, ...] = ("teacher", "student")


@click.group()
def command() -> None:
    """The two built-in models. They show that the pipeline works; they say nothing about large language models."""


@command.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="miniatures",
    show_default=True,
    help="Folder for the models.",
)
@click.option(
    "--role", type=click.Choice(["teacher", "student"]), help="Build only this one, in this process.  [default: both]"
)
def build(out: Path, role: Role | None) -> None:
    """Pretrain teacher and student, in a process each, in about an hour; repeat the command to resume."""
    from dilemmas.agents.models.open_model import check_installed

    check_installed()
    if role is not None:
        return build_one(role, out / role)
    workers = [get_context("spawn").Process(target=build_one, args=(role, out / role), daemon=True) for role in ROLES]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise click.ClickException("a build failed; its message is above")


def build_one(role: Role, out: Path) -> None:
    """Pretrain one of them, with a line of progress on stderr every 50 steps."""
    import torch

    from dilemmas.training.miniatures.pretrain import BUILDS, pretrain

    torch.set_num_threads(1)  # two processes on two cores; on small matrices a second thread costs more than it brings
    start, parent = time.monotonic(), parent_process()
    for steps, measured in enumerate(pretrain(role, BUILDS[role], out), start=1):
        if parent is not None and not parent.is_alive():
            raise SystemExit("the command that started this build is gone")
        if measured.step % 50 == 0:
            left = (measured.steps - measured.step) * (time.monotonic() - start) / steps / 60
            line = f"step {measured.step}/{measured.steps}, loss {measured.loss:.3f}, {left:.0f} min left"
            click.echo(f"{role}: {line}", err=True)
        if measured.errors:
            figures = ", ".join(f"{name} {value:.3f}" for name, value in measured.errors.items())
            click.echo(f"{role}: {figures}", err=True)
    click.echo(f"{role}: {out}", err=True)
