"""Export over HTTP, and by the command line: in every format, and as a file that is whole."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
import rispy
from conftest import ROOT, Run, serving
from pyarrow import parquet
from pybtex.database import parse_string

COUNTS: dict[str, Callable[[bytes], int]] = {
    "jsonl": lambda document: len(document.splitlines()) - 1,
    "ris": lambda document: len(rispy.loads(document.decode())),
    "bibtex": lambda document: len(parse_string(document.decode(), "bibtex").entries),
    "csl-json": lambda document: len(json.loads(document)),
    "csv": lambda document: len(list(csv.reader(io.StringIO(document.decode())))) - 1,
    "parquet": lambda document: int(parquet.read_table(io.BytesIO(document)).num_rows),
}
QUESTION = "ferry harbour museum"


@pytest.mark.parametrize("format", COUNTS)
def test_every_format_has_a_record_for_each_place_and_its_own_media_type(
    harbour_url: str, format: str
) -> None:
    query = {"q": QUESTION, "format": format, "to": "2025-12-31", "as_of": "2025-06-30"}
    response = httpx.get(f"{harbour_url}/v1/export", params=query).raise_for_status()
    declared = httpx.get(f"{harbour_url}/openapi.json").json()["paths"]["/v1/export"]["get"]
    media_type = response.headers["content-type"].partition(";")[0]
    assert media_type in declared["responses"]["200"]["content"]
    headers = {name: response.headers.get(f"Nutgraf-{name}") for name in ("Total", "Query")}
    assert int(headers["Total"] or 0) == COUNTS[format](response.content) > 0
    assert unquote(headers["Query"] or "") == QUESTION
    assert response.headers["Nutgraf-Filters"] == "to=2025-12-31"
    assert response.headers["Nutgraf-As-Of"] == "2025-06-30"
    assert response.headers["Nutgraf-Snapshot"]
    assert 'filename="nutgraf-ferry-harbour-museum-' in response.headers["Content-Disposition"]


def test_every_header_and_format_is_declared(harbour_url: str) -> None:
    operation = httpx.get(f"{harbour_url}/openapi.json").json()["paths"]["/v1/export"]["get"]
    [format] = [each for each in operation["parameters"] if each["name"] == "format"]
    assert format["schema"]["default"] == "jsonl"
    answer = operation["responses"]["200"]
    response = httpx.get(f"{harbour_url}/v1/export", params={"q": "ferry"})
    ours = {name for name in response.headers if name.startswith("nutgraf-")}
    assert ours <= {name.lower() for name in answer["headers"]}
    csl = answer["content"]["application/vnd.citationstyles.csl+json"]["example"]
    assert csl[0]["custom"]["export"]["query"] == "When does the ferry sail?"
    assert "501" in operation["responses"]


def test_references_lead_to_the_page_of_the_archive(harbour_url: str) -> None:
    query = {"q": "ferry", "format": "ris"}
    [record, *_] = rispy.loads(httpx.get(f"{harbour_url}/v1/export", params=query).text)
    [link] = [value for key, value in record.items() if key.startswith("file_attachments2")]
    link = link if isinstance(link, str) else link[0]
    assert link.startswith(f"{harbour_url}/articles/")
    assert httpx.get(link).status_code == 200


def test_a_format_that_there_is_not_is_refused(harbour_url: str) -> None:
    response = httpx.get(f"{harbour_url}/v1/export", params={"q": "ferry", "format": "xls"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "format"


# ------------------------------------------------------------------------ command line


@pytest.mark.parametrize("format", ["bibtex", "parquet"])
def test_the_command_writes_the_file_it_is_given(
    harbour: Path, nutgraf: Run, tmp_path: Path, format: str
) -> None:
    out = tmp_path / "hits"
    asked = ("export", QUESTION, "--effort", "quick", "--format", format, "--store", harbour)
    ran = nutgraf(*asked, "--out", out)
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    assert COUNTS[format](out.read_bytes()) > 0
    assert list(tmp_path.iterdir()) == [out]


def test_the_command_prints_what_it_is_not_to_write(harbour: Path, nutgraf: Run) -> None:
    ran = nutgraf("export", QUESTION, "--effort", "quick", "--format", "ris", "--store", harbour)
    assert ran.stdout.startswith("TY  - NEWS\n")
    assert ran.stderr == ""


def test_what_cannot_be_written_is_said_and_nothing_is_there(
    harbour: Path, nutgraf: Run, tmp_path: Path
) -> None:
    asked = ("export", QUESTION, "--store", harbour, "--effort", "quick")
    ran = nutgraf(*asked, "--out", tmp_path / "absent" / "hits.jsonl")
    assert ran.returncode == 1
    assert "No such file or directory; nothing was written there" in ran.stderr
    ran = nutgraf(*asked, "--format", "xls", "--out", tmp_path / "hits.xls")
    assert ran.returncode == 2
    assert "jsonl, ris, bibtex, csl-json, csv or parquet" in ran.stderr
    asked = ("export", "ferry AND (", "--effort", "quick", "--store", harbour)
    ran = nutgraf(*asked, "--out", tmp_path / "hits.jsonl")
    assert ran.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_parquet_is_refused_with_what_to_install(
    harbour: Path, nutgraf: Run, tmp_path: Path
) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    path = f"{tmp_path}:{ROOT}"
    asked = ("export", "ferry", "--store", harbour, "--format", "parquet", "--effort", "quick")
    ran = nutgraf(*asked, "--out", tmp_path / "hits.parquet", PYTHONPATH=path)
    assert ran.returncode == 1
    assert "pip install 'nutgraf[parquet]'" in ran.stderr
    assert not (tmp_path / "hits.parquet").exists()


def test_without_pyarrow_the_server_says_so(harbour: Path, tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    with serving(harbour, "--read-only", PYTHONPATH=f"{tmp_path}:{ROOT}") as server:
        query = {"q": "ferry", "format": "parquet"}
        response = httpx.get(f"{server.url}/v1/export", params=query)
    assert response.status_code == 501
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "urn:nutgraf:problem:not-installed"
