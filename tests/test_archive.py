"""Archives are read member by member, and none can fill the machine."""

import gzip
import io
import resource
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping

import pytest
import zstandard

from index.article import SourceRecord
from index.errors import BadArticleError
from index.formats.limits import DEFAULT_LIMITS, MIB, Limits
from index.reading import read_stream

LINES = b'{"text": "one"}\n{"text": "two"}\n{"text": "three"}\n'


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(members: Mapping[str, bytes], format_: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format_) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def read(data: bytes, name: str, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """`path:line text` of each record, or the message of its error."""
    return [
        str(r)
        if isinstance(r, BadArticleError)
        else f"{r.origin.path}:{r.origin.line} {' '.join(r.body.split())}"
        for r in read_stream(io.BytesIO(data), name=name, limits=limits)
    ]


MEMBERS = {"a.jsonl": LINES, "b/c.csv": b"id,text\n1,four\n", "b/d.txt": b"five"}
READ = ["a.jsonl:1 one", "a.jsonl:2 two", "a.jsonl:3 three", "b/c.csv:2 four", "b/d.txt:1 five"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip_members_are_read_under_the_archives_name(method: int) -> None:
    assert read(zipped(MEMBERS, method), "a.zip") == [f"a.zip!{line}" for line in READ]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.tar.zst", "unnamed"])
@pytest.mark.parametrize("format_", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_members_are_read_packed_or_not(name: str, format_: int) -> None:
    data = tarred(MEMBERS, format_)
    if name.endswith("gz"):
        data = gzip.compress(data)
    elif name.endswith("zst"):
        data = zstd(data)
    assert read(data, name) == [f"{name}!{line}" for line in READ]


@pytest.mark.parametrize(("name", "pack"), [("a.jsonl.gz", gzip.compress), ("a.jsonl.zst", zstd)])
def test_a_packed_file_keeps_its_name_and_the_lines_inside(name: str, pack: type[bytes]) -> None:
    read_lines = [f"{name}:1 one", f"{name}:2 two", f"{name}:3 three"]
    assert read(pack(LINES), name) == read_lines
    first, rest = LINES[:20], LINES[20:]
    assert read(pack(first) + pack(rest), name) == read_lines  # several frames, as pzstd writes


def test_what_is_hidden_or_judgment_or_no_file_is_passed_over() -> None:
    names = [
        "set/corpus.jsonl",
        "set/queries.jsonl",
        "set/qrels/test.tsv",
        "__MACOSX/._a",
        ".b.txt",
    ]
    data = dict.fromkeys(names, b'{"text": "one"}\n') | {"empty/": b""}
    assert read(zipped(data), "a.zip") == ["a.zip!set/corpus.jsonl:1 one"]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info in (
            tarfile.TarInfo("./dir"),
            tarfile.TarInfo("./link"),
            tarfile.TarInfo("./fifo"),
        ):
            info.type = {"./dir": tarfile.DIRTYPE, "./link": tarfile.SYMTYPE}.get(
                info.name, tarfile.FIFOTYPE
            )
            info.linkname = "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("./dir/a.jsonl")
        info.size = len(LINES)
        archive.addfile(info, io.BytesIO(LINES))
    assert read(out.getvalue(), "a.tar")[0] == "a.tar!dir/a.jsonl:1 one"
    assert len(read(out.getvalue(), "a.tar")) == 3


def test_a_name_that_cannot_be_printed_is_escaped() -> None:
    assert read(tarred({"a\nb\x1b.txt": b"x"}), "a.tar") == ["a.tar!a\\nb\\x1b.txt:1 x"]


def test_members_that_are_no_text_are_reported_and_the_rest_read() -> None:
    data = {"a.png": b"\x89PNG\r\n", "b.bin": bytes(range(32)) * 9, "c.txt": b"", "d.txt": b"yes"}
    assert read(zipped(data), "a.zip") == [
        "a.zip!a.png:1: is no text but a picture; unpack or save it as text",
        "a.zip!b.bin:1: is no text; leave it out, or save it as text",
        "a.zip!c.txt:1: is empty; remove it",
        "a.zip!d.txt:1 yes",
    ]


def test_an_encrypted_member_is_reported_and_the_rest_read() -> None:
    data = bytearray(zipped({"a.txt": b"secret", "b.txt": b"open"}))
    data[6] |= 1  # the flag of the first member, in its own header
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1  # and in the directory
    assert read(bytes(data), "a.zip") == [
        "a.zip!a.txt:1: is encrypted; unpack the archive with its password",
        "a.zip!b.txt:1 open",
    ]


def test_a_member_packed_by_lzma_is_refused_as_it_chooses_its_own_memory() -> None:
    data = zipped({"a.txt": b"x"}, zipfile.ZIP_LZMA)
    assert read(data, "a.zip") == [
        "a.zip!a.txt:1: is packed by an unusual method; pack it again as zip (deflate)"
    ]


def test_a_damaged_member_is_reported_and_the_rest_read() -> None:
    data = bytearray(zipped({"a.txt": b"aaaa", "b.txt": b"open"}, zipfile.ZIP_STORED))
    data[data.index(b"aaaa")] = 0x62
    damaged, whole = read(bytes(data), "a.zip")
    assert damaged.startswith("a.zip!a.txt:1: is damaged (Bad CRC-32")
    assert whole == "a.zip!b.txt:1 open"


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"PK\x03\x04" + b"x" * 500, zipped(MEMBERS)[:-30]])
def test_a_broken_zip_is_one_error(data: bytes) -> None:
    [error] = read(data, "a.zip")
    assert error.startswith("a.zip:1: is damaged (")


def test_the_records_before_a_truncation_are_kept() -> None:
    many = b"".join(
        b'{"text": "%s"}\n' % str(zlib.crc32(b"%d" % i)).encode() for i in range(50_000)
    )
    for name, packed in (("a.jsonl.gz", gzip.compress(many)), ("a.jsonl.zst", zstd(many))):
        *records, error = read(packed[: len(packed) * 9 // 10], name)
        assert len(records) > 30_000
        assert error == f"{name}:{len(records) + 1}: is cut short; fetch or pack it again"


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_the_members_before_a_truncation_are_kept(pack: type[bytes]) -> None:
    noise = b" ".join(str(zlib.crc32(b"%d" % i)).encode() for i in range(100_000))
    packed = pack(tarred({"a.txt": b"one", "b.txt": noise, "c.txt": b"three"}))
    first, second, *rest = read(packed[: len(packed) // 2], "a.tar.gz")
    assert first == "a.tar.gz!a.txt:1 one"
    assert second == "a.tar.gz!b.txt:1: is cut short; fetch or pack it again"
    assert rest == ["a.tar.gz:1: is cut short; fetch or pack it again"]


@pytest.mark.parametrize("end", [512 + 100, 512 * 2, 512 * 2 + 200, 512 * 3 + 1])
def test_a_tar_that_is_cut_short_or_broken_says_so(end: int) -> None:
    data = tarred({"a.txt": b"one", "b.txt": b"two"}, tarfile.USTAR_FORMAT)
    results = read(data[:end], "a.tar")
    assert any("is cut short or damaged" in line or "is damaged" in line for line in results)
    garbled = data[:1024] + b"garbage!" * 64 + data[1536:]
    assert read(garbled, "a.tar") == [
        "a.tar!a.txt:1 one",
        "a.tar:1: is cut short or damaged; fetch or pack it again",
    ]


def test_what_follows_a_packed_stream_is_reported() -> None:
    assert read(zstd(LINES) + b"junk", "a.jsonl.zst")[-1].startswith("a.jsonl.zst:4: is damaged (")
    assert read(gzip.compress(LINES) + b"junk", "a.jsonl.gz")[-1].startswith(
        "a.jsonl.gz:4: is damaged ("
    )


def test_archives_in_archives_are_read_to_a_depth() -> None:
    data = zipped({"a.txt": b"one"})
    for depth in (2, 3):
        data = zipped({f"{depth}.zip": data, f"{depth}.txt": b"more"})
    assert read(data, "a.zip") == [
        "a.zip!3.zip!2.zip!a.txt:1 one",
        "a.zip!3.zip!2.txt:1 more",
        "a.zip!3.txt:1 more",
    ]
    assert read(zipped({"4.zip": data}), "a.zip") == [
        "a.zip!4.zip!3.zip!2.zip:1: is packed more than 3 times; unpack it yourself",
        "a.zip!4.zip!3.zip!2.txt:1 more",
        "a.zip!4.zip!3.txt:1 more",
    ]
    assert read(
        zipped({"x.zip": zipped({"y.tgz": gzip.compress(tarred({"z.txt": b"z"}))})}), "a"
    ) == ["a!x.zip!y.tgz!z.txt:1 z"]


def test_a_file_packed_in_itself_over_and_over_ends() -> None:
    data = b"x" * 100
    for _ in range(500):
        data = gzip.compress(data)
    assert read(data, "quine.gz") == ["quine.gz:1: is packed more than 3 times; unpack it yourself"]


def test_a_bomb_stops_at_the_expansion_limit() -> None:
    limits = Limits(max_expansion=50, free_expansion_bytes=MIB)
    bomb = b'{"text": "' + b" " * (20 * MIB) + b'"}\n'
    said = "unpacks to more than 50 times its size"
    for name, data in (
        ("a.jsonl.gz", gzip.compress(bomb)),
        ("a.jsonl.zst", zstd(bomb)),
        ("a.zip", zipped({"a.jsonl": bomb})),
        ("a.tar.gz", gzip.compress(tarred({"a.jsonl": bomb}))),
        ("a.zip", zipped({"b.zip": zipped({"a.jsonl": bomb}, zipfile.ZIP_STORED)})),
    ):
        [error] = read(data, name, limits)
        assert said in error


def test_many_small_bombs_count_together_and_reading_stops_at_the_first_too_many() -> None:
    limits = Limits(max_expansion=50, free_expansion_bytes=MIB)
    data = zipped({f"{i}.txt": b"x" * (MIB // 2) for i in range(20)})
    results = read(data, "a.zip", limits)
    assert "unpacks to more than 50 times its size" in results[-1]
    assert len(results) < 5


def test_members_are_counted() -> None:
    members = {f"{i}.txt": b"x" for i in range(12)}
    limits = Limits(max_members=10)
    said = "has more than 10 members; split it into smaller archives"
    assert read(zipped(members), "a.zip", limits) == [f"a.zip:1: {said}"]
    *records, error = read(tarred(members), "a.tar", limits)
    assert (len(records), error) == (10, f"a.tar:1: {said}")


def test_a_member_beyond_the_limits_is_refused_and_the_rest_read() -> None:
    limits = Limits(max_record_bytes=1000)
    data = {"a.txt": b"x" * 1001, "b.txt": b"two"}
    for name, packed in (("a.zip", zipped(data)), ("a.tar", tarred(data))):
        assert read(packed, name, limits) == [
            f"{name}!a.txt:1: is larger than 1,000 bytes; split it into smaller ones",
            f"{name}!b.txt:1 two",
        ]


def test_a_zip_on_a_stream_is_copied_up_to_a_limit() -> None:
    [error] = read(zipped(MEMBERS), "a.zip", Limits(max_spooled_bytes=100))
    assert error == "a.zip:1: is larger than 100 bytes; split it into smaller ones"


def test_a_tar_header_that_claims_gigabytes_is_refused_unread() -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 8000 * MIB
    data = header.tobuf(tarfile.USTAR_FORMAT) + b"0" * 5000
    [error] = read(data, "a.tar")
    assert error.startswith("a.tar:1: has a header of more than 32 MiB")


def test_a_chain_of_tar_headers_is_no_recursion() -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2
    block = header.tobuf(tarfile.GNU_FORMAT) + b"x\0".ljust(512, b"\0")
    [error] = read(block * 5000, "a.tar")
    assert error.startswith("a.tar:1: is damaged (")


def test_a_zip_directory_that_claims_gigabytes_is_refused_unread() -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 0xFFFFFFF0, 0, 0)
    [error] = read(b"PK\x03\x04" + b"\0" * 100 + end, "a.zip")
    assert error.startswith("a.zip:1: ")


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_a_huge_line_of_spaces_takes_no_memory(pack: type[bytes]) -> None:
    """What 2 GiB of spaces cost in memory, packed to a few KiB: nothing to speak of."""
    unpacked = b" " * (64 * MIB)
    packed = pack(unpacked) * 32
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    [error] = read(packed + pack(b'\n{"text": "x"}'), "a.jsonl.gz")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert "times its size" in error
    assert grown < 200 * 1024  # KiB


def test_a_packed_file_is_streamed() -> None:
    record = b'{"text": "%s"}\n' % b"".join(b"%x" % zlib.crc32(b"%d" % i) for i in range(2000))
    packed = zstd(record) * 6000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = sum(
        isinstance(r, SourceRecord) for r in read_stream(io.BytesIO(packed), name="a.jsonl.zst")
    )
    assert count == 6000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024  # KiB
