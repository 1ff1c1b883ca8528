"""Play the situations: ``python -m tests.testing.against_linux real|virtual|table [NAME …]``.

``real`` and ``virtual`` print figures as JSON. ``table`` writes the tables of the documentation anew.
"""

from __future__ import annotations

import json
import platform
import sys

from .beyond import BEYOND
from .play import play_real, play_virtual
from .situations import SITUATIONS
from .table import write


def main() -> None:
    where, *names = sys.argv[1:] or ["virtual"]
    if where == "table":
        write()
    elif where == "real":
        record = {"kernel": f"Linux {platform.release()}", "figures": play_real(names or [*SITUATIONS, *BEYOND])}
        print(json.dumps(record, indent=1))
    else:
        print(json.dumps({name: play_virtual(name) for name in names or SITUATIONS}, indent=1))


if __name__ == "__main__":
    main()
