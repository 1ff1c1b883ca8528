"""Pictures in the documentation show what the programs beside them do now."""

from __future__ import annotations

import importlib.util
import textwrap
from pathlib import Path

from triomq.testing import run

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def test_the_diagram_of_the_weather() -> None:
    path = HOW_TO / "read_a_diagram.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    diagram = run(program.weather, seed=2)
    assert (HOW_TO / "weather.svg").read_text("utf-8") == diagram.svg(), f"draw it again: python {path.name}"
    page = (HOW_TO / "read-a-diagram.rst").read_text("utf-8")
    assert textwrap.indent(diagram.text(), "   ") in page
