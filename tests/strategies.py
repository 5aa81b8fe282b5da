"""Generators of what a store is given. A new feature's awkward cases join them here."""

from hypothesis import strategies as st
from oracle import record

from index.article import SourceRecord

# Few, so that the same id comes again: as it was, with other content, or after its removal.
IDS = ("wire-1", "wire-2", "wire-3", "guid:4", "Z.5")

paragraph_names = st.sampled_from(["alpha", "bravo", "carbon", "delta", "ember"])
published_dates = st.sampled_from(["", "1963", "2022-01", "2022-01-21", "2022-01-21T19:12"])


def records() -> st.SearchStrategy[SourceRecord]:
    """Records of one to three passages; equal passages stand in several articles, or in one."""
    return st.builds(
        lambda own_id, names, headline, outlet, published: record(
            own_id, *names, headline=headline, outlet=outlet, published=published
        ),
        st.sampled_from(IDS),
        st.lists(paragraph_names, min_size=1, max_size=3),
        st.sampled_from(["", "Wombats counted", "Zählung beendet – 🐨"]),
        st.sampled_from(["Bush Telegraph", "Le Phare"]),
        published_dates,
    )


def batches() -> st.SearchStrategy[list[SourceRecord]]:
    """What one call adds; the same id may come twice in it."""
    return st.lists(records(), min_size=1, max_size=4)
