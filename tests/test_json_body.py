"""A request's body as a document."""

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict

from search.http import problems
from search.http.json_body import described_body, json_body


class _Part(BaseModel):
    size: int


class _Document(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"parts": [{"size": 1}]}})

    parts: list[_Part]


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    problems.install(app)

    @app.post("/", openapi_extra=described_body(_Document))
    def sizes(document: _Document = Depends(json_body(_Document, 100))) -> list[int]:  # noqa: B008
        return [part.size for part in document.parts]

    return TestClient(app)


def sent(client: TestClient, body: bytes, media_type: str = "application/json") -> tuple[int, str]:
    response = client.post("/", content=body, headers={"Content-Type": media_type})
    return response.status_code, response.text


def test_a_document_is_read(client: TestClient) -> None:
    body = b'{"parts": [{"size": 3}, {"size": 4}]}'
    assert sent(client, body, "Application/JSON; charset=utf-8") == (200, "[3,4]")


def test_a_mistake_is_named_by_its_place(client: TestClient) -> None:
    status, text = sent(client, b'{"parts": [{"size": 3}, {"size": "many"}]}')
    assert status == 422
    assert "parts[1].size: Input should be a valid integer" in text


def test_no_json_is_a_mistake_of_the_document(client: TestClient) -> None:
    status, text = sent(client, b'{"parts": ')
    assert status == 422
    assert "document: Invalid JSON" in text


def test_more_than_the_limit_is_refused(client: TestClient) -> None:
    assert sent(client, b'{"parts": []}'.ljust(100))[0] == 200
    status, text = sent(client, b'{"parts": []}'.ljust(101))
    assert status == 413
    assert "larger than 100 bytes" in text


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_media_type_is_refused(client: TestClient, media_type: str) -> None:
    assert sent(client, b'{"parts": []}', media_type)[0] == 415


def test_the_description_stands_on_its_own(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    assert "$ref" not in str(content)
    assert content["schema"]["properties"]["parts"]["items"]["required"] == ["size"]
    assert content["example"] == {"parts": [{"size": 1}]}
