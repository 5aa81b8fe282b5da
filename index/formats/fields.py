"""Named values to one source record: the definition that JSON, CSV and HTTP share.

Strict about types (a text is a string), generous about names: each of our fields goes by the
names it has in other archives, too, BEIR's `_id`, `title`, `text` and `metadata` among them.
What a field says wrongly rejects the record; what it does not say stays empty.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from index.article import Origin, Published, SourceRecord
from index.dates import parse_published
from index.errors import BadArticleError
from index.formats.encoding import mend

# Our names first, then others' in order of preference; compared without case, space, `_` and `-`.
FIELD_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "_id", "article_id", "doc_id"),
    "guid": ("guid", "uuid", "uri"),
    "headline": ("headline", "title", "article_title"),
    "text": (
        *("text", "body", "content", "article_body", "body_text", "full_text", "main_text"),
        *("article_text", "content_text", "article", "story"),
    ),
    "outlet": (
        *("outlet", "source", "source_name", "publisher", "publication", "newspaper"),
        *("site_name", "provider"),
    ),
    "byline": ("byline", "author", "authors", "author_name", "creator", "by"),
    "section": ("section", "category", "article_section", "desk"),
    "language": ("language", "lang", "in_language"),
    "url": ("url", "link", "canonical_url", "article_url", "web_url", "permalink"),
    "published": (
        *("published", "published_at", "date_published", "publish_date", "publication_date"),
        *("pub_date", "published_date", "published_on", "date_publish", "date", "datetime"),
    ),
}
# BEIR keeps all but id, title and text in this object; its fields count after the record's own.
METADATA = "metadata"

MAX_ID_CHARS = 1024
MAX_URL_CHARS = 4096  # longer than servers accept
# Headlines, bylines and the like are read at a glance: what is longer is a text in the wrong
# field, and a headline stands in front of every passage that is embedded.
MAX_LINE_CHARS = 2000

_URL = re.compile(r"https?://[^\s/?#\\]+(?:[/?#]\S*)?", re.IGNORECASE)
_LANGUAGE = re.compile(r"([A-Za-z]{2})(?:[-_].*)?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SHOWN_CHARS = 60
_METADATA_RANK = 100  # more than any field has names

# What a record says of each field: the name it uses, and the value.
Stated = dict[str, tuple[str, object]]


def record_from_fields(
    fields: Mapping[str, object],
    *,
    origin: Origin,
    raw: bytes,
    field_map: Mapping[str, str] | None = None,
) -> SourceRecord:
    """Make a source record of named values, such as a JSON object has.

    Args:
        fields: null, blank and unknown fields are left out of account. Ids may be numbers;
            outlet, byline and section also objects with a `name` or lists of names.
        raw: the bytes they were read from.
        field_map: for our field on the left, read the one on the right and no other;
            `metadata.source` reaches into an object. See check_field_map.

    Raises:
        BadArticleError: no text, a wrong type, an id or URL that is none, a date that is none.
    """
    stated = _stated(fields, field_map or {})
    try:
        return SourceRecord(
            origin=origin,
            raw=raw,
            body=_text(stated, fields),
            headline=_line(stated, "headline"),
            outlet=_name(stated, "outlet"),
            byline=_name(stated, "byline", every=True),
            section=_name(stated, "section"),
            language=_language(stated),
            url=_url(stated),
            guid=_id(stated, "guid"),
            own_id=_id(stated, "id"),
            published=_published(stated),
        )
    except _FieldError as error:
        raise BadArticleError(origin.path, origin.line, error.reason, error.advice) from error


def check_field_map(field_map: Mapping[str, str]) -> None:
    """See that each field on the left is one of ours. ValueError names those that are not."""
    unknown = [name for name in field_map if name not in FIELD_NAMES]
    if unknown:
        raise ValueError(f"no field {', '.join(unknown)}; fields are {', '.join(FIELD_NAMES)}")


def field_of(name: str) -> str | None:
    """Our field that goes by this name, or None."""
    place = _place(name)
    return place[0] if place else None


def one_line(text: str) -> str:
    """Mended, on one line, without control characters and lone surrogates."""
    if not text.isprintable():
        text = _CONTROL.sub(" ", text)
    return mend(" ".join(text.split()))


def usable_url(text: str) -> str:
    """The http or https address as it stands, without spaces around it; empty if it is none."""
    text = text.strip()
    if len(text) > MAX_URL_CHARS or not _URL.fullmatch(text) or _CONTROL.search(text):
        return ""
    return text


def shown(value: object) -> str:
    """A value as an error message shows it: short, on one line, printable."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    text = value[: _SHOWN_CHARS + 1] if isinstance(value, str) else value
    line = json.dumps(text, ensure_ascii=False, default=str)
    if len(line) > _SHOWN_CHARS:
        line = f"{line[:_SHOWN_CHARS]}…"
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def printable(path: str) -> str:
    """A path as it can be shown on one line and stored as UTF-8."""
    text = path.encode("utf-8", "backslashreplace").decode("utf-8")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class _FieldError(Exception):
    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


