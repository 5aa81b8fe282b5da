"""What an export says of itself: what was asked, of which view of the archive, and when."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, Self
from urllib.parse import quote, urlencode

from index.model import encodable
from search.cross_encoder import Effort
from search.filters import Filters
from search.grouping import Group
from search.query import Mode
from search.result_set import Export, Sort

# Proxies refuse headers of more than 4 or 8 KiB in all.
_LONGEST_HEADER: Final = 2000


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an export comes from; with it the same may be asked again."""

    query: str
    mode: Mode
    sort: Sort
    effort: Effort
    group: Group
    filters: Filters
    as_of: date | None
    snapshot: str
    total: int
    exported_at: datetime  # UTC, whole seconds

    @classmethod
    def of(cls, export: Export, exported_at: datetime) -> Self:
        """`exported_at`: with a time zone."""
        return cls(
            query=encodable(export.query),
            mode=export.mode,
            sort=export.sort,
            effort=export.effort,
            group=export.group,
            filters=export.filters,
            as_of=export.as_of,
            snapshot=export.snapshot,
            total=export.total,
            exported_at=exported_at.astimezone(UTC).replace(microsecond=0),
        )

    def fields(self) -> dict[str, str | int]:
        """The whole of it, flat; `filters` as the parameters of a request, empty: there are none.

        `{"query": "ferry", ..., "filters": "outlet=The+Islander&from=2025-03-10", ...}`
        """
        return {
            "query": self.query,
            "mode": self.mode.value,
            "sort": self.sort.value,
            "effort": self.effort.value,
            "group": self.group.value,
            "filters": urlencode(self._filters()),
            "as_of": self.as_of.isoformat() if self.as_of else "",
            "snapshot": self.snapshot,
            "total": self.total,
            "exported_at": self._moment(),
        }

    def note(self, rank: int) -> str:
        """One line for people, to stand with the hit of this rank."""
        filters = [f"{name}: {value}" for name, value in self._filters()]
        if self.as_of:
            filters.append(f"as of {self.as_of}")
        return "; ".join(
            [
                f"Hit {rank} of {self.total} for “{' '.join(self.query.split())}” in Nutgraf",
                f"mode {self.mode}, sort {self.sort}, effort {self.effort}, group {self.group}",
                *filters,
                f"snapshot {self.snapshot}",
                f"exported {self._moment()}",
            ]
        )

    def headers(self) -> dict[str, str]:
        """`Nutgraf-Total` and the like, one for each field that is not empty.

        Their values are visible ASCII: the question is percent-encoded UTF-8. A question or filters
        of more than 2,000 characters are left out; the export itself has them.
        """
        texts = {name: str(value) for name, value in self.fields().items()}
        texts["query"] = quote(texts["query"])
        return {
            header_name(name): text
            for name, text in texts.items()
            if 0 < len(text) <= _LONGEST_HEADER
        }

    def _filters(self) -> list[tuple[str, str]]:
        filters = self.filters
        days = (("from", filters.published_from), ("to", filters.published_to))
        return [
            *(
                (name, encodable(value))
                for name in ("outlet", "byline", "section", "language")
                for value in getattr(filters, name)
            ),
            *((name, day.isoformat()) for name, day in days if day),
        ]

    def _moment(self) -> str:
        return f"{self.exported_at:%Y-%m-%dT%H:%M:%SZ}"


def header_name(field: str) -> str:
    """`Nutgraf-Exported-At` for `exported_at`."""
    return f"Nutgraf-{field.replace('_', '-').title()}"
