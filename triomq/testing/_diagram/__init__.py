"""The record of a run as a sequence diagram.

Each module knows only those above it in this list.

    _items    what a diagram is made of: arrows, marks, spans
    _words    octets on the wire, read as ZMTP
    _flow     one direction of a connection, as arrows
    _story    a record, as items
    _rows     the items that are shown, folded and bounded
    _states   what holds for a host at a row
    _text     a diagram drawn with characters
    _style    colours and lines of a picture
    _layout   where everything stands in a picture
    _svg      a diagram drawn as a picture
    _diagram  the diagram of a recorder
"""

from ._diagram import Diagram

__all__ = ["Diagram"]
