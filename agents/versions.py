"""Versions of the packages that compute results, for records and run folders."""

from importlib.metadata import PackageNotFoundError, version


def installed(package: str) -> str | None:
    """Version of an installed package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def dilemmas_version() -> str:
    """Version of dilemmas; ``unknown`` in a checkout that is not installed."""
    return installed("dilemmas") or "unknown"
