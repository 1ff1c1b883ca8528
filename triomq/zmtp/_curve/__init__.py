"""CURVE: encryption, and proof of who is there (RFC 25, RFC 26), as libzmq does it.

Four key pairs take part. Those of the long term say who is who: the client knows the server's public key ``S``
beforehand, and shows its own, ``C``. Each connection has two more, ``C'`` and ``S'``, made for it and forgotten with
it: they alone encrypt, so that nobody who steals the keys of the long term later can read what was recorded.

    client                                                    server
    HELLO     C', Box[64 zeros](C'->S)                  -->   opens the box: the client knows S
                                                        <--   WELCOME   Box[S', cookie](S->C')
    INITIATE  cookie, Box[C, vouch, metadata](C'->S')   -->   opens the cookie, the box and the vouch: the client has C
                                                        <--   READY     Box[metadata](S'->C')
    MESSAGE   Box[flags, body]                          <->   MESSAGE

The cookie is a box that the server alone can open, with ``C'`` and the secret key of ``S'``. Between WELCOME and
INITIATE the server keeps neither of the two, but only the key of the cookie.

Here and in libzmq, a MESSAGE travels in an ordinary frame, and what kind of frame it stands for is told in its box.
"""

from ._keys import KeyPair
from ._security import Curve

__all__ = ["Curve", "KeyPair"]
