"""How often to look for an answer, by how soon the last ones came."""

from __future__ import annotations

from triomq._sockets._patience import MOST_LOOKS, REST, Patience


def in_vain(patience: Patience, times: int) -> list[int]:
    """How often it looks for answers that come later than that."""
    looks = []
    for _ in range(times):
        looks.append(patience.looks())
        if looks[-1]:
            patience.note(found=False)
    return looks


def test_it_looks_as_long_as_that_finds_something() -> None:
    patience = Patience()
    for _ in range(100):
        assert patience.looks() == MOST_LOOKS
        patience.note(found=True)


def test_it_looks_less_and_less_for_what_does_not_come_soon() -> None:
    assert in_vain(Patience(), 6) == [5, 2, 1, 0, 0, 0]


def test_what_is_found_restores_it() -> None:
    patience = Patience()
    in_vain(patience, 2)
    patience.note(found=True)
    assert patience.looks() == MOST_LOOKS


def test_after_a_rest_it_tries_again() -> None:
    patience = Patience()
    in_vain(patience, 3)
    assert in_vain(patience, REST + 1) == [0] * REST + [MOST_LOOKS]


def test_looks_in_vain_are_few_in_the_long_run() -> None:
    assert sum(in_vain(Patience(), 35 * 100)) == 8 * 100
