"""The options of a socket: their names, their values, and which of them fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._public import later
from ._options import ZMQ_NAMES, Options, make_options
from ._values import bound

if TYPE_CHECKING:  # imported later: only type hints name it
    from ._arguments import OptionArguments
else:
    __getattr__ = later(__name__, {"._arguments": ["OptionArguments"]})

__all__ = ["ZMQ_NAMES", "OptionArguments", "Options", "bound", "make_options"]
