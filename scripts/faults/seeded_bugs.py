"""Puts twelve bugs into the product, one at a time, and looks whether the tests see each of them.

They are what a store must not do: say that it has kept what it has not, overwrite, use a number
twice, show what is removed or damaged, run what an article holds. A test that never failed proves
little; each here must pass on a copy of the working tree, and fail once the bug is in that copy.

    PYTHONPATH=. python scripts/faults/seeded_bugs.py
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
AT_ONCE: Final = 2
_LIMIT_S: Final = 120  # of a test; a bug that makes one hang is seen as well
_COPIED: Final = ("index", "search", "tests", "scripts", "sample", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Bug:
    """A piece of a product file, what stands there instead, and the test that must see it."""

    name: str
    file: str
    right: str
    wrong: str
    test: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the test of a bug did: `passed`, `failed`, or what kept it from running."""

    bug: Bug
    without: str
    with_it: str
    seconds: float  # with the bug

    @property
    def caught(self) -> bool:
        return (self.without, self.with_it) == ("passed", "failed")


BUGS: Final = (
    Bug(
        "acknowledged before it is committed",
        "index/held_truth.py",
        """\
            self.connection.execute("BEGIN IMMEDIATE")
            self.refuse_if_overtaken()
            yield
            self.connection.execute("COMMIT")
""",
        """\
            if self.connection.in_transaction:
                self.connection.execute("COMMIT")
            self.connection.execute("BEGIN IMMEDIATE")
            self.refuse_if_overtaken()
            yield
""",
        "test_crash.py::test_a_writer_killed_at_a_system_call_loses_nothing[add with key]",
    ),
    Bug(
        "commits are not synced",
        "index/store_folder.py",
        'connection.execute("PRAGMA synchronous = FULL")',
        'connection.execute("PRAGMA synchronous = NORMAL")',
        "test_power_loss.py::test_after_a_power_cut_readers_need_not_wait_for_a_writer",
    ),
    Bug(
        "a segment is not synced",
        "index/segments.py",
        """\
            file.flush()
            os.fsync(file.fileno())
""",
        """\
            file.flush()
""",
        "test_segments.py::test_a_segment_is_synced_before_it_has_its_name_and_its_name_after",
    ),
    Bug(
        "the folder of a segment is not synced",
        "index/segments.py",
        """\
    draft.rename(path)
    sync_folder(folder)
""",
        """\
    draft.rename(path)
""",
        "test_segments.py::test_a_segment_is_synced_before_it_has_its_name_and_its_name_after",
    ),
    Bug(
        "a segment is written in place",
        "index/segments.py",
        """\
    draft = path.with_suffix(".draft")
    try:
        with draft.open("wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)  # half a segment would keep the disk full
        raise
    if path.exists():
        raise StoreCorruptError(f"{path}: a segment of this name exists; names are never reused")
    draft.rename(path)
""",
        """\
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
""",
        "test_segments.py::test_a_name_is_never_used_again",
    ),
    Bug(
        "numbers are used again",
        "index/store.py",
        """\
        f"SELECT max(last) FROM (SELECT seq AS last FROM sqlite_sequence WHERE name = ? "
        f"UNION ALL SELECT max(number) FROM {table} {tombstones})",
        (table,),
""",
        """\
        f"SELECT max(number) FROM {table}",
""",
        "test_writer.py::test_numbers_go_on_counting_when_the_newest_rows_are_purged",
    ),
    Bug(
        "removed rows are shown",
        "index/store.py",
        """\
WHERE a.added_seq <= :horizon AND (a.removed_seq IS NULL OR a.removed_seq > :horizon)
AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.passage = p.number AND t.seq <= :horizon)
""",
        """\
WHERE a.added_seq <= :horizon
""",
        "test_writer.py::"
        "test_the_same_id_with_other_content_replaces_the_old_in_every_arm_in_one_commit",
    ),
    Bug(
        "live segments are swept away",
        "index/segment_files.py",
        'if path.suffix in (".seg", ".draft") and path.name not in live:',
        'if path.suffix in (".seg", ".draft"):',
        "test_writer.py::test_what_a_crash_left_among_the_segments_is_swept_away",
    ),
    Bug(
        "rows are shown unchecked",
        "index/store.py",
        """\
    if not is_sound("articles", row):
        return None
    *fields,""",
        """\
    *fields,""",
        "test_store.py::test_a_damaged_article_is_left_out_and_counted_never_shown",
    ),
    Bug(
        "a failed commit is tried again on its handle",
        "index/held_truth.py",
        """\
            yield
            self.connection.execute("COMMIT")
""",
        """\
            yield
            for _ in range(2):
                with contextlib.suppress(sqlite3.OperationalError):
                    self.connection.execute("COMMIT")
""",
        "test_injected_errors.py::test_a_commit_whose_sync_failed_is_not_built_on",
    ),
    Bug(
        "a writer that was overtaken goes on",
        "index/held_truth.py",
        'if store.meta(self.connection, "epoch") != self._epoch:',
        "if self._epoch is None:",
        "test_writer.py::test_a_writer_that_was_overtaken_changes_nothing_any_more",
    ),
    Bug(
        "a passage is not escaped in the page",
        "search/pages/templates/_hit.html",
        "{% else %}{{ piece.text }}{% endif %}",
        "{% else %}{{ piece.text|safe }}{% endif %}",
        "test_page.py::test_what_an_article_holds_is_escaped_as_it_is_sent",
    ),
)


