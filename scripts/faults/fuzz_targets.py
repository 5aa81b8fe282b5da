"""What is fuzzed: everything that turns bytes from outside into something of ours.

A target takes any bytes and returns; what its reader may raise it catches by name, so whatever
comes out is a fault. Seeds are made of our samples and of a few lines for each notation.
"""

import gzip
import io
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import zstandard  # noqa: E402

from index.article import Origin, SourceRecord  # noqa: E402
from index.dates import find_date_line, parse_published  # noqa: E402
from index.errors import BadArticleError, BadQueryError  # noqa: E402
from index.formats.html_page import read_html_page  # noqa: E402
from index.formats.json_ld import read_json_ld  # noqa: E402
from index.formats.limits import DEFAULT_LIMITS  # noqa: E402
from index.formats.plain_text import read_plain_text  # noqa: E402
from index.formats.xml_feed import read_xml_feed  # noqa: E402
from index.preparing import prepare  # noqa: E402
from index.reading import read_stream  # noqa: E402
from search.cursors import Cursor  # noqa: E402
from search.desk import collection_file  # noqa: E402
from search.desk.batch_questions import Layout, read_questions  # noqa: E402
from search.filters import Filters  # noqa: E402
from search.http.bodies import read_json, read_ndjson  # noqa: E402
from search.http.problems import ProblemError  # noqa: E402
from search.query import Mode, parse  # noqa: E402
from search.references.text_fragment import link_to_text  # noqa: E402
from search.time_expressions import time_expressions  # noqa: E402

SAMPLE = ROOT / "sample"
_TODAY = date(2025, 3, 14)
_ORIGIN = Origin("fuzz", 1)
# By the first byte of an input: what the rest is called.
_NAMES = ("a", "a.jsonl", "a.json", "a.csv", "a.txt", "a.html", "a.xml", "a.tar", "a.gz", "a.zip")


