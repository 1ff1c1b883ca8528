"""One word for one thing: what a message is made of are bytes, and octets only where an RFC speaks."""

from __future__ import annotations

import re
from pathlib import Path

from .package import PACKAGE, files

OCTET = re.compile(r"octet", re.IGNORECASE)

# The protocols quote their RFC. A diagram, an error and a log show what is on the wire, in the words of the protocol.
WHERE_AN_RFC_SPEAKS = ("zmtp", "pgm", "testing._diagram", "_errors", "_logs._words")


def octets(package: Path) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, path in files(package).items()
        if not name.startswith(WHERE_AN_RFC_SPEAKS)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if OCTET.search(line)
    ]


def test_the_package_keeps_the_rule() -> None:
    assert octets(PACKAGE) == []


def test_every_exception_is_used() -> None:
    for room in WHERE_AN_RFC_SPEAKS:
        found = [path for name, path in files(PACKAGE).items() if name.startswith(room)]
        assert any(OCTET.search(path.read_text("utf-8")) for path in found), room


def test_a_planted_word_is_found(plant) -> None:
    assert len(octets(plant("_pipes/_pipe.py", "LIMIT = 5  # Octets"))) == 1
    assert octets(plant("zmtp/_frames.py", "LIMIT = 5  # octets")) == octets(plant("_pipes/_pipe.py", "LIMIT = 5"))
