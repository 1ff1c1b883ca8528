"""Z85, the text of keys (RFC 32)."""

from __future__ import annotations

import pytest

from triomq._security import z85_decode, z85_encode

# RFC 32, its test cases.
PUBLIC = bytes.fromhex("BB88471D65E2659B30C55A5321CEBB5AAB2B70A398645C26DCA2B2FCB43FC518")
SECRET = bytes.fromhex("7BB864B489AFA3671FBE69101F94B38972F24816DFB01B51656B3FEC8DFD0888")
PUBLIC_TEXT = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
SECRET_TEXT = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"


def test_the_rfcs_known_answers() -> None:
    assert z85_encode(bytes.fromhex("864FD26FB559F75B")) == "HelloWorld"
    assert z85_decode("HelloWorld") == z85_decode(b"HelloWorld") == bytes.fromhex("864FD26FB559F75B")
    assert (z85_encode(PUBLIC), z85_encode(SECRET)) == (PUBLIC_TEXT, SECRET_TEXT)
    assert (z85_decode(PUBLIC_TEXT), z85_decode(SECRET_TEXT)) == (PUBLIC, SECRET)
    assert z85_encode(b"") == ""
    assert z85_decode("") == b""


@pytest.mark.parametrize("text", ["abcd", "abcde~", "abcd~", "#####", "\u00e9bcd", "abc e", "%nSc1"])
def test_no_z85(text: str) -> None:
    with pytest.raises(ValueError, match="Z85") as caught:
        z85_decode(text)
    assert text not in str(caught.value)


def test_only_whole_words_are_written() -> None:
    with pytest.raises(ValueError, match="multiple of 4 octets, not 3"):
        z85_encode(b"abc")


def test_the_largest_word() -> None:
    assert z85_decode(z85_encode(b"\xff" * 8)) == b"\xff" * 8
