"""The base class of errors that the user can correct; errors of the operating system that name their file."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InputError(ValueError):
    """Invalid input; the message is one line with the value, its place and a valid alternative.

    The command line prints the message and exits with code 2.
    """


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Context manager: an error of the operating system without a file, such as that of a full disk, names `path`."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(path)) from error
        raise
