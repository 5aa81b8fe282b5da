"""Questions of a batch, as people write them down."""

import io

import pytest

from index.errors import BadQueryError
from search.desk.batch_questions import BadLine, Layout, Question, layout_of, read_questions
from search.filters import NO_FILTERS, Filters
from search.query import Mode


def read(
    text: str | bytes, name: str = "questions", layout: Layout | None = None
) -> list[Question | BadLine]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_questions(io.BytesIO(data), name, layout))


def texts(text: str | bytes, name: str = "questions") -> list[tuple[int, str]]:
    return [(question.line, question.text) for question in read(text, name)]


def problem(text: str, name: str = "questions") -> str:
    (found,) = read(text, name)
    assert isinstance(found, BadLine)
    return found.problem


def test_a_plain_list_is_one_question_a_line_and_blank_lines_count() -> None:
    assert texts("Who won, and when?\n\n  The ferry \nno newline") == [
        (1, "Who won, and when?"),
        (3, "The ferry"),
        (4, "no newline"),
    ]


@pytest.mark.parametrize("column", ["question", "Query", "q", " NAME "])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_column_for_the_question_makes_it_csv(column: str, delimiter: str) -> None:
    text = f"id{delimiter}{column}\n7{delimiter}ferry\n"
    assert read(text) == [Question(2, "7", "ferry", None, NO_FILTERS)]


def test_of_several_columns_that_could_be_the_question_the_plainest_is() -> None:
    assert texts("name,question\nInes Okoro,Who is harbour master?\n") == [
        (2, "Who is harbour master?")
    ]


def test_a_row_says_for_itself_what_holds_for_it() -> None:
    (found,) = read(
        "question,from,to,outlet,byline,section,language,mode,notes\n"
        'ferry,2025-03-01,2025-03-31,"The Islander; Courier",Berg,Local,en,Verbatim,ask Tom\n'
    )
    assert isinstance(found, Question)
    assert found.mode is Mode.VERBATIM
    assert found.filters == Filters.parse(
        outlet=["The Islander", "Courier"],
        byline=["Berg"],
        section=["Local"],
        language=["en"],
        published_from="2025-03-01",
        published_to="2025-03-31",
    )


def test_a_quoted_question_may_hold_delimiters_quotes_and_newlines() -> None:
    text = 'id,question\r\n1,"Who said ""yes,\r\nsir""?"\r\n2,ferry\r\n'
    assert texts(text) == [(2, 'Who said "yes,\r\nsir"?'), (4, "ferry")]


def test_in_a_single_column_commas_belong_to_the_question() -> None:
    assert texts("question\nWho won, and when?\n") == [(2, "Who won, and when?")]


def test_json_lines_hold_lists_and_numbers() -> None:
    text = '{"q": "ferry", "id": 7, "outlet": ["A; B", "C"], "from": null}\n{"question": "tram"}\n'
    first, second = read(text)
    assert first == Question(1, "7", "ferry", None, Filters(outlet=("A; B", "C")))
    assert second == Question(2, "", "tram", None, NO_FILTERS)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_files_of_office_programs_are_read(encoding: str) -> None:
    text = "id;question\r\n1;Où est le phare ?\r\n2;Hafen für Fähren\r\n"
    assert texts(text.encode(encoding)) == [(2, "Où est le phare ?"), (3, "Hafen für Fähren")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question,from\nferry,31/02/2019\n", "from: '31/02/2019' is no day; write it as "),
        ("question,from,to\nferry,2025-02-01,2025-01-01\n", "from: 2025-02-01 is later than to="),
        ("question,mode\nferry,loud\n", 'mode: "loud" is none; use plain or verbatim'),
        ("question,byline\nferry,!\n", "byline: '!' holds no word"),
        ("question,id\nferry\n", "1 cells where the header has 2; quote cells that hold"),
        ('question,id\n"ferry,7\n', "broken CSV: unexpected end of data; close each quotation"),
        ('{"q": \n', "broken JSON: "),
        ('{"q": ["ferry"]}\n', "q: a list, not a string; write it as one string"),
        ('{"q": "ferry", "outlet": [7.5]}\n', "outlet: 7.5, not a string"),
    ],
)
def test_a_bad_line_says_why_and_what_to_do(text: str, said: str) -> None:
    assert problem(text).startswith(said)


def test_a_bad_line_keeps_what_could_be_read_of_it_and_the_others_go_on() -> None:
    bad, good = read("id,question,mode\n7,ferry,loud\n8,tram,\n")
    assert (bad.line, bad.id, bad.text) == (2, "7", "ferry")
    assert good == Question(3, "8", "tram", None, NO_FILTERS)


def test_a_line_of_more_than_a_mebibyte_is_passed_over() -> None:
    bad, good = read(b"x" * 2**21 + b"\nferry\n")
    assert isinstance(bad, BadLine)
    assert "1 MiB" in bad.problem
    assert (good.line, good.text) == (2, "ferry")


def test_a_lone_surrogate_is_replaced() -> None:
    assert texts('{"q": "ferry \\ud800"}\n') == [(1, "ferry \ufffd")]


def test_a_file_named_csv_must_have_a_column_for_the_question() -> None:
    with pytest.raises(BadQueryError, match=r"who\.csv:1: no column for the question \(columns: p"):
        read("person,from\nInes Okoro,2025-01-01\n", "who.csv")
    with pytest.raises(BadQueryError, match="two columns are named outlet"):
        read("q,outlet,outlet\nferry,A,B\n")


def test_an_empty_file_holds_no_question() -> None:
    assert read("") == read("\n\n") == read("question\n") == []


def test_a_list_is_taken_as_it_is_when_the_layout_is_known() -> None:
    assert layout_of(b"question\nferry\n") is Layout.CSV
    found = read("question\nferry\n", layout=Layout.LIST)
    assert [each.text for each in found] == ["question", "ferry"]
