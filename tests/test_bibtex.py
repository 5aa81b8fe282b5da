import re

import pytest
from citations import article_texts, citations, harbour, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from pybtex.database import Entry, parse_string

from index.article import Published
from search.references.bibtex import entry, key_of
from search.references.citation import Citation

# What TeX makes of it.
_TEX = re.compile(r"\\text\w+\{\}|\\[~^]\{\}|\\[#$%&_{}]|(?<=[-`',<>?!])\{\}")
_WORDS = {
    r"\textbraceleft{}": "{",
    r"\textbraceright{}": "}",
    r"\textbackslash{}": "\\",
    "{}": "",
}


def read(text: str) -> Entry:
    (found,) = parse_string(text, "bibtex").entries.values()
    return found


def typeset(tex: str) -> str:
    return _TEX.sub(lambda match: _WORDS.get(match[0], match[0][1:2]), tex)


def test_an_entry_of_a_passage() -> None:
    assert entry(harbour(), "lindqvist2025", ["Check with Ana."]) == (
        "@article{lindqvist2025,\n"
        "  author = {Lindqvist, Tomas},\n"
        "  entrysubtype = {newspaper},\n"
        "  title = {{Harbour reopens after the storm}},\n"
        "  journal = {Northport Courier},\n"
        "  year = {2025},\n"
        "  month = mar,\n"
        "  date = {2025-03-14},\n"
        "  chapter = {Local},\n"
        "  language = {en},\n"
        "  url = {https://courier.example/2025/03/harbour?from=front&id=41},\n"
        "  archiveurl = {http://archive.example/articles/harbour-041#harbour-041-0123456789ab},\n"
        "  urldate = {2025-06-01},\n"
        f"  abstract = {{{harbour().quote}}},\n"
        r"  annote = {article harbour-041\#char=0,78, passage harbour-041-0123456789ab"
        " ¶ Check with Ana.}\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("iso", "fields"),
    [
        ("1963", {"year": "1963", "date": "1963"}),
        ("2024-12", {"year": "2024", "month": "December", "date": "2024-12"}),
        ("2025-03-14T19:12", {"year": "2025", "month": "March", "date": "2025-03-14"}),
    ],
)
def test_the_date_is_as_precise_as_it_is_known(iso: str, fields: dict[str, str]) -> None:
    found = read(entry(harbour(published=Published(iso)), "key")).fields
    assert {name: found[name] for name in ("year", "month", "date") if name in found} == fields


def test_persons_are_divided_and_agencies_are_not() -> None:
    byline = "Ana de la Cruz, Martin Luther King Jr., Staff and agencies"
    first, second, third = read(entry(harbour(byline=byline), "key")).persons["author"]
    assert (first.first_names, first.prelast_names, first.last_names) == (
        ["Ana"],
        ["de", "la"],
        ["Cruz"],
    )
    assert (second.last_names, second.lineage_names) == (["King"], ["Jr."])
    assert (third.first_names, third.last_names) == ([], ["{Staff and agencies}"])


def test_a_key_says_who_when_and_what() -> None:
    assert re.fullmatch(r"lindqvist2025harbour-[0-9a-f]{10}", key_of(harbour()))
    unsigned = harbour(byline="", headline="The “Æsir” sail, 1702", published=None)
    assert re.fullmatch(r"northportcouriersir-[0-9a-f]{10}", key_of(unsigned))
    assert re.fullmatch(r"anonymous2025harbour-.*", key_of(harbour(byline="", outlet="日本")))


def test_keys_differ_by_what_is_cited_and_stay_the_same() -> None:
    cited = [harbour(), harbour(start=1), harbour(passage_id=None), harbour(end=77)]
    assert len({key_of(each) for each in cited}) == len(cited)
    assert key_of(harbour(url="", accessed=harbour().accessed.replace(day=2))) == key_of(harbour())


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("50 % & $4, a_b #1", r"50 \% \& \$4, a\_b \#1"),
        (r"C:\x ~ ^", r"C:\textbackslash{}x \~{} \^{}"),
        ("as {it} was", r"as \{it\} was"),
        ("}{", r"\textbraceright{}\textbraceleft{}"),
        ("a -- b ''c'' ?`", "a -{}- b '{}'c'{}' ?{}`"),
    ],
)
def test_what_means_something_to_tex_is_escaped(text: str, tex: str) -> None:
    assert read(entry(harbour(headline=text), "key")).fields["title"] == f"{{{tex}}}"


@settings(deadline=None)
@given(citations(article_texts()))
def test_another_reader_gets_quote_id_and_span_as_they_were(citation: Citation) -> None:
    found = read(entry(citation, key_of(citation))).fields
    assert typeset(found["abstract"]).replace(" ¶ ", "\n\n") == citation.quote
    located = f"article {citation.article_id}#char={citation.start},{citation.end}"
    if citation.passage_id:
        located = f"{located}, passage {citation.passage_id}"
    assert typeset(found["annote"]) == located


@settings(deadline=None)
@given(citations(texts()), st.lists(texts(), max_size=3))
def test_no_text_ends_an_entry_or_begins_another(citation: Citation, notes: list[str]) -> None:
    found = parse_string(entry(citation, "a", notes) + entry(citation, "b", notes), "bibtex")
    assert list(found.entries) == ["a", "b"]
    for each in found.entries.values():
        assert typeset(each.fields.get("title", "")[1:-1]) == " ".join(
            re.sub(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]", "", citation.headline).split()
        )


@settings(deadline=None)
@given(texts(), texts(), texts())
def test_keys_are_ones_that_all_programs_take(byline: str, outlet: str, headline: str) -> None:
    key = key_of(harbour(byline=byline, outlet=outlet, headline=headline))
    assert re.fullmatch(r"[a-z0-9]+2025[a-z0-9]*-[0-9a-f]{10}", key)
