"""The reading half of Nutgraf, and everything a person or a program touches.

From a question to its answer, in the order the data flows:

- `query`: what was written, as words that rank and a condition that restricts, with
  `time_expressions` and `time_points` for the dates in it
- `filters`, `conditions`: which articles may answer, and which passages
- `dense` with `question_adapter`, `lexical`: the two arms, each with its candidates
- `fusion`, `time_fit`: one score from what both say, and from the time asked for
- `reranking`, `cross_encoder`: the first candidates in a better order
- `grouping`: copies and updates as one hit
- `verdict`: does anything here answer the question
- `ranking`: the steps from question to result set
- `weights`: what was learned for `question_adapter`, `reranking`, `cross_encoder` and `verdict`
- `result_set`: the passages that answer, in their order
- `facets`, `cursors`, `export`: what the set is made of, its pages, all of it
- `citation`: what is cited, with all that a reference to it needs
- `highlighting`, `best_sentence`: the words of the question in a passage, and the answer
- `interpretation`, `spelling`, `explain`: how a question was understood, what may have been meant,
  and why an article is where it is
- `credits`, `original`, `alignment`, `lineage`: whom an article credits, which one of a report is
  the original, what a copy made of it, and all of that together
- `subject`, `likeness`, `agreement`, `shared_names`, `related`: an article, how like it reports
  are, how far passages agree, whom both name, and all its other coverage
- `story`, `timeline`: the reports of one event under one headline, and what was new in them
- `front_page`: the biggest stories of a time, page by page
- `searcher`: questions, articles, passages and stories on one snapshot
- `evaluate`: the searcher on judged questions

The surfaces:

- `settings`: what can be set from outside
- `responses`, `wording`: answers for programs, and figures and dates for people
- `archive`: the searcher and the one writer that a server holds open
- `access`, `bodies`, `problems`: who may, what was sent, what went wrong
- `api`: HTTP for programs, with a question as its parameters in `question_query`, the filters in
  `filter_query`, and `links` from page to page; of the coverage around an article `related_api`
  and `related_responses`, of the stories `story_api` and `story_responses`
- `page`, `templates`, `static`: what the pages for readers share; `search_page`, `article_page`
  and `story_page` are the views
- `serving`: runs these on a socket
- `cli`: the command. `command` is what its commands share; they are in `store_commands` with
  `adding`, `batches`, `client`, in `question_commands` with `terminal`, in `related_commands` and
  `story_commands` with a terminal each, and in `service_commands` with `doctor`
"""
