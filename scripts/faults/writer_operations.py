"""What can be done to a store, as values that travel between processes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from desk_oracle import StoredDesk
from oracle import embed, vectors_of

from index.article import ArticleId, SourceRecord
from index.backup import back_up
from index.repair import repair
from index.restore import restore
from index.writer import Writer

Kind = Literal[
    "add",
    "add many",
    "tell",
    "replace",
    "remove",
    "embed",
    "publish",
    "compact",
    "switch",
    "finish",
    "desk",
    "close",
    "repair",
    "back up",
    "restore",
]
# What is done to a folder, without a writer that is open already.
OF_A_FOLDER: Final = frozenset({"repair", "back up", "restore"})
# The names of two models: what is embedded anew by the one is embedded next by the other.
MODELS: Final = ("this-model", "that-model")


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a writer, or on a folder, with what it is called with."""

    kind: Kind
    records: tuple[SourceRecord, ...] = ()
    ids: tuple[str, ...] = ()
    limit: int = 0
    key: str | None = None  # idempotency key of an add
    backup: Path | None = None  # where it is made, or is
    step: str = ""  # method of `StoredDesk`, and what it is called with
    arguments: tuple[str | tuple[str, ...], ...] = ()

    @property
    def name(self) -> str:
        """What a table of operations calls it."""
        return self.step or (f"{self.kind} with key" if self.key else self.kind)


def perform(
    writer: Writer, operation: Operation, begin: Callable[[list[str]], None] = lambda _: None
) -> object:
    """Carry an operation out; `begin` is told what will be embedded, before it is."""
    match operation.kind:
        case "add" | "replace":
            outcomes = writer.add(operation.records, idempotency_key=operation.key)
            return [[o.status, o.article_id, o.version] for o in outcomes]
        case "add many":
            outcomes = writer.add(operation.records, stories_wait=True)
            return [[o.status, o.article_id, o.version] for o in outcomes]
        case "tell":
            while writer.tell_stories():
                pass
            return None
        case "remove":
            return writer.remove([ArticleId(id_) for id_ in operation.ids])
        case "embed":
            return embed(writer, operation.limit, begin)
        case "switch":
            return _switch(writer)
        case "desk":
            with writer.desk() as truth:
                answer = getattr(StoredDesk(truth), operation.step)(*operation.arguments)
            return list(answer) if isinstance(answer, tuple) else answer
        case _:
            return getattr(writer, operation.kind)()


def _switch(writer: Writer) -> None:
    """Embed everything by the other model, and let that one answer."""
    model = MODELS[writer.fingerprint == MODELS[0]]
    while numbers := writer.waiting_order(4, fingerprint=model):
        waiting = writer.waiting_texts(numbers, fingerprint=model)
        writer.store_embeddings(waiting, vectors_of([item.text for item in waiting]), model)
    writer.switch_model(model, model)


def perform_on(folder: Path, operation: Operation) -> None:
    """Carry out what needs no writer that is open: see `OF_A_FOLDER`."""
    if operation.kind == "repair":
        repair(folder)
        return
    assert operation.backup
    if operation.kind == "back up":
        back_up(folder, operation.backup)
    else:
        restore(operation.backup, folder)
