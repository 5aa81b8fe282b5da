r"""BibTeX, read by BibTeX, BibLaTeX and reference managers: an entry of a citation.

`year` and `month` are for BibTeX, `date` for BibLaTeX, which knows days. The section is the
`chapter`, as Zotero has it. The quote is the `abstract`; where it stands
(`search.references.locator`) and the notes are the `annote`, which bibliography styles do not
print.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote

from search.references.citation import Citation
from search.references.date_parts import MONTHS, date_parts
from search.references.locator import locator
from search.references.names_of_byline import Name, names_of
from search.references.one_line import one_line, with_pilcrows

# As Zotero reads them back, where there are several ways.
_SPECIAL: Final = {
    "\\": r"\textbackslash{}",
    "~": r"\~{}",
    "^": r"\^{}",
    **{character: f"\\{character}" for character in "#$%&_{}"},
}
_TABLE: Final = str.maketrans(_SPECIAL)
# In a .bib file even an escaped brace must be one of a pair.
_TABLE_OF_UNPAIRED: Final = str.maketrans(
    {**_SPECIAL, "{": r"\textbraceleft{}", "}": r"\textbraceright{}"}
)
# Pairs that TeX sets as one character: dashes, quotation marks.
_LIGATURE: Final = re.compile(r"-(?=-)|`(?=`)|'(?=')|,(?=,)|<(?=<)|>(?=>)|[?!](?=`)")
_URL_CHARACTERS: Final = "%:/?#[]@!$&'()*+,;=-._~"
_STOP: Final = re.compile(r"an?|the|der|die|das|l[ae]s?|une?|el|los|il|lo")
_DIGEST_DIGITS: Final = 10  # of a hundred thousand keys alike but for it, two are the same in 1:200


def entry(citation: Citation, key: str, notes: Sequence[str] = ()) -> str:
    """The entry, `@article{key, ...}` and a newline; `key` as `key_of` gives them.

    Two paragraphs of a quote, and two notes, are set apart by ` ¶ `.
    """
    fields = "".join(f",\n  {name} = {value}" for name, value in _fields(citation, notes))
    return f"@article{{{key}{fields}\n}}\n"


def key_of(citation: Citation) -> str:
    """`lindqvist2025harbour-` and a digest of what is cited: ASCII, always the same, its own."""
    names = names_of(citation.byline, citation.outlet)
    who = _letters(names[0].family if names else citation.outlet) or "anonymous"
    year = "".join(f"{part:04}" for part in date_parts(citation.published)[:1])
    words = (_letters(word) for word in citation.headline.split())
    what = next((word for word in words if word and not _STOP.fullmatch(word)), "")
    cited = f"{citation.id} {citation.start} {citation.end}"
    digest = hashlib.sha256(cited.encode()).hexdigest()[:_DIGEST_DIGITS]
    return f"{who[:24]}{year}{what[:24]}-{digest}"


def _fields(citation: Citation, notes: Sequence[str]) -> Iterator[tuple[str, str]]:
    if names := names_of(citation.byline, citation.outlet):
        yield "author", f"{{{' and '.join(map(_author, names))}}}"
    yield "entrysubtype", "{newspaper}"
    if title := _escaped(citation.headline):
        yield "title", f"{{{{{title}}}}}"  # twice: styles are not to change its capitals
    if outlet := _escaped(citation.outlet):
        yield "journal", f"{{{outlet}}}"
    if parts := date_parts(citation.published):
        yield "year", f"{{{parts[0]:04}}}"
        if len(parts) > 1:
            yield "month", MONTHS[parts[1] - 1][:3].lower()
        yield "date", f"{{{'-'.join(f'{part:02}' for part in parts).zfill(4)}}}"
    optional = {
        "chapter": _escaped(citation.section),
        "language": _escaped(citation.language),
        "url": quote(one_line(citation.url), safe=_URL_CHARACTERS),
        "archiveurl": quote(one_line(citation.archive_url), safe=_URL_CHARACTERS),
        "urldate": citation.accessed.isoformat(),
        "abstract": _escaped(with_pilcrows(citation.quote)),
        "annote": _escaped(" ¶ ".join((locator(citation), *map(with_pilcrows, notes)))),
    }
    for name, value in optional.items():
        if value:
            yield name, f"{{{value}}}"


def _author(name: Name) -> str:
    if name.is_literal:
        return f"{{{_escaped(name.family)}}}"
    return ", ".join(map(_escaped, filter(None, (name.family, name.suffix, name.given))))


def _escaped(text: str) -> str:
    line = one_line(text)
    table = _TABLE if _braces_are_paired(line) else _TABLE_OF_UNPAIRED
    return _LIGATURE.sub(r"\g<0>{}", line.translate(table))


def _braces_are_paired(text: str) -> bool:
    depth = 0
    for brace in re.findall(r"[{}]", text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain.lower())
