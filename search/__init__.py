"""The reading half of Nutgraf, and everything a person or a program touches.

From a question to its answer, in the order the data flows:

- `query`: what was written, as words that rank and a condition that restricts, with
  `time_expressions` and `time_points` for the dates in it
- `filters`, `conditions`: which articles may answer, and which passages
- `dense` with `question_adapter`, `lexical`: the two arms, each with its candidates
- `fusion`, `time_fit`: one score from what both say, and from the time asked for
- `reranking`, `cross_encoder`: the first candidates in a better order
- `verdict`: does anything here answer the question
- `ranking`: the steps from question to result set
- `weights`: what was learned for `question_adapter`, `reranking`, `cross_encoder` and `verdict`
- `result_set`: the passages that answer, in their order
- `facets`, `cursors`, `export`: what the set is made of, its pages, all of it
- `highlighting`, `best_sentence`: the words of the question in a passage, and the answer
- `interpretation`, `spelling`, `explain`: how a question was understood, what may have been meant,
  and why an article is where it is
- `searcher`: questions, articles and passages on one snapshot
- `evaluate`: the searcher on judged questions

The surfaces:

- `settings`: what can be set from outside
- `responses`, `wording`: answers for programs, and figures and dates for people
- `archive`: the searcher and the one writer that a server holds open
- `access`, `bodies`, `problems`: who may, what was sent, what went wrong
- `api`, `page`, `templates`, `static`: HTTP for programs and for readers
- `serving`: runs these on a socket
- `cli`: the command, with `adding`, `batches`, `doctor` and `terminal` behind it
"""
