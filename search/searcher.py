"""The searcher: from a question to its answer, on one snapshot from start to end.

What answers other than questions is imported where it is used: a command that asks one question
need not wait for it.
"""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from index import rejections, store_folder
from index.article import Published, SourceRecord, embedding_text
from index.columns import Columns
from index.errors import BadQueryError, ExpiredCursorError, NotFoundError, NutgrafError
from index.model import encodable
from index.rejections import Rejection
from index.snapshot import Snapshot, SnapshotReader
from index.store import ArticleRow, PassageRow
from index.vectors import positions_in
from search.best_sentence import BestSentence
from search.conditions import loosened
from search.coverage.lineage import Copies, Lineage, copies_of, lineage_of
from search.coverage.story_ids import ids_of
from search.cross_encoder import Effort
from search.cursors import (
    EXPIRED,
    Cursor,
    HeldSnapshots,
    KeptSets,
    digest_of_request,
    digest_of_set,
    neighbours,
    reached,
)
from search.dense import QuestionEncoder
from search.facets import facets as facets_of
from search.filters import NO_FILTERS, Filters
from search.grouping import Group, reports_of
from search.highlighting import Highlighter
from search.histogram import histogram
from search.interpretation import described
from search.kept_copies import KeptCopies
from search.query import Mode, parse
from search.ranking import Ranker, embeds
from search.result_set import (
    Answer,
    Coverage,
    Damaged,
    Export,
    Found,
    Hit,
    Request,
    ResultSet,
    Sort,
    Suggestion,
)
from search.spelling import NearMiss, corrected, near_misses
from search.trace import Stage, stage, traced

if TYPE_CHECKING:
    from search.coverage.front_page import FrontPage
    from search.coverage.related import RelatedPage
    from search.coverage.story import Story
    from search.coverage.subject import Subject
    from search.explain import Explanation
    from search.references.cite import Cited

MAX_QUESTION_CHARS: Final = 10_000  # two pages; what is longer was pasted by mistake
MAX_K: Final = 1_000
# An export reads rows in groups: in memory at once, and between two looks at other questions.
_ROWS_AT_A_TIME: Final = 100


@dataclass(frozen=True, slots=True)
class Status:
    """What a store holds, as its newest snapshot shows it."""

    store: Path
    articles: int
    passages: int
    embedded: int  # passages
    pending: int  # passages that wait for their embedding
    outlets: int  # those that articles name
    oldest: Published | None  # None: no date is known
    newest: Published | None
    model: str
    fingerprint: str
    snapshot: str
    segments: int
    size_bytes: int  # of all files in the store
    rejected: int  # records that were not taken, of the last 10,000
    seq: int  # the commit that the snapshot is up to
    bad_rows: int  # left out because they failed their check, since the snapshot was made


