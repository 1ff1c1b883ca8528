"""The directives ``option-table`` and ``libzmq-option-table`` make tables from the code."""

from __future__ import annotations

from collections.abc import Iterable

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from option_rows import libzmq_options, our_options
from sphinx.application import Sphinx


class Table(Directive):
    """A list-table whose rows are reStructuredText."""

    headings: tuple[str, ...]
    widths: tuple[int, ...]

    def rows(self) -> Iterable[Iterable[str]]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, self.widths))}", ""]
        for row in (self.headings, *self.rows()):
            for index, cell in enumerate(row):
                lines.append(f"   {'* -' if index == 0 else '  -'} {cell}")
        node = nodes.Element()
        self.state.nested_parse(StringList(lines, source="table"), self.content_offset, node)
        return node.children


class OptionTable(Table):
    headings = ("Option", "libzmq", "Unit", "Default", "libzmq's default", "Socket types", "Meaning")
    widths = (18, 20, 8, 8, 12, 12, 30)

    def rows(self) -> Iterable[Iterable[str]]:
        return our_options()


class LibzmqOptionTable(Table):
    headings = ("libzmq", "Here")
    widths = (35, 65)

    def rows(self) -> Iterable[Iterable[str]]:
        return ((f"``{name}``", here) for name, here in libzmq_options().items())


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("option-table", OptionTable)
    app.add_directive("libzmq-option-table", LibzmqOptionTable)
    return {"parallel_read_safe": True}
