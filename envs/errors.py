"""The base class of errors that the user can correct."""


class InputError(ValueError):
    """Invalid input; the message is one line with the value, its place and a valid alternative.

    The command line prints the message and exits with code 2.
    """
