"""Lets a real server work for minutes on end and watches whether anything in it grows.

A store of made-up articles is built and served by `nutgraf serve`. For as long as asked five
clients search (quick and thorough, page after page, with filters, as exports), feed new and changed
articles and remove as many as they add, keep collections and saved searches, and back the store up
with `nutgraf backup`. Every ten seconds it is looked at from outside: /proc and GET /metrics.

Promised:
- memory grows by at most 1 MiB in 10,000 requests, after a warm-up: the median of the slopes
  between any two samples (Theil 1950, Sen 1968, doi:10.1080/01621459.1968.10480934). Memory is the
  anonymous memory of the server itself, so neither files that are mapped nor the child that embeds,
  which comes and goes; a sample is the least of what was seen five times a second since the one
  before, since what a question takes for itself comes and goes as well;
- open files and threads are as many at the end as after the warm-up;
- the write-ahead log has at most 64 MiB at every look;
- the database, the word index and the segments take at most 2.2 times the live bytes at the end.
  Live bytes are what the same files of a new store take to which only the articles were added that
  are live now, as they are now, in one commit, all with vectors. The log is judged by itself;
- every answer is of the kind that was to be expected: no error of the server's but 503 with a
  Retry-After. An article is found once it was added, and not any more once it was removed;
- vectors were published into segments, and segments replaced by others without what was removed,
  by the server itself. That it does when a fifth is removed, and until then the archive grows in
  memory as well: so the articles are few, and it comes round every two minutes.

    python scripts/faults/soak.py [--minutes N] [--articles N]

Exit 1 when a promise is broken. As long as asked, and a minute or two to build the stores. A sample
strays by 2 MiB with what is held at that moment for cursors and snapshots, and so the slope of nine
minutes by most of what is promised. Half an hour tells what goes on growing.
"""

import argparse
import contextlib
import http.client
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

from kill_server import Server  # noqa: E402
from overload import Press, build  # noqa: E402

from index import store_folder  # noqa: E402
from index.article import SourceRecord  # noqa: E402
from index.writer import Writer  # noqa: E402
from search.http.bodies import read_ndjson  # noqa: E402
from search.searcher import size_bytes  # noqa: E402

MOST_MIB_IN_10_000: Final = 1.0
MOST_LOG_BYTES: Final = 64 << 20
MOST_TIMES_LIVE: Final = 2.2
# Held snapshots have files of their own, and how many are held changes from second to second.
MORE_FILES: Final = 12
MORE_THREADS: Final = 2

WARM_UP_S: Final = 120.0
_SAMPLE_S: Final = 10.0
_LOOK_S: Final = 0.2
_DIM: Final = 384
_SEARCHERS: Final = 2
_BETWEEN_ROUNDS_S: Final = 1.0  # of feeding: the child that embeds must keep up
_COMING_AND_GOING: Final = 4  # articles, in one round
_BETWEEN_BACKUPS_S: Final = 30.0
_BETWEEN_DESKS_S: Final = 0.2
_ANSWERED: Final = frozenset({200, 201, 204})

Article = dict[str, str]


# ------------------------------------------------------------------------------- what is asked


@dataclass(slots=True)
class Archive:
    """What the clients know of the archive, and what they were answered. For many threads."""

    press: Press
    live: dict[str, Article] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)
    stopping: threading.Event = field(default_factory=threading.Event)
    _made: int = 0

    def article(self, own_id: str = "") -> Article:
        """A new one, or another version; with a word of its own."""
        with self.guard:
            made = self.press.article()
            self._made += 1
            made["id"] = own_id or made["id"]
            made["text"] = f"Zq{self._made}x was named. {made['text']}"
            return made

    def question(self) -> str:
        with self.guard:
            return self.press.question()

    def count(self, what: str) -> None:
        with self.guard:
            self.answered[what] += 1

    def complain(self, what: str) -> None:
        with self.guard:
            self.broken.append(what)

    @property
    def requests(self) -> int:
        with self.guard:
            return sum(self.answered.values())


