"""The reading half of Nutgraf, and everything a person or a program touches.

From a question to its answer, in the order the data flows:

- `query`: what was written, as words that rank and a condition that restricts, with
  `time_expressions` and `time_points` for the dates in it
- `filters`, `conditions`: which articles may answer, and which passages
- `dense` with `question_adapter`, `lexical`: the two arms, each with its candidates;
  `questions_together`: what is asked at one time is embedded in one batch
- `fusion`, `time_fit`: one score from what both say, and from the time asked for
- `reranking`, `cross_encoder`: the first candidates in a better order
- `grouping`: copies and updates as one hit
- `verdict`: does anything here answer the question
- `ranking`: the steps from question to result set
- `weights`: what was learned for `question_adapter`, `reranking`, `cross_encoder` and `verdict`
- `result_set`: the passages that answer, in their order
- `facets`, `histogram`, `cursors`: what the set is made of, and its pages
- `highlighting`, `best_sentence`: the words of the question in a passage, and the answer
- `interpretation`, `spelling`, `explain`: how a question was understood, what may have been meant,
  and why an article is where it is
- `kept_copies`: what hits say of large reports, found once
- `searcher`: questions, articles, passages and stories on one snapshot; `trace`: where the time
  of a question goes
- `evaluate`: the searcher on judged questions

What is made of articles and answers, each a package:

- `coverage`: copies, related coverage, stories
- `references`: citations and what became of them
- `exports`: whole result sets in files
- `desk`: saved searches, collections, batches

The surfaces:

- `settings`: what can be set from outside
- `filter_query`, `question_query`: a question as the parameters of a request
- `responses`, `wording`: answers for programs, and figures and dates for people; `web_url`,
  `mistakes`: addresses that a browser may be sent to, and what is wrong in a document
- `http`: routes for programs; `pages`: views for readers; `api`: the application of both
- `commands`: the command line, with `cli` as its entry
"""
