"""The sequence diagram of a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, final

from .._recorder import Recorder
from ._items import Arrow
from ._rows import Sheet, make_sheet
from ._story import Narrator
from ._svg import draw_svg
from ._text import draw_text

MOST_HOSTS: Final = 16


@final
class Diagram:
    """A run as a sequence diagram: who connected, sent, dropped, lost, reconnected, crashed, and when.

    It shows what the recorder has at the moment when the diagram is made. `VirtualNetwork.diagram` makes one; you can
    make one of any recorder. Rows that repeat are folded, and a second or more without happenings is left out. So the
    size of a diagram is bounded, however long the run.

    Args:
      recorder: what happened.
      hosts: the columns, from the left; what goes to other hosts is not shown. None shows every host that something
        happens to, the 16 busiest at the most.
      known: names of hosts in the order of their columns, for ``hosts=None``.
      start, end: show only what happens between these virtual times, in seconds.
      limit: rows that are shown at the most, the last ones; a note tells how many are not.
      title: stands above the diagram.
    Raises:
      ValueError: ``limit`` is below 1, or ``end`` before ``start``.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        hosts: Iterable[str] | None = None,
        known: Sequence[str] = (),
        start: float | None = None,
        end: float | None = None,
        limit: int = 200,
        title: str = "",
    ) -> None:
        if limit < 1:
            raise ValueError(f"limit={limit}: a diagram has 1 row or more")
        if start is not None and end is not None and end < start:
            raise ValueError(f"end={end} is before start={start}")
        self._title = title
        story = Narrator(recorder.events, whole=not recorder.forgotten).story()
        self._sheet: Sheet = make_sheet(
            story,
            hosts=hosts,
            known=known,
            start=start,
            end=end,
            limit=limit,
            most_hosts=MOST_HOSTS,
            forgotten=recorder.forgotten,
        )

    def __repr__(self) -> str:
        arrows = sum(isinstance(row, Arrow) for row in self._sheet.rows)
        return f"<Diagram {self._title!r}: {len(self._sheet.hosts)} hosts, {arrows} arrows>"

    def __str__(self) -> str:
        return self.text()

    def text(self, width: int = 100) -> str:
        """Draw it with characters of one width.

        Args:
          width: columns of text for the hosts and arrows, more only if they do not fit; words beside them come on top.
        """
        return draw_text(self._sheet, self._title, width)

    def svg(self) -> str:
        """Draw it as a picture: one SVG element that needs no other file, no font and no script."""
        return draw_svg(self._sheet, self._title)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, in UTF-8: a picture if the name ends with ``.svg``, else text.

        Raises:
          OSError: the file cannot be written.
        """
        path = Path(path)
        path.write_text(self.svg() if path.suffix == ".svg" else self.text() + "\n", encoding="utf-8")
