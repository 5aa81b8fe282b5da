"""The command that asks many questions."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Run, environment

QUESTIONS = """\
id,question,outlet
1,When does the ferry sail?,
2,headline:zeppelin,
3,,
4,Who said the fares rise?,The Islander
"""


def rows_in(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.csv"
    path.write_text(QUESTIONS, "utf-8")
    return path


def test_a_table_is_made_and_bad_lines_are_told_with_exit_3(
    harbour: Path, questions: Path, nutgraf: Run
) -> None:
    out = questions.with_name("out.csv")
    done = nutgraf("batch", questions, "--out", out, "-k", 2, "--store", harbour)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"{questions}:4: question: the question is empty; ask in a few" in done.stderr
    assert "3 questions answered, 1 line could not be asked." in done.stderr
    assert "Asking: 0 of 4 questions" in done.stderr
    rows = rows_in(out)
    assert [row["id"] for row in rows] == ["1", "1", "2", "3", "4"]
    assert [row["line"] for row in rows] == ["2", "2", "3", "4", "5"]
    assert "sails at dawn" in rows[0]["quote"]
    assert (rows[2]["verdict"], rows[2]["total"], rows[2]["rank"]) == ("none", "0", "")
    assert rows[3]["problem"].startswith("question: the question is empty")
    assert rows[4]["outlet"] == "The Islander"


def test_a_list_on_stdin_becomes_json_lines_on_stdout(harbour: Path, nutgraf: Run) -> None:
    asked = nutgraf(
        *("batch", "-", "--format", "jsonl", "-k", 1, "--effort", "quick", "--store", harbour),
        stdin="When does the ferry sail?\n\nIs there a tram?\n",
    )
    assert asked.returncode == 0, asked.stderr
    rows = [json.loads(line) for line in asked.stdout.splitlines()]
    assert [(row["line"], row["article_id"]) for row in rows] == [
        (1, "harbour-041"),
        (3, "council-007"),
    ]
    hit = json.loads(
        nutgraf(
            *("search", "Is there a tram?", "-k", 1, "--effort", "quick", "--json"),
            *("--store", harbour),
        ).stdout
    )["hits"][0]
    assert (rows[1]["quote"], rows[1]["score"]) == (hit["text"], hit["score"])


# Runs the command, which gets a signal when it comes to its twelfth question.
STOPPED = """
import os, sys
from search.desk import batch
from search.desk import resumable_output
from search.cli import main
resumable_output._SYNC_INTERVAL_S = 0.0
number, ask, asked = int(sys.argv.pop()), batch.rows_of, []
def rows_of(*arguments):
    asked.append(1)
    if len(asked) == 12:
        os.kill(os.getpid(), number)
    return ask(*arguments)
batch.rows_of = rows_of
main()
"""


@pytest.mark.parametrize("stopped_by", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_stopped_goes_on_where_it_was(
    stopped_by: signal.Signals, harbour: Path, tmp_path: Path, nutgraf: Run
) -> None:
    file, out = tmp_path / "questions.txt", tmp_path / "out.csv"
    words = ("ferry", "harbour", "tram", "map", "fares", "zeppelin", "“")
    file.write_text("".join(f"{words[n % 7]} {n}?\n" for n in range(20)), "utf-8")
    command = ("batch", str(file), "--effort", "quick", "-k", "2", "--store", str(harbour))
    stopped = subprocess.run(
        [sys.executable, "-c", STOPPED, *command, "--out", str(out), str(int(stopped_by))],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=300,
    )
    assert not out.exists()
    if stopped_by is signal.SIGKILL:
        assert stopped.returncode == -signal.SIGKILL
        other = nutgraf(*command, "--sort", "newest", "--out", out)
        assert (other.returncode, "with other sort; finish" in other.stderr) == (1, True)
    else:
        assert stopped.returncode == 130
        said = "11 of 20 questions are answered and kept; go on with the same command"
        assert said in stopped.stderr
    on = nutgraf(*command, "--out", out)
    assert on.returncode == 0, on.stderr
    assert "Asking: 11 of 20 questions" in on.stderr
    whole = nutgraf(*command)
    assert out.read_text("utf-8") == whole.stdout
    assert [each.name for each in tmp_path.iterdir() if "part" in each.name] == []


def test_questions_are_not_replaced_by_their_answers(
    harbour: Path, questions: Path, nutgraf: Run
) -> None:
    done = nutgraf("batch", questions, "--out", questions, "--store", harbour)
    assert done.returncode == 2
    assert "it would replace the questions" in done.stderr
    assert questions.read_text("utf-8") == QUESTIONS


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("absent.csv", None, "absent.csv: No such file or directory"),
        ("who.csv", "person\nInes Okoro\n", "who.csv:1: no column for the question (columns: per"),
    ],
)
def test_a_file_that_holds_no_questions_is_a_usage_error(
    name: str, text: str | None, said: str, harbour: Path, tmp_path: Path, nutgraf: Run
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    done = nutgraf("batch", tmp_path / name, "--out", tmp_path / "o.csv", "--store", harbour)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "o.csv.part").exists()
