"""Runs every property test with many more examples than the tests themselves do.

    python scripts/faults/properties.py [--examples 30000] [PYTEST ARGUMENTS]

A plugin of pytest: of the tests it finds, those that hypothesis feeds are kept, and each is given
an even part of the examples, at least as many as it asks for itself.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


class MoreExamples:
    """Keeps the property tests, raises their examples, and counts those that were run."""

    def __init__(self, examples: int) -> None:
        self._examples = examples
        self.ran = 0
        self.tests = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        # Not before: pytest wants to be the first to load it.
        from hypothesis import is_hypothesis_test, settings

        kept = [item for item in items if is_hypothesis_test(getattr(item, "obj", None))]
        items[:] = kept
        self.tests = len(kept)
        each = -(-self._examples // max(len(kept), 1))
        seen: set[int] = set()
        for item in kept:
            test = item.obj  # type: ignore[attr-defined]  # a function's
            if id(test) in seen:
                continue  # the same test with other parameters
            seen.add(id(test))
            own = getattr(test, "_hypothesis_internal_use_settings", settings.default)
            more = settings(own, max_examples=max(each, own.max_examples), deadline=None)
            test._hypothesis_internal_use_settings = more
            test.hypothesis.inner_test = self._counted(test.hypothesis.inner_test)

    def _counted(self, test: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.ran += 1
            return test(*arguments, **named)

        # hypothesis reads the parameters of what it calls.
        counted.__wrapped__ = test  # type: ignore[attr-defined]
        counted.__name__ = test.__name__
        return counted


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=30_000)
    given, others = parser.parse_known_args()
    began = time.monotonic()
    more = MoreExamples(given.examples)
    paths = [other for other in others if not other.startswith("-")] or [str(ROOT / "tests")]
    flags = [other for other in others if other.startswith("-")]
    quiet = ["-q", "--no-header", "-p", "no:cacheprovider", "--timeout=900", f"--rootdir={ROOT}"]
    code = pytest.main([*quiet, *flags, *paths], plugins=[more])
    print(f"{more.ran} examples of {more.tests} tests in {time.monotonic() - began:.0f} s")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