class Searcher:
    """Answers questions about one store. Safe for many threads; the model is loaded when needed."""

    def __init__(
        self,
        folder: Path,
        *,
        model: str | None = None,
        mapped_vectors: bool = False,
        is_told: bool = False,
    ) -> None:
        """Open a store for questions.

        Args:
            model: the one the user asked for, a name or folder; None: the store's own.
            mapped_vectors, is_told: see `SnapshotReader`.

        Raises:
            StoreFormatError: the folder is no store, or one of a newer format.
        """
        self.folder = folder
        self._reader = SnapshotReader(folder, mapped_vectors=mapped_vectors, is_told=is_told)
        self._encoder = QuestionEncoder(model)
        self._ranker = Ranker(self._encoder)
        self._at_work = _AtWork()
        self._held = HeldSnapshots()
        self._sets = KeptSets()
        self._copies = KeptCopies()

    def warm_up(self) -> None:
        """Begin to load the models, on a thread of their own, while the snapshot is made.

        None where there is no vector to compare with. What is wrong with them the first question
        says.

        Raises:
            StoreUnreadableError, StoreCorruptError: as `search`.
        """
        model = self._reader.model()
        if model is None:
            return

        def load() -> None:
            with contextlib.suppress(NutgrafError):
                self._ranker.load(*model)

        threading.Thread(target=load, name="models").start()

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        mode: Mode = Mode.PLAIN,
        filters: Filters = NO_FILTERS,
        sort: Sort = Sort.RELEVANCE,
        effort: Effort = Effort.QUICK,
        group: Group = Group.REPORT,
        as_of: date | None = None,
        cursor: str | None = None,
        facets: bool = False,
    ) -> Answer:
        """A page of `k` hits of the query's result set, see `search.result_set`.

        The first page, or the one that `cursor` leads to. Pages of whatever `k` follow each other
        without a gap, and together they are the result set. With `as_of` it is what the archive
        had published by the end of that day, and "last week" in the question is the week before it.

        Raises:
            BadQueryError: the query is empty, too long or wrongly written, `k` is not in 1..1000,
                or the cursor is none or belongs to another query.
            ExpiredCursorError: the snapshot that the cursor belongs to is no longer held.
            ModelMismatchError: the store's vectors come from another model than the one asked for.
            ModelError: the model cannot be loaded.
            StoreCorruptError: the store's files do not agree; the message says what to do.
        """
        began = time.perf_counter()
        if not 1 <= k <= MAX_K:
            raise BadQueryError("k", f"{k} is not between 1 and {MAX_K:,}", "ask for fewer hits")
        with traced() as trace:
            place = self._place(_request(query, mode, filters, sort, effort, group, as_of), cursor)
        snapshot, results, offset = place.snapshot, place.found.results, place.offset
        with trace.stage(Stage.HYDRATE):
            hits = list(_hits(place, range(offset, min(offset + k, len(results))), self._copies))
            counted_facets = facets_of(results.positions, snapshot.columns) if facets else ()
            bars = histogram(_days(results, snapshot)) if facets else None
        sound = tuple(hit for hit in hits if isinstance(hit, Hit))
        next_cursor, previous_cursor = self._cursors(place, k)
        return Answer(
            query=query,
            mode=mode,
            interpretation=place.found.interpretation,
            suggestions=place.found.suggestions,
            verdict=place.found.verdict,
            k=k,
            sort=sort,
            effort=effort,
            group=group,
            filters=filters,
            as_of=as_of,
            hits=sound,
            total=len(results),
            facets=counted_facets,
            histogram=bars,
            next_cursor=next_cursor,
            previous_cursor=previous_cursor,
            snapshot=snapshot.id,
            coverage=_coverage(snapshot),
            omitted=len(hits) - len(sound),
            took_ms=(time.perf_counter() - began) * 1000,
            trace=trace,
        )

    def export(
        self,
        query: str,
        *,
        mode: Mode = Mode.PLAIN,
        filters: Filters = NO_FILTERS,
        sort: Sort = Sort.RELEVANCE,
        effort: Effort = Effort.QUICK,
        group: Group = Group.REPORT,
        as_of: date | None = None,
    ) -> Export:
        """The whole result set of a query; the union of all its pages.

        Its snapshot is held until the last hit was taken, or the export is let go.

        Raises:
            BadQueryError and the others: as `search`.
        """
        place = self._place(_request(query, mode, filters, sort, effort, group, as_of), None)
        total = len(place.found.results)
        return Export(
            query=query,
            mode=mode,
            interpretation=place.found.interpretation,
            verdict=place.found.verdict,
            sort=sort,
            effort=effort,
            group=group,
            filters=filters,
            as_of=as_of,
            total=total,
            snapshot=place.snapshot.id,
            coverage=_coverage(place.snapshot),
            hits=_hits(place, range(total), self._copies),
        )

    def explain(
        self,
        query: str,
        article_id: str,
        *,
        mode: Mode = Mode.PLAIN,
        filters: Filters = NO_FILTERS,
        sort: Sort = Sort.RELEVANCE,
        effort: Effort = Effort.QUICK,
        group: Group = Group.REPORT,
        as_of: date | None = None,
    ) -> "Explanation":
        """Why an article, named by its id, URL or guid, is where it is in a query's result set.

        Raises:
            NotFoundError: there is no such article.
            BadQueryError and the others: as `search`.
        """
        from search.explain import explained

        place = self._place(_request(query, mode, filters, sort, effort, group, as_of), None)
        snapshot, found = place.snapshot, place.found
        words = found.query.words
        variants = [miss.variant for each in found.suggestions for miss in each.misses]
        return explained(
            found.query,
            variants,
            place.request.filters,
            found.results,
            self._ranker.look(found.query, place.request.filters, group, snapshot, variants),
            found.verdict,
            self._encoder.embed(words, snapshot) if words and snapshot.embedded else None,
            _article(article_id, snapshot),
            snapshot,
        )

    def standing(
        self, query: str, *, mode: Mode, filters: Filters, group: Group
    ) -> tuple[ResultSet, Snapshot]:
        """A query's result set now, best first, and the snapshot that it was taken on.

        Raises:
            BadQueryError and the others: as `search`.
        """
        place = self._place(
            _request(query, mode, filters, Sort.RELEVANCE, Effort.QUICK, group, None), None
        )
        return place.found.results, place.snapshot

    def article(self, article_id: str) -> ArticleRow:
        """An article by its id, else by its exact URL or guid.

        Raises:
            NotFoundError: there is none.
        """
        return _article(article_id, self._reader.latest())

    def passages_of(self, article: ArticleRow) -> tuple[PassageRow, ...]:
        """An article's passages, in the order of the text."""
        return self._reader.latest().passages_of(article)

    def cited(self, id: str, span: tuple[int, int] | None = None) -> "Cited":
        """What became of a passage or an article that someone cites, see `search.references.cite`.

        Raises:
            NotFoundError, BadQueryError: as there.
        """
        from search.references.cite import cited

        return cited(self._reader.latest(), id, span)

    def cited_passage(self, passage_id: str, span: tuple[int, int] | None = None) -> "Cited":
        """As `cited`, of a passage only."""
        from search.references.cite import cited_passage

        return cited_passage(self._reader.latest(), passage_id, span)

    def cited_article(self, article_id: str, span: tuple[int, int] | None = None) -> "Cited":
        """As `cited`, of an article only, whole or a stretch of its text."""
        from search.references.cite import cited_article

        return cited_article(self._reader.latest(), article_id, span)

    def lineage(self, article_id: str) -> Lineage:
        """The lineage of an article's report: its original, its copies, and their versions.

        Raises:
            NotFoundError: there is no such article.
        """
        snapshot = self._reader.latest()
        return lineage_of(_article(article_id, snapshot), snapshot)

    def related(
        self,
        article: str | SourceRecord,
        *,
        k: int = 10,
        filters: Filters = NO_FILTERS,
        sort: Sort = Sort.RELEVANCE,
        group: Group = Group.REPORT,
        cursor: str | None = None,
        facets: bool = False,
    ) -> "RelatedPage":
        """A page of the other coverage of an article, see `search.coverage.related`.

        Args:
            article: its id, URL or guid; or a record, which need not be in the archive.

        Raises:
            NotFoundError: there is no such article.
            BadArticleError: the record has no text.
            BadQueryError, ExpiredCursorError: as `search.coverage.related.related_page`.
            ModelMismatchError, ModelError: a record's text cannot be embedded.
        """
        from search.coverage import related

        self._held.let_go()
        place = None if cursor is None else Cursor.decode(cursor)
        snapshot = (place and self._held.get(place.snapshot)) or self._reader.latest()
        return related.related_page(
            self._subject(article, snapshot),
            related.Request(filters, sort, group),
            snapshot,
            self._held,
            k=k,
            cursor=place,
            facets=facets,
        )

    def _subject(self, article: str | SourceRecord, snapshot: Snapshot) -> "Subject":
        from search.coverage.subject import subject_from, subject_in

        if isinstance(article, str):
            return subject_in(_article(article, snapshot), snapshot)
        from index.preparing import prepare

        prepared = prepare(article)
        stored = snapshot.article(prepared.article.id)
        if stored and stored.text == prepared.article.text:
            return subject_in(stored, snapshot)
        headline = prepared.article.headline
        texts = [embedding_text(headline, passage.text) for passage in prepared.passages]
        vectors = (
            self._encoder.embed_passages(texts, snapshot)
            if snapshot.embedded
            else np.empty((len(texts), 0), dtype=np.float32)
        )
        return subject_from(prepared, vectors, snapshot)

    def story(self, story_id: str) -> "Story":
        """A story by its id, with what happened in it; a merged one leads to that it went into.

        Raises:
            NotFoundError: there is no such story.
        """
        from search.coverage.story import story_of

        return story_of(story_id, self._reader.latest())

    def stories(
        self,
        *,
        k: int = 10,
        filters: Filters = NO_FILTERS,
        min_reports: int = 2,
        cursor: str | None = None,
    ) -> "FrontPage":
        """A page of the biggest stories the filters let through, see `search.coverage.front_page`.

        Raises:
            BadQueryError, ExpiredCursorError: as `front_page`.
        """
        from search.coverage.front_page import front_page

        return front_page(
            self._reader.latest(),
            self._held,
            k=k,
            filters=filters,
            min_reports=min_reports,
            cursor=cursor,
        )

    def story_id(self, article: ArticleRow) -> str | None:
        """The id of the story that an article belongs to; None: it is the only report of it."""
        return ids_of([article.number], self._reader.latest().columns).get(article.number)

    def passage(self, passage_id: str) -> PassageRow:
        """A passage by its id.

        Raises:
            NotFoundError: there is none, or its article was replaced or removed.
        """
        passage = self._reader.latest().passage(encodable(passage_id))
        if passage is None:
            raise NotFoundError(f"no passage has the id {passage_id!r}")
        return passage

    def snapshot_id(self) -> str:
        """Names the view that the next query would see; the same id, the same answers."""
        return self._reader.latest().id

    def snapshot_id_at_hand(self) -> str | None:
        """As `snapshot_id`, at once; None where the view is yet to be made."""
        snapshot = self._reader.at_hand()
        return snapshot.id if snapshot else None

    def pending(self) -> int:
        """Passages that wait for their embedding."""
        return self._reader.latest().pending

    def status(self) -> Status:
        """What the store holds now."""
        snapshot = self._reader.latest()
        articles = np.unique(snapshot.columns.article)
        oldest, newest = _first_and_last(snapshot, articles)
        return Status(
            store=self.folder,
            articles=snapshot.articles,
            passages=snapshot.passages,
            embedded=snapshot.embedded,
            pending=snapshot.pending,
            outlets=_outlets(snapshot.columns, articles),
            oldest=oldest,
            newest=newest,
            model=snapshot.model,
            fingerprint=snapshot.fingerprint,
            snapshot=snapshot.id,
            segments=snapshot.segments,
            size_bytes=size_bytes(self.folder),
            rejected=self._rejected(),
            seq=snapshot.horizon,
            bad_rows=snapshot.bad_rows,
        )

    def rejections(self, k: int) -> list[Rejection]:
        """Why the last `k` records that were not taken were rejected, the newest first."""
        with store_folder.reading(self.folder) as truth:
            return rejections.newest(truth, k)

    def _rejected(self) -> int:
        with store_folder.reading(self.folder) as truth:
            return rejections.count(truth)

    def refresh(self) -> None:
        """Show what is committed now; if that fails, the next question tries again.

        For whoever writes, before it says that a change is made.
        """
        try:
            self._reader.refresh()
        except NutgrafError:
            self._reader.let_go()

    def renew(self) -> Callable[[], bool]:
        """Hold no snapshot but the newest, begun anew; cursors of older ones expire.

        Returns:
            Says whether every question that was under way is answered.

        Raises:
            StoreCorruptError, StoreUnreadableError: the store cannot be read.
        """
        are_over = self._reader.renew()
        # All older than the new one, also those that another thread made and held meanwhile.
        self._held.clear(self._reader.latest().begun_s)
        return are_over

    def let_go(self) -> None:
        """Hold no snapshot until the next question; cursors of older ones expire."""
        self._held.clear(time.monotonic())
        self._reader.let_go()

    def close(self) -> None:
        """Let go of the store's files; queries that run finish on their snapshot."""
        self._held.clear(time.monotonic())
        self._reader.close()

    def _place(self, request: Request, cursor: str | None) -> "_Place":
        """The first place of a request's result set, or the one that `cursor` leads to."""
        self._held.let_go()
        if cursor is None:
            snapshot = self._reader.latest()
            return _Place(request, snapshot, self._found(request, snapshot), 0)
        wanted = Cursor.decode(cursor)
        if wanted.request != digest_of_request(request):
            raise BadQueryError(
                "cursor",
                "it belongs to another question, or to other filters, order, mode, effort or group",
                "send it with those it was given for, or leave it out",
            )
        request = replace(request, today=wanted.today)
        held = self._held.get(wanted.snapshot) or self._reader.latest()
        if held.id != wanted.snapshot:
            raise ExpiredCursorError(EXPIRED)
        found = self._found(request, held)
        here = reached(_beginning(request, held, found), wanted, len(found.results))
        return _Place(request, held, found, here.offset)

    def _found(self, request: Request, snapshot: Snapshot) -> Found:
        found = self._sets.get(snapshot, request)
        if found is None:
            found = self._ranked(request, snapshot)
            self._sets.put(snapshot, request, found)
        return found

    def _ranked(self, request: Request, snapshot: Snapshot) -> Found:
        with self._at_work.one_more() as is_alone:
            return self._ranked_beside(request, snapshot, is_alone=is_alone)

    def _ranked_beside(self, request: Request, snapshot: Snapshot, *, is_alone: bool) -> Found:
        with stage(Stage.PARSE):
            query = loosened(parse(request.question, mode=request.mode, today=request.today))
            if is_alone and embeds(query, snapshot):
                self._encoder.begin(query.words, snapshot)
            misses = () if request.mode is Mode.VERBATIM else near_misses(query.words, snapshot)
            interpretation = described(query, snapshot)
        ranking = self._ranker.rank(
            query,
            request.filters,
            request.effort,
            request.group,
            snapshot,
            [miss.variant for miss in misses],
        )
        return Found(
            query,
            interpretation,
            _suggestions(request.question, misses),
            ranking.verdict,
            ranking.results.sorted(request.sort, snapshot.columns),
        )

    def _cursors(self, place: "_Place", k: int) -> tuple[str | None, str | None]:
        """Of the page behind the one of `k` hits that begins at `place`, and of the one before."""
        first = _beginning(place.request, place.snapshot, place.found)
        cursors = neighbours(first.at(place.offset), k, len(place.found.results))
        if any(cursors):
            self._held.hold(place.snapshot)
        return cursors


