"""Where a run failed, for the mark in its diagram.

Theory of operation

A test is known to have failed when its exception has left it. By then the blocks that the exception left on its way are
torn down: sockets and contexts were closed, and may have lingered for a second. The mark belongs before all that. So
whatever is recorded while an exception is under way, and every block of the network that an exception leaves, notes on
the exception how far the record was. Other tasks see only the cancellation that the exception caused. No virtual time
passes then, so the first note of the same moment is the place.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Final, final

import attrs
import trio

from .._recorder import Happening, Kind, Recorder

_NOTE: Final = "_triomq_note"  # the attribute of an exception that has our note
_NOT_THE_USERS: Final = [Path(trio.__file__).parent, Path(__file__).parents[2]]  # whose lines are not shown,
_NOR_THESE: Final = {"pytest_trio", "_pytest"}  # nor those of packages with these names


@attrs.frozen
class _Note:
    """How far a record was when an exception left a block, and what the exception is."""

    recorder: Recorder
    place: int
    time: float
    words: str


def users_line(code: CodeType, line: int) -> str:
    """A line of the user's code, such as ``test_it.py:7 in test_it``; empty for other people's."""
    path = Path(code.co_filename)
    if any(map(path.is_relative_to, _NOT_THE_USERS)) or _NOR_THESE.intersection(path.parts):
        return ""
    if path.name in ("contextlib.py", "<string>"):
        return ""
    return f"{path.name}:{line} in {code.co_name}"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _causes(error: BaseException) -> list[BaseException]:
    """The exceptions of a group that are no cancellations."""
    return [leaf for leaf in _leaves(error) if not isinstance(leaf, trio.Cancelled)]


def is_failure(error: BaseException) -> bool:
    """Whether an exception says that something failed, and not only that it was ended from outside."""
    ended = (trio.Cancelled, KeyboardInterrupt, SystemExit, GeneratorExit)
    return any(not isinstance(leaf, ended) for leaf in _leaves(error))


def _in_words(error: BaseException) -> str:
    lines = [users_line(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    where = next(filter(None, reversed(lines)), "")
    return f"{type(error).__name__} at {where}" if where else type(error).__name__


@final
class Failures:
    """Knows where the run of a network failed."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._last = _Note(recorder, 0, -1.0, "")
        self._marked = False
        recorder.looks.append(self._look)

    def _look(self, host: str, kind: Kind) -> None:
        """Something is about to be recorded, perhaps because a task unwinds."""
        if (error := sys.exc_info()[1]) is not None:
            self.left_by(error)

    def _note(self, words: str) -> _Note:
        return _Note(self._recorder, self._recorder.total, trio.current_time(), words)

    def left_by(self, error: BaseException) -> None:
        """An exception is under way, and may leave the test."""
        causes = _causes(error)
        if causes and all(map(self._note_of, causes)):
            return
        now = self._note(_in_words(causes[0]) if causes else "")
        if self._last.time != now.time:
            self._last = now
        elif not self._last.words:
            self._last = attrs.evolve(self._last, words=now.words)
        for cause in causes:
            if self._note_of(cause) is None:
                cause.__dict__[_NOTE] = self._last

    def _note_of(self, error: BaseException) -> _Note | None:
        note = error.__dict__.get(_NOTE)
        return note if isinstance(note, _Note) and note.recorder is self._recorder else None

    def mark(self, error: BaseException) -> None:
        """The run has failed with an exception: put that into the record, once, where it belongs."""
        if self._marked:
            return
        self._marked = True
        causes = _causes(error)
        notes = list(filter(None, map(self._note_of, causes)))
        now = self._note("")
        first = min(notes or [self._last if self._last.time == now.time else now], key=lambda note: note.place)
        words = _in_words(causes[0]) if causes else first.words or "cancelled"
        self._recorder.insert(first.place, Happening(first.time, "failed", text=words))
