"""The directive ``room-table`` makes a table of the package's rooms, from the tables that the tests hold."""

from __future__ import annotations

from collections.abc import Iterable

from option_tables import Table
from room_rows import LADDER, as_cells
from sphinx.application import Sphinx


class RoomTable(Table):
    headings = ("Room", "What it is", "Waits", "May import")
    widths = (18, 44, 8, 30)

    def rows(self) -> Iterable[Iterable[str]]:
        self.state.document.settings.env.note_dependency(str(LADDER))
        return as_cells()


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("room-table", RoomTable)
    return {"parallel_read_safe": True}
