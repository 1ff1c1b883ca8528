"""Keys of CURVE for the works that need them. They protect nothing: they are here to be the same each time."""

from __future__ import annotations

from typing import Final

SERVER: Final = ("=yH)NQg1)oB5<kQcQiuY-Z<FDKR{u}WDCJB=c8bK", "VgTR+!R1$)w^uQL0Vgd>CB-%peS(>7LV[&Z(&$a*")
CLIENT: Final = ("a[a:t.9s4bQp0+>x(l:?z*RZ=rQ/>iUnOX0!5me]", "1R<.G[S33*!l5K1O>ukk6YDI&2uRrbDHc(=[gid+")
"""Public and secret, in Z85."""
