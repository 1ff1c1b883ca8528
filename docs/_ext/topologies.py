"""The directive ``topology`` puts a picture of `topology_drawings.DRAWINGS` into a page, as SVG in the page itself."""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from topology_drawings import DRAWINGS, draw


class Topology(Directive):
    """A picture with its caption."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        drawing = DRAWINGS[self.arguments[0]]
        figure = nodes.figure(align="center")
        figure += nodes.raw("", draw(drawing), format="html")
        figure += nodes.caption("", drawing.caption)
        return [figure]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("topology", Topology)
    return {"parallel_read_safe": True}
