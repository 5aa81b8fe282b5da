"""The desk: what readers keep beside the articles, and questions asked by the dozen.

- `saved_search`: a search that is kept; `standing_reports`: what is in its result set; `alerts`:
  what came into it; `feeds` with `atom` and `json_feed`: told to feed readers
- `collection`: marked passages as they stand now; `collection_file`, `collection_export`: as JSON
  and in the formats of those who cite
- `batch_questions`, `batch`, `batch_table`: many questions, their answers, a table of these;
  `resumable_output`: a table that goes on where it was
"""
