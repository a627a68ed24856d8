"""Versions of what computes results, as records and run folders keep them."""

from importlib.metadata import PackageNotFoundError, version


def installed(package: str) -> str | None:
    """Version of an installed package; None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def dilemmas_version() -> str:
    """Version of dilemmas; ``unknown`` in a checkout that is not installed."""
    return installed("dilemmas") or "unknown"
