"""The options of a socket: their names, their values, and which of them fit together."""

from __future__ import annotations

from ._arguments import OptionArguments
from ._options import ZMQ_NAMES, Options, make_options
from ._values import bound

__all__ = ["ZMQ_NAMES", "OptionArguments", "Options", "bound", "make_options"]
