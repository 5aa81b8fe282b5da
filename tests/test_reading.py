"""Paths and streams of anything give source records and errors, and nothing else."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import Origin, SourceRecord
from index.errors import BadArticleError
from index.formats.limits import Limits
from index.reading import read, read_stream

DATA = Path(os.environ.get("NUTGRAF_DATA", Path(__file__).parents[1] / "../shared/data"))
needs_data = pytest.mark.skipif(
    not (DATA / "press-2012-2020.jsonl.zst").exists(),
    reason="set NUTGRAF_DATA to the folder of test data",
)


def shown(results: Iterator[SourceRecord | BadArticleError]) -> list[str]:
    return [
        str(r) if isinstance(r, BadArticleError) else f"{r.origin.path}:{r.origin.line} {r.body}"
        for r in results
    ]


def test_a_folder_of_everything_is_read_in_order_with_one_error_for_each_bad_thing(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n{"text": 2}\n')
    (tmp_path / "b.csv").write_text("id,text\n1,three\n")
    (tmp_path / "c.txt").write_text("four")
    (tmp_path / "d.rss").write_text(
        "<rss><channel><item><description>five</description></item></channel></rss>"
    )
    (tmp_path / "e.json").write_text('{"articles": [\n{"text": "six"}]}')
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        archive.writestr("g/h.txt", "seven")
    (tmp_path / "i.pdf").write_bytes(b"%PDF-1.7 ...")
    (tmp_path / "j").mkdir()
    (tmp_path / "j/k").write_text("eight")
    (tmp_path / "l.jsonl.gz").write_bytes(gzip.compress(b'\n{"text": "nine"}\n'))
    (tmp_path / "m.txt").symlink_to("nowhere")
    os.mkfifo(tmp_path / "n")
    assert [line.replace(f"{tmp_path}/", "") for line in shown(read([tmp_path]))] == [
        "a.jsonl:1 one",
        'a.jsonl:2: "text" is 2, not a string; write it as one string',
        "b.csv:2 three",
        "c.txt:1 four",
        "d.rss:1 five",
        "e.json:2 six",
        "f.zip!g/h.txt:1 seven",
        "i.pdf:1: is no text but a PDF document; unpack or save it as text",
        "l.jsonl.gz:2 nine",
        "m.txt:1: cannot be opened: No such file or directory; see to the path and its permissions",
        "n:1: is no regular file; remove it",
        "j/k:1 eight",
    ]


def test_several_paths_are_read_one_after_the_other_and_a_missing_one_is_an_error(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.txt").write_text("two")
    paths = [tmp_path / "b.txt", tmp_path / "nowhere", Path("nul\0l"), tmp_path / "a.txt"]
    two, missing, nul, one = shown(read(paths))
    assert two.endswith("b.txt:1 two")
    assert one.endswith("a.txt:1 one")
    assert "nowhere:1: cannot be opened: No such file or directory; " in missing
    assert nul.startswith("nul\\x00l:1: cannot be opened: ")


def test_a_saved_page_is_read_by_the_reader_of_pages(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    sentence = "The ferry between the two harbours is back after the winter storm, it was said. "
    page.write_text(
        "<html><head><title>Ferry returns</title></head><body><article><h1>Ferry returns</h1>"
        + f"<p>{sentence * 3}</p><p>{sentence * 3}</p></article></body></html>"
    )
    [record] = read([page])
    assert isinstance(record, SourceRecord)
    assert record.origin == Origin(str(page), 1)
    assert "back after the winter storm" in record.body


def test_a_field_map_applies_to_every_record_and_must_name_our_fields() -> None:
    stream = io.BytesIO(b'{"text": "t", "kicker": "K"}')
    [record] = read_stream(stream, field_map={"headline": "kicker"})
    assert isinstance(record, SourceRecord)
    assert record.headline == "K"
    with pytest.raises(ValueError, match="no field titel"):
        read_stream(io.BytesIO(), field_map={"titel": "x"})
    with pytest.raises(ValueError, match="no field titel"):
        read([], field_map={"titel": "x"})


def test_a_pipe_that_was_named_is_read_while_it_is_written(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=('{"text": "one"}\n{"text": "two"}\n',))
    writer.start()
    assert shown(read([pipe])) == [f"{pipe}:1 one", f"{pipe}:2 two"]
    writer.join()


def test_standard_input_is_read_without_a_name() -> None:
    code = (
        "import sys; from index.reading import read_stream\n"
        "for r in read_stream(sys.stdin.buffer): print(r.origin.path, r.origin.line, r.body)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        input=zstandard.ZstdCompressor().compress(b'\n{"text": "one"}\n'),
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert out.stdout == b"<stdin> 2 one\n"


def test_a_stream_without_end_is_left_at_the_file_limit() -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            buffer[:] = b"x" * len(buffer)
            return len(buffer)

    limits = Limits(max_file_bytes=5_000_000, max_record_bytes=1_000_000)
    [error] = read_stream(io.BufferedReader(Endless()), name="a.jsonl", limits=limits)
    assert "is larger than 5 MiB" in str(error)


def test_a_read_error_is_reported_where_it_happens() -> None:
    class Failing(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            data = super().read1(70_000)
            if not data:
                raise OSError(5, "Input/output error")
            return data

    data = b'{"text": "one"}\n' * 6000
    *records, error = read_stream(Failing(data), name="a.jsonl")
    assert len(records) == 6000
    assert str(error) == "a.jsonl:6001: cannot be read: Input/output error; see to the file"


def _samples() -> list[bytes]:
    lines = b'{"id": 1, "text": "caf\xc3\xa9"}\n{"text": "x", "date": "2020-01-01"}\n'
    rss = b"<rss><channel><title>T</title><item><description>d</description></item></channel></rss>"
    page = (
        b"<html><head><title>T</title></head><body><p>Talks go on, it was said.</p></body></html>"
    )
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.jsonl", lines)
        archive.writestr("b.rss", rss)
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        info = tarfile.TarInfo("a.jsonl")
        info.size = len(lines)
        tar.addfile(info, io.BytesIO(lines))
    plain = [lines, b"[" + lines.replace(b"}\n{", b"},{") + b"]", b"id,text\n1,x\n", rss, page]
    plain.append(json.dumps({"version": "https://jsonfeed.org/version/1", "items": []}).encode())
    packed = [zipped.getvalue(), tarred.getvalue(), gzip.compress(lines)]
    return [*plain, *packed, zstandard.ZstdCompressor().compress(tarred.getvalue())]


NAMES = st.sampled_from(
    [
        "",
        "a.jsonl",
        "a.json",
        "a.csv",
        "a.txt",
        "a.xml",
        "a.html",
        "a.zip",
        "a.tar",
        "a.gz",
        "a.zst",
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file with a piece of it replaced by other bytes."""
    data = draw(st.sampled_from(_samples()))
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(start + 40, len(data))))
    return data[:start] + draw(st.binary(max_size=20)) + data[end:]


