"""The reading half of Nutgraf, and everything a person or a program touches.

From a question to its answer, in the order the data flows:

- `filters`: which articles may answer; one definition for both arms
- `dense`, `lexical`: the two arms, each with its candidates
- `fusion`: one score from what both say
- `ranking`: the steps from question to result set
- `result_set`: the passages that answer, in their order
- `highlighting`: the words of the question in a passage
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
