"""Bytes as text that a terminal can show, and back."""

from __future__ import annotations

import re

_NAMED = {b"\\": b"\\", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0", b"a": b"\a", b"b": b"\b", b"e": b"\x1b",
          b"f": b"\f", b"v": b"\v", b"'": b"'", b'"': b'"'}  # fmt: skip
_SHOWN = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\\nrt0abefv'\"])|(.?))", re.DOTALL)


def quote(data: bytes) -> bytes:
    """Write bytes with the escapes of C: one line of UTF-8 in which every character can be seen."""
    text = data.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return data
    return "".join(map(_show, text)).encode("utf-8")


def _show(character: str) -> str:
    if character in _SHOWN:
        return _SHOWN[character]
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def unquote(line: bytes) -> bytes:
    r"""The bytes that a line with escapes stands for.

    The escapes are those of `quote`, ``\0 \a \b \e \f \v \' \"``, and ``\uXXXX`` and ``\UXXXXXXXX`` for a character.

    Raises:
      ValueError: there is a backslash with something else after it.
    """
    return _ESCAPE.sub(_meaning, line) if b"\\" in line else line


def _meaning(found: re.Match[bytes]) -> bytes:
    byte, short, long, named, other = found.groups()
    if byte is not None:
        return bytes.fromhex(byte.decode())
    if named is not None:
        return _NAMED[named]
    number = short or long
    if number is not None:
        try:
            return chr(int(number, 16)).encode("utf-8")
        except (ValueError, OverflowError):
            raise ValueError(f"\\{'u' if short else 'U'}{number.decode()} is no character") from None
    raise ValueError(f"{(bytes(found.group()) or other).decode('utf-8', 'backslashreplace')!r} is no escape; "
                     r"write \\ for a backslash, \n, \t, or \xHH for a byte")  # fmt: skip
