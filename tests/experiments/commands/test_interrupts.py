"""Ctrl-C ends a command also where Python itself drops the exception."""

import subprocess
import sys

DROPPED = """
import signal, time
import click
from dilemmas.experiments.commands.main import main

class Dropped:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

@click.command()
def command():
    Dropped()
    for _ in range(3000):
        time.sleep(0.01)
    print("not interrupted")

main([], command)
"""


def test_a_ctrl_c_in_a_destructor_ends_the_command() -> None:
    done = subprocess.run([sys.executable, "-c", DROPPED], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "interrupted")


def test_other_errors_in_a_destructor_are_shown() -> None:
    code = DROPPED.replace("signal.raise_signal(signal.SIGINT)", "raise ValueError('lost')").replace("3000", "1")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "not interrupted\n")
    assert "ValueError: lost" in done.stderr
