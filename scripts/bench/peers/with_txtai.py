"""txtai, hybrid: BM25 and embeddings, half and half, served by its own API.

Usage: with_txtai.py index ARTICLES FOLDER MODEL | with_txtai.py serve FOLDER MODEL PORT
All settings but `hybrid` and `content` (keep the texts, since an answer shows them) are its
defaults. A row is a paragraph, as its Segmentation pipeline divides with `paragraphs=True`.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from articles import articles


def index(file: Path, folder: Path, model: str) -> None:
    from txtai import Embeddings

    embeddings = Embeddings(path=model, hybrid=True, content=True)
    embeddings.index(rows(file))
    embeddings.save(str(folder))


def rows(file: Path) -> Iterator[tuple[str, str]]:
    for article in articles(file):
        for number, paragraph in enumerate(article.paragraphs()):
            yield f"{article.id}#{number}", paragraph


def serve(folder: Path, model: str, port: str) -> None:
    settings = folder.with_suffix(".yml")
    settings.write_text(
        f"path: {folder}\nembeddings:\n  path: {model}\n  hybrid: true\n  content: true\n"
    )
    os.environ["CONFIG"] = str(settings)
    os.execv(sys.executable, [sys.executable, "-m", "uvicorn", "txtai.api:app", "--port", port])


if __name__ == "__main__":
    if sys.argv[1] == "index":
        index(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    else:
        serve(Path(sys.argv[2]), sys.argv[3], sys.argv[4])
