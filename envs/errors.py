"""The error that is the user's to mend: one line with the value, the place and the way out."""


class InputError(ValueError):
    """Something given to dilemmas cannot be used. The command line prints the message and exits with code 2."""
