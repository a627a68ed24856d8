"""Versions of what computes results, as records and run folders keep them."""

from importlib.metadata import PackageNotFoundError, version


def installed(package: str) -> str | None:
    """Version of an installed package; None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def understudy_version() -> str:
    """Version of understudy; ``unknown`` in a checkout that is not installed."""
    return installed("understudy") or "unknown"
