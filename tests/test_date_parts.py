import pytest

from index.article import Published
from search.references.date_parts import date_parts


@pytest.mark.parametrize(
    ("iso", "parts"),
    [
        ("1963", (1963,)),
        ("2024-12", (2024, 12)),
        ("2025-03-14", (2025, 3, 14)),
        ("2025-03-14T23:30:00-05:00", (2025, 3, 14)),  # the day as the outlet wrote it
    ],
)
def test_as_many_parts_as_are_known(iso: str, parts: tuple[int, ...]) -> None:
    assert date_parts(Published(iso)) == parts


def test_of_no_date_there_are_none() -> None:
    assert date_parts(None) == ()
