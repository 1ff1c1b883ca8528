"""What the log says, as a person reads it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

FORM = "%(levelname)s %(name)s: %(message)s"


class Lines(logging.Handler):
    """Keeps the lines, and the records behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.setFormatter(logging.Formatter(FORM))

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def texts(self) -> list[str]:
        """The lines since this was asked last."""
        texts = [self.format(record) for record in self.records]
        self.records.clear()
        return texts


@contextmanager
def written(level: int = logging.WARNING) -> Iterator[Lines]:
    """The lines of the log "triomq", from a level on."""
    logger, lines = logging.getLogger("triomq"), Lines()
    before, propagates = logger.level, logger.propagate
    logger.setLevel(level)
    logger.addHandler(lines)
    logger.propagate = False
    try:
        yield lines
    finally:
        logger.removeHandler(lines)
        logger.setLevel(before)
        logger.propagate = propagates
