"""Where in the archive a quote stands, in words that people and programs can read."""

from search.references.citation import Citation


def locator(citation: Citation) -> str:
    """`article A#char=12,94, passage P`; what is not cited is left out.

    The span is written as RFC 5147 writes one of a plain text, start and end in characters.
    """
    span = f"#char={citation.start},{citation.end}" if citation.quote else ""
    passage = f", passage {citation.passage_id}" if citation.passage_id else ""
    return f"article {citation.article_id}{span}{passage}"
