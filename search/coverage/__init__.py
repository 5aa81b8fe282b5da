"""What else there is about an article: its copies, related coverage, and its story.

- `credits`, `original`, `alignment`, `lineage`: whom an article credits, which one of a report is
  the original, what a copy made of it, and all of that together
- `subject`, `likeness`, `agreement`, `shared_names`, `related`: an article, how like it reports
  are, how far passages agree, whom both name, and all its other coverage
- `story`, `timeline`: the reports of one event under one headline, and what was new in them
- `front_page`: the biggest stories of a time, page by page
"""
