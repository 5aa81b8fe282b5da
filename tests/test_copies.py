"""Which texts are copies of each other."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.copies import RUN_WORDS, SAMPLES, fingerprints, is_copy, overlap, runs_of, words_of

LEAD = (
    "Northport harbour opened again on Friday, nine days after the storm closed it, and the first "
    "ferry is to sail for the islands at dawn."
)
QUOTE = (
    "“We have looked at every pile of the outer mole,” harbour master Ines Okoro told reporters, "
    "“and it doesn't move any more than it did before the storm.”"
)
BOATS = (
    "Fishing boats must wait until divers have been down to the wreck of a barge that lies across "
    "the inner channel, which the council hopes to raise within 14 days."
)
COST = (
    "The council puts the damage at 3.2 million crowns, of which the state will pay half; shops "
    "on the quay, closed since the storm, have asked for help as well."
)
REPORT = "\n\n".join([LEAD, QUOTE, BOATS, COST])
OTHER_WORDS = (
    "After nine days without a ship, ferries will run from Northport once more. The port was "
    "declared safe at the end of the week, said Ines Okoro, who is in charge of it, since divers "
    "found that the breakwater stands as firm as ever. A sunken barge still keeps trawlers in. "
    "Repairs may come to 3.2 million crowns, and the state has promised to share that bill."
)


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(REPORT, id="the same"),
        pytest.param(REPORT.upper(), id="another case"),
        pytest.param(
            REPORT.replace("“", '"').replace("”", '"').replace("'", "’").replace(",", ""),
            id="other punctuation",
        ),
        pytest.param("\n\n".join([COST, LEAD, BOATS, QUOTE]), id="another order"),
        pytest.param("\n\n".join([LEAD, QUOTE]), id="cut to a half"),
        pytest.param(LEAD + " " + QUOTE.split(",")[0], id="cut to a third"),
        pytest.param(
            "The harbour café had coffee for all who came to look.\n\n" + REPORT, id="a local lead"
        ),
        pytest.param(
            f"{REPORT}\n\nThe storm of 1953 closed the harbour for a month, and four of its "
            "ferries were never seen again; a stone on the quay names those who were on board.",
            id="a paragraph put on",
        ),
        pytest.param(f"NORTHPORT, March 14 (NP) – {REPORT}", id="another dateline"),
        pytest.param(REPORT.replace("nine days", "ten days"), id="a correction"),
        pytest.param(REPORT.replace("3.2 million", "3.4 million"), id="a figure corrected"),
    ],
)
def test_a_report_that_was_edited_a_little_is_a_copy(copy: str) -> None:
    assert overlap(REPORT, copy) >= 0.8
    assert is_copy(REPORT, copy)
    assert is_copy(copy, REPORT)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(OTHER_WORDS, id="other words for one event"),
        pytest.param(f"{LEAD}\n\n{OTHER_WORDS}", id="the same lead alone"),
        pytest.param("", id="nothing"),
        pytest.param("*** – ***", id="no word"),
    ],
)
def test_another_report_is_no_copy(other: str) -> None:
    assert not is_copy(REPORT, other)
    assert not is_copy(other, REPORT)


def test_a_brief_is_no_copy_of_the_round_up_that_holds_it() -> None:
    brief = " ".join(f"brief{n}" for n in range(40))
    for more, expected in ((100, True), (500, False)):
        round_up = " ".join([brief, *(f"more{n}" for n in range(more))])
        assert overlap(brief, round_up) == 1
        assert is_copy(brief, round_up) is expected


def test_a_very_short_text_is_a_copy_only_of_the_same_words() -> None:
    notice = "Library closed on Monday for the council's count of its books, mayor says"
    assert is_copy(notice, notice.upper().replace("'", "’"))
    assert not is_copy(notice, f"{notice} again")


NOTICE = (
    "The Bank of Northport fixed its rate for harbour bonds at {} crowns this morning, against {} "
    "crowns the day before. Dealers said {} lots changed hands until noon, and {} of them were "
    "bought by the bank, which has been asked to keep the price between {} and {} crowns until "
    "the end of the month, when the council of the town looks at its books again."
)


def test_a_notice_with_other_figures_is_no_copy() -> None:
    monday = NOTICE.format(101, 99, 340, 25, 98, 102)
    tuesday = NOTICE.format(104, 101, 280, 70, 97, 105)
    assert not is_copy(monday, tuesday)
    assert is_copy(monday, monday.replace("340", "343"))


def test_a_notice_of_another_day_is_a_copy_only_with_the_same_figures() -> None:
    monday = NOTICE.format(101, 99, 340, 25, 98, 102)
    others = monday.replace("340", "343").replace("25", "26")
    assert is_copy(monday, others, days=0)
    assert not is_copy(monday, others, days=1)
    assert is_copy(monday, monday, days=400)


def test_a_text_run_much_later_is_a_copy_only_if_nearly_all_of_it_is_the_same() -> None:
    cut_in = REPORT.replace(QUOTE, "Nobody at the harbour would say when the divers go down.")
    for days, expected in ((None, True), (2, True), (3, False)):
        assert is_copy(cut_in, REPORT, days=days) is expected
    assert is_copy(REPORT, REPORT.replace("Friday", "Saturday"), days=30)


def test_scripts_without_spaces_have_copies_too() -> None:
    report = (
        "北港港口在风暴关闭九天后于周五重新开放渡轮将于周六黎明启航港务局长告诉记者外防波堤没有移动"
    )
    assert is_copy(report, f"{report}。渔船必须等待潜水员检查沉船。")
    assert not is_copy(
        report, "市议会投票赞成修建电车线路市长说第一辆电车将在五月开始运行票价不会上涨居民表示欢迎"
    )


words = st.lists(
    st.sampled_from(["harbour", "Ferry", "3", "mole", "storm,", "é", "’"]), max_size=60
)


@given(words, words)
def test_overlap_is_symmetric_and_from_0_to_1(a: list[str], b: list[str]) -> None:
    there, back = overlap(" ".join(a), " ".join(b)), overlap(" ".join(b), " ".join(a))
    assert there == back
    assert 0 <= there <= 1
    assert is_copy(" ".join(a), " ".join(b)) == is_copy(" ".join(b), " ".join(a))


@given(words.filter(lambda text: len(words_of(" ".join(text))) >= RUN_WORDS))
def test_a_text_overlaps_wholly_with_itself_and_what_holds_it(text: list[str]) -> None:
    assert overlap(" ".join(text), " ".join(text)) == 1
    assert overlap(" ".join(text), f"Before. {' '.join(text)} After and after.") == 1


@settings(max_examples=500)
@given(
    st.text(
        st.sampled_from("aB3_ .,-'’“—£ \t\n\x0b\x1f\x85\xa0éßŉ×ǅﬁ²İıſКж北が\u0301\u200b\udc80")
        | st.characters(),
        max_size=40,
    )
)
def test_the_runs_of_a_text_are_of_its_words(text: str) -> None:
    found = runs_of(text)
    words = [word.encode("utf-8", "surrogatepass") for word in words_of(text)]
    assert found.words.tolist() == [zlib.crc32(word) for word in words]
    figures = [word for word in words if b"0" <= word[:1] <= b"9"]
    assert found.figures.tolist() == [zlib.crc32(word) for word in figures]


def test_fingerprints_are_few_sorted_and_the_same_in_every_process() -> None:
    found = fingerprints(REPORT).tolist()
    assert len(found) == SAMPLES
    assert sorted(set(found)) == found
    assert fingerprints("one two three four five").tolist() == [1162199935272239735]
    assert fingerprints(" – ").tolist() == []