class Client:
    """Asks one request after another on a connection of its own."""

    def __init__(self, port: int, archive: Archive, seed: int) -> None:
        self.archive = archive
        self.random = random.Random(seed)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(
        self,
        what: str,
        method: str,
        path: str,
        body: object = None,
        *,
        may_be: frozenset[int] = frozenset(),
        headers: dict[str, str] | None = None,
    ) -> bytes | None:
        """What it is answered; None for a status that `may_be` beside 200, 201 and 204.

        503 with a Retry-After is asked again.

        Raises:
            AssertionError: any other status.
        """
        while True:
            self._connection.request(
                method,
                path,
                None if body is None else json.dumps(body),
                {"Content-Type": "application/json", **(headers or {})},
            )
            response = self._connection.getresponse()
            said = response.read()
            if response.status != 503 or not response.headers["Retry-After"]:
                break
            self.archive.count("asked again")
            time.sleep(0.2)
        self.archive.count(what)
        if response.status in may_be:
            return None
        assert response.status in _ANSWERED, (
            f"{method} {path[:80]}: {response.status} {said[:300]!r}"
        )
        return said

    def found(self, word: str) -> set[str]:
        """Ids of the articles that a word stands in."""
        query = urlencode({"q": f'"{word}"', "group": "none"})
        answer = json.loads(self.call("look", "GET", f"/v1/search?{query}") or b"")
        return {hit["article_id"] for hit in answer["hits"]}

    def close(self) -> None:
        self._connection.close()


def search(client: Client) -> None:
    """One question, in one of many ways."""
    archive, chance = client.archive, client.random
    query: dict[str, str | int] = {"q": archive.question()}
    way = chance.randrange(20)
    if way < 3:
        query |= {"outlet": f"Outlet {chance.randrange(7)}", "from": "2025-03-01"}
    if way < 6:
        query |= {"facets": "true", "sort": chance.choice(["newest", "oldest", "relevance"])}
    match way:
        case 6:
            kind = chance.choice(["jsonl", "csv", "ris"])
            client.call("export", "GET", f"/v1/export?{urlencode({**query, 'format': kind})}")
        case 7:
            query |= {"effort": "thorough", "k": 5}
            client.call("search thoroughly", "GET", f"/v1/search?{urlencode(query)}")
        case 8:
            _look_at_one(client)
        case 9:
            _leaf(client, query)
        case _:
            client.call("search", "GET", f"/v1/search?{urlencode(query)}")


def _leaf(client: Client, query: dict[str, str | int]) -> None:
    """Page after page, until the last one or the cursor has expired."""
    for _ in range(5):
        said = client.call("page", "GET", f"/v1/search?{urlencode(query)}", may_be=frozenset({410}))
        cursor = json.loads(said)["next_cursor"] if said else None
        if not cursor:
            return
        query["cursor"] = cursor


def _look_at_one(client: Client) -> None:
    with client.archive.guard:
        id_ = client.random.choice(list(client.archive.live))
    gone = frozenset({404})  # removed just now
    for path in (f"/v1/articles/{id_}", f"/v1/articles/{id_}/related", "/v1/stories?k=5"):
        client.call("article", "GET", path, may_be=gone)


def feed(client: Client) -> None:
    """Add four articles, change one, remove four; and see that each was done."""
    archive, began_s = client.archive, time.monotonic()
    with archive.guard:
        ids = list(archive.live)
    changed, *leaving = client.random.sample(ids, 1 + _COMING_AND_GOING)
    coming = [archive.article() for _ in range(_COMING_AND_GOING)] + [archive.article(changed)]
    headers = {"Idempotency-Key": f"soak-{coming[0]['id']}"} if client.random.random() < 0.2 else {}
    client.call("feed", "POST", "/v1/articles", coming, headers=headers)
    former = _word_of(archive.live[changed])
    with archive.guard:
        archive.live |= {article["id"]: article for article in coming}
        gone = {id_: archive.live.pop(id_) for id_ in leaving}
    for id_ in leaving:
        client.call("remove", "DELETE", f"/v1/articles/{id_}")
    for article in coming:
        found = client.found(_word_of(article))
        assert found == {article["id"]}, f"{article['id']} was added, and found is {found}"
    for word in (former, *map(_word_of, gone.values())):
        found = client.found(word)
        assert not found, f"{word} was removed, and is found in {found}"
    archive.stopping.wait(began_s + _BETWEEN_ROUNDS_S - time.monotonic())


def _word_of(article: Article) -> str:
    return article["text"].split()[0]


