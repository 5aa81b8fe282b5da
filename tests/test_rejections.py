"""Rejected records are kept, and can be asked for."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from conftest import Run, serving

from index import rejections, store_folder
from index.errors import BadArticleError
from index.rejections import Rejection
from index.writer import Writer
from search.commands.adding import Tally, add_to_store
from search.searcher import Searcher

BEGAN = datetime(2025, 3, 15, 6, 0, tzinfo=UTC)


def errors(count: int) -> list[BadArticleError]:
    return [
        BadArticleError("feed.jsonl", line, "no text", "add it") for line in range(1, count + 1)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Writer(tmp_path / "store") as writer, writer.desk() as truth:
        rejections.insert(truth, errors(3), BEGAN)
    return tmp_path / "store"


def test_the_newest_come_first_with_all_that_is_known(folder: Path) -> None:
    with Writer(folder) as writer, writer.desk() as truth:
        late = BadArticleError("request", 1, "no “text”\n\ud800", "add it")
        rejections.insert(truth, [late], BEGAN + timedelta(days=1))
    with closing(store_folder.open_readonly(folder)) as truth:
        first, *others = rejections.newest(truth, 3)
        assert rejections.count(truth) == 4
    assert first == Rejection(
        "request", 1, "no “text”\n\ufffd", "add it", BEGAN + timedelta(days=1)
    )
    assert [other.line for other in others] == [3, 2]


def test_only_so_many_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejections, "KEPT", 5)
    with Writer(folder) as writer, writer.desk() as truth:
        rejections.insert(truth, errors(4), BEGAN)
    with closing(store_folder.open_readonly(folder)) as truth:
        assert rejections.count(truth) == 5
        assert [kept.line for kept in rejections.newest(truth, 9)] == [4, 3, 2, 1, 3]


def test_a_damaged_row_is_left_out_and_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(folder / store_folder.DATABASE)) as truth, truth:
        truth.execute("UPDATE rejections SET reason = 'no name' WHERE line = 2")
    with closing(store_folder.open_readonly(folder)) as truth:
        assert [kept.line for kept in rejections.newest(truth, 9)] == [3, 1]
    assert "left out table=rejections number=2" in caplog.text


def test_they_change_no_snapshot(folder: Path) -> None:
    with closing(Searcher(folder)) as searcher, Writer(folder) as writer:
        before = searcher.snapshot_id()
        with writer.desk() as truth:
            rejections.insert(truth, errors(1), BEGAN)
        assert searcher.snapshot_id() == before
        assert searcher.status().rejected == 4


def test_what_add_rejects_is_kept_and_counted(tmp_path: Path, nutgraf: Run) -> None:
    file = tmp_path / "feed.jsonl"
    lines = ['{"id": "a", "text": "The ferry sails."}', '{"id": "b"}', '{"id": ', '{"text": "…"}']
    file.write_text("\n".join(lines), "utf-8")
    began = datetime.now(UTC).replace(microsecond=0)
    added = nutgraf("add", file, "--no-wait", "--store", tmp_path / "s")
    assert added.returncode == 3, added.stderr
    with closing(Searcher(tmp_path / "s")) as searcher:
        kept = searcher.rejections(10)
    assert [each.line for each in kept] == [4, 3, 2]
    for each in kept:
        assert f"rejected {each.path}:{each.line}: {each.reason}; {each.advice}" in added.stderr
        assert began <= each.rejected_at <= datetime.now(UTC)
    assert "rejected   3 records\n" in nutgraf("status", "--store", tmp_path / "s").stdout


def test_a_feed_of_bad_records_alone_is_kept_too(tmp_path: Path) -> None:
    told: list[BadArticleError] = []
    tally = Tally()
    with Writer(tmp_path / "s") as writer:
        add_to_store(writer, errors(1_203), tally, lambda now: None, told.append)
    with closing(Searcher(tmp_path / "s")) as searcher:
        assert searcher.status().rejected == tally.rejected == len(told) == 1_203


def test_what_comes_over_http_and_is_rejected_can_be_asked_for(tmp_path: Path) -> None:
    body = '{"id": "a", "text": "The ferry sails."}\n{"id": "b"}\n{"text": "…"}\n'
    with serving(tmp_path / "store") as server:
        url = f"{server.url}/v1"
        sent = httpx.post(
            f"{url}/articles", content=body, headers={"Content-Type": "application/x-ndjson"}
        ).json()
        assert sent["rejected"] == 2
        kept = httpx.get(f"{url}/rejections").json()["rejections"]
        assert [(each["path"], each["line"]) for each in kept] == [("request", 3), ("request", 2)]
        assert [each["reason"] for each in reversed(kept)] == [
            result["reason"] for result in sent["results"][1:]
        ]
        assert httpx.get(f"{url}/status").json()["rejected"] == 2
        assert httpx.get(f"{url}/rejections", params={"k": 1}).json()["rejections"] == kept[:1]
        assert httpx.get(f"{url}/rejections", params={"k": 0}).status_code == 422
