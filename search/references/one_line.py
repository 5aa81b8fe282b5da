"""Text on one line, as formats need it whose records are made of lines."""

import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")


def one_line(text: str) -> str:
    """`text` with each run of whitespace as one space, without control characters."""
    return " ".join(_CONTROL.sub("", text).split())


def with_pilcrows(text: str) -> str:
    """`text` on one line, ` ¶ ` between two paragraphs, as quotations set it.

    Of an article's text, in which nothing but `\\n\\n` breaks a line and nothing but single spaces
    stand between words, replacing ` ¶ ` by `\\n\\n` gives the quote back as it was.
    """
    return " ¶ ".join(filter(None, map(one_line, text.splitlines())))