@settings(deadline=5000)
@given(st.binary(max_size=300) | damaged(), NAMES)
def test_any_bytes_give_records_and_errors_that_can_be_printed(data: bytes, name: str) -> None:
    for result in read_stream(io.BytesIO(data), name=name):
        assert isinstance(result, SourceRecord | BadArticleError)
        if isinstance(result, BadArticleError):
            assert str(result).encode("utf-8").count(b"\n") == 0
            assert result.advice
        else:
            assert result.body.strip()


@needs_data
def test_every_article_of_the_real_archives_is_read() -> None:
    expected = {"news-qa": 4991, "time": 423, "squad_dev_v1.1": 2067, "events": 482}
    for name, count in expected.items():
        results = list(read([DATA / name]))
        assert [r for r in results if isinstance(r, BadArticleError)] == []
        assert len(results) == count


@needs_data
def test_real_articles_keep_what_their_source_says() -> None:
    first = next(read([DATA / "reuters-1987.jsonl.zst"]))
    assert isinstance(first, SourceRecord)
    assert (first.own_id, first.headline, first.outlet) == ("r1", "BAHIA COCOA REVIEW", "Reuters")
    assert first.published is not None
    assert first.published.iso.startswith("1987-02-26T15:0")
    assert first.origin == Origin(str(DATA / "reuters-1987.jsonl.zst"), 1)
