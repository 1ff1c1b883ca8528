"""The command ``triomq``: Ctrl-C ends it without a word from its first moment.

This module stands beside the package. To import anything of the package is to import trio first, and a Ctrl-C meanwhile
would be answered by Python, with a traceback.
"""

from __future__ import annotations

import signal


def main() -> int:
    """Run the command line. Returns: the exit code."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # a job in the background stays one
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from triomq._cli import main as run

    return run()
