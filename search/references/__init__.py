"""References: what is cited, how it is written down, and what became of it.

- `citation`: what is cited, with all that a reference to it needs; `archive_url`: where we show it
- `names_of_byline`, `date_parts`, `one_line`, `locator`: who wrote it, when, and where in the text
  it stands, as references say these
- `ris`, `bibtex`, `csl_json`: for reference managers; `reference_styles`: for people;
  `reference_formats`: all of them by name
- `selectors`, `text_fragment`: where a quote stands, for annotations and for browsers
- `scholar_tags`: what reference managers read in a page
- `cite`: unchanged, edited or withdrawn
"""