class _AtWork:
    """How many questions are being ranked. Safe for many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._count = 0

    @contextlib.contextmanager
    def one_more(self) -> Iterator[bool]:
        """Count one for the length of a block; whether it is the only one."""
        with self._guard:
            self._count += 1
            is_alone = self._count == 1
        try:
            yield is_alone
        finally:
            with self._guard:
                self._count -= 1


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a result set: behind its first `offset` hits."""

    request: Request
    snapshot: Snapshot
    found: Found
    offset: int


def _beginning(request: Request, snapshot: Snapshot, found: Found) -> Cursor:
    return Cursor(
        snapshot.id,
        request.today,
        digest_of_request(request),
        digest_of_set(found.results.positions, snapshot),
        0,
    )


def _article(article_id: str, snapshot: Snapshot) -> ArticleRow:
    article = snapshot.article(encodable(article_id))
    if article is None:
        raise NotFoundError(f"no article has the id, URL or guid {article_id!r}")
    return article


def _request(
    query: str,
    mode: Mode,
    filters: Filters,
    sort: Sort,
    effort: Effort,
    group: Group,
    as_of: date | None,
) -> Request:
    question = encodable(query).strip()
    if not question:
        raise BadQueryError("q", "the question is empty", "ask in a few plain words")
    if len(question) > MAX_QUESTION_CHARS:
        raise BadQueryError(
            "q",
            f"the question has {len(question):,} characters, at most {MAX_QUESTION_CHARS:,} go",
            "ask about its most important sentences",
        )
    if as_of:
        filters = replace(filters, published_to=min(as_of, filters.published_to or as_of))
    return Request(question, mode, filters, sort, effort, group, as_of, today=as_of or date.today())


