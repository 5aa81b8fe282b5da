"""Haystack: BM25 and embedding retriever over its in-memory store, joined by reciprocal rank.

Usage: with_haystack.py index ARTICLES FOLDER MODEL | with_haystack.py serve FOLDER MODEL PORT
The pipelines of its tutorial on hybrid retrieval without the ranking model at the end, every
component with its defaults. A document is what DocumentSplitter makes of an article (200 words);
its embedder sees the headline, too. Served by FastAPI, as its hayhooks does.
"""

import sys
from pathlib import Path

import uvicorn
from articles import articles
from fastapi import FastAPI
from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import (
    InMemoryBM25Retriever,
    InMemoryEmbeddingRetriever,
)
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)

STORE = "documents.json"


def index(file: Path, folder: Path, model: str) -> None:
    store = InMemoryDocumentStore()
    pipeline = Pipeline()
    pipeline.add_component("splitter", DocumentSplitter())
    pipeline.add_component(
        "embedder",
        SentenceTransformersDocumentEmbedder(model=model, meta_fields_to_embed=["headline"]),
    )
    pipeline.add_component("writer", DocumentWriter(document_store=store))
    pipeline.connect("splitter", "embedder")
    pipeline.connect("embedder", "writer")
    documents = [
        Document(content=article.text, meta={"article": article.id, "headline": article.headline})
        for article in articles(file)
    ]
    pipeline.run({"splitter": {"documents": documents}})
    folder.mkdir()
    store.save_to_disk(str(folder / STORE))


def serve(folder: Path, model: str, port: int) -> None:
    store = InMemoryDocumentStore.load_from_disk(str(folder / STORE))
    pipeline = Pipeline()
    pipeline.add_component("text_embedder", SentenceTransformersTextEmbedder(model=model))
    pipeline.add_component("embedding_retriever", InMemoryEmbeddingRetriever(document_store=store))
    pipeline.add_component("bm25_retriever", InMemoryBM25Retriever(document_store=store))
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion")
    pipeline.add_component("document_joiner", joiner)
    pipeline.connect("text_embedder", "embedding_retriever")
    pipeline.connect("bm25_retriever", "document_joiner")
    pipeline.connect("embedding_retriever", "document_joiner")
    app = FastAPI()

    @app.get("/search")
    def search(query: str, limit: int) -> list[dict[str, object]]:
        found = pipeline.run({"text_embedder": {"text": query}, "bm25_retriever": {"query": query}})
        documents = found["document_joiner"]["documents"][:limit]
        return [
            {"id": document.meta["article"], "text": document.content, "score": document.score}
            for document in documents
        ]

    uvicorn.run(app, port=port)


if __name__ == "__main__":
    if sys.argv[1] == "index":
        index(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    else:
        serve(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
