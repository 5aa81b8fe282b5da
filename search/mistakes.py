"""What is wrong in a document that is not of the shape it must have."""

from pydantic import ValidationError


def mistakes_in(error: ValidationError) -> list[tuple[str, str]]:
    """Each mistake in a document: its place, as `marks[3].quote`, and what is wrong there."""
    return [
        (_place(mistake["loc"]), mistake["msg"].removeprefix("Value error, "))
        for mistake in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _place(loc: tuple[int | str, ...]) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return place.lstrip(".") or "document"
