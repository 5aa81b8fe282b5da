"""What many would write: sentence-transformers, a flat FAISS index, the texts beside it.

Usage: with_sentence_transformers.py index ARTICLES FOLDER MODEL
       with_sentence_transformers.py serve FOLDER MODEL PORT
A row is a paragraph after its headline; `encode` with its defaults; no arm of words.
"""

import json
import sys
from pathlib import Path

import faiss
import uvicorn
from articles import articles
from fastapi import FastAPI
from sentence_transformers import SentenceTransformer

VECTORS, ROWS = "vectors.faiss", "rows.json"


def index(file: Path, folder: Path, model: str) -> None:
    rows = [
        (article.id, paragraph) for article in articles(file) for paragraph in article.paragraphs()
    ]
    encoder = SentenceTransformer(model, device="cpu")
    vectors = encoder.encode([text for _, text in rows], normalize_embeddings=True)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    folder.mkdir()
    faiss.write_index(flat, str(folder / VECTORS))
    (folder / ROWS).write_text(json.dumps(rows), encoding="utf-8")


def serve(folder: Path, model: str, port: int) -> None:
    encoder = SentenceTransformer(model, device="cpu")
    flat = faiss.read_index(str(folder / VECTORS))
    rows = json.loads((folder / ROWS).read_text(encoding="utf-8"))
    app = FastAPI()

    @app.get("/search")
    def search(query: str, limit: int) -> list[dict[str, object]]:
        scores, found = flat.search(encoder.encode([query], normalize_embeddings=True), limit)
        return [
            {"id": rows[row][0], "text": rows[row][1], "score": float(score)}
            for score, row in zip(scores[0], found[0], strict=True)
            if row >= 0
        ]

    uvicorn.run(app, port=port)


if __name__ == "__main__":
    if sys.argv[1] == "index":
        index(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    else:
        serve(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