def _suggestions(question: str, misses: Sequence[NearMiss]) -> tuple[Suggestion, ...]:
    """The question with all words that look misspelt written as the archive has them, if any."""
    if not misses:
        return ()
    # Misspelt words may stand in a phrase or beside an operator: they are found by themselves.
    placed = [
        replace(miss, span=match.span())
        for miss in {miss.word: miss for miss in misses}.values()
        for match in re.finditer(rf"(?<!\w){re.escape(miss.word)}(?!\w)", question)
    ]
    return (Suggestion(corrected(question, placed), tuple(misses)),)


@dataclass(frozen=True, slots=True)
class _Marker:
    """Marks in a passage what has to do with one question."""

    words: Highlighter
    sentence: BestSentence


def _hits(place: _Place, places: range, kept: KeptCopies) -> Iterator[Hit | Damaged]:
    """What stands at these places of the result set, in order; no others are read."""
    results, snapshot = place.found.results, place.snapshot
    query, analyze = place.found.query, snapshot.words.analyze
    marker = _Marker(Highlighter(query, analyze), BestSentence(query.words, analyze))
    for first in range(places.start, places.stop, _ROWS_AT_A_TIME):
        some = range(first, min(first + _ROWS_AT_A_TIME, places.stop))
        positions = results.positions[some.start : some.stop].tolist()
        rows = snapshot.passage_rows(positions)
        reports = reports_of(results.positions[some.start : some.stop], snapshot.columns)
        copies = _copies(reports, place.request.as_of, snapshot, kept)
        stories = ids_of({row.article.number for row in rows.values()}, snapshot.columns)
        for at, position in zip(some, positions, strict=True):
            row = rows.get(position)
            if row is None:
                yield Damaged(at + 1)
                continue
            yield _hit(
                results,
                at,
                row,
                marker,
                copies.get(int(reports[at - some.start])),
                stories.get(row.article.number),
            )


