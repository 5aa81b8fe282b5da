"""From bytes to text: which encoding it is, and the one repair worth making.

The ladder: byte order mark, strict UTF-8, UTF-8 with a few foreign bytes, the declared encoding,
Windows-1252 if the result looks Western, then charset-normalizer. Text that was decoded wrongly
before it came to us ("donâ€™t") is then mended once by ftfy, line by line.
"""

import codecs
import re

import charset_normalizer
import ftfy

_BYTE_ORDER_MARKS = (  # UTF-32 before UTF-16, whose mark is a prefix of its own
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Python codecs that are no encodings of saved text; some are slow on hostile input.
_NOT_FOR_TEXT = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf-7", "mbcs"}
)
# Pages declared as Latin-1 or ASCII are read as Windows-1252 by every browser.
_MEANS_CP1252 = frozenset({"ascii", "iso8859-1"})

# Detection looks at this much from the first byte that is not ASCII: enough for
# charset-normalizer to be sure, and 50 ms at most.
SAMPLE_BYTES = 4096
# French, Turkish and Vietnamese stay below this share of non-ASCII letters; Cyrillic, Greek and
# Chinese bytes taken for Windows-1252 are far above it.
_WESTERN_SHARE = 0.35

# Bytes 0x80 to 0xBF as Windows-1252 and Latin-1 show them: what follows a lead character when
# UTF-8 was taken for either. C1 controls mean Latin-1 was assumed for Windows-1252.
_CONTINUATION = "".join(
    chr(byte) + bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xC0)
)
_MOJIBAKE = re.compile(
    rf"[\x80-\x9fÂ-ô](?:(?<=[\x80-\x9f])|(?=[{re.escape(_CONTINUATION)}]))",
)


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode and mend: never raises, for any bytes. `declared` is the encoding the source names.

    A byte order mark is dropped. Bytes that no encoding explains become U+FFFD.
    """
    return mend(decode_only(data, declared))


def decode_only(data: bytes, declared: str | None = None) -> str:
    """As `decode`, without the repair: for text whose parts are mended after parsing."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_foreign(data, declared)
    if "\0" in text:
        return data.decode(_utf16_without_mark(data) or "utf-8", "replace")
    return text


def utf16_encoding(head: bytes) -> str | None:
    """The UTF-16 or UTF-32 codec of bytes that start so: by their mark, or where zeros stand."""
    for mark, encoding in _BYTE_ORDER_MARKS[1:]:
        if head.startswith(mark):
            return encoding
    return _utf16_without_mark(head)


class LineDecoder:
    """Decodes the lines of one file, unmended: what the first line that is not UTF-8 turns out
    to be is tried first on the others."""

    def __init__(self) -> None:
        self._foreign: str | None = None

    def decode(self, line: bytes) -> str:
        """Never raises, for any bytes."""
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            if self._foreign is None and _mostly_utf8(line) is None:
                self._foreign = _detected(line)
            return _decode_foreign(line, self._foreign)


def mend(text: str) -> str:
    """Repair mojibake in the lines that show it; anything else comes back as it was.

    Only the encoding is mended: quotes, ligatures and widths stay as they are written.
    """
    if text.isascii() or not _may_be_mojibake(text):
        return text
    return "\n".join(
        ftfy.fix_encoding(line) if _MOJIBAKE.search(line) else line for line in text.split("\n")
    )


def _may_be_mojibake(text: str) -> bool:
    # All of U+0080 to U+00FF begins with one of two bytes in UTF-8, which are found ten times
    # faster than the pattern; most texts with typographic quotes have neither.
    data = text.encode("utf-8", "surrogatepass")
    return (b"\xc2" in data or b"\xc3" in data) and _MOJIBAKE.search(text) is not None


def _decode_foreign(data: bytes, declared: str | None) -> str:
    mostly_utf8 = _mostly_utf8(data)
    if mostly_utf8 is not None:
        return mostly_utf8
    if declared:
        text = _decode_declared(data, declared)
        if text is not None:
            return text
    return data.decode(_detected(data), "replace")


def _mostly_utf8(data: bytes) -> str | None:
    """UTF-8 with some Windows-1252 bytes in it, as copying from two sources leaves it."""
    text = data.decode("utf-8", "surrogateescape")
    foreign = sum(text.count(chr(0xDC00 + byte)) for byte in range(0x80, 0x100))
    others = len(text) - len(text.encode("ascii", "ignore")) - foreign
    if others < max(foreign, 1):
        return None
    return re.sub("[\udc80-\udcff]", _as_cp1252, text)


def _as_cp1252(match: re.Match[str]) -> str:
    return bytes([ord(match[0]) - 0xDC00]).decode("cp1252", "replace")


def _decode_declared(data: bytes, declared: str) -> str | None:
    try:
        name = codecs.lookup(declared.strip()).name
    except (LookupError, ValueError):
        return None
    if name in _MEANS_CP1252:
        name = "cp1252"
    if name in _NOT_FOR_TEXT or name == "utf-8":
        return None
    try:
        return data.decode(name)
    except (UnicodeError, LookupError):  # LookupError: a codec from bytes to bytes
        return None


def _detected(data: bytes) -> str:
    try:
        if _looks_western(data.decode("cp1252")):
            return "cp1252"
    except UnicodeDecodeError:
        pass
    first = next(re.finditer(rb"[\x80-\xff]", data)).start()
    start = max(0, first - SAMPLE_BYTES // 4)
    best = charset_normalizer.from_bytes(data[start : start + SAMPLE_BYTES]).best()
    return best.encoding if best and best.encoding not in ("ascii", "utf_8") else "cp1252"


def _looks_western(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    ascii_letters = sum(map(str.isalpha, text.encode("ascii", "ignore").decode("ascii")))
    return letters - ascii_letters <= _WESTERN_SHARE * letters


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 that lost its mark: every other byte of mostly ASCII text is zero."""
    sample = data[:SAMPLE_BYTES]
    half = len(sample) // 2
    if half == 0:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.6 * half and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 * half and odd == 0 else None
