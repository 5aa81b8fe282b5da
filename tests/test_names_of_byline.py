import pytest
from citations import texts
from hypothesis import given, settings

from search.references.names_of_byline import Name, names_of
from search.references.one_line import one_line

TOMAS, ANA = Name("Lindqvist", "Tomas"), Name("Duarte", "Ana")


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("", []),
        ("By", []),
        ("Tomas Lindqvist", [TOMAS]),
        ("By Tomas Lindqvist and Ana Duarte", [TOMAS, ANA]),
        ("BY TOMAS LINDQVIST AND ANA DUARTE", [TOMAS, ANA]),
        ("Tomas Lindqvist, Ana Duarte & Ines Okoro", [TOMAS, ANA, Name("Okoro", "Ines")]),
        ("Reporting by Tomas Lindqvist; Ana Duarte", [TOMAS, ANA]),
        ("Analysis: Tomas Lindqvist with Ana Duarte", [TOMAS, ANA]),
        ("Lindqvist, Tomas", [TOMAS]),
        ("Lindqvist, Tomas; Duarte, Ana", [TOMAS, ANA]),
        ("Tomas Lindqvist und Ana Duarte", [TOMAS, ANA]),
        ("Von Tomas Lindqvist", [TOMAS]),
        ("Por Ana Duarte y Tomas Lindqvist", [ANA, TOMAS]),
        ("Tomas Lindqvist, Ana Duarte, Tomas Lindqvist", [TOMAS, ANA]),
    ],
)
def test_persons_are_told_apart_and_divided(byline: str, names: list[Name]) -> None:
    assert names_of(byline) == tuple(names)


@pytest.mark.parametrize(
    ("person", "name"),
    [
        ("Ludwig van Beethoven", Name("van Beethoven", "Ludwig")),
        ("MARIA DE LA CRUZ", Name("de la Cruz", "Maria")),
        ("José Ortega y Gasset", Name("Ortega y Gasset", "José")),
        ("Van Jones", Name("Jones", "Van")),  # a particle that is a first name
        ("J.K. ROWLING", Name("Rowling", "J.K.")),
        ("Seán O'BRIEN", Name("O'BRIEN", "Seán")),
        ("SEAN O'BRIEN-MCDONALD", Name("O'Brien-McDonald", "Sean")),
        ("Martin Luther King Jr.", Name("King", "Martin Luther", "Jr.")),
        ("Martin Luther King, Jr.", Name("King", "Martin Luther", "Jr.")),
        ("Prof. Dr. Ana Duarte", ANA),
        ("Jean-Luc Picard", Name("Picard", "Jean-Luc")),
    ],
)
def test_a_name_is_divided_before_its_family_name(person: str, name: Name) -> None:
    assert names_of(person) == (name,)


@pytest.mark.parametrize(
    "byline",
    [
        "Tomas Lindqvist, Berlin correspondent",
        "Tomas Lindqvist, Berlin",
        "Tomas Lindqvist, New York",
        "Tomas Lindqvist in Berlin",
        "Tomas Lindqvist reports from the harbour",
        "Tomas Lindqvist, Press Association Political Correspondent",
        "Tomas Lindqvist, special to the Courier",
        "Tomas Lindqvist tomas@courier.example",
        "Tomas Lindqvist, Tomas.Lindqvist Courier.Com",
        "“Tomas Lindqvist”",
    ],
)
def test_what_or_where_a_person_is_does_not_belong_to_the_name(byline: str) -> None:
    assert names_of(byline) == (TOMAS,)


@pytest.mark.parametrize(
    "byline",
    [
        "Reuters",
        "Associated Press",
        "Staff and agencies",
        "Courier staff",
        "Our Berlin correspondent",
        "Political editor",
        "The Editorial Board",
        "Guardian Sport Desk",
        "Pele",
        "王小明",
        "readers of the Courier",
        "Who said that this was ever going to be easy",
        "webteam_2",
    ],
)
def test_what_is_no_person_is_not_divided(byline: str) -> None:
    assert names_of(byline) == (Name(byline),)


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("Tomas Lindqvist (Reuters)", [TOMAS, Name("Reuters")]),
        ("Ines Okoro, AP", [Name("Okoro", "Ines"), Name("AP")]),
        ("Courier staff and Meridian Wire", [Name("Courier staff"), Name("Meridian Wire")]),
        ("Tomas Lindqvist and agencies", [TOMAS, Name("agencies")]),
        ("Reuters and Ana Duarte", [Name("Reuters"), ANA]),
    ],
)
def test_persons_and_agencies_may_sign_together(byline: str, names: list[Name]) -> None:
    assert names_of(byline) == tuple(names)


def test_an_address_in_the_middle_leaves_one_space() -> None:
    assert names_of("Desk 4 desk@courier.example 0") == (Name("Desk 4 0"),)


def test_the_outlet_itself_is_no_person() -> None:
    assert names_of("The Northport Islander", "Northport Islander")[0].is_literal
    assert names_of("Northport Islander", "Northport Islander") == (Name("Northport Islander"),)


@pytest.mark.parametrize("character", ["a", "(", "a, ", " @"])
def test_what_is_far_too_long_is_not_divided(character: str) -> None:
    byline = f"Tomas Lindqvist {character * 100_000}"
    assert names_of(byline) == (Name(one_line(byline)),)


@settings(deadline=None)
@given(texts())
def test_names_have_no_more_than_the_byline_has(byline: str) -> None:
    for name in names_of(byline):
        for part in (name.family, name.given, name.suffix):
            assert part == one_line(part)
            for word in part.split():
                assert word.casefold() in f"{one_line(byline)} and".casefold()
        assert name.family