def _stated(fields: Mapping[str, object], field_map: Mapping[str, str]) -> Stated:
    """What the record says of each of our fields; where several names do, the preferred one."""
    best: dict[str, tuple[int, str, object]] = {}
    _add_stated(best, fields, "", 0)
    metadata = fields.get(METADATA)
    if isinstance(metadata, Mapping):
        _add_stated(best, metadata, f"{METADATA}.", _METADATA_RANK)
    stated: Stated = {field: (name, value) for field, (_, name, value) in best.items()}
    for field, path in field_map.items():
        stated.pop(field, None)
        value = _follow(fields, path)
        if not _is_blank(value):
            stated[field] = (path, value)
    return stated


def _add_stated(
    best: dict[str, tuple[int, str, object]],
    fields: Mapping[str, object],
    prefix: str,
    first_rank: int,
) -> None:
    for name, value in fields.items():
        place = _place(name)
        if place is None or _is_blank(value):
            continue
        field, rank = place[0], place[1] + first_rank
        if field not in best or rank < best[field][0]:
            best[field] = (rank, prefix + name, value)


@lru_cache(maxsize=4096)  # names come from files: bounded
def _place(name: str) -> tuple[str, int] | None:
    return _PLACES.get(_plain(name))


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


_PLACES = {
    _plain(name): (field, rank)
    for field, names in FIELD_NAMES.items()
    for rank, name in enumerate(names)
}


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and (not value or value.isspace()))


def _follow(fields: Mapping[str, object], path: str) -> object:
    """The value at `a.b`: of the field of that very name, else of `b` in the object `a`."""
    if path in fields:
        return fields[path]
    value: object = fields
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(stated: Stated, fields: Mapping[str, object]) -> str:
    if "text" not in stated:
        names = ", ".join(one_line(name)[:40] for name in list(fields)[:20]) or "none"
        raise _FieldError(
            f"no text (fields: {names})", 'put it in "text", or say which field by --map text=NAME'
        )
    return mend(_string(*stated["text"]))


def _line(stated: Stated, field: str) -> str:
    if field not in stated:
        return ""
    name, value = stated[field]
    return _short(name, _string(name, value))


def _name(stated: Stated, field: str, *, every: bool = False) -> str:
    """Of a name, an object with one, or a list of these: the first, or every one."""
    if field not in stated:
        return ""
    name, value = stated[field]
    items = value if isinstance(value, list) else [value]
    lines = [_short(name, _name_in(name, item)) for item in items if not _is_blank(item)]
    return _short(name, ", ".join(lines if every else lines[:1]))


def _name_in(name: str, item: object) -> str:
    if isinstance(item, Mapping):
        item = next((item[key] for key in ("name", "title") if item.get(key)), "")
    return _string(name, item)


def _short(name: str, text: str) -> str:
    line = one_line(text)
    if len(line) > MAX_LINE_CHARS:
        raise _FieldError(
            f'"{name}" is {len(line):,} characters long', f"keep it under {MAX_LINE_CHARS:,}"
        )
    return line


def _string(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _FieldError(f'"{name}" is {shown(value)}, not a string', "write it as one string")
    return value


def _language(stated: Stated) -> str:
    """ISO 639-1; empty for what cannot be told from a name, so that it is detected instead."""
    if "language" not in stated:
        return ""
    match = _LANGUAGE.fullmatch(_string(*stated["language"]).strip())
    return match[1].lower() if match else ""


def _url(stated: Stated) -> str:
    if "url" not in stated:
        return ""
    name, value = stated["url"]
    url = usable_url(_string(name, value))
    if not url:
        raise _FieldError(
            f'"{name}" is {shown(value)}, which is no web address',
            "write it as https://host/path without spaces, or leave it out",
        )
    return url


def _id(stated: Stated, field: str) -> str:
    """An id exactly as it stands; a whole number as its digits."""
    if field not in stated:
        return ""
    name, value = stated[field]
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**MAX_ID_CHARS else None
    if not isinstance(value, str) or len(value) > MAX_ID_CHARS or _CONTROL.search(value):
        raise _FieldError(
            f'"{name}" is {shown(stated[field][1])}, which is no id',
            f"write a string of at most {MAX_ID_CHARS:,} printable characters, or leave it out",
        )
    return value


def _published(stated: Stated) -> Published | None:
    if "published" not in stated:
        return None
    name, value = stated["published"]
    try:
        return parse_published(_string(name, value))
    except ValueError as error:
        raise _FieldError(
            f'"{name}" is {shown(value)}, which is no date', "write YYYY-MM-DD or leave it out"
        ) from error
