"""Questions with what our own arms propose for them: what the cross-encoder learns from.

    python scripts/train/candidates.py --cache DIR COLLECTION OUT.jsonl
    python scripts/train/candidates.py --cache DIR ARTICLES.jsonl OUT.jsonl

A collection is a folder as `nutgraf evaluate` takes it. Of a file of articles the headlines are
asked; the first paragraph answers, headlines are hidden, and what shares a fifth of its words with
the answer may be a copy of it and is left out.

One line a question: `id`, `text`, `answers` (empty where none are known), `half` ("tuning" or
"held-out") and `candidates`: `headline`, `text`, `score` of the fusion (null: not comparable),
`grade`.
"""

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

from index.article import SourceRecord
from index.backlog import embed_backlog
from index.model import DEFAULT_MODEL
from index.reading import read
from index.snapshot import Snapshot, SnapshotReader
from index.writer import Writer
from search.dense import QuestionEncoder
from search.evaluate import Half, judged_questions, store_of
from search.filters import NO_FILTERS
from search.grouping import Group
from search.query import Query
from search.ranking import Looked, Ranker

DEPTH = 30
SQUAD_STRIDE = 4  # every fourth question of the large collection
ARTICLES, HEADLINES = 2_200, 1_100
LEAD, LEAST_CHARS = 3, 60  # paragraphs and their characters
SHINGLE, MOST_SHARED = 3, 0.2
SEED = 5

Line = dict[str, object]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True, help="Where stores are kept.")
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    lines = of_collection if options.source.is_dir() else of_headlines
    with options.out.open("w", encoding="utf-8") as out:
        for line in lines(options.source, options.cache):
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def of_collection(folder: Path, cache: Path) -> Iterator[Line]:
    snapshot = SnapshotReader(store_of(folder, cache)).latest()
    ranker = Ranker(QuestionEncoder(DEFAULT_MODEL))
    known = dict(answers(folder / "queries.jsonl"))
    stride = SQUAD_STRIDE if folder.name.startswith("squad") else 1
    for question in judged_questions(folder)[::stride]:
        looked = looked_at(ranker, question.text, snapshot)
        candidates = [
            {
                "headline": row.article.headline,
                "text": row.text,
                "score": score,
                "grade": question.grades.get(row.article.id, 0),
            }
            for row, score in zip(looked.rows[:DEPTH], looked.results.scores, strict=False)
            if row
        ]
        if not any(candidate["grade"] for candidate in candidates):
            candidates += missed(question.grades, snapshot)
        found = known.get(question.id, [])
        yield line(question.id, question.text, found, question.half, candidates)


def missed(grades: dict[str, int], snapshot: Snapshot) -> list[Line]:
    """The first passage of a relevant article that lies beyond the depth."""
    article = snapshot.article(next(name for name, grade in grades.items() if grade > 0))
    passages = snapshot.passages_of(article) if article else ()
    return [
        {"headline": row.article.headline, "text": row.text, "score": None, "grade": 1}
        for row in passages[:1]
    ]


def answers(queries: Path) -> Iterator[tuple[str, list[str]]]:
    for text in queries.read_text(encoding="utf-8").splitlines():
        fields = json.loads(text)
        metadata = fields.get("metadata") or {}
        yield fields["_id"], metadata.get("answers") or metadata.get("answer") or []


def of_headlines(articles: Path, cache: Path) -> Iterator[Line]:
    leads = [record for record in map(lead, read([articles])) if record][:ARTICLES]
    with Writer(cache / "leads") as writer:
        writer.add(leads)
        writer.finish()
        embed_backlog(writer, progress=lambda _: None)
    snapshot = SnapshotReader(cache / "leads").latest()
    ranker = Ranker(QuestionEncoder(DEFAULT_MODEL))
    random.Random(SEED).shuffle(leads)
    asked = [record for record in leads if 25 < len(record.headline) < 140][:HEADLINES]
    for record in asked:
        rows = [row for row in looked_at(ranker, record.headline, snapshot).rows if row]
        own = [row for row in rows if row.article.headline == record.headline]
        if not own:
            continue
        answer = min(own, key=lambda row: row.ordinal).text
        rivals = [row.text for row in rows if row not in own and not shared(answer, row.text)]
        candidates: list[Line] = [
            {"headline": "", "text": text, "score": None, "grade": int(text is answer)}
            for text in (answer, *rivals)
        ]
        yield line(own[0].article.id, record.headline, [], Half.TUNING, candidates[:DEPTH])


def lead(record: object) -> SourceRecord | None:
    """An article cut down to its first paragraphs."""
    if not isinstance(record, SourceRecord):
        return None
    paragraphs = [p for p in record.body.split("\n\n") if len(p) > LEAST_CHARS]
    if len(paragraphs) <= LEAD or not record.headline:
        return None
    text = "\n\n".join(paragraphs[:LEAD])
    return SourceRecord(record.origin, text.encode(), text, record.headline, own_id=record.own_id)


def looked_at(ranker: Ranker, question: str, snapshot: Snapshot) -> Looked:
    looked = ranker.look(Query(question, question, None, ()), NO_FILTERS, Group.NONE, snapshot)
    assert looked is not None  # nothing restricts it
    return looked


def shared(answer: str, text: str) -> bool:
    ours, theirs = shingles(answer), shingles(text)
    return len(ours & theirs) > MOST_SHARED * max(1, min(len(ours), len(theirs)))


def shingles(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)}


def line(number: str, text: str, known: list[str], half: Half, candidates: list[Line]) -> Line:
    return {
        "id": number,
        "text": text,
        "answers": known,
        "half": half.value,
        "candidates": candidates,
    }


if __name__ == "__main__":
    main()
