"""The directives ``options`` and ``libzmq-option-table`` make entries and a table from the code."""

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


class OptionEntries(Directive):
    """An entry, with an anchor, for each option that the content names."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        entries = {entry.name: entry for entry in our_options()}
        lines = []
        for name in " ".join(self.content).split():
            entry = entries[name]
            lines += [f".. py:attribute:: Options.{name}", f"   :type: {entry.type}", f"   :value: {entry.default}", ""]
            lines += [f"   {entry.meaning}", "", f"   *When to change it.* {entry.when}", "", f"   {entry.facts}.", ""]
        node = nodes.Element()
        self.state.nested_parse(StringList(lines, source="options"), self.content_offset, node)
        return node.children


class LibzmqOptionTable(Table):
    headings = ("libzmq", "Here")
    widths = (35, 65)

    def rows(self) -> Iterable[Iterable[str]]:
        return ((f"``{name}``", here) for name, here in libzmq_options().items())


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("options", OptionEntries)
    app.add_directive("libzmq-option-table", LibzmqOptionTable)
    return {"parallel_read_safe": True}
