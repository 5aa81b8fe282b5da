"""References to ten articles, as the styles of citationstyles.org set them.

They were set by citeproc-js with apa, iso690-numeric-en, chicago-notes-bibliography-17th-edition
and modern-language-association, and differ from what it gave in two things: headlines keep their
capitals, and a family name keeps its particles before it.
"""

import pytest
from citations import citations, harbour, texts
from hypothesis import given, settings

from index.article import Published
from search.references.citation import Citation
from search.references.reference_styles import Style, formatted

URL = "https://courier.example/2025/03/harbour"


def article(**changes: object) -> Citation:
    known = {"byline": "By Tomas Lindqvist", "section": "", "url": URL}
    return harbour(**(known | changes))


ARTICLES = {
    "signed": article(),
    "unsigned": article(byline=""),
    "agency": article(byline="Associated Press"),
    "two": article(byline="Tomas Lindqvist and Ana Duarte"),
    "three": article(byline="Tomas Lindqvist, Ana Duarte and Ines Okoro"),
    "year": article(published=Published("1963")),
    "month": article(published=Published("2024-12"), section="Local"),
    "undated": article(published=None),
    "no url": article(url="", headline="Will it hold? “Yes,” says mayor"),
    "no headline": article(headline=""),
    "Spanish": article(
        headline="¿Quién paga el puerto?",
        byline="María de la Cruz",
        outlet="El Faro",
        language="es",
    ),
    "suffix": article(byline="Jean-Luc King Jr."),
}
HEADLINE = "Harbour reopens after the storm"


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("signed", f"Lindqvist, T. (2025, March 14). {HEADLINE}. Northport Courier. {URL}"),
        ("unsigned", f"{HEADLINE}. (2025, March 14). Northport Courier. {URL}"),
        ("agency", f"Associated Press. (2025, March 14). {HEADLINE}. Northport Courier. {URL}"),
        (
            "two",
            f"Lindqvist, T., & Duarte, A. (2025, March 14). {HEADLINE}. Northport Courier. {URL}",
        ),
        (
            "three",
            "Lindqvist, T., Duarte, A., & Okoro, I. (2025, March 14). "
            f"{HEADLINE}. Northport Courier. {URL}",
        ),
        ("year", f"Lindqvist, T. (1963). {HEADLINE}. Northport Courier. {URL}"),
        ("month", f"Lindqvist, T. (2024, December). {HEADLINE}. Northport Courier. {URL}"),
        (
            "undated",
            f"Lindqvist, T. (n.d.). {HEADLINE}. Northport Courier. "
            f"Retrieved June 1, 2025, from {URL}",
        ),
        (
            "no url",
            "Lindqvist, T. (2025, March 14). Will it hold? “Yes,” says mayor. Northport Courier.",
        ),
        (
            "no headline",
            f"Lindqvist, T. (2025, March 14). [Newspaper article]. Northport Courier. {URL}",
        ),
        ("Spanish", f"de la Cruz, M. (2025, March 14). ¿Quién paga el puerto? El Faro. {URL}"),
        ("suffix", f"King, J.-L., Jr. (2025, March 14). {HEADLINE}. Northport Courier. {URL}"),
    ],
)
def test_apa(name: str, reference: str) -> None:
    assert formatted(ARTICLES[name], Style.APA) == reference


