"""Where a question's time goes."""

import json
from pathlib import Path

from fastapi.testclient import TestClient

from search.api import build_app
from search.cross_encoder import Effort
from search.http.access import Access
from search.http.archive import Archive
from search.searcher import Searcher
from search.trace import Stage, Trace, stage, traced


def test_stages_are_counted_in_their_order_and_what_comes_twice_is_added() -> None:
    with traced() as trace:
        for each in (Stage.DENSE, Stage.PARSE, Stage.DENSE):
            with stage(each):
                pass
    assert list(trace.ms()) == [Stage.PARSE, Stage.DENSE]


def test_where_no_trace_is_open_nothing_is_counted() -> None:
    trace = Trace()
    with stage(Stage.PARSE):
        pass
    assert trace.ms() == {}


def test_a_question_s_stages_fill_the_time_that_it_took(harbour: Path) -> None:
    searcher = Searcher(harbour)
    answer = searcher.search("When does the ferry sail?", effort=Effort.THOROUGH, facets=True)
    searcher.close()
    stages = answer.trace.ms()
    assert set(stages) == set(Stage) - {Stage.SERIALISE}
    assert sum(stages.values()) <= answer.took_ms


def test_a_trace_is_in_the_answer_when_asked_for_and_in_the_metrics_always(harbour: Path) -> None:
    with Archive(harbour, read_only=True) as archive:
        app = build_app(archive, Access("127.0.0.1"), max_body_bytes=1 << 20)
        client = TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000))
        plain = client.get("/v1/search", params={"q": "ferry"}).json()
        traced = client.get("/v1/search", params={"q": "ferry", "trace": "true"}).json()
        client.get("/", params={"q": "ferry"})
        metrics = client.get("/metrics").text
    assert plain["trace"] is None
    # The result set is kept: only the page's own work is left.
    assert list(traced["trace"]) == ["hydrate", "serialise"]
    assert json.dumps({**plain, "took_ms": 0}) == json.dumps(
        {**traced, "took_ms": 0, "trace": None}
    )
    assert 'nutgraf_question_stage_seconds_count{stage="hydrate"} 3.0' in metrics
    assert 'nutgraf_question_stage_seconds_count{stage="embed"} ' in metrics