def keep_a_desk(client: Client) -> None:
    """A collection and a saved search from their beginning to their end."""
    archive = client.archive
    name = f"desk {client.random.randrange(10**9)}"
    made = client.call("desk", "POST", "/v1/collections", {"name": name})
    collection = f"/v1/collections/{json.loads(made or b'')['id']}"
    with archive.guard:
        chosen = client.random.sample(list(archive.live), 3)
    for id_ in chosen:
        body = {"article": id_, "note": "A note."}
        client.call("desk", "POST", f"{collection}/marks", body, may_be=frozenset({404}))
    client.call("desk", "GET", collection)
    client.call("desk", "GET", f"{collection}/export?format=csv")
    client.call("desk", "DELETE", collection)
    saved = client.call("desk", "POST", "/v1/searches", {"name": name, "q": archive.question()})
    saved_search = f"/v1/searches/{json.loads(saved or b'')['id']}"
    client.call("desk", "GET", f"{saved_search}/feed")
    told = json.loads(client.call("desk", "POST", "/v1/alerts") or b"")
    client.call("desk", "POST", "/v1/alerts/delivered", {"until": told["until"]})
    client.call("desk", "DELETE", saved_search)
    archive.stopping.wait(_BETWEEN_DESKS_S)


def back_up(folder: Path, archive: Archive) -> None:
    """`nutgraf backup` of the store that is served."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as target:
        made = subprocess.run(
            [sys.executable, "-m", "search", "backup", f"{target}/b", "--store", str(folder)],
            cwd=HERE.parents[1],
            capture_output=True,
            text=True,
        )
    assert made.returncode == 0, f"backup: {made.stderr}"
    archive.count("backup")
    archive.stopping.wait(_BETWEEN_BACKUPS_S)


def _go_on(once: Callable[[], None], archive: Archive, name: str) -> None:
    """Until it is over or something is wrong."""
    while not archive.stopping.is_set():
        try:
            once()
        except Exception as error:  # of whatever kind: the others go on, and it is told at the end
            if archive.stopping.is_set() and isinstance(error, OSError):
                return
            archive.complain(f"{name}: {error or type(error).__name__}")
            return


@contextlib.contextmanager
def clients_at_work(folder: Path, port: int, archive: Archive) -> Iterator[None]:
    """All clients, each in a thread, until the block ends."""
    work: list[tuple[str, Callable[[Client], None]]] = [
        *[("searcher", search)] * _SEARCHERS,
        ("feeder", feed),
        ("desk", keep_a_desk),
    ]
    clients = [Client(port, archive, seed) for seed in range(len(work))]
    threads = [
        threading.Thread(target=_go_on, args=(lambda d=does, c=client: d(c), archive, name))
        for (name, does), client in zip(work, clients, strict=True)
    ]
    threads.append(
        threading.Thread(target=_go_on, args=(lambda: back_up(folder, archive), archive, "backup"))
    )
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        archive.stopping.set()
        for thread in threads:
            thread.join()
        for client in clients:
            client.close()


# ------------------------------------------------------------------------------ what is seen


@dataclass(frozen=True, slots=True)
class Sample:
    """The server from outside, at one moment."""

    at_s: float
    requests: int  # answered so far
    anonymous_mib: float  # of the server itself, the least since the sample before
    resident_mib: float
    pss_mib: float
    children_mib: float  # anonymous
    files: int
    threads: int
    log_bytes: int  # the most since the sample before
    store_bytes: int  # without the log
    articles: int
    pending: int
    bad_rows: int


@dataclass(slots=True)
class Watch:
    """Looks at a server and its store."""

    server: Server
    folder: Path
    archive: Archive
    samples: list[Sample] = field(default_factory=list)
    written: int = 0  # looks that saw a new segment
    replaced: int = 0  # looks that saw one gone: others came in its place before
    _segments: frozenset[str] = frozenset()

    def watch(self, seconds: float) -> None:
        """A sample every ten seconds, and looks between them."""
        began_s = time.monotonic()
        self._segments = self._segments_now()
        while time.monotonic() - began_s < seconds and not self.archive.broken:
            anonymous, log_bytes = [], []
            until = time.monotonic() + _SAMPLE_S
            while time.monotonic() < until:
                time.sleep(_LOOK_S)
                anonymous.append(_memory(self.server.pid)["Anonymous"])
                log_bytes.append(size_bytes(self.folder / f"{store_folder.DATABASE}-wal"))
                self._look_at_segments()
            self.samples.append(
                self._sample(time.monotonic() - began_s, min(anonymous), max(log_bytes))
            )
            print(_line(self.samples[-1]), flush=True)

    def _sample(self, at_s: float, anonymous_mib: float, log_bytes: int) -> Sample:
        process = Path(f"/proc/{self.server.pid}")
        memory = _memory(self.server.pid)
        metrics = _metrics(self.server.port)
        return Sample(
            at_s=at_s,
            requests=self.archive.requests,
            anonymous_mib=anonymous_mib,
            resident_mib=memory["Rss"],
            pss_mib=memory["Pss"],
            children_mib=sum(_memory(child)["Anonymous"] for child in _children(self.server.pid)),
            files=len(list((process / "fd").iterdir())),
            threads=len(list((process / "task").iterdir())),
            log_bytes=log_bytes,
            store_bytes=stored_bytes(self.folder),
            articles=int(metrics["nutgraf_store_articles"]),
            pending=int(metrics["nutgraf_store_pending"]),
            bad_rows=int(metrics["nutgraf_store_bad_rows"]),
        )

    def _look_at_segments(self) -> None:
        now = self._segments_now()
        self.written += bool(now - self._segments)
        self.replaced += bool(self._segments - now)
        self._segments = now

    def _segments_now(self) -> frozenset[str]:
        return frozenset(path.name for path in (self.folder / store_folder.SEGMENTS).glob("*.seg"))


def _memory(pid: int) -> dict[str, float]:
    """MiB by kind, as the kernel has them; of a process that has ended, nothing."""
    try:
        said = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        said = ""
    kinds = dict.fromkeys(("Rss", "Pss", "Anonymous"), 0.0)
    return kinds | {
        kind: int(kib) / 1024 for kind, kib in re.findall(r"^(\w+): +(\d+) kB$", said, re.M)
    }


def _children(pid: int) -> list[int]:
    """Of all threads of a process."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # a thread that has ended
            found += map(int, (task / "children").read_text().split())
    return found


