"""Z85: bytes as text, five characters for four bytes (RFC 32). Keys of CURVE are written so."""

from __future__ import annotations

from typing import Final

_ALPHABET: Final = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_DIGITS: Final = {character: digit for digit, character in enumerate(_ALPHABET)}


def z85_encode(data: bytes) -> str:
    """Bytes as text.

    Raises:
      ValueError: their number is no multiple of four.
    """
    if len(data) % 4:
        raise ValueError(f"Z85 writes a multiple of 4 bytes, not {len(data)} (RFC 32)")
    text = bytearray()
    for start in range(0, len(data), 4):
        number = int.from_bytes(data[start : start + 4], "big")
        text += bytes(_ALPHABET[number // 85**place % 85] for place in (4, 3, 2, 1, 0))
    return text.decode("ascii")


def z85_decode(text: str | bytes) -> bytes:
    """The bytes that a text stands for: the inverse of `z85_encode`.

    Raises:
      ValueError: this is no Z85. The error does not show the text, which may be a secret.
    """
    characters = text.encode("utf-8") if isinstance(text, str) else bytes(text)
    if len(characters) % 5:
        raise ValueError(f"Z85 has a multiple of 5 characters, not {len(characters)} (RFC 32)")
    data = bytearray()
    for start in range(0, len(characters), 5):
        number = 0
        for character in characters[start : start + 5]:
            digit = _DIGITS.get(character)
            if digit is None:
                raise ValueError(f"Z85 has no such character as the one at place {start} or up to 4 behind it (RFC 32)")
            number = number * 85 + digit
        if number >> 32:
            raise ValueError(f"no Z85: the 5 characters from place {start} on stand for more than 4 bytes (RFC 32)")
        data += number.to_bytes(4, "big")
    return bytes(data)
