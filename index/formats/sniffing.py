"""Which format a file has: by how it begins, and by its name where that leaves a choice."""

import re
from enum import StrEnum

from index.formats.csv_table import DELIMITERS, known_columns
from index.formats.encoding import decode_only, utf16_encoding
from index.formats.streams import UnreadableError

SNIFFED_BYTES = 2**16


class Format(StrEnum):
    """What a file can be read as."""

    JSONL = "JSON Lines"
    JSON = "JSON"
    CSV = "CSV"
    TEXT = "plain text"
    HTML = "HTML"
    FEED = "RSS or Atom"
    ZIP = "zip"
    TAR = "tar"
    GZIP = "gzip"
    ZSTANDARD = "Zstandard"


_BY_NAME = {
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), Format.JSONL),
    **dict.fromkeys((".csv", ".tsv"), Format.CSV),
    **dict.fromkeys((".txt", ".text", ".md"), Format.TEXT),
    **dict.fromkeys((".html", ".htm", ".xhtml"), Format.HTML),
}
_XML_NAMES = (".xml", ".rss", ".atom", ".rdf")
_PACKED_NAMES = {
    **dict.fromkeys((".zip",), Format.ZIP),
    **dict.fromkeys((".tar",), Format.TAR),
    **dict.fromkeys((".gz", ".tgz"), Format.GZIP),
    **dict.fromkeys((".zst", ".tzst"), Format.ZSTANDARD),
}
_PACKED_STARTS = {
    b"PK\x03\x04": Format.ZIP,
    b"PK\x05\x06": Format.ZIP,  # without members
    b"\x1f\x8b": Format.GZIP,
    b"\x28\xb5\x2f\xfd": Format.ZSTANDARD,
}
_TAR_MAGIC_AT = 257
# A zip inside; what is in it is no article.
_OFFICE = (".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".jar", ".apk", ".whl")
_KNOWN_BINARIES = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"RIFF": "a picture, sound or film",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"SQLite format 3": "a database",
    b"BZh": "packed by bzip2",
    b"\xfd7zXZ": "packed by xz",
    b"7z\xbc\xaf": "packed by 7-Zip",
    b"Rar!": "packed by RAR",
    b"\x7fELF": "a program",
}
# Control characters that no text holds; a few may stand in one that was scanned or transferred.
_NOT_IN_TEXT = bytes(set(range(0x20)) - {0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1A, 0x1B}) + b"\x7f"
_MAX_CONTROLS, _MAX_CONTROL_SHARE = 8, 0.02

_MARKUP = re.compile(r"\s*<[?!A-Za-z]")
_ROOT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z][\w.-]*)")
_NOT_ROOT = re.compile(r"<\?.*?\?>|<!--.*?-->|<!(?!--)[^>]*>", re.DOTALL)
_FEED_ROOTS = frozenset({"rss", "feed", "rdf"})
_HTML_ROOTS = frozenset(
    {"html", "head", "body", "title", "meta", "main", "article", "div", "p", "h1", "script", "link"}
)
_JSON = re.compile(r'\s*(?:\{\s*(?:["}]|$)|\[\s*(?:[\[{"\]]|$))')
_SECOND_OBJECT = re.compile(r"\s*\{[^\n]*\}[ \t\r]*\n\s*\{")


def sniff(name: str, head: bytes) -> Format:
    """Tell the format of a file from its name and its first SNIFFED_BYTES.

    Raises:
        UnreadableError: it is no text, or text that we have no reader for.
    """
    packed = _packed_format(name, head)
    if packed:
        return packed
    _check_is_text(head)
    text = decode_only(head)
    suffix = suffix_of(name)
    by_name = _BY_NAME.get(suffix)
    if by_name is Format.JSONL:
        return _lines_or_document(text, suffix)
    if by_name:
        return by_name
    if _JSON.match(text):
        return _lines_or_document(text, suffix)
    if _MARKUP.match(text):
        return _markup(text, suffix)
    return Format.CSV if _is_csv(text) else Format.TEXT


def suffix_of(name: str) -> str:
    """The last `.ending` of a file name in lower case, with its dot; empty if it has none."""
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return f".{ending.lower()}" if stem and dot else ""


def unpacked_name(name: str) -> str:
    """The name of what a gzip or Zstandard file holds."""
    for packed, unpacked in ((".tgz", ".tar"), (".tzst", ".tar"), (".gz", ""), (".zst", "")):
        if name.lower().endswith(packed):
            return name[: -len(packed)] + unpacked
    return name


def _packed_format(name: str, head: bytes) -> Format | None:
    for start, packed in _PACKED_STARTS.items():
        if head.startswith(start):
            if packed is Format.ZIP and suffix_of(name) in _OFFICE:
                raise UnreadableError("is an Office document", "save it as plain text or HTML")
            return packed
    is_tar = head[_TAR_MAGIC_AT:].startswith(b"ustar")
    claimed = _PACKED_NAMES.get(suffix_of(name))
    if is_tar or (claimed is Format.TAR and head):  # the first tars had no mark
        return Format.TAR
    if claimed and head:
        raise UnreadableError(f"is no {claimed} file, whatever its name says", "fetch it again")
    return None


def _check_is_text(head: bytes) -> None:
    for start, what in _KNOWN_BINARIES.items():
        if head.startswith(start):
            raise UnreadableError(f"is no text but {what}", "unpack or save it as text")
    if utf16_encoding(head):
        return
    strange = len(head) - len(head.translate(None, _NOT_IN_TEXT))
    if strange > max(_MAX_CONTROLS, _MAX_CONTROL_SHARE * len(head)):
        raise UnreadableError("is no text", "leave it out, or save it as text")


def _lines_or_document(text: str, suffix: str) -> Format:
    """JSON Lines when a second object follows on a line of its own, or no more can be told."""
    if text.lstrip("\ufeff \t\r\n").startswith("["):
        return Format.JSON
    if suffix in (".jsonl", ".ndjson") or _SECOND_OBJECT.match(text.lstrip("\ufeff")):
        return Format.JSONL
    return Format.JSON


def _markup(text: str, suffix: str) -> Format:
    """By the first element: an agency's XML has a `body`, and a page may mention `<rss`."""
    match = _ROOT.search(_NOT_ROOT.sub("", text))
    root = match[1].lower() if match else ""
    if root in _FEED_ROOTS:
        return Format.FEED
    if root in _HTML_ROOTS:
        return Format.HTML
    if suffix in _XML_NAMES or text.lstrip("\ufeff \t\r\n").startswith("<?xml"):
        raise UnreadableError("is XML, but no RSS or Atom feed", "save it as HTML or plain text")
    return Format.TEXT  # "<Photo>", as some texts begin


def _is_csv(text: str) -> bool:
    """Whether the first line is a header: at least two columns whose names we know."""
    header = text.lstrip("\ufeff").partition("\n")[0]
    return any(known_columns(header, delimiter) >= 2 for delimiter in DELIMITERS)