def _metrics(port: int) -> dict[str, float]:
    """Those without a label."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        said = connection.getresponse().read().decode()
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", said, re.M)}


def stored_bytes(folder: Path) -> int:
    """Of the database, the word index and the segments."""
    return sum(
        size_bytes(folder / part)
        for part in (store_folder.DATABASE, store_folder.WORDS, store_folder.SEGMENTS)
    )


def live_bytes(articles: Sequence[Article], folder: Path) -> int:
    """What these articles take in a new store, made in `folder`."""
    lines = BytesIO("".join(f"{json.dumps(article)}\n" for article in articles).encode())
    chance = np.random.default_rng(0)
    with Writer(folder) as writer:
        writer.add([record for _, record in read_ndjson(lines) if isinstance(record, SourceRecord)])
        waiting = writer.waiting_texts(writer.waiting_order(-1))
        # Not of a model: a vector takes the same bytes whatever it says.
        vectors = chance.standard_normal((len(waiting), _DIM)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        writer.store_embeddings(waiting, vectors, writer.fingerprint)
        writer.publish()
    return stored_bytes(folder)


# -------------------------------------------------------------------------------- the judgement


@dataclass(frozen=True, slots=True)
class Soak:
    """What was seen of a server that worked for a while."""

    samples: tuple[Sample, ...]
    warm_up_s: float
    live_bytes: int
    written: int
    replaced: int
    answered: Counter[str]
    errors: tuple[str, ...]
    exit_status: int

    @property
    def warm(self) -> tuple[Sample, ...]:
        return tuple(sample for sample in self.samples if sample.at_s > self.warm_up_s)

    @property
    def mib_in_10_000(self) -> float:
        """How memory grows: the median slope. NaN with less than two samples."""
        return 10_000 * median_slope(
            [sample.requests for sample in self.warm],
            [sample.anonymous_mib for sample in self.warm],
        )

    @property
    def more_files(self) -> float:
        return _more([sample.files for sample in self.warm])

    @property
    def more_threads(self) -> float:
        return _more([sample.threads for sample in self.warm])

    @property
    def most_log_bytes(self) -> int:
        return max(sample.log_bytes for sample in self.samples)

    @property
    def times_live(self) -> float:
        return self.samples[-1].store_bytes / self.live_bytes

    def promises(self) -> dict[str, bool]:
        """Whether each was kept."""
        return {
            f"memory grows by <= {MOST_MIB_IN_10_000} MiB in 10,000 requests": (
                self.mib_in_10_000 <= MOST_MIB_IN_10_000
            ),
            "segments were replaced": self.replaced > 0,
            **self.promises_of_any_length(),
        }

    def promises_of_any_length(self) -> dict[str, bool]:
        """Those that a short run can tell as well."""
        articles = [sample.articles for sample in self.samples]
        return {
            "open files are flat": self.more_files <= MORE_FILES,
            "threads are flat": self.more_threads <= MORE_THREADS,
            "the log has <= 64 MiB": self.most_log_bytes <= MOST_LOG_BYTES,
            f"the store has <= {MOST_TIMES_LIVE} x live bytes": self.times_live <= MOST_TIMES_LIVE,
            "answers are right and none is an error": not self.errors,
            "no row is damaged": not any(sample.bad_rows for sample in self.samples),
            "as many articles at the end": abs(articles[-1] - articles[0]) <= _COMING_AND_GOING,
            "segments were written": self.written > 0,
            "it ended well when told to": self.exit_status == 0,
        }


def _last_trace(log: str) -> str:
    """The end of the server's last traceback; without one, of its log."""
    before, _, trace = log.rpartition("Traceback (most recent call last)")
    lines = re.split(r"\n(?=\d{4}-\d\d-\d\d )", trace)[0] if before else trace
    return f"the server's log: ... {lines[-3000:]}"


