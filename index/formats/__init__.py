"""One reader for each format that articles arrive in, from bytes to source records.

In the order the data flows: `limits` says how much is read at most; `streams` opens files and
unpacks gzip and Zstandard within those limits; `sniffing` tells the format; `archive` walks zip
and tar members. Then one file a format: `jsonl`, `json_document`, `json_feed`, `csv_table`,
`plain_text`, `html_page`, `xml_feed`. What these share: `lines` (numbered, bounded lines),
`encoding` (bytes to text), `fragment` (a piece of HTML to text), `fields` (named values to one
source record).

A reader yields a BadArticleError in place of a record it cannot read, and goes on.
"""
