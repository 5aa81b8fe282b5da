"""The format is told by how a file begins, and by its name where that leaves a choice."""

import pytest

from index.formats.sniffing import Format, sniff, suffix_of, unpacked_name
from index.formats.streams import UnreadableError


@pytest.mark.parametrize(
    ("name", "head", "format_"),
    [
        ("a.jsonl", b'{"text": "x"}', Format.JSONL),
        ("a.jsonl", b"garbage", Format.JSONL),
        ("a.jsonl", b' [{"text": "x"}]', Format.JSON),
        ("a.json", b'{"text": "x"}\n{"text": "y"}\n', Format.JSONL),
        ("a.json", b'{"text": "x"}\n', Format.JSON),
        ("a.json", b'{\n"text": "x"}\n', Format.JSON),
        ("<stdin>", b'\xef\xbb\xbf{"text": "x"}\n{"text": "y"}\n', Format.JSONL),
        ("<stdin>", '{"text": "x"}\n{"text": "y"}\n'.encode("utf-16"), Format.JSONL),
        ("<stdin>", b"[1] A footnote\n", Format.TEXT),
        ("<stdin>", b"[Editor's note] The talks go on.", Format.TEXT),
        ("<stdin>", b"{curly} words", Format.TEXT),
        ("<stdin>", b"id,title,text\n1,2,3\n", Format.CSV),
        ("<stdin>", b"text;title\n", Format.CSV),
        ("<stdin>", b"Talks, text and a title\n\nIt went on.", Format.TEXT),
        ("a.csv", b"a,b\n", Format.CSV),
        ("a.TSV", b"a\tb\n", Format.CSV),
        ("a.txt", b'{"text": "x"}', Format.TEXT),
        ("a.HTM", b"anything", Format.HTML),
        ("a", b"<!DOCTYPE html><p>", Format.HTML),
        ("a", b"\n <html lang=en>", Format.HTML),
        ("a.xml", b'<?xml version="1.0"?>\n<rss version="2.0">', Format.FEED),
        ("a", b'<feed xmlns="http://www.w3.org/2005/Atom">', Format.FEED),
        ("a", b'<rdf:RDF xmlns="http://purl.org/rss/1.0/">', Format.FEED),
        ("a.xml", b'<?xml version="1.0"?><html xmlns="x">', Format.HTML),
        ("a", b"<!-- see <rss> --><div>", Format.HTML),
        ("a", b"<Photo> The talks go on.", Format.TEXT),
        ("a.dat", b"PK\x03\x04", Format.ZIP),
        ("a.txt", b"\x1f\x8b\x08", Format.GZIP),
        ("a", b"\x28\xb5\x2f\xfd", Format.ZSTANDARD),
        ("a", b"x" * 257 + b"ustar", Format.TAR),
        ("a.tar", b"x" * 300, Format.TAR),
        ("a", b"", Format.TEXT),
        ("a.csv", b"", Format.CSV),
    ],
)
def test_the_format_is_told(name: str, head: bytes, format_: Format) -> None:
    assert sniff(name, head) is format_


@pytest.mark.parametrize(
    ("name", "head", "reason"),
    [
        ("a.txt", b"%PDF-1.7", "is no text but a PDF document"),
        ("a", b"\x89PNG\r\n\x1a\n", "is no text but a picture"),
        ("a.txt", bytes(range(256)) * 4, "is no text"),
        ("a.docx", b"PK\x03\x04", "is an Office document"),
        ("a.zip", b"<html>Not found</html>", "is no zip file, whatever its name says"),
        ("a.tgz", b"plain", "is no gzip file, whatever its name says"),
        ("a", b"<?xml version='1.0'?><x/>", "is XML, but no RSS or Atom feed"),
        ("a.xml", b"<nitf><body/></nitf>", "is XML, but no RSS or Atom feed"),
    ],
)
def test_what_is_no_text_or_has_no_reader_is_refused(name: str, head: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        sniff(name, head)
    assert caught.value.reason == reason
    assert caught.value.advice


def test_names_lose_their_packing_and_only_that() -> None:
    assert [
        unpacked_name(n) for n in ("press.jsonl.zst", "a.TGZ", "a.csv.gz", "a", "a.tar.zst")
    ] == [
        *("press.jsonl", "a.tar", "a.csv", "a", "a.tar"),
    ]
    assert [suffix_of(n) for n in ("a.B", "a.b/c", ".hidden", "a.tar.gz")] == [".b", "", "", ".gz"]
