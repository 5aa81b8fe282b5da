"""HTTP for programs.

- `archive`: the searcher and the one writer that a server holds open; `scrub` re-reads the store
- `access`, `bodies`, `json_body`, `problems`: who may, what was sent, what went wrong
- `connections`, `request_log`, `request_limits` with `rate_limit`, `kept_answers`, `admission`,
  `metrics`: what goes around every request
- `ending_apart`, `links`, `etags`, `compression`: routes below an id with slashes, from page to
  page, the same answer again, fewer bytes
- `related_responses`, `story_responses`, `cite_responses` and the others: answers as documents
- `related_api`, `story_api`, `cite_api`, `export_api`, `batch_api`, `saved_search_api`,
  `collection_api`, `rejections_api`, `metrics_api`, `unapi`: their routes
- `serving`: runs the application, `search.api`, on a socket
"""
