"""Play the situations: ``python -m tests.testing.against_linux [real|virtual] [NAME …]``; prints figures as JSON."""

from __future__ import annotations

import json
import sys

from .beyond import BEYOND
from .play import play_real, play_virtual
from .situations import SITUATIONS


def main() -> None:
    where, *names = sys.argv[1:] or ["virtual"]
    if where == "real":
        figures = play_real(names or [*SITUATIONS, *BEYOND])
    else:
        figures = {name: play_virtual(name) for name in names or SITUATIONS}
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