def _copies(
    reports: NDArray[np.int64], as_of: date | None, snapshot: Snapshot, kept: KeptCopies
) -> dict[int, Copies | None]:
    """What copies there are in those of some reports that have several articles."""
    shared, counts = snapshot.shared_reports
    places = positions_in(shared, np.unique(reports))
    places = places[places >= 0]
    return {
        report: kept.get(
            snapshot, report, as_of, articles, partial(_copies_as_of, snapshot, report, as_of)
        )
        for report, articles in zip(shared[places].tolist(), counts[places].tolist(), strict=True)
    }


def _copies_as_of(snapshot: Snapshot, report: int, as_of: date | None) -> Copies | None:
    members = snapshot.articles_of_report(report)
    if as_of:
        members = tuple(m for m in members if m.published and m.published.on <= as_of)
    return copies_of(members)


def _hit(
    results: ResultSet,
    at: int,
    row: PassageRow,
    marker: _Marker,
    copies: Copies | None,
    story: str | None,
) -> Hit:
    article, text = row.article, row.text
    cosine, bm25 = float(results.cosines[at]), float(results.bm25[at])
    return Hit(
        rank=at + 1,
        score=float(results.scores[at]),
        passage_id=row.id,
        article_id=article.id,
        ordinal=row.ordinal,
        text=text,
        start=row.start,
        end=row.end,
        highlights=marker.words.spans(text),
        best_sentence=marker.sentence.span(text, article.language),
        headline=article.headline,
        byline=article.byline,
        outlet=article.outlet,
        section=article.section,
        language=article.language,
        published=article.published,
        url=article.url,
        dense=None if np.isnan(cosine) else cosine,
        lexical=bm25 or None,
        probability=round(float(results.probabilities[at]), 4),
        passages=int(results.passages[at]),
        copies=copies,
        story=story,
    )


