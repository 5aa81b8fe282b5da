"""The pages for readers, rendered here: every view has its own URL and works without script.

- `page`: what they share; `page_query`, `page_forms`: what a reader sends
- `search_page` with `narrowing` and `copies_fragment`: a question, its hits, and how to narrow them
- `article_page` with `hit_place` and `story_picture`: an article, the hits around it, its story
- `cite_page`, `collection_pages`, `saved_search_pages`, `story_page`, `archive_page`
- `templates`, `static`: their text, style and script
"""
