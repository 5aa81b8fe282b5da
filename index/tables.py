"""The tables of a store's database, in the format of this Nutgraf."""

from typing import Final

FORMAT: Final = 2
APPLICATION_ID: Final = 0x4E475246  # "NGRF"

TABLES: Final = f"""
CREATE TABLE meta (
    key TEXT PRIMARY KEY, value NOT NULL, crc INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE articles (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    added_seq INTEGER NOT NULL,
    removed_seq INTEGER,
    headline TEXT NOT NULL,
    outlet TEXT NOT NULL,
    byline TEXT NOT NULL,
    section TEXT NOT NULL,
    language TEXT NOT NULL,
    url TEXT NOT NULL,
    guid TEXT NOT NULL,
    published TEXT NOT NULL,
    text BLOB NOT NULL,
    content BLOB NOT NULL,
    crc INTEGER NOT NULL,
    head_crc INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX live_articles ON articles (id) WHERE removed_seq IS NULL;
CREATE INDEX articles_by_id ON articles (id);
CREATE INDEX articles_by_url ON articles (url) WHERE url <> '';
CREATE INDEX articles_by_guid ON articles (guid) WHERE guid <> '';
CREATE INDEX articles_by_added_seq ON articles (added_seq);
CREATE INDEX articles_by_removed_seq ON articles (removed_seq) WHERE removed_seq IS NOT NULL;
CREATE TABLE sources (article INTEGER PRIMARY KEY, source BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE lines (
    article INTEGER PRIMARY KEY,
    outlet TEXT NOT NULL,
    hashes BLOB NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX lines_by_outlet ON lines (outlet);
CREATE TABLE recurring (
    outlet TEXT, hash BLOB, crc INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (outlet, hash)
) WITHOUT ROWID;
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    article INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    embedding BLOB NOT NULL,
    embedded_seq INTEGER,
    crc INTEGER NOT NULL
);
CREATE INDEX passages_by_id ON passages (id);
CREATE INDEX passages_by_article ON passages (article, ordinal);
CREATE INDEX passages_by_embedding ON passages (embedding);
CREATE INDEX passages_waiting ON passages (number) WHERE embedded_seq IS NULL;
CREATE INDEX passages_by_embedded_seq ON passages (embedded_seq) WHERE embedded_seq IS NOT NULL;
CREATE TABLE vectors (
    number INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    embedding BLOB NOT NULL,
    vector BLOB NOT NULL,
    crc INTEGER NOT NULL,
    UNIQUE (model, embedding)
);
CREATE TABLE tombstones (
    passage INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    article_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX tombstones_by_seq ON tombstones (seq);
CREATE INDEX tombstones_by_id ON tombstones (id);
CREATE INDEX tombstones_by_article_id ON tombstones (article_id);
CREATE TABLE superseded (
    article_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    headline TEXT NOT NULL,
    byline TEXT NOT NULL,
    published TEXT NOT NULL,
    text BLOB NOT NULL,
    crc INTEGER NOT NULL,
    removed_seq INTEGER,
    PRIMARY KEY (article_id, version)
) WITHOUT ROWID;
CREATE INDEX superseded_by_removed_seq ON superseded (removed_seq) WHERE removed_seq IS NOT NULL;
CREATE TABLE sketches (
    article INTEGER PRIMARY KEY,
    report INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    marked INTEGER NOT NULL,
    day INTEGER,
    words INTEGER NOT NULL,
    fingerprints BLOB NOT NULL
);
CREATE INDEX sketches_by_report ON sketches (report);
CREATE INDEX sketches_by_piece ON sketches (piece, marked);
CREATE TABLE fingerprints (
    hash INTEGER, report INTEGER, PRIMARY KEY (hash, report)
) WITHOUT ROWID;
CREATE TABLE reports (
    article INTEGER,
    seq INTEGER,
    report INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (article, seq)
) WITHOUT ROWID;
CREATE INDEX reports_by_seq ON reports (seq);
CREATE TABLE term_counts (
    language TEXT,
    term INTEGER,
    articles INTEGER NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (language, term)
) WITHOUT ROWID;
CREATE TABLE term_vectors (
    article INTEGER PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE TABLE points (
    report INTEGER PRIMARY KEY, story INTEGER NOT NULL, day INTEGER NOT NULL
);
CREATE INDEX points_by_story ON points (story);
CREATE TABLE postings (
    term INTEGER,
    day INTEGER,
    report INTEGER,
    weight REAL NOT NULL,
    PRIMARY KEY (term, day, report)
) WITHOUT ROWID;
CREATE TABLE stories (
    article INTEGER,
    seq INTEGER,
    story INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (article, seq)
) WITHOUT ROWID;
CREATE INDEX stories_by_seq ON stories (seq);
CREATE TABLE merged_stories (
    story INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    successor INTEGER NOT NULL,
    crc INTEGER NOT NULL
);
CREATE TABLE former_passages (
    id TEXT,
    seq INTEGER,
    article_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    text BLOB NOT NULL,
    crc INTEGER NOT NULL,
    removed_seq INTEGER,
    PRIMARY KEY (id, seq)
) WITHOUT ROWID;
CREATE INDEX former_passages_by_article_id ON former_passages (article_id);
CREATE INDEX former_passages_by_removed_seq ON former_passages (removed_seq)
WHERE removed_seq IS NOT NULL;
CREATE TABLE commits (
    seq INTEGER PRIMARY KEY, at_s INTEGER NOT NULL, crc INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE searches (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    request TEXT NOT NULL,
    saved_s INTEGER NOT NULL,
    seen BLOB NOT NULL,
    crc INTEGER NOT NULL,
    delivered INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    search TEXT NOT NULL,
    report_id TEXT NOT NULL,
    article_id TEXT NOT NULL,
    passage_id TEXT NOT NULL,
    entered_s INTEGER NOT NULL,
    crc INTEGER NOT NULL
);
CREATE INDEX entries_by_search ON entries (search, number);
CREATE TABLE collections (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, made_s INTEGER NOT NULL, crc INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE marks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    article_id TEXT NOT NULL,
    passage_id TEXT NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    quote TEXT NOT NULL,
    headline TEXT NOT NULL,
    outlet TEXT NOT NULL,
    byline TEXT NOT NULL,
    section TEXT NOT NULL,
    language TEXT NOT NULL,
    url TEXT NOT NULL,
    published TEXT NOT NULL,
    digest TEXT NOT NULL,
    note TEXT NOT NULL,
    marked_s INTEGER NOT NULL,
    crc INTEGER NOT NULL
);
CREATE INDEX marks_by_collection ON marks (collection, number);
CREATE INDEX marks_by_article ON marks (collection, article_id, start);
CREATE TABLE rejections (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL,
    line INTEGER NOT NULL,
    reason TEXT NOT NULL,
    advice TEXT NOT NULL,
    rejected_s INTEGER NOT NULL,
    crc INTEGER NOT NULL
);
CREATE TABLE segments (
    name TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    passages INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE generations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    max_seq INTEGER NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE generation_segments (
    generation INTEGER,
    segment TEXT,
    crc INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (generation, segment)
) WITHOUT ROWID;
CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    request BLOB NOT NULL,
    outcomes TEXT NOT NULL,
    at_s INTEGER NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
"""
