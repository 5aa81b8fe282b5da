"""RSS and Atom entries are read on their own, and no feed can swell or fetch anything."""

import time

import pytest

from index.article import Origin, Published, SourceRecord
from index.errors import BadArticleError
from index.formats.limits import DEFAULT_LIMITS, Limits
from index.formats.xml_feed import read_xml_feed

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://nowhere.invalid/rss">
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
     xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel>
<title>Harbour &amp; Coast</title><language>en-gb</language>
<item>
  <title>Ferry &lt;i&gt;returns&lt;/i&gt; – at last</title>
  <link>https://harbour.example/1</link>
  <guid isPermaLink="false">h-1</guid>
  <pubDate>Fri, 21 Jan 2022 19:12:00 GMT</pubDate>
  <dc:creator>Ada Lind</dc:creator><category>Transport</category><category>Sea</category>
  <description>Teaser only.</description>
  <content:encoded><![CDATA[<p>The <item>ferry</item> is
  back.</p><script>no()</script><p>It sails at&nbsp;noon.</p></item>]]></content:encoded>
</item>
<!-- <item><description>commented out</description></item> -->
<item><title>Broken & <b>bold</title><description>Rain & wind</description>
<pubDate>soon</pubDate><link>not a link</link></item>
<item><title>Nothing to read</title></item>
<item><source url="https://wire.example/">Wire</source><description>Snow.</description></item>
</channel>
</rss>
"""


def read(text: str, limits: Limits = DEFAULT_LIMITS) -> list[SourceRecord | BadArticleError]:
    return list(read_xml_feed(text.encode(), "a.rss", limits))


def test_an_rss_item_is_a_record_with_its_line_and_bytes() -> None:
    first = read(RSS)[0]
    assert isinstance(first, SourceRecord)
    assert first.body == "The ferry is back.\nIt sails at\u00a0noon."
    assert first.headline == "Ferry returns – at last"
    assert (first.outlet, first.byline, first.section) == (
        "Harbour & Coast",
        "Ada Lind",
        "Transport",
    )
    assert (first.url, first.guid, first.own_id) == ("https://harbour.example/1", "h-1", "")
    assert (first.published, first.language) == (Published("2022-01-21T19:12:00Z"), "en")
    assert first.origin == Origin("a.rss", 7)
    assert first.raw.startswith(b"<item>\n  <title>Ferry")
    assert first.raw.endswith(b"</content:encoded>\n</item>")


def test_a_broken_item_is_read_as_far_as_it_goes_and_the_others_whole() -> None:
    _, broken, empty, wire = read(RSS)
    assert isinstance(broken, SourceRecord)
    assert (broken.body, broken.published, broken.url) == ("Rain & wind", None, "")
    assert str(empty).startswith("a.rss:20: no text: ")
    assert isinstance(wire, SourceRecord)
    assert (wire.body, wire.outlet, wire.origin.line) == ("Snow.", "Wire", 21)


def test_an_atom_entry_is_a_record() -> None:
    [entry] = read(
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://harbour.example/">'
        "<title>Harbour</title><author><name>Desk</name></author>"
        '<entry><title type="html">Ice &amp;amp; snow</title><link href="ice"/><id>urn:x:1</id>'
        "<updated>2022-01-21T19:12:00Z</updated>"
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Ice.</p><p>Snow.</p>'
        "</div></content></entry></feed>"
    )
    assert isinstance(entry, SourceRecord)
    assert (entry.headline, entry.body, entry.byline) == ("Ice & snow", "Ice.\nSnow.", "Desk")
    assert (entry.url, entry.guid) == ("https://harbour.example/ice", "urn:x:1")
    assert entry.published == Published("2022-01-21T19:12:00Z")


def test_an_rss_1_0_item_is_a_record() -> None:
    [item] = read(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<channel><title>R</title><items><rdf:Seq/></items></channel>"
        '<item rdf:about="https://r.example/1"><title>T</title><link>https://r.example/1</link>'
        "<description>Rain.</description><dc:date>2005-01-02</dc:date></item></rdf:RDF>"
    )
    assert isinstance(item, SourceRecord)
    assert (item.outlet, item.body, item.published) == ("R", "Rain.", Published("2005-01-02"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_the_declared_encoding_counts(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><rss><channel><item><description>'
    text += "caf\u00e9 \u00fcber</description></item></channel></rss>"
    [record] = read_xml_feed(text.encode(encoding), "a.rss", DEFAULT_LIMITS)
    assert isinstance(record, SourceRecord)
    assert record.body == "café über"


@pytest.mark.parametrize(
    "declaration",
    [
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://nowhere.invalid/a.dtd"> %a;',
        '<!ENTITY a "<b>">',
    ],
)
def test_a_feed_that_declares_entities_is_refused(declaration: str) -> None:
    text = f"<!DOCTYPE rss [{declaration}]><rss><channel><item><description>&b;</description>"
    assert [str(r) for r in read(f"{text}</item></channel></rss>")] == [
        "a.rss:1: the feed declares entities; remove its DOCTYPE"
    ]


def test_entities_declared_inside_an_item_mean_nothing() -> None:
    [item] = read(
        "<rss><channel><item><description>x<!DOCTYPE a [<!ENTITY b 'bbbb'>]>&b; y</description>"
        "</item></channel></rss>"
    )
    assert isinstance(item, SourceRecord)
    assert "bbbb" not in item.body.replace("'bbbb'", "")


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a feed must not reach for the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    assert len(read(RSS)) == 4


def test_a_feed_that_is_cut_short_keeps_the_items_before() -> None:
    cut = RSS[: RSS.index("Rain")]
    first, *problems = read(cut)
    assert isinstance(first, SourceRecord)
    assert [str(problem) for problem in problems] == [
        "a.rss:18: the entry is not closed; fetch it again",
        "a.rss:18: is cut short: the feed is not closed; fetch it again",
    ]


def test_an_entry_beyond_the_limit_is_refused_and_the_others_read() -> None:
    big = f"<rss><channel><item><description>{'x' * 2000}</description></item>"
    big += "<item><description>Rain.</description></item></channel></rss>"
    too_large, rain = read(big, Limits(max_record_bytes=1000))
    assert str(too_large).startswith("a.rss:1: an entry of more than 1,000 bytes")
    assert isinstance(rain, SourceRecord)


# feedparser looks for a list of its own where this element put its attributes.
STUMBLES = '<authors kind="all"/><author><name>Ann</name></author>'


def test_an_entry_that_the_parser_stumbles_over_is_rejected_and_the_others_are_read() -> None:
    broken, sound = read(
        f"<feed><title>T</title>\n<entry>{STUMBLES}<content>Rain.</content></entry>\n"
        "<entry><content>Snow.</content></entry></feed>"
    )
    assert isinstance(broken, BadArticleError)
    assert (broken.path, broken.line) == ("a.rss", 2)
    assert "KeyError" in broken.reason
    assert isinstance(sound, SourceRecord)
    assert sound.body == "Snow."


def test_a_feed_whose_head_the_parser_stumbles_over_is_rejected() -> None:
    (broken,) = read(f"<feed>{STUMBLES}<entry><content>Snow.</content></entry></feed>")
    assert isinstance(broken, BadArticleError)
    assert (broken.path, broken.line) == ("a.rss", 1)


@pytest.mark.parametrize("form", ['<{0} a="b"/>', "<{0}>x</{0}>", '<{0} a="b">x<{0}>y</{0}></{0}>'])
@pytest.mark.parametrize("name", ["authors", "tags", "summary_detail", "title_detail", "sources"])
def test_elements_that_no_standard_has_take_nothing_from_an_entry(name: str, form: str) -> None:
    extra = form.format(name)
    (record,) = read(
        f"<feed>{extra}<title>T</title><entry>{extra}<content>Snow.</content></entry></feed>"
    )
    assert isinstance(record, SourceRecord)
    assert (record.body, record.outlet) == ("Snow.", "T")


@pytest.mark.parametrize(
    "piece",
    ["<", "<a ", "<b>", '<a b="', "</a>", "<![CDATA[", "<!--", "<!x", "&#", "&a;", "<item>", "]]>"],
)
def test_hostile_markup_takes_linear_time(piece: str) -> None:
    start = time.perf_counter()
    read(f"<rss><channel><item><description>{piece * 20_000}</description></item></channel></rss>")
    read(f"<rss {piece * 20_000}")
    assert time.perf_counter() - start < 60
