"""Whose report an article says it is: whom its byline, its dateline or its last lines credit."""

import re
from functools import cache, lru_cache
from typing import Final

# Of each agency the names it is credited by and goes by itself. Capitals are short for a name, and
# stand for it only when written so.
_AGENCIES: Final = {
    "AAP": ("AAP", "Australian Associated Press"),
    "AFP": ("AFP", "Agence France-Presse", "Agence France Presse"),
    "ANSA": ("ANSA",),
    "Associated Press": ("AP", "Associated Press", "apnews"),
    "Bloomberg": ("Bloomberg",),
    "Canadian Press": ("Canadian Press",),
    "dpa": ("DPA", "Deutsche Presse-Agentur"),
    "EFE": ("EFE",),
    "IANS": ("IANS", "Indo-Asian News Service"),
    "Interfax": ("Interfax",),
    "Kyodo": ("Kyodo",),
    "PA Media": ("PA Media", "Press Association"),
    "PTI": ("PTI", "Press Trust of India"),
    "Reuters": ("Reuters",),
    "TASS": ("TASS",),
    "UPI": ("UPI", "United Press International"),
    "Xinhua": ("Xinhua",),
}
# "WASHINGTON, March 3 (Reuters) - " and the like stand within so many code points.
_DATELINE_CHARS: Final = 120
# A line at the end that says no more than a name, or says what it owes to it.
_BARE_WORDS: Final = 6
_CREDIT_WORDS: Final = 25
_OWES: Final = re.compile(
    r"©|\b(?:contribut\w*|copyright|courtesy|originally|reporting|rights|source|syndicated|"
    r"via|wires?)\b",
    re.IGNORECASE,
)
_BRACKETS: Final = re.compile(r"\(([^()]{2,40})\)")
# "... said. — AFP", "... said. (Reuters)"
_SET_OFF: Final = re.compile(r"[.!?\"”’]\s*(?:[—–]|--?|\()\s*([\w .-]{2,40})\)?\s*$")


def credits_of(byline: str, text: str) -> frozenset[str]:
    """The agencies that an article credits; among them its own outlet, where it names itself."""
    credits = sources_of(byline, text)
    return frozenset(name for name in _AGENCIES if _agency_pattern(name).search(credits))


@lru_cache(maxsize=1024)
def agency_of(outlet: str) -> str | None:
    """The agency that the outlet is; None: it is none that we know."""
    return next((name for name in _AGENCIES if _agency_pattern(name).search(outlet)), None)


def credits_outlet(byline: str, text: str, outlet: str) -> bool:
    """Whether an article credits this outlet, which need be no agency, by its name as it stands."""
    return bool(outlet) and bool(_outlet_pattern(outlet).search(sources_of(byline, text)))


@lru_cache(maxsize=256)
def sources_of(byline: str, text: str) -> str:
    """All that an article says of its sources, line by line.

    The byline, what a dateline has in brackets, and of the last two lines those that can be a
    credit; a text of one line may end in a credit, but is none.
    """
    dateline = text[:_DATELINE_CHARS].partition("\n")[0]
    _, *last = [line for line in text.rstrip().rsplit("\n", 4) if line.strip()] or [""]
    set_off = _SET_OFF.search(text[-_DATELINE_CHARS:])
    return "\n".join(
        (
            byline,
            *_BRACKETS.findall(dateline),
            *(line for line in last[-2:] if _is_credit(line)),
            set_off[1] if set_off else "",
        )
    )


def _is_credit(line: str) -> bool:
    words = len(line.split())
    return words <= _BARE_WORDS or (words <= _CREDIT_WORDS and bool(_OWES.search(line)))


@cache
def _agency_pattern(name: str) -> re.Pattern[str]:
    written = "|".join(
        re.escape(alias) if alias.isupper() else f"(?i:{re.escape(alias)})"
        for alias in _AGENCIES[name]
    )
    return re.compile(rf"(?<!\w)(?:{written})(?!\w)")


@lru_cache(maxsize=1024)
def _outlet_pattern(outlet: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(outlet)}(?!\w)")
