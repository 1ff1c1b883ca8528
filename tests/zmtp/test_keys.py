"""Keys of CURVE, and what is said where PyNaCl is missing."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from triomq.zmtp import Curve, KeyPair

# RFC 32, its test cases.
PUBLIC = bytes.fromhex("BB88471D65E2659B30C55A5321CEBB5AAB2B70A398645C26DCA2B2FCB43FC518")
SECRET = bytes.fromhex("7BB864B489AFA3671FBE69101F94B38972F24816DFB01B51656B3FEC8DFD0888")
PUBLIC_TEXT = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
SECRET_TEXT = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"


def test_a_pair_in_both_notations() -> None:
    pair = KeyPair(PUBLIC_TEXT, SECRET_TEXT)
    assert pair == KeyPair(PUBLIC, SECRET) == KeyPair(PUBLIC_TEXT.encode(), SECRET)
    assert hash(pair) == hash(KeyPair(PUBLIC, SECRET))
    assert (pair.public_key, pair.secret_key) == (PUBLIC, SECRET)
    assert (pair.public_text, pair.secret_text) == (PUBLIC_TEXT, SECRET_TEXT)
    assert pair != KeyPair.generate()
    assert pair != PUBLIC


def test_a_new_pair_is_a_new_one() -> None:
    assert KeyPair.generate() != KeyPair.generate()
    assert KeyPair.generate(lambda size: SECRET[:size]) == KeyPair(PUBLIC, SECRET)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: KeyPair(PUBLIC, PUBLIC), ValueError),
        (lambda: KeyPair(SECRET_TEXT, PUBLIC_TEXT), ValueError),
        (lambda: KeyPair(PUBLIC, SECRET_TEXT[:-1]), ValueError),
        (lambda: KeyPair(PUBLIC, SECRET_TEXT[:-1] + "~"), ValueError),
        (lambda: KeyPair(PUBLIC, SECRET[:-1]), ValueError),
        (lambda: KeyPair(PUBLIC, None), TypeError),
        (lambda: KeyPair(PUBLIC, [SECRET_TEXT]), TypeError),
        (lambda: Curve("short"), ValueError),
        (lambda: Curve(None), TypeError),
        (lambda: Curve(PUBLIC, (PUBLIC_TEXT, SECRET_TEXT)), TypeError),
        (lambda: Curve.server((PUBLIC_TEXT, SECRET_TEXT)), TypeError),
        (lambda: Curve.server(SECRET_TEXT), TypeError),
        (lambda: Curve.server(KeyPair(PUBLIC, SECRET), clients=PUBLIC_TEXT), TypeError),
        (lambda: Curve.server(KeyPair(PUBLIC, SECRET), clients=["short"]), ValueError),
        (lambda: Curve.server(KeyPair(PUBLIC, SECRET), clients=[5]), TypeError),
    ],
)
def test_what_is_refused_when_it_is_made(make: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"KeyPair|Curve") as caught:
        make()
    assert SECRET_TEXT[:10] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_repr_shows_a_secret() -> None:
    pair = KeyPair(PUBLIC, SECRET)
    shown = repr([pair, Curve(PUBLIC, pair), Curve.server(pair), Curve.server(pair, clients=[PUBLIC])])
    assert PUBLIC_TEXT in shown
    assert SECRET_TEXT not in shown
    assert repr(SECRET) not in shown


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nacl.bindings", None)
    for make in (KeyPair.generate, lambda: KeyPair(PUBLIC, SECRET), lambda: Curve(PUBLIC)):
        with pytest.raises(ImportError, match=r"pip install 'triomq\[curve\]'"):
            make()
