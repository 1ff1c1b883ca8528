"""The pictures of topologies: each can be drawn, has a caption, and stands on a page."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def load_drawings():
    spec = importlib.util.spec_from_file_location("topology_drawings", DOCS / "_ext" / "topology_drawings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOPOLOGY = load_drawings()


@pytest.mark.parametrize("name", TOPOLOGY.DRAWINGS)
def test_a_drawing_shows_all_its_boxes_inside_its_frame(name):
    drawing = TOPOLOGY.DRAWINGS[name]
    svg = ElementTree.fromstring(TOPOLOGY.draw(drawing))
    assert svg.get("aria-label") == drawing.caption
    _, _, width, height = map(float, svg.get("viewBox").split())
    for box in svg.iter(f"{SVG}rect"):
        x, y, wide, high = (float(box.get(side)) for side in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + wide <= width
        assert y + high <= height
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    wanted = (
        [part for row in drawing.rows for cell in row for part in cell]
        if isinstance(drawing, TOPOLOGY.Frames)
        else [
            part for row in drawing.rows for box in row for part in (box.name, *box.above.split(), *box.below.split())
        ]
    )
    assert all(texts.count(part) >= wanted.count(part) for part in wanted)


@pytest.mark.parametrize("name", TOPOLOGY.DRAWINGS)
def test_a_drawing_has_no_colour_of_its_own_but_as_a_second_choice(name):
    """So that it can be read in dark mode."""
    colours = re.findall(r'(?:fill|stroke)="(?!none)([^"]+)"', TOPOLOGY.draw(TOPOLOGY.DRAWINGS[name]))
    assert colours
    assert all(colour.startswith("var(--color-") for colour in colours)


def test_the_page_of_pictures_has_all_of_them():
    page = (DOCS / "explanation" / "topologies.rst").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\.\. topology:: (\S+)$", page, re.MULTILINE)) == sorted(TOPOLOGY.DRAWINGS)