@dataclass(frozen=True, slots=True)
class Target:
    """Something to fuzz. `share`: of all runs; slow readers have fewer of them."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    share: float
    max_bytes: int


def _prepare(record: SourceRecord | BadArticleError) -> None:
    """Clean and cut up what was read, as adding it would."""
    if isinstance(record, BadArticleError):
        return
    try:
        prepared = prepare(record)
    except BadArticleError:
        return
    text = prepared.article.text
    for passage in prepared.passages:
        assert text[passage.start : passage.end] == passage.text, "a span is not its text"
    for run in prepared.runs:
        written = record.body[run.body_start : run.body_start + run.length]
        assert text[run.start : run.start + run.length] == written, "a run leads elsewhere"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _read_any(data: bytes) -> None:
    name = _NAMES[data[0] % len(_NAMES)] if data else "a"
    for record in read_stream(io.BytesIO(data[1:]), name=name):
        _prepare(record)


def _read_packed(data: bytes) -> None:
    """The fuzzer cannot make checksums: bytes are packed for it, then one of them is changed."""
    if len(data) < 4:
        return
    how, place, change, content = data[0], data[1] * 256 + data[2], data[3], data[4:]
    packed = bytearray(_PACKINGS[how % len(_PACKINGS)](_NAMES[how // 16 % len(_NAMES)], content))
    if packed:
        packed[place % len(packed)] ^= change
    for _ in read_stream(io.BytesIO(packed), name="a"):
        pass


def _zip(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), content)
        archive.writestr(zipfile.ZipInfo("b.txt"), b"Another text.")
    return file.getvalue()


def _tar(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member, data in ((name, content), ("b.txt", b"Another text.")):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def _gzip(_: str, content: bytes) -> bytes:
    return gzip.compress(content, 1, mtime=0)


def _zstd(_: str, content: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(content)


_PACKINGS = (
    _zip,
    _tar,
    _gzip,
    _zstd,
    lambda name, content: _gzip(name, _tar(name, content)),
    lambda name, content: _zip("a.zip", _zip(name, content)),
    lambda name, content: _zstd(name, _gzip(name, content)),
    lambda name, content: content,
)


def _read_page(data: bytes) -> None:
    try:
        _prepare(read_html_page(data, _ORIGIN))
    except BadArticleError:
        return


def _read_json_ld(data: bytes) -> None:
    read_json_ld(_text(data).split("\x1e"))


def _read_feed(data: bytes) -> None:
    for record in read_xml_feed(data, "fuzz", DEFAULT_LIMITS):
        _prepare(record)


def _read_text(data: bytes) -> None:
    try:
        _prepare(read_plain_text(data, _ORIGIN))
    except BadArticleError:
        return


def _read_named(name: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        for record in read_stream(io.BytesIO(data), name=name):
            _prepare(record)

    return read


def _read_body(data: bytes) -> None:
    try:
        read = read_ndjson if data[:1] == b"n" else read_json
        for _, record in read(io.BytesIO(data[1:])):
            _prepare(record)
    except ProblemError as error:
        if error.problem.status >= 500:
            raise


def _ask(data: bytes) -> None:
    mode = [*Mode][data[0] % len(Mode)] if data else Mode.PLAIN
    try:
        parse(_text(data[1:]), mode=mode, today=_TODAY)
    except BadQueryError:
        return


def _tell_the_time(data: bytes) -> None:
    text = _text(data)
    for found in time_expressions(text, _TODAY):
        assert 0 <= found.span[0] < found.span[1] <= len(text), "a time expression lies elsewhere"
    find_date_line(text)
    try:
        parse_published(text)
    except ValueError:
        return


def _filter(data: bytes) -> None:
    parts = _text(data).split("\x1e")
    parts += [""] * (4 - len(parts))
    days = {"published_from": parts[0], "published_to": parts[1]}
    try:
        Filters.parse(outlet=parts[2:3], byline=parts[3:], **days)
    except BadQueryError:
        return


def _take_up(data: bytes) -> None:
    try:
        cursor = Cursor.decode(_text(data))
    except BadQueryError:
        return
    assert cursor.encode() == _text(data), "two cursors for one place"


def _take_in(data: bytes) -> None:
    try:
        file = collection_file.parsed(data, "fuzz")
    except BadQueryError:
        return
    for mark in file.marks:
        mark.marked()


def _read_batch(data: bytes) -> None:
    layout = (None, *Layout)[data[0] % (len(Layout) + 1)] if data else None
    try:
        for _ in read_questions(io.BytesIO(data[1:]), "fuzz", layout):
            pass
    except BadQueryError:
        return


def _link(data: bytes) -> None:
    if len(data) < 4:
        return
    text = data[4:].decode("utf-8", "replace")  # of an article: it has no lone surrogates
    start = (data[0] * 256 + data[1]) % (len(text) + 1)
    end = min(start + data[2] * 4 + data[3], len(text))
    link_to_text("https://courier.example/a#b", text, start, end)


def warm_up() -> None:
    """Load what is loaded when it is first needed, so that no input is charged for it."""
    for page in _small_pages():
        _read_page(page)
    for text in _files("pasted/*.txt"):
        _read_text(text)
    for time in _TIMES:
        _tell_the_time(time.encode())
    for feed in _feeds():
        _read_feed(feed)


# ----------------------------------------------------------------------------- seeds


def _files(*patterns: str) -> Iterator[bytes]:
    for pattern in patterns:
        for path in sorted(SAMPLE.glob(pattern)):
            yield path.read_bytes()


def _wire() -> Iterator[bytes]:
    lines = (SAMPLE / "wire.jsonl").read_bytes().splitlines(keepends=True)
    for at in range(0, len(lines), 3):
        yield b"".join(lines[at : at + 3])


def _json() -> Iterator[bytes]:
    for some in _wire():
        objects = b",".join(some.splitlines())
        yield b"[" + objects + b"]"
        yield b'{"version": "https://jsonfeed.org/version/1.1", "items": [' + objects + b"]}"


_TABLE = (
    b'id,headline,text,published\n1,"Ferry, back","It sails ""again"".\nAt dawn.",2025-03-14\n'
    b"2,Trams,The first tram ran.,14/03/2025\n"
)
_TABLES = (_TABLE, _TABLE.replace(b",", b";"), _TABLE.decode().encode("utf-16"))
_QUESTIONS = (
    "When does the ferry sail?",
    '"outer mole" AND (harbour OR port*) NOT ferry NEAR/5 storm',
    "headline:storm outlet:'The Islander' after:2019 before:2020-03 -tram",
    "(a OR (b AND (c OR -d))) NEAR/3 e",
    "what was said between March 2019 and last Friday about 3 < 4?",
    "“ferry sails” «Zählung» 漁港 hafen? published:2025-03",
)
_TIMES = (
    *("yesterday", "in the last three weeks", "between May 2019 and 2 June 2020", "since 1963"),
    *("Fri, 14 Mar 2025 19:12:00 +0100", "14.03.2025", "2025-03-14T19:12Z", "3/14/25 7:12 PM EST"),
    *("vor drei Tagen", "le 14 mars 2025", "Published: March 14, 2025 at 7.12pm", "２０２５年３月"),
)
_JSON_LD = (
    b'{"@context": "https://schema.org", "@type": ["NewsArticle"], "headline": "Ferry back", '
    b'"author": [{"@id": "#a"}, {"@type": "Person", "name": "Ana Duarte"}], "datePublished": '
    b'"2025-03-14T19:12+01:00", "publisher": {"name": "Courier"}, "inLanguage": "en"}'
)


def _cursors() -> Iterator[bytes]:
    yield Cursor("17-3", _TODAY, "0f6b2c9d1e5a77aa", "0f6b2c9d1e5a77aa", 10).encode().encode()
    yield Cursor("", _TODAY, "", "", 0).encode().encode()


def _with_first(first: bytes, seeds: Iterable[bytes]) -> Iterator[bytes]:
    return (first + seed for seed in seeds)


def _any() -> Iterator[bytes]:
    yield from _with_first(b"\1", _wire())
    yield from _with_first(b"\2", _json())
    yield from _with_first(b"\3", _TABLES)
    yield from _with_first(b"\4", _files("pasted/*.txt"))
    yield from _with_first(b"\6", _feeds())
    for packing in _PACKINGS:
        yield b"\0" + packing("a.jsonl", next(_wire()))


def _packed() -> Iterator[bytes]:
    for how in range(len(_PACKINGS)):
        yield bytes([16 + how, 0, 0, 0]) + next(_wire())
        yield bytes([48 + how, 0, 9, 1]) + _TABLE


_ENTRY = (
    "<title>Ferry &amp; storm</title><link>https://courier.example/1</link>"
    "<pubDate>Fri, 14 Mar 2025 19:12:00 +0100</pubDate><dc:creator>Ana Duarte</dc:creator>"
)
_FEEDS = (
    f'<?xml version="1.0"?><rss version="2.0" xmlns:dc="urn:x"><channel><title>Courier</title>'
    f"<item>{_ENTRY}<description><![CDATA[<p>It sails.</p>]]></description></item>"
    f"<item>{_ENTRY}<description>&lt;b&gt;Trams&lt;/b&gt;</description></item></channel></rss>",
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Islander</title>'
    "<entry><id>tag:i,2024:9</id><updated>2025-03-14T19:12:00Z</updated><author><name>A</name>"
    '</author><content type="xhtml"><div>It <i>sails</i>.</div></content></entry></feed>',
    '<!DOCTYPE rss [<!ENTITY a "aaa">]><rss><channel><item><title>&a;</title></item>'
    "</channel></rss>",
)


def _feeds() -> Iterator[bytes]:
    for feed in _FEEDS:
        yield feed.encode()
        yield feed.encode("utf-16")


def _small_pages() -> Iterator[bytes]:
    page = (
        '<html lang="en"><head><title>Ferry back | Courier</title><meta property="og:site_name" '
        'content="Courier"><meta name="date" content="2025-03-14"><script '
        f'type="application/ld+json">{_JSON_LD.decode()}</script></head>'
        "<body><nav><a href=/>Home</a></nav><article><h1>Ferry back</h1>"
        f"<p>By Ana Duarte</p>{'<p>The ferry sails at dawn again, they said.</p>' * 4}"
        "</article><table><tr><td>1<br>2</table></body></html>"
    )
    yield page.encode()
    yield page.encode("utf-16")


def _encoded(lines: tuple[str, ...], first: bytes = b"") -> Callable[[], Iterator[bytes]]:
    return lambda: (first + line.encode() for line in lines)


def _batches() -> Iterator[bytes]:
    yield b"\1id,question,outlet,mode\n1,When does it sail?,Courier;Islander,plain\n"
    yield b'\2{"question": "When does it sail?", "outlet": ["Courier"], "from": "2019"}\n'
    yield b"\3When does the ferry sail?\n\nWho votes?\n"


def _collections() -> Iterator[bytes]:
    yield collection_file.CollectionFile(**collection_file.EXAMPLE_FILE).model_dump_json().encode()


def _links() -> Iterator[bytes]:
    for text in _files("pasted/*.txt"):
        yield b"\0\x20\x10\0" + text[:2000]
        yield b"\1\0\0\5" + text[:2000]


def _bodies() -> Iterator[bytes]:
    yield from _with_first(b"n", _wire())
    yield from _with_first(b"j", _json())


TARGETS = {
    "any": Target(_read_any, _any, 0.04, 16_384),
    "packed": Target(_read_packed, _packed, 0.04, 8_192),
    "page": Target(_read_page, _small_pages, 0.02, 8_192),
    "json-ld": Target(_read_json_ld, lambda: iter([_JSON_LD]), 0.10, 8_192),
    "feed": Target(_read_feed, _feeds, 0.04, 8_192),
    "text": Target(_read_text, lambda: _files("pasted/*.txt"), 0.04, 8_192),
    "jsonl": Target(_read_named("a.jsonl"), _wire, 0.04, 8_192),
    "json": Target(_read_named("a.json"), _json, 0.04, 8_192),
    "csv": Target(_read_named("a.csv"), lambda: iter(_TABLES), 0.05, 8_192),
    "body": Target(_read_body, _bodies, 0.06, 8_192),
    "question": Target(_ask, _encoded(_QUESTIONS, b"\0"), 0.12, 2_001),
    "time": Target(_tell_the_time, _encoded(_TIMES), 0.10, 512),
    "filter": Target(_filter, _encoded(("2019\x1e2020-03\x1eCourier\x1eA",)), 0.08, 512),
    "cursor": Target(_take_up, _cursors, 0.08, 512),
    "collection": Target(_take_in, _collections, 0.08, 8_192),
    "batch": Target(_read_batch, _batches, 0.03, 4_096),
    "link": Target(_link, _links, 0.04, 4_096),
}
