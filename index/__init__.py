"""The writing half of Nutgraf: from a file to a store that can be searched.

In the order the data flows:

- `reading`, `formats`: a path or stream, record by record; a bad one does not stop the rest
- `dates`: when an article was published, as precise as its source says
- `paragraphs`, `head`, `promo_lines`, `recurring`, `cleaning`: from pasted text to the report alone
- `language`: what it is written in
- `chunking`: the article's passages
- `preparing`: the steps above, one record at a time
- `checksums`: what tells a sound row from a damaged one
- `tables`, `store_folder`, `store`: the SQLite file that holds the truth, how it is made and
  opened, and its rows; `synced_folders`: names that a power cut leaves in place
- `migrations`: brings one of an older format to ours
- `words`: the tantivy index that follows it
- `default_model`, `model`, `child_process`, `embedding`: passages to vectors, in a process of
  their own
- `segments`: the FAISS files that hold the vectors; `coded_lists`: the short codes of a large one
- `generations`: which of those files are live
- `idempotency`: the same call twice changes the store once
- `copies`, `updates`: whether two articles are copies, or versions of one piece
- `reports`: articles grouped by both
- `term_vectors`, `term_counts`: what an article is about, and how rare its words are
- `stories`: reports grouped by event, by the likeness that `clustering` finds
- `groundwork`: what adding an article takes that needs no store; `preparing_process`,
  `preparing_ahead`: the same in other processes, and while the articles before are stored
- `former_passages`: what passages said that their articles no longer have
- `saved_searches`, `collections`, `rejections`: what is kept beside the articles
- `segment_files`: segments made of the truth's vectors, and swept away
- `writer`: the one writer, which keeps all of these in step
- `backlog`: embeds what waits, newest leads first
- `whole_folder`, `backup`, `restore`: a copy of a store, and a store from the copy
- `verify` with `row_checks`, `link_checks`, `segment_checks`, `columns_checks`, `words_checks`,
  `rebuild_checks`, `write_ahead_log`: what is damaged, as `findings`; `repair` makes again what is
  derived
- `columns`, `saved_columns`: what filtering and ordering need, in memory and as a file
- `snapshot`: a reader's frozen view, where `search` begins; `read_connections`: what it reads
  by; `kept_rows`: what was read last; `vectors`, `tail`: its dense part; `large_segments`,
  `lists_to_read`: and what of it that is large is read for a question

`article` holds the records that travel, `errors` what can go wrong; `deadline` and `precedence` are
set by a server around its questions and changes, and looked at far below.
"""
