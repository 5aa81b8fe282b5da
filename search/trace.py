"""Where the time of one question goes, by stages.

Who asks opens a trace; the steps below say what they are, wherever they are, and where none is
open they cost nothing. Stages do not overlap, and what lies between them is little: a look for a
newer snapshot, digests.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum


class Stage(StrEnum):
    """The stages in the order in which a question goes through them."""

    PARSE = "parse"  # the question's conditions, times and misspelt words, against the archive
    WORDS = "words"  # the lexical arm, and the BM25 of what the dense arm alone proposes
    EMBED = "embed"  # the question, as far as it takes longer than the steps beside it
    DENSE = "dense"  # the dense arm, and the cosines of all candidates
    FUSE = "fuse"
    FOLD = "fold"  # copies; where reports have several articles here, their texts are read
    RANK = "rank"  # reading the first passages, and the learned ranker
    READ_AGAIN = "read_again"  # the cross-encoder
    HYDRATE = "hydrate"  # reading and marking the page's hits, facets
    SERIALISE = "serialise"


class Trace:
    """Milliseconds of one question by stage; a stage that it did not go through is missing."""

    def __init__(self) -> None:
        self._ms: dict[Stage, float] = {}

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Count the time of the work inside to `stage`; what was counted before stays."""
        began = time.perf_counter()
        try:
            yield
        finally:
            elapsed_ms = (time.perf_counter() - began) * 1000
            self._ms[stage] = self._ms.get(stage, 0.0) + elapsed_ms

    def ms(self) -> dict[Stage, float]:
        """The stages so far, in the order of `Stage`."""
        return {stage: self._ms[stage] for stage in Stage if stage in self._ms}


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def traced() -> Iterator[Trace]:
    """Have the stages of the work inside, in this thread, counted."""
    token = _current.set(trace := Trace())
    try:
        yield trace
    finally:
        _current.reset(token)


@contextmanager
def stage(stage: Stage) -> Iterator[None]:
    """Count the time of the work inside to `stage` of the trace that is open, if one is."""
    trace = _current.get()
    if trace is None:
        yield
    else:
        with trace.stage(stage):
            yield