ONLINE = f"[Accessed 1 June 2025]. Available from: {URL}"


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        (
            "signed",
            f"LINDQVIST, Tomas. {HEADLINE}. Northport Courier. Online. 14 March 2025. {ONLINE}",
        ),
        ("unsigned", f"{HEADLINE}. Northport Courier. Online. 14 March 2025. {ONLINE}"),
        (
            "agency",
            f"ASSOCIATED PRESS. {HEADLINE}. Northport Courier. Online. 14 March 2025. {ONLINE}",
        ),
        (
            "two",
            f"LINDQVIST, Tomas and DUARTE, Ana. {HEADLINE}. "
            f"Northport Courier. Online. 14 March 2025. {ONLINE}",
        ),
        (
            "three",
            f"LINDQVIST, Tomas, DUARTE, Ana and OKORO, Ines. {HEADLINE}. "
            f"Northport Courier. Online. 14 March 2025. {ONLINE}",
        ),
        ("year", f"LINDQVIST, Tomas. {HEADLINE}. Northport Courier. Online. 1963. {ONLINE}"),
        (
            "month",
            f"LINDQVIST, Tomas. {HEADLINE}. Northport Courier. Online. December 2024. {ONLINE}",
        ),
        ("undated", f"LINDQVIST, Tomas. {HEADLINE}. Northport Courier. Online. {ONLINE}"),
        (
            "no url",
            "LINDQVIST, Tomas. Will it hold? “Yes,” says mayor. Northport Courier. 14 March 2025.",
        ),
        (
            "no headline",
            f"LINDQVIST, Tomas. [Untitled]. Northport Courier. Online. 14 March 2025. {ONLINE}",
        ),
        (
            "Spanish",
            f"DE LA CRUZ, María. ¿Quién paga el puerto? El Faro. Online. 14 March 2025. {ONLINE}",
        ),
        (
            "suffix",
            f"KING, Jean-Luc, Jr. {HEADLINE}. Northport Courier. Online. 14 March 2025. {ONLINE}",
        ),
    ],
)
def test_iso690(name: str, reference: str) -> None:
    assert formatted(ARTICLES[name], Style.ISO690) == reference


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("signed", f"Lindqvist, Tomas. “{HEADLINE}.” Northport Courier, March 14, 2025. {URL}."),
        ("unsigned", f"Northport Courier. “{HEADLINE}.” March 14, 2025. {URL}."),
        ("agency", f"Associated Press. “{HEADLINE}.” Northport Courier, March 14, 2025. {URL}."),
        (
            "two",
            f"Lindqvist, Tomas, and Ana Duarte. “{HEADLINE}.” "
            f"Northport Courier, March 14, 2025. {URL}.",
        ),
        (
            "three",
            f"Lindqvist, Tomas, Ana Duarte, and Ines Okoro. “{HEADLINE}.” "
            f"Northport Courier, March 14, 2025. {URL}.",
        ),
        ("year", f"Lindqvist, Tomas. “{HEADLINE}.” Northport Courier, 1963. {URL}."),
        (
            "month",
            f"Lindqvist, Tomas. “{HEADLINE}.” Local. Northport Courier, December 2024. {URL}.",
        ),
        (
            "undated",
            f"Lindqvist, Tomas. “{HEADLINE}.” Northport Courier, n.d. "
            f"Accessed June 1, 2025. {URL}.",
        ),
        (
            "no url",
            "Lindqvist, Tomas. “Will it hold? ‘Yes,’ says mayor.” "
            "Northport Courier, March 14, 2025.",
        ),
        (
            "no headline",
            f"Lindqvist, Tomas. Untitled article. Northport Courier, March 14, 2025. {URL}.",
        ),
        ("Spanish", f"de la Cruz, María. “¿Quién paga el puerto?” El Faro, March 14, 2025. {URL}."),
        (
            "suffix",
            f"King, Jean-Luc, Jr. “{HEADLINE}.” Northport Courier, March 14, 2025. {URL}.",
        ),
    ],
)
def test_chicago(name: str, reference: str) -> None:
    assert formatted(ARTICLES[name], Style.CHICAGO) == reference


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("signed", f"Lindqvist, Tomas. “{HEADLINE}.” Northport Courier, 14 Mar. 2025, {URL}."),
        ("unsigned", f"“{HEADLINE}.” Northport Courier, 14 Mar. 2025, {URL}."),
        ("agency", f"Associated Press. “{HEADLINE}.” Northport Courier, 14 Mar. 2025, {URL}."),
        (
            "two",
            f"Lindqvist, Tomas, and Ana Duarte. “{HEADLINE}.” "
            f"Northport Courier, 14 Mar. 2025, {URL}.",
        ),
        (
            "three",
            f"Lindqvist, Tomas, et al. “{HEADLINE}.” Northport Courier, 14 Mar. 2025, {URL}.",
        ),
        ("year", f"Lindqvist, Tomas. “{HEADLINE}.” Northport Courier, 1963, {URL}."),
        (
            "month",
            f"Lindqvist, Tomas. “{HEADLINE}.” Northport Courier, Dec. 2024, {URL}. Local.",
        ),
        (
            "undated",
            f"Lindqvist, Tomas. “{HEADLINE}.” Northport Courier, {URL}. Accessed 1 June 2025.",
        ),
        (
            "no url",
            "Lindqvist, Tomas. “Will it hold? ‘Yes,’ says mayor.” Northport Courier, 14 Mar. 2025.",
        ),
        (
            "no headline",
            f"Lindqvist, Tomas. Untitled article. Northport Courier, 14 Mar. 2025, {URL}.",
        ),
        ("Spanish", f"de la Cruz, María. “¿Quién paga el puerto?” El Faro, 14 Mar. 2025, {URL}."),
        ("suffix", f"King, Jean-Luc, Jr. “{HEADLINE}.” Northport Courier, 14 Mar. 2025, {URL}."),
    ],
)
def test_mla(name: str, reference: str) -> None:
    assert formatted(ARTICLES[name], Style.MLA) == reference


def test_long_lists_of_names_are_cut_as_each_style_says() -> None:
    many = article(byline=", ".join(f"Ana Berg{letter}" for letter in "abcdefghijklmnopqrstuvw"))
    assert formatted(many, Style.APA).startswith("Berga, A., Bergb, A., ")
    assert "Bergs, A., … Bergw, A. (2025" in formatted(many, Style.APA)
    assert formatted(many, Style.CHICAGO).startswith("Berga, Ana, Ana Bergb, ")
    assert "Ana Bergg, et al. “" in formatted(many, Style.CHICAGO)
    assert formatted(many, Style.MLA).startswith("Berga, Ana, et al. “")
    assert "BERGV, Ana and BERGW, Ana. " in formatted(many, Style.ISO690)


@pytest.mark.parametrize(
    ("headline", "quoted"),
    [
        ('"We sail," master says', "“‘We sail,’ master says.”"),
        ("Master: “We sail”", "“Master: ‘We sail.’”"),
        ("Do we sail?", "“Do we sail?”"),
        ("‘We sail’", "“‘We sail’.”"),
    ],
)
def test_a_headline_that_quotes_is_quoted_with_single_marks(headline: str, quoted: str) -> None:
    assert formatted(article(headline=headline, byline=""), Style.MLA).startswith(quoted)


@settings(deadline=None)
@given(citations(texts()))
def test_a_reference_is_one_line_with_no_gap(citation: Citation) -> None:
    for style in Style:
        reference = formatted(citation, style)
        assert reference == " ".join(reference.split())
        assert reference
