"""The virtual network against Linux: the same situations, and figures that are the same but where a reason is given.

`against_linux/linux.json` has a kernel's figures. They are measured again in the soak session, where the test may be
root.
"""

from __future__ import annotations

import pytest

from .against_linux.beyond import BEYOND
from .against_linux.play import play_real, play_virtual
from .against_linux.situations import SITUATIONS, Figures
from .against_linux.table import in_page, kernel, recorded, tables
from .against_linux.wire import why_not

# The figures that differ more than others, why, and by what factor.
DIFFERENT = {
    ("call_into_nothing_linear", "called again at"): ("newer kernels call more often at first", 32.0),
    ("lossy", "a question and its answer"): ("no measured round trip", 4.0),
    ("lossy_stream", "20 kB"): ("no congestion control", 10.0),
}
LINUX = recorded()


def faults(expected: Figures, found: Figures, *, share: float, seconds: float, name: str = "") -> list[str]:
    """The figures that differ too much: by more than a share of what was expected, and by more than some seconds."""
    assert list(expected) == list(found)
    wrong: list[str] = []
    for figure, value in expected.items():
        other = found[figure]
        factor = DIFFERENT.get((name, figure), ("", 1.0))[1]
        if isinstance(value, list) and isinstance(other, list):
            close = len(value) == len(other) and all(
                _is_close(one, two, share, seconds, factor) for one, two in zip(value, other, strict=True)
            )
        elif isinstance(value, float) and isinstance(other, float):
            close = _is_close(value, other, share, seconds, factor)
        else:
            close = value == other
        if not close:
            wrong.append(f"{figure}: {other}, and not {value}")
    return wrong


def _is_close(one: float, two: float, share: float, seconds: float, factor: float) -> bool:
    if factor > 1.0:
        return one / factor <= two <= one * factor
    return abs(one - two) <= max(one * share, seconds)


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_virtual_network_does_as_linux_does(name: str) -> None:
    assert not faults(LINUX[name], play_virtual(name), share=1 / 8, seconds=0.1, name=name)


def test_a_difference_is_found() -> None:
    def compare(one: Figures, two: Figures) -> int:
        return len(faults(one, two, share=1 / 8, seconds=0.1))

    assert compare({"at": 50.0}, {"at": 50.2}) == 0
    assert compare({"at": 50.0}, {"at": 30.2}) == 1
    assert compare({"at": 0.2}, {"at": 0.29}) == 0
    assert compare({"at": [0.2, 0.4]}, {"at": [0.2, 0.6]}) == 1
    assert compare({"at": [0.2, 0.4]}, {"at": [0.2]}) == 1
    assert compare({"with": "EPIPE"}, {"with": "ECONNRESET"}) == 1
    assert compare({"took": 1}, {"took": 0}) == 1


def test_each_exception_is_needed() -> None:
    for (name, figure), (_, factor) in DIFFERENT.items():
        one, two = LINUX[name][figure], play_virtual(name)[figure]
        assert faults({figure: one}, {figure: two}, share=1 / 8, seconds=0.1), (name, figure, factor)


def test_a_situation_repeats_itself() -> None:
    for name in "lossy", "lossy_stream", "outage_with_writes":
        assert play_virtual(name) == play_virtual(name)


def test_the_page_has_these_figures() -> None:
    assert in_page() == tables(), "write it again: python -m tests.testing.against_linux table"
    assert kernel().startswith("Linux ")


@pytest.mark.soak
def test_linux_does_as_it_did() -> None:
    if reason := why_not():
        pytest.skip(f"no kernels to compare with: {reason}")
    found = play_real([*SITUATIONS, *BEYOND])
    by_chance = {name for name, _ in DIFFERENT if name.startswith("lossy")}
    wrong = {
        name: faults(LINUX[name], found[name], share=1 / 5, seconds=0.5) for name in found if name not in by_chance
    }
    assert not {name: text for name, text in wrong.items() if text}
