"""A collection as examples show it, in every format."""

from typing import Final

from index.collections import Collection, Mark
from search.desk.collection import Standing, StandingMark, WholeCollection
from search.desk.collection_export import MEDIA_TYPES, exported
from search.desk.collection_file import EXAMPLE_FILE, CollectionFile
from search.http.collection_responses import EXAMPLE_COLLECTION_ID
from search.references.cite import Status

_BASE_URL: Final = "https://archive.example/"


def _example() -> WholeCollection:
    file = CollectionFile.model_validate(EXAMPLE_FILE)
    [mark] = file.marks
    assert file.made_at
    assert mark.marked_at
    return WholeCollection(
        Collection(EXAMPLE_COLLECTION_ID, file.name, int(file.made_at.timestamp())),
        (
            StandingMark(
                Mark(3, mark.marked(), mark.note, int(mark.marked_at.timestamp())),
                Standing(Status.UNCHANGED, mark.start, mark.end),
            ),
        ),
        omitted=0,
    )


# By media type; the styles share one.
EXAMPLE_EXPORTS: Final = {
    media_type: exported(_example(), format, _BASE_URL)
    for format, media_type in reversed(MEDIA_TYPES.items())
}
