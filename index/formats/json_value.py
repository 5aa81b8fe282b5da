"""One JSON object from text, within limits."""

import json

from index.article import Origin
from index.errors import BadArticleError
from index.formats.fields import shown
from index.formats.limits import MIB

# A parsed value takes up to 230 bytes where two were read ("[[],[],..."). An article of 32 MiB of
# text has about 300,000 commas; a record with more values than this is none.
MAX_VALUES = 2_000_000


def load_object(text: str, origin: Origin) -> dict[str, object]:
    """Parse one JSON object.

    Raises:
        BadArticleError: broken JSON, nested too deeply, too many values, or no object.
    """
    if len(text) > MIB and sum(map(text.count, ",[{")) > MAX_VALUES:
        raise _bad(origin, f"has more than {MAX_VALUES:,} values", "write one article a record")
    try:
        value = json.loads(text)
    except RecursionError:
        raise _bad(origin, "is nested too deeply", "write the fields of the article flat") from None
    except json.JSONDecodeError as error:
        where = f"at character {error.pos + 1}"
        raise _bad(origin, f"broken JSON: {error.msg} {where}", "correct or drop it") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise _bad(origin, "a number is too long", "write it as a string") from error
    if not isinstance(value, dict):
        raise _bad(origin, f"{shown(value)} where an object was expected", "write one {…} each")
    return value


def _bad(origin: Origin, reason: str, advice: str) -> BadArticleError:
    return BadArticleError(origin.path, origin.line, reason, advice)
