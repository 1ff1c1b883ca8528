"""What separates hosts from each other."""

from __future__ import annotations

from typing import final

import attrs


@final
@attrs.frozen(eq=False)
class Partition:
    """Groups of hosts that cannot reach each other; made by `VirtualNetwork.partition`.

    Attributes:
      groups: the names of the hosts. A host in no group reaches all others, unless there is only one group.
    """

    groups: tuple[frozenset[str], ...]

    def separates(self, one: str, other: str) -> bool:
        """Whether it lies between two hosts."""
        if len(self.groups) == 1:
            return (one in self.groups[0]) != (other in self.groups[0])
        mine = [group for group in self.groups if one in group]
        theirs = [group for group in self.groups if other in group]
        return bool(mine and theirs) and mine[0] is not theirs[0]

    def __str__(self) -> str:
        return " | ".join(" ".join(sorted(group)) for group in self.groups)
