"""What one application counts and measures, for Prometheus; `metrics_api` shows it.

Every label has few values: the template of a route, never a path; a reason, never a message.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from search.trace import Trace

# From an answer that is kept to the longest a question may take, each about double the one before.
_SECONDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
# Most of a question's stages take some milliseconds.
_STAGE_SECONDS: Final = (0.0005, 0.001, 0.002, *_SECONDS)


class Metrics:
    """The numbers of one application, in a registry of its own. Safe for many threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.seconds = Histogram(
            "nutgraf_request_seconds",
            "From the head of a request to the last byte of its response.",
            ("route", "method", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.stage_seconds = Histogram(
            "nutgraf_question_stage_seconds",
            "What one question took, by its stages; see `trace` of /v1/search.",
            ("stage",),
            buckets=_STAGE_SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "nutgraf_requests_in_flight",
            "Requests at work, by kind: question, feed or light.",
            ("kind",),
            registry=self.registry,
        )
        self.waiting = Gauge(
            "nutgraf_requests_waiting", "Requests that wait for a place.", registry=self.registry
        )
        self.shed = Counter(
            "nutgraf_requests_shed",
            "Requests refused, or connections cut, before any work was done for them.",
            ("reason",),
            registry=self.registry,
        )
        self.repeated = Counter(
            "nutgraf_repeated_answers",
            "Questions answered with what was kept of the same ones.",
            registry=self.registry,
        )
        self.deadline_exceeded = Counter(
            "nutgraf_deadline_exceeded",
            "Questions given up because they took too long.",
            registry=self.registry,
        )
        self.rate_limited = Counter(
            "nutgraf_rate_limited",
            "Requests over a limit: of their key, of their address, or of unknown keys.",
            ("by",),
            registry=self.registry,
        )
        self.refused = Counter(
            "nutgraf_requests_refused",
            "Requests that lacked a key, the scope of a key, or came from a place that may not.",
            ("reason",),
            registry=self.registry,
        )
        self.articles = Counter(
            "nutgraf_articles",
            "Records sent to this server: added, replaced, unchanged, removed or rejected.",
            ("outcome",),
            registry=self.registry,
        )

    def count_stages(self, trace: Trace) -> None:
        """What a question took that was answered."""
        for stage, ms in trace.ms().items():
            self.stage_seconds.labels(stage.value).observe(ms / 1000)
