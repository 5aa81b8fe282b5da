"""The name of an export's file."""

import re

import pytest
from exports import export_of, provenance_of, texts
from hypothesis import given

from search.exports.export_name import content_disposition, file_name


def name_of(query: str, suffix: str = ".csv") -> str:
    return file_name(provenance_of(export_of([], 0, query=query)), suffix)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("When does the ferry sail?", "nutgraf-when-does-the-ferry-sail-2025-03-15.csv"),
        ('../../etc/passwd "\r\nX: y', "nutgraf-etc-passwd-x-y-2025-03-15.csv"),
        ("Zürich – Où?", "nutgraf-zürich-où-2025-03-15.csv"),
        ("हिन्दी", "nutgraf-हिन्दी-2025-03-15.csv"),
        ("…", "nutgraf-2025-03-15.csv"),
        (f"{'word ' * 7}chopped", f"nutgraf-{'word-' * 7}2025-03-15.csv"),
        ("x" * 200, f"nutgraf-{'x' * 40}-2025-03-15.csv"),
    ],
)
def test_it_is_of_the_question_and_the_day(query: str, name: str) -> None:
    assert name_of(query) == name


@given(texts)
def test_it_is_safe_in_any_folder_and_in_the_header(query: str) -> None:
    name = name_of(query)
    assert not set(name) & set('/\\:*?"<>| \r\n\t\0')
    assert len(name.encode()) < 255
    header = content_disposition(name)
    assert re.fullmatch(
        r"attachment; filename=\"nutgraf-[\w.-]*\.csv\"(; filename\*=UTF-8''[\w.%~-]+)?",
        header,
        re.ASCII,
    )


def test_a_name_beyond_ascii_is_given_plainly_too() -> None:
    assert content_disposition(name_of("Zürich")) == (
        'attachment; filename="nutgraf-zurich-2025-03-15.csv"; '
        "filename*=UTF-8''nutgraf-z%C3%BCrich-2025-03-15.csv"
    )


def test_whatever_the_name_the_header_is_one_line_and_the_plain_name_is_safe() -> None:
    assert content_disposition('a/"b"\r\n.csv') == (
        "attachment; filename=\"ab.csv\"; filename*=UTF-8''a%2F%22b%22%0D%0A.csv"
    )
