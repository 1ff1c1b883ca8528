"""Figures as a person reads them, in aligned columns; ASCII only, for any terminal."""

from __future__ import annotations

from collections.abc import Container, Sequence


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, always: Container[str]) -> str:
    """A title, and under it the rows in aligned columns.

    Args:
      head: the names of the columns; ``<`` before one aligns it to the left.
      always: the columns that are shown even if they say nothing.
    """
    if not rows:
        return title
    columns = []
    for index, name in enumerate(head):
        cells = [row[index] for row in rows]
        if name not in always and not any(cell not in ("", "0") for cell in cells):
            continue
        cells = [name.removeprefix("<"), *(cell or "-" for cell in cells)]
        width = max(map(len, cells))
        columns.append([cell.ljust(width) if name.startswith("<") else cell.rjust(width) for cell in cells])
    lines = ("  ".join(cells).rstrip() for cells in zip(*columns, strict=True))
    return "\n".join([title, *(f"  {line}" for line in lines)])


def number_of(value: int, thing: str) -> str:
    """A number and what it counts, such as ``2 sockets``."""
    return f"1 {thing}" if value == 1 else f"{value:,} {thing}s"


def count(value: int) -> str:
    """A number of things."""
    return f"{value:,}"


def size(value: float) -> str:
    """A number of bytes, to three digits."""
    if value < 1000:
        return f"{value:.0f} B" if value else "0"
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5:
            return f"{value:.3g} {unit}"
    return f"{value / 1000:,.1f} TB"


def duration(seconds: float) -> str:
    """A time, to two or three digits."""
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 or not seconds else f"{seconds * 1e6:.0f} us"
    if seconds < 99.5:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:,.0f} h"
