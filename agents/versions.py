"""Versions of the packages that compute results, for records and run folders."""

from importlib.metadata import PackageNotFoundError, version

from dilemmas import __version__


def installed(package: str) -> str | None:
    """Version of an installed package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def dilemmas_version() -> str:
    """Version of dilemmas: of the code that runs, whatever is installed meanwhile."""
    return __version__
