"""A client of a server that may die at any moment, and the ledger of what it was answered."""

import copy
import http.client
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from oracle import Model, Shown, record

from index.article import SourceRecord

_MOST_ARTICLES = 40  # of one client; more are removed again


class BrokenPromiseError(AssertionError):
    """The server said something that it must not say."""


class _NoAnswerError(Exception):
    """The server is gone; whether the request was carried out is open."""


@dataclass(slots=True)
class Ledger:
    """What a client's articles and its desk must be."""

    model: Model = field(default_factory=Model)
    marks: dict[str, str] = field(default_factory=dict)  # article, note
    searches: set[str] = field(default_factory=set)  # names

    def copy(self) -> "Ledger":
        return Ledger(self.model.copy(), dict(self.marks), copy.copy(self.searches))


@dataclass(frozen=True, slots=True)
class _Request:
    """What is sent, and what the ledger says when it was answered."""

    method: str
    path: str
    body: object = None
    key: str | None = None
    records: tuple[SourceRecord, ...] = ()


class Client:
    """Does one thing after another to its own articles, collection and searches."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.sure = Ledger()
        self.perhaps: Ledger | None = None  # when the request that is under way was carried out
        self.acknowledged: dict[str, int] = {}
        self.broken: list[str] = []
        self._cut_off: tuple[str, _Request] | None = None
        self._random = random.Random(seed)
        self._names = 0
        self._sent: dict[str, tuple[SourceRecord, ...]] = {}
        self._collection = ""

    def work(self, port: int) -> None:
        """Go on until the server is gone; what it breaks is in `broken`."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            self._repeat_what_was_cut_off()
            while True:
                self._do_something()
        except _NoAnswerError:
            pass
        except Exception as error:  # of whatever kind: the others go on, and it is told at the end
            self.broken.append(f"{self.name}: {error or type(error).__name__}")
        finally:
            self._connection.close()

    def settle(self, shown: Shown, marks: Mapping[str, str], searches: set[str]) -> None:
        """Hold what a store shows of this client's against the ledger, and choose the one it is.

        Raises:
            BrokenPromiseError: something was lost, came back, or is there by half.
        """
        wrong = []
        for ledger in filter(None, (self.sure, self.perhaps)):
            model = ledger.model.copy()
            model.forget_which_are_embedded()
            difference = model.differs_from(shown)
            if marks != ledger.marks:
                difference += f" marks {marks}, expected {ledger.marks}"
            if searches != ledger.searches:
                difference += f" searches {searches}, expected {ledger.searches}"
            if not difference:
                self.sure, self.perhaps = ledger, None
                return
            wrong.append(difference)
        raise BrokenPromiseError(f"{self.name}: {' / '.join(wrong)}")

    # -------------------------------------------------------------- what is done

    def _do_something(self) -> None:
        live = list(self.sure.model.live)
        if len(live) > _MOST_ARTICLES:
            self._remove(self._random.choice(live))
            return
        steps = [self._add, self._add, self._add_again, self._save_or_forget]
        if live:
            steps += [self._replace, self._ask, self._ask, self._mark_or_unmark]
            steps += [lambda: self._remove(self._random.choice(live))]
        self._random.choice(steps)()

    def _add(self) -> None:
        ids = [f"{self.name}-{self._random.randrange(10**9)}" for _ in range(2)]
        gone = [key for key in self.sure.model.last_version if key not in self.sure.model.live]
        self._send_records("add", self._records([*ids, *gone[:1]]))

    def _replace(self) -> None:
        chosen = self._random.choice(list(self.sure.model.live))
        self._send_records("replace", self._records([chosen]))

    def _add_again(self) -> None:
        """A request that was answered before, with its key: the same answer and no change."""
        if self._sent:
            key = self._random.choice(list(self._sent))
            self._change("add again", _put(self._sent[key], key))

    def _send_records(self, what: str, records: tuple[SourceRecord, ...]) -> None:
        key = f"{self.name}-{self._names}"
        self._change(what, _put(records, key))
        self._sent[key] = records
        if len(self._sent) > 5:
            del self._sent[next(iter(self._sent))]

    def _remove(self, article: str) -> None:
        self._change("remove", _Request("DELETE", f"/v1/articles/{quote(article, safe='')}"))

    def _mark_or_unmark(self) -> None:
        live = [key for key in self.sure.model.live if key not in self.sure.marks]
        if self.sure.marks and (not live or self._random.randrange(3) == 0):
            article = self._random.choice(list(self.sure.marks))
            numbers = {mark["article_id"]: mark["number"] for mark in self._marks()}
            path = f"/v1/collections/{self._collection}/marks/{numbers[article]}"
            self._change("unmark", _Request("DELETE", path, article))
        elif live:
            if not self._collection:
                made = self._call(_Request("POST", "/v1/collections", {"name": self.name}))
                self._collection = made["id"]
            body = {"article": self._random.choice(live), "note": f"note {self._names}"}
            path = f"/v1/collections/{self._collection}/marks"
            self._change("mark", _Request("POST", path, body))

    def _save_or_forget(self) -> None:
        if len(self.sure.searches) < 3:
            name = f"{self.name} search {self._random.randrange(10**6)}"
            body = {"name": name, "q": f'"tok{self.name}{self._random.randrange(100)}"'}
            self._change("save", _Request("POST", "/v1/searches", body))
            return
        name = self._random.choice(sorted(self.sure.searches))
        kept = self._call(_Request("GET", "/v1/searches"))["searches"]
        id_ = next(search["id"] for search in kept if search["name"] == name)
        self._change("forget", _Request("DELETE", f"/v1/searches/{id_}", name))

    def _ask(self) -> None:
        """What was added is found by its own word, and nothing else is."""
        article = self._random.choice(list(self.sure.model.live))
        word = self.sure.model.live[article][1].body.split()[1]
        query = urlencode({"q": f'"{word}"', "group": "none"})
        answer = self._call(_Request("GET", f"/v1/search?{query}"))
        found = {hit["article_id"] for hit in answer["hits"]}
        if found != {article}:
            raise BrokenPromiseError(f"{word} is found in {found}, expected {article}")
        self._count("search")

    def _marks(self) -> list[dict[str, object]]:
        found = self._call(_Request("GET", f"/v1/collections/{self._collection}"))["marks"]
        assert isinstance(found, list)
        return found

    def _records(self, ids: list[str]) -> tuple[SourceRecord, ...]:
        records = []
        for id_ in ids:
            self._names += 1
            shared = f"shared{self._random.randrange(5)}"
            records.append(record(id_, f"tok{self.name}{self._names}", shared))
        return tuple(records)

    # ------------------------------------------------------------------ requests

    def _change(self, what: str, request: _Request) -> None:
        """Send what changes the store; the ledger says which of two states it may be in."""
        self.perhaps = self.sure.copy()
        expected = _apply(self.perhaps, what, request)
        self._cut_off = (what, request)
        answer = self._call(request)
        self._cut_off = None
        self._hold(what, answer, expected)
        self.sure, self.perhaps = self.perhaps, None
        self._count(what)

    def _repeat_what_was_cut_off(self) -> None:
        """What has a key is sent again: it is carried out once, whether it was or not."""
        if self._cut_off is None:
            return
        what, request = self._cut_off
        self._cut_off = None
        if request.key:
            self._change(what, request)

    def _hold(self, what: str, answer: Mapping[str, object], expected: object) -> None:
        if expected is None:
            return
        records = answer["results"]
        assert isinstance(records, list)
        got = [(each["status"], each["article_id"], each["version"]) for each in records]
        if got != expected:
            raise BrokenPromiseError(f"{what} answered {got}, expected {expected}")

    def _call(self, request: _Request) -> dict[str, object]:
        """Its answer; what is refused before it is begun is sent again."""
        headers = {"Content-Type": "application/json"}
        if request.key:
            headers["Idempotency-Key"] = request.key
        body = json.dumps(request.body) if request.method == "POST" else None
        while True:
            try:
                self._connection.request(request.method, request.path, body, headers)
                response = self._connection.getresponse()
                said = response.read()
            except (OSError, http.client.HTTPException) as error:
                raise _NoAnswerError from error
            if response.status != 503:
                break
            time.sleep(0.1)
        if response.status >= 300:
            raise BrokenPromiseError(f"{request.method} {request.path}: {said.decode()}")
        answer = json.loads(said)
        assert isinstance(answer, dict)
        return answer

    def _count(self, what: str) -> None:
        self.acknowledged[what] = self.acknowledged.get(what, 0) + 1


def _put(records: tuple[SourceRecord, ...], key: str) -> _Request:
    body = [
        {"id": item.own_id, "headline": item.headline, "outlet": item.outlet, "text": item.body}
        for item in records
    ]
    return _Request("POST", "/v1/articles", body, key, records)


def _apply(ledger: Ledger, what: str, request: _Request) -> object:
    """Note what a request changes; returns the outcomes that an add must answer."""
    body = request.body
    match what:
        case "remove":
            ledger.model.remove([request.path.rpartition("/")[2]])
        case "mark":
            assert isinstance(body, dict)
            ledger.marks[body["article"]] = body["note"]
        case "unmark":
            assert isinstance(body, str)
            del ledger.marks[body]
        case "save":
            assert isinstance(body, dict)
            ledger.searches.add(body["name"])
        case "forget":
            assert isinstance(body, str)
            ledger.searches.remove(body)
        case _:
            return ledger.model.add(request.records, request.key)
    return None
