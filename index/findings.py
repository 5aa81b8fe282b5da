"""What is wrong with a store: what `verify` finds, and `repair` works from."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Damage(StrEnum):
    """What a finding means for what the store holds, the least first."""

    DERIVED = "derived"  # it can be made again from the truth; `nutgraf repair` does
    TRUTH = "truth"  # only a backup has it, or the source it came from
    FORMAT = "format"  # the file cannot be read as a store of this Nutgraf


class Part(StrEnum):
    """The part of a store that a finding is about: what is made again together."""

    DATABASE = "database"
    INDEXES = "indexes"  # SQLite's own, over the tables
    LINES = "lines"
    COPIES = "copies"
    STORIES = "stories"
    VECTORS = "vectors"
    SEGMENTS = "segments"
    COLUMNS = "columns"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    damage: Damage
    part: Part
    place: str  # table and row, or file
    meaning: str
    advice: str


REPAIR: Final = "run `nutgraf repair`"
RESTORE: Final = "restore a backup, see docs/operations.md"


def derived(part: Part, place: str, meaning: str) -> Finding:
    return Finding(Damage.DERIVED, part, place, meaning, REPAIR)


def truth(place: str, meaning: str, advice: str = RESTORE) -> Finding:
    return Finding(Damage.TRUTH, Part.DATABASE, place, meaning, advice)


def exit_status(findings: Iterable[Finding]) -> int:
    """0: all is good; 1: derived data is damaged; 2: so is the truth; 3: it is no store of ours."""
    order = {damage: at for at, damage in enumerate(Damage, start=1)}
    return max((order[finding.damage] for finding in findings), default=0)