def median_slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The median of the slopes between any two points (Theil-Sen). NaN: there are none."""
    xs, ys = np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)
    first, second = np.triu_indices(len(xs), 1)
    apart = xs[second] != xs[first]
    if not apart.any():
        return float("nan")
    slopes = (ys[second] - ys[first])[apart] / (xs[second] - xs[first])[apart]
    return float(np.median(slopes))


def _more(counts: Sequence[int]) -> float:
    """How many more there are in the last third than in the first, in the middle of each."""
    if not counts:
        return float("nan")
    third = max(len(counts) // 3, 1)
    return float(np.median(counts[-third:]) - np.median(counts[:third]))


def soak(folder: Path, *, seconds: float, warm_up_s: float, articles: int) -> Soak:
    """Serve a new store under `folder` for so many seconds, and judge what was seen of it."""
    archive = Archive(Press(seed=1))
    archive.live = {made["id"]: made for made in (archive.article() for _ in range(articles))}
    build(folder / "store", list(archive.live.values()))
    with Server(folder / "store", folder / "log") as server:
        server.ready_s()
        watch = Watch(server, folder / "store", archive)
        print(_HEAD)
        with clients_at_work(folder / "store", server.port, archive):
            watch.watch(seconds)
        exit_status = server.stop()
    if archive.broken:
        archive.complain(_last_trace((folder / "log").read_text()))
    return Soak(
        samples=tuple(watch.samples),
        warm_up_s=warm_up_s,
        live_bytes=live_bytes(list(archive.live.values()), folder / "fresh"),
        written=watch.written,
        replaced=watch.replaced,
        answered=archive.answered,
        errors=tuple(archive.broken),
        exit_status=exit_status,
    )


# ------------------------------------------------------------------ by hand

_HEAD: Final = (
    "  at s requests anon MiB  rss MiB  pss MiB kids MiB files threads log MiB store MiB "
    "articles pending"
)


def _line(seen: Sample) -> str:
    return (
        f"{seen.at_s:6.0f} {seen.requests:8} {seen.anonymous_mib:8.1f} {seen.resident_mib:8.1f} "
        f"{seen.pss_mib:8.1f} {seen.children_mib:8.1f} {seen.files:5} {seen.threads:7} "
        f"{seen.log_bytes / 2**20:7.1f} {seen.store_bytes / 2**20:9.1f} {seen.articles:8} "
        f"{seen.pending:7}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=9, help="at work [9]")
    parser.add_argument("--articles", type=int, default=600, help="that are live [600]")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        seen = soak(
            folder,
            seconds=60 * arguments.minutes,
            warm_up_s=WARM_UP_S,
            articles=arguments.articles,
        )
    finally:
        shutil.rmtree(folder)
    return _judge(seen)


def _judge(seen: Soak) -> int:
    for what, count in sorted(seen.answered.items()):
        print(f"{what:18} {count:7}")
    print(f"memory   {seen.mib_in_10_000:+8.2f} MiB in 10,000 requests")
    print(f"files    {seen.more_files:+8.0f}")
    print(f"threads  {seen.more_threads:+8.0f}")
    print(f"log      {seen.most_log_bytes / 2**20:8.1f} MiB at most")
    print(f"store    {seen.times_live:8.2f} times the live {seen.live_bytes / 2**20:.1f} MiB")
    print(f"segments {seen.written:8} times written, {seen.replaced} times others in their place")
    for error in seen.errors:
        print(f"WRONG    {error}")
    broken = [promise for promise, is_kept in seen.promises().items() if not is_kept]
    for promise in broken:
        print(f"BROKEN   {promise}")
    print(
        f"total    {sum(seen.answered.values())} requests in {seen.samples[-1].at_s:.0f} s; "
        f"{len(broken)} promises broken"
    )
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
