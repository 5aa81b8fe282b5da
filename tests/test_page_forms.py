"""What the forms of the pages may send."""

import asyncio
from collections.abc import Iterator

import pytest
from fastapi import Request

from index.errors import BadQueryError
from search.http.problems import ProblemError
from search.pages.page_forms import MEDIA_TYPE, SentForm, sent_form


def received(*chunks: bytes, media_type: str = MEDIA_TYPE) -> SentForm:
    messages: Iterator[dict[str, object]] = iter(
        {"type": "http.request", "body": chunk, "more_body": at < len(chunks)}
        for at, chunk in enumerate(chunks, 1)
    )

    async def receive() -> dict[str, object]:
        return next(messages)

    headers = [(b"content-type", media_type.encode())]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    return asyncio.run(sent_form(request))


def test_a_form_is_read_in_whatever_chunks_it_comes() -> None:
    form = received(b"name=Ferry+fi", b"les&note=a%0D%0A", b"b&outlet=A&outlet=B&empty=")
    assert form.text("name") == "Ferry files"
    assert form.text("note") == "a\nb"
    assert form.fields["outlet"] == ["A", "B"]
    assert form.text("empty") == form.text("absent") == ""


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b'{"name": "x"}', "application/json", 415),
        (b"", "multipart/form-data; boundary=x", 415),
        (b"note=" + b"a" * 300_000, MEDIA_TYPE, 413),
        (b"&".join(b"a=1" for _ in range(300)), MEDIA_TYPE, 422),
    ],
)
def test_what_is_no_form_of_ours_is_refused(body: bytes, media_type: str, status: int) -> None:
    with pytest.raises(ProblemError) as refused:
        received(body, media_type=media_type)
    assert refused.value.problem.status == status


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert received(b"name=%ff%fe").text("name") == "��"


def test_a_number_that_is_none_is_refused_by_its_name() -> None:
    form = SentForm({"start": ["12"], "end": [""], "other": ["1e3"], "far": ["9" * 30]})
    assert form.whole_number("start") == 12
    assert form.whole_number("end") is None
    for name in ("other", "far"):
        with pytest.raises(BadQueryError, match=name):
            form.whole_number(name)
