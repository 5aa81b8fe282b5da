"""A server whose disk fails, or is full, goes on answering and takes changes again by itself."""

import errno
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from conftest import serving

sys.path.append(str(Path(__file__).resolve().parent.parent / "scripts" / "faults"))
from failing_calls import Call, FailingCalls, Fault, How, Place, build, compiler

HEALING_S = 5.0
WRECK = '"divers found in a wreck"'  # only in museum-3


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is loaded into a process so that its calls can fail."""
    if compiler() is None:
        pytest.skip("no C compiler here: install cc, gcc or clang")
    return build(tmp_path_factory.mktemp("library"))


class Client:
    """Sends articles to a server, and asks for them."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/v1", timeout=30)

    def close(self) -> None:
        self._http.close()

    def add(self, number: int) -> httpx.Response:
        """Send article `number`, always with the same idempotency key."""
        article = {
            "id": f"wire-{number}",
            "headline": f"Report {number} from the harbour",
            "text": f"The tide gauge read mark{number} on Friday, the harbour master said.",
        }
        return self._http.post(
            "/articles", json=[article], headers={"Idempotency-Key": f"key-{number}"}
        )

    def add_until_taken(self, number: int) -> float:
        """Seconds until it was taken; everything before is refused as our problems are."""
        began_s = time.monotonic()
        while (response := self.add(number)).status_code != 200:
            assert response.status_code in (503, 507), response.text
            assert time.monotonic() - began_s < HEALING_S, response.text
            time.sleep(0.05)
        assert response.json()["added"] == 1
        return time.monotonic() - began_s

    def found(self, words: str) -> httpx.Response:
        return self._http.get("/search", params={"q": words})

    def ids(self, words: str) -> list[str]:
        response = self.found(words)
        assert response.status_code == 200, response.text
        return [hit["article_id"] for hit in response.json()["hits"]]


def _lasting(call: Call, place: Place | None, error: int, how: How = How.REFUSED) -> Fault:
    return Fault(call, place, 1, None, error, how)


WRITING = (
    (_lasting(Call.WRITE, Place.LOG, errno.ENOSPC), (507,)),
    (_lasting(Call.WRITE, Place.LOG, errno.EIO, How.TORN), (503,)),
    (_lasting(Call.SYNC, Place.LOG, errno.EIO), (503,)),
    # A thread of tantivy may die of it without a word; on a disk that is full in truth it is 507.
    (_lasting(Call.WRITE, Place.WORDS, errno.ENOSPC), (503, 507)),
    (_lasting(Call.SYNC, Place.WORDS, errno.EIO), (503,)),
    (_lasting(Call.SYNC, None, errno.EIO), (503,)),
    (_lasting(Call.WRITE, None, errno.ENOSPC), (507,)),
)
READING = (
    _lasting(Call.OPEN, Place.WORDS, errno.EIO),
    _lasting(Call.READ, None, errno.EIO),
    _lasting(Call.OPEN, None, errno.EMFILE),
    _lasting(Call.MAP, None, errno.ENOMEM),
)


def test_a_server_whose_disk_fails_goes_on_answering_and_writes_again_by_itself(
    harbour_copy: Path, library: Path, tmp_path: Path
) -> None:
    calls = FailingCalls(tmp_path / "control")
    calls.watch(harbour_copy)
    with (
        serving(harbour_copy, **calls.environment(library)) as server,
        closing(Client(server.url)) as client,
    ):
        for number, (fault, statuses) in enumerate(WRITING):
            calls.begin(fault)
            for _ in range(2):
                assert client.add(number).status_code in statuses, str(fault)
                assert client.ids(WRECK) == ["museum-3"], str(fault)
                assert client.ids(f'"mark{number}"') == [], str(fault)
            assert calls.end() > 0, str(fault)
            client.add_until_taken(number)
            assert client.ids(f'"mark{number}"') == [f"wire-{number}"], str(fault)
        for number, fault in enumerate(READING, len(WRITING)):
            calls.begin(fault)
            assert client.add(number).status_code in (200, 503, 507), str(fault)
            assert client.found(f'"mark{number}"').status_code in (200, 503), str(fault)
            calls.end()
            client.add_until_taken(number)
            assert client.ids(f'"mark{number}"') == [f"wire-{number}"], str(fault)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 16 MiB, where this user may mount one."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "nutgraf-test", str(mount)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a file system")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_a_server_on_a_full_disk_says_507_answers_and_writes_again_when_there_is_room(
    harbour: Path, small_disk: Path
) -> None:
    folder, ballast = small_disk / "store", small_disk / "ballast"
    shutil.copytree(harbour, folder)
    with serving(folder) as server, closing(Client(server.url)) as client:
        for number, left_bytes in enumerate((0, 8_192, 40_960)):
            ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - left_bytes))
            for _ in range(2):
                response = client.add(number)
                assert response.status_code == 507, response.text
                assert response.json()["type"] == "urn:nutgraf:problem:store-full"
                assert "free some space" in response.json()["detail"]
                assert client.ids(WRECK) == ["museum-3"]
            ballast.unlink()
            client.add_until_taken(number)
            assert client.ids(f'"mark{number}"') == [f"wire-{number}"]
