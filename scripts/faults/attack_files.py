"""Attacks by files that an editor was sent: bombs, and documents that reach for other files.

Each file is read in a process of its own, whose memory and time are measured.
"""

import gzip
import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import zstandard
from victim import ROOT, Attack, Victim

# Beyond what the readers themselves take: a record and a document may be large, see `Limits`.
MOST_MIB = 256
LONGEST_S = 20.0
_READ = """
import io, resource, sys, time
from index.errors import BadArticleError
from index.preparing import prepare
from index.reading import read_stream
from index.formats import html_page
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
data = sys.stdin.buffer.read()
before += len(data) // 1024 * 2
for result in read_stream(io.BytesIO(data), name=sys.argv[1]):
    if isinstance(result, BadArticleError):
        print("error", result)
        continue
    try:
        print("text", prepare(result).article.text[:500].encode("unicode_escape").decode())
    except BadArticleError as error:
        print("error", error)
used = resource.getrusage(resource.RUSAGE_SELF)
print("used", (used.ru_maxrss - before) // 1024, used.ru_utime)
"""


def _read(name: str, make: Callable[[], bytes], *, secret: str = "root:") -> Attack:
    """A file that is read or refused within bounds, and tells nothing of other files."""

    def attack(_: Victim) -> str:
        try:
            process = subprocess.run(
                [sys.executable, "-c", _READ, name],
                input=make(),
                capture_output=True,
                cwd=ROOT,
                timeout=300,
            )
        except subprocess.TimeoutExpired:
            return "it is still being read"
        said = process.stdout.decode("utf-8", "replace")
        *lines, used = said.splitlines() or [""]
        if process.returncode or not used.startswith("used"):
            return process.stderr.decode("utf-8", "replace")[-500:]
        _, mib, seconds = used.split()
        if int(mib) > MOST_MIB or float(seconds) > LONGEST_S:
            return f"reading took {mib} MiB and {seconds} s"
        return f"it holds {secret}" if secret in "".join(lines) else ""

    return attack


_ZEROS = b" " * 2**20


def _gzip_bomb(mib: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(mib):
            file.write(_ZEROS)
    return packed.getvalue()


def _zip_of(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "."), data)
    return packed.getvalue()


def _zip_bomb() -> bytes:
    """A zip of zips of a mebibyte each, ten deep in breadth: a thousand times its size."""
    inner = _zip_of(**{f"a{number}_txt": _ZEROS * 16 for number in range(16)})
    return _zip_of(**{f"b{number}_zip": inner for number in range(64)})


def _overlapping_zip() -> bytes:
    """Many entries that share one member's bytes (David Fifield, WOOT 2019)."""
    data = bytearray(_zip_of(a_txt=_ZEROS * 16))
    at = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry, tail = bytes(data[at:end]), bytearray(data[end:])
    count = 2000
    tail[8:12] = count.to_bytes(2, "little") * 2
    tail[12:16] = (len(entry) * count).to_bytes(4, "little")
    return bytes(data[:at]) + entry * count + bytes(tail)


def _tar_of(info: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(info)
    return packed.getvalue()


def _link_out(kind: bytes) -> bytes:
    info = tarfile.TarInfo("a.txt")
    info.type, info.linkname = kind, "/etc/passwd"
    return _tar_of(info)


_LAUGHS = "".join(
    f'<!ENTITY l{number} "{f"&l{number - 1};" * 10 if number else "ha"}">' for number in range(12)
)
_FEED = "<rss><channel><item><description>{}</description></item></channel></rss>"
_OUTSIDE = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
_INCLUDED = (
    '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" href="/etc/passwd"/>'
)
_PAGE = (
    "<html><head><title>T</title>{}</head>"
    "<body><p>{} It sails at dawn, they said.</p></body></html>"
)


ATTACKS: Mapping[str, Attack] = {
    "a gzip bomb": _read("a.jsonl.gz", lambda: _gzip_bomb(400)),
    "a gzip bomb of a feed": _read("a.xml.gz", lambda: gzip.compress(b"<rss>" + _ZEROS * 60)),
    "gzip in gzip in gzip": _read("a.gz", lambda: gzip.compress(gzip.compress(_gzip_bomb(400)))),
    "a Zstandard bomb": _read(
        "a.jsonl.zst", lambda: zstandard.ZstdCompressor().compress(_ZEROS * 400)
    ),
    "a Zstandard window of 2 GiB": _read(
        "a.zst", lambda: b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x01\x00\x00" * 100
    ),
    "a zip bomb": _read("a.zip", _zip_bomb),
    "a zip whose members overlap": _read("a.zip", _overlapping_zip),
    "names in a zip that climb": _read(
        "a.zip",
        lambda: _zip_of(**{"../../../../etc/passwd": b"A text that climbs."}),
        secret="root:x",
    ),
    "a link in a tar": _read("a.tar", lambda: _link_out(tarfile.SYMTYPE)),
    "a hard link in a tar": _read("a.tar", lambda: _link_out(tarfile.LNKTYPE)),
    "an xz file": _read("a.xz", lambda: b"\xfd7zXZ\0" + b"\0" * 100),
    "a billion laughs": _read(
        "a.xml",
        lambda: f"<!DOCTYPE r [{_LAUGHS}]>{_FEED.format('&l11;')}".encode(),
        secret="hahaha",
    ),
    "an entity from outside in a feed": _read(
        "a.xml", lambda: (_OUTSIDE + _FEED.format("&x;")).encode()
    ),
    "an entity in UTF-16": _read(
        "a.xml", lambda: (_OUTSIDE + _FEED.format("&x;")).encode("utf-16")
    ),
    "an inclusion in a feed": _read("a.xml", lambda: _FEED.format(_INCLUDED).encode()),
    "an entity from outside in a page": _read(
        "a.html", lambda: (_OUTSIDE + _PAGE.format("", "&x;" + _INCLUDED)).encode()
    ),
    "a page's own base and frames": _read(
        "a.html",
        lambda: _PAGE.format(
            "<base href=file:///etc/><link rel=import href=passwd>", "<iframe src=passwd></iframe>"
        ).encode(),
    ),
}
