"""The version that is installed."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("nutgraf")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0+checkout"


VERSION = _installed()
