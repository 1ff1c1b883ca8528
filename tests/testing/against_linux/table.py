"""The table of the documentation: the figures of a Linux kernel beside those of a virtual network.

``linux.json`` has the former, as ``python -m tests.testing.against_linux real`` printed them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from .beyond import BEYOND
from .play import play_virtual
from .situations import SITUATIONS, Figures

RECORD: Final = Path(__file__).with_name("linux.json")
PAGE: Final = Path(__file__).parents[3] / "docs" / "explanation" / "virtual-tcp.rst"
_ROWS: Final = {
    "Lost segments": ["sending"],
    "Connecting": ["connecting"],
    "Idle connections and shut windows": ["waiting"],
    "Ends": ["ending"],
}
_BEGIN: Final = ".. The tables are written by: python -m tests.testing.against_linux table\n"
_END: Final = "\n.. The end of the tables.\n"
_HEAD: Final = """.. list-table::
   :header-rows: 1
   :widths: 34 33 33

"""


def recorded() -> dict[str, Figures]:
    """The figures of a Linux kernel, by situation."""
    record: dict[str, Any] = json.loads(RECORD.read_text("utf-8"))
    return record["figures"]


def kernel() -> str:
    """Which kernel that was."""
    return str(json.loads(RECORD.read_text("utf-8"))["kernel"])


def tell(figures: Figures) -> str:
    """Figures as a cell of the table."""
    return "; ".join(f"{name}: {_value(value)}" for name, value in figures.items())


def _value(value: float | str | list[float]) -> str:
    if isinstance(value, list):
        return ", ".join(_seconds(time) for time in value) + " s"
    return f"{_seconds(value)} s" if isinstance(value, float) else str(value)


def _seconds(time: float) -> str:
    if time < 0.0095:
        return "0.00"
    return f"{time:.0f}" if time >= 100 else f"{time:.1f}" if time >= 10 else f"{time:.2f}"


def _row(*cells: str) -> str:
    return "".join(f"   {' ' if number else '*'} - {cell}\n" for number, cell in enumerate(cells))


def tables() -> str:
    """All tables of the page, each below its heading."""
    linux = recorded()
    text = ""
    for heading, modules in _ROWS.items():
        text += f"\n{heading}\n{'~' * len(heading)}\n\n{_HEAD}" + _row("What happens", "Linux", "Virtual network")
        for name, situation in SITUATIONS.items():
            if situation.play.__module__.rpartition(".")[2] in modules:
                text += _row(situation.title, tell(linux[name]), tell(play_virtual(name)))
    heading = "What a virtual network leaves out"
    text += f"\n{heading}\n{'~' * len(heading)}\n\n{_HEAD.replace('34 33 33', '60 40')}" + _row("What happens", "Linux")
    for name, play in BEYOND.items():
        text += _row(str(play.__doc__).rstrip("."), tell(linux[name]))
    return text


def in_page() -> str:
    """The tables that the page has."""
    text = PAGE.read_text("utf-8")
    return text[text.index(_BEGIN) + len(_BEGIN) : text.index(_END)]


def write() -> None:
    """Write the tables of the page anew."""
    text = PAGE.read_text("utf-8")
    begin, end = text.index(_BEGIN) + len(_BEGIN), text.index(_END)
    PAGE.write_text(text[:begin] + tables() + text[end:], "utf-8")
