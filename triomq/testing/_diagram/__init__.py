"""The record of a run as a sequence diagram.

Each module knows only those before it: ``_words`` reads octets as ZMTP, ``_items`` is what a diagram is made of,
``_flow`` and ``_story`` make that of happenings, ``_rows`` folds and bounds it, ``_text`` and ``_svg`` draw it.
"""

from ._diagram import Diagram

__all__ = ["Diagram"]