def seed(bug: Bug, tree: Path) -> None:
    """Put a bug into a tree.

    Raises:
        LookupError: what it replaces is not in its file exactly once.
    """
    path = tree / bug.file
    text = path.read_text()
    if (count := text.count(bug.right)) != 1:
        raise LookupError(
            f"{bug.file}: what the bug '{bug.name}' replaces is there {count} times, not once; "
            "bring the bug up to the code"
        )
    path.write_text(text.replace(bug.right, bug.wrong))


def run() -> list[Seen]:
    """Seed each bug in a copy of its own; in the order of `BUGS`."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        without = pool.submit(_without_a_bug)
        with_it = list(pool.map(_with_bug, BUGS))
    return [
        Seen(bug, without.result()[bug.test], outcome, seconds)
        for bug, (outcome, seconds) in zip(BUGS, with_it, strict=True)
    ]


def _without_a_bug() -> dict[str, str]:
    with _copy() as tree:
        return _outcomes(tree, *dict.fromkeys(bug.test for bug in BUGS))


def _with_bug(bug: Bug) -> tuple[str, float]:
    """What its test does, and the seconds it takes."""
    began_s = time.monotonic()
    with _copy() as tree:
        seed(bug, tree)
        return _outcomes(tree, bug.test)[bug.test], time.monotonic() - began_s


@contextmanager
def _copy() -> Iterator[Path]:
    """A copy of the working tree, in memory where that has a folder."""
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(
        prefix="nutgraf-bug-", dir=parent, ignore_cleanup_errors=True
    ) as scratch:
        tree = Path(scratch)
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, tree / name)
            else:
                shutil.copy2(ROOT / name, tree / name)
        yield tree


def _outcomes(tree: Path, *tests: str) -> dict[str, str]:
    """What each test does in a tree: `passed`, `failed`, or what kept it from running."""
    report = tree / "report.xml"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(f"--timeout={_LIMIT_S}", f"--basetemp={tree / 'tmp'}", f"--junitxml={report}"),
            *(f"tests/{test}" for test in tests),
        ],
        cwd=tree,
        env={**kept, "PYTHONPATH": str(tree)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    kinds: dict[str, set[str]] = {}
    for case in ET.parse(report).iter("testcase") if report.exists() else ():
        name = str(case.get("name"))
        test = f"{str(case.get('classname')).rpartition('.')[2]}.py::{name}"
        if test not in tests:
            test = test.partition("[")[0]  # one of many with other parameters
        kinds.setdefault(test, set()).update(child.tag for child in case)
    return {test: _in_a_word(kinds.get(test)) for test in tests}


def _in_a_word(kinds: set[str] | None) -> str:
    """What a report of JUnit's form says beside a test; None: it does not name the test."""
    if kinds is None:
        return "is not run"
    for kind, word in (("failure", "failed"), ("error", "cannot be set up"), ("skipped", "skips")):
        if kind in kinds:
            return word
    return "passed"


def main() -> int:
    seen = run()
    for each in seen:
        print(
            f"{'caught' if each.caught else 'NOT CAUGHT':10} {each.seconds:5.1f} s  "
            f"{each.bug.name:45} {each.bug.file:33} {each.bug.test}"
        )
        if not each.caught:
            print(f"           without the bug the test {each.without}, with it {each.with_it}")
    caught = sum(each.caught for each in seen)
    print(f"{caught} of {len(BUGS)} bugs caught")
    return 0 if caught == len(BUGS) else 1


if __name__ == "__main__":
    sys.exit(main())
