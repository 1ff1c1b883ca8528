"""Which spans hold for a host at a place of the axis."""

from __future__ import annotations

from collections.abc import Iterable

from ._items import Span, SpanKind


class States:
    """Looks up spans by host and place. A span holds at the place where it begins, and not where it ends."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans: dict[str, list[Span]] = {}
        for span in spans:
            self._spans.setdefault(span.host, []).append(span)

    def at(self, host: str, order: int) -> set[SpanKind]:
        """The kinds of the spans that hold."""
        return {
            span.kind
            for span in self._spans.get(host, ())
            if span.start.order <= order and (span.stop is None or order < span.stop.order)
        }
