"""The commands of `nutgraf`; `search.cli` puts them together.

- `command`: what they share
- `store_commands` with `adding` and `sending`, `question_commands`, `batch_commands`,
  `cite_commands`, `related_commands`, `story_commands`, `saved_search_commands`,
  `collection_commands` with `collection_places`, `service_commands` with `doctor`, `care_commands`,
  `backup_commands`, `key_commands`
- `client`: talks to a running server
- `terminal` and the other terminals: answers as people read them there
"""
