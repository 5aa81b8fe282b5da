"""Sends what the server's own description allows, and what it does not, to each of its operations.

    python scripts/faults/schema.py [--requests 10000]

schemathesis makes the requests from the OpenAPI document. Each answer must be one that the document
declares, in the declared form, and no 5xx but a 503 or 501 that is declared.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from itertools import count, product
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tests")]

import httpx  # noqa: E402
import schemathesis  # noqa: E402
from attacks import make_store  # noqa: E402
from conftest import serving  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402
from hypothesis.errors import Unsatisfiable  # noqa: E402
from schemathesis import Case, GenerationMode  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.schemas import APIOperation  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

# Of one operation before the next has its turn.
_AT_ONCE = 50
_DECLARED = (501, 503)  # no Parquet here; overloaded or out of time


@schemathesis.serializer("application/x-ndjson")
def _as_it_stands(_: object, value: object) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


def send_all(requests: int, url: str) -> tuple[Counter[int], list[str]]:
    """Send at least as many requests, in rounds over all operations.

    Returns:
        How many answers had each status, and what was wrong with those that were not right.
    """
    # The server is the program as it stands, so what it says of itself is asked of it.
    schema = schemathesis.openapi.from_dict(httpx.get(f"{url}/openapi.json", timeout=60).json())
    operations = [found.ok() for found in schema.get_all_operations()]
    answered: Counter[int] = Counter()
    faults: dict[str, str] = {}
    for turn in count():
        for operation, mode in product(operations, GenerationMode):
            if answered.total() >= requests:
                return answered, list(faults.values())
            at_once = min(_AT_ONCE, -(-requests // (2 * len(operations))))
            try:
                _send(operation, mode, turn, at_once, url, answered)
            except Unsatisfiable:
                continue  # what has no parameters cannot be asked wrongly
            except Exception as error:  # a check's, which says where and how to send it again
                faults[operation.label] = f"{operation.label}: {error}"
    raise AssertionError("not reached")


def _send(
    operation: APIOperation,
    mode: GenerationMode,
    turn: int,
    requests: int,
    url: str,
    answered: Counter[int],
) -> None:
    """Requests of one operation, as the description has them or, in the other mode, not."""

    @seed(turn)
    @settings(
        max_examples=requests,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case) -> None:
        reply = case.call(base_url=url, timeout=60)
        answered[reply.status_code] += 1
        checks = [status_code_conformance, content_type_conformance, response_schema_conformance]
        if reply.status_code not in _DECLARED:
            checks.append(not_a_server_error)
        case.validate_response(reply, checks=checks)

    check()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000)
    given_ = parser.parse_args()
    began = time.monotonic()
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="nutgraf-schema-", dir=parent) as folder:
        store = make_store(Path(folder) / "store")
        with serving(store, NUTGRAF_RATE_PER_MINUTE="0") as server:
            answered, faults = send_all(given_.requests, server.url)
    for status, times in sorted(answered.items()):
        print(f"{status} {times:8}")
    for fault in faults:
        print(f"\n{fault}")
    print(
        f"{answered.total()} requests in {time.monotonic() - began:.0f} s, "
        f"{len(faults)} operations answered wrong"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
