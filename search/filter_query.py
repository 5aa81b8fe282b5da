"""The filters as the query parameters of a request."""

from pydantic import BaseModel, ConfigDict, Field

from search.filters import Filters


class FilterQuery(BaseModel):
    """Which articles are let through. A parameter of another name is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    outlet: list[str] = Field(
        [],
        description="Only from this outlet; several: from any of them.",
        examples=[["Northport Courier"]],
    )
    byline: list[str] = Field(
        [],
        description="Only with these words in the byline; several: any of them.",
        examples=[["Lindqvist"]],
    )
    section: list[str] = Field([], description="Only from this section.", examples=[["Local"]])
    language: list[str] = Field([], description="Only in this language.", examples=[["en"]])
    published_from: str | None = Field(
        None,
        alias="from",
        description="Published on this day or later, YYYY-MM-DD. With a bound, articles of "
        "unknown date are left out.",
        examples=["2025-03-01"],
    )
    published_to: str | None = Field(
        None,
        alias="to",
        description="Published on this day or earlier, YYYY-MM-DD.",
        examples=["2025-03-31"],
    )

    def filters(self) -> Filters:
        """The filters among the parameters; BadQueryError when one is none."""
        return Filters.parse(
            outlet=self.outlet,
            byline=self.byline,
            section=self.section,
            language=self.language,
            published_from=self.published_from,
            published_to=self.published_to,
        )