def _days(results: ResultSet, snapshot: Snapshot) -> NDArray[np.int32]:
    return snapshot.columns.day[snapshot.columns.article[results.positions]]


def _coverage(snapshot: Snapshot) -> Coverage:
    return Coverage(snapshot.articles, snapshot.passages, snapshot.embedded)


def _first_and_last(
    snapshot: Snapshot, articles: NDArray[np.int32]
) -> tuple[Published | None, Published | None]:
    columns = snapshot.columns
    dated = articles[columns.day[articles] >= 0]
    if not len(dated):
        return None, None
    instants = columns.instant_s[dated]
    ends = [int(dated[instants.argmin()]), int(dated[instants.argmax()])]
    oldest, newest = (snapshot.article(columns.article_id[article]) for article in ends)
    return (oldest.published if oldest else None), (newest.published if newest else None)


def _outlets(columns: Columns, articles: NDArray[np.int32]) -> int:
    codes: Sequence[int] = np.unique(columns.outlet[articles]).tolist()
    return sum(bool(columns.values["outlet"][code]) for code in codes)


def size_bytes(folder: Path) -> int:
    """Of a file, or of all files in a folder; one that a writer deletes meanwhile counts as 0."""
    size = 0
    for path in (folder, *folder.rglob("*")):
        try:
            size += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return size
