"""Forked children, and what they say."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable


def in_child(report: Callable[[], str]) -> str:
    """What a forked child says; "" if it says nothing."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: some idle thread of trio may be there
        child = os.fork()
    if child == 0:
        try:
            os.write(writing, report().encode())
        except BaseException as exc:
            os.write(writing, f"{type(exc).__name__}: {exc}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


def open_sockets() -> set[str]:
    """The sockets of this process, as the system names them (Linux)."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            continue  # the one that listdir itself had open
    return {name for name in found if name.startswith("socket:")}
