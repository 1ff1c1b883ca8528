"""The command as it is installed: a Ctrl-C while trio is still imported ends it, and no traceback is shown."""

from __future__ import annotations

import signal
import subprocess
import sys

INTERRUPTED_AT_TRIO = """
import os, signal, sys

class AtTrio:
    def find_spec(self, name, path=None, target=None):
        if name == "trio":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, AtTrio())
sys.argv[1:] = ["--version"]
import triomq_command

assert "triomq" not in sys.modules
sys.exit(triomq_command.main())
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)


def test_ctrl_c_while_trio_is_imported_ends_it_without_a_word() -> None:
    done = run(INTERRUPTED_AT_TRIO)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_a_job_in_the_background_ignores_it() -> None:
    done = run("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + INTERRUPTED_AT_TRIO)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("triomq ")
