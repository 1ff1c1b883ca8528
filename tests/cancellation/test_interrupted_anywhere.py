"""Ctrl-C at any instruction of entering and leaving a context, and of trio and Python below it (C12)."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
import trio

import triomq
from triomq import _context

pytestmark = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="only the main thread is sent signals"
)
STEP = int(os.environ.get("TRIOMQ_INTERRUPT_STEP", "101"))  # 1 tries every instruction, and takes minutes
INSIDE = {"__aenter__", "__aexit__"}


async def use_a_context() -> None:
    async with triomq.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL)
        push.connect(await pull.bind("inproc://it"))


class Interrupter:
    """Sends SIGINT at one instruction, counted from the first one within the two methods of the context's block."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.seen = 0

    def trace(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        """For `sys.settrace`: look into the frames below the two methods only."""
        if not self._is_inside(frame):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._at_instruction

    def _is_inside(self, frame: FrameType | None) -> bool:
        while frame is not None:
            if frame.f_code.co_name in INSIDE and frame.f_code.co_filename == _context.__file__:
                return True
            frame = frame.f_back
        return False

    def _at_instruction(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        if event == "opcode":
            self.seen += 1
            if self.seen == self.at:
                signal.raise_signal(signal.SIGINT)
        return self._at_instruction


def interrupt_at(instruction: int) -> tuple[int, BaseException | None]:
    """Returns: how many instructions there were, and what came out of the run."""
    interrupter = Interrupter(instruction)
    before = sys.gettrace()
    sys.settrace(interrupter.trace)
    try:
        trio.run(use_a_context)
    except BaseException as exc:
        return interrupter.seen, exc
    finally:
        sys.settrace(before)
    return interrupter.seen, None


@pytest.fixture
def sigint_works() -> Iterator[None]:
    """A test run in the background may ignore SIGINT."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


def test_every_so_many_instructions_it_ends_in_keyboard_interrupt_and_nothing_else(sigint_works: None) -> None:
    instructions, outcome = interrupt_at(-1)
    assert outcome is None
    assert instructions > 1000
    others = {}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for instruction in range(1, instructions, STEP):
            reached, outcome = interrupt_at(instruction)  # not two runs have quite the same number
            if type(outcome) is not KeyboardInterrupt and reached >= instruction:
                others[instruction] = repr(outcome)
            del outcome
        gc.collect()
    assert others == {}
    assert [str(warning.message) for warning in warned] == []
