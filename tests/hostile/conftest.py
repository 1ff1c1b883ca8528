"""What hangs on a virtual network fails."""

from ..virtual import bounded_network as bounded_network
