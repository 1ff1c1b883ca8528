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
      both_ways: if not, only what the first group sends to hosts outside of it is lost.
    """

    groups: tuple[frozenset[str], ...]
    both_ways: bool = True

    def separates(self, source: str, target: str) -> bool:
        """Whether what one host sends to another is lost."""
        if not self.both_ways and source not in self.groups[0]:
            return False
        if len(self.groups) == 1:
            return (source in self.groups[0]) != (target in self.groups[0])
        mine = [group for group in self.groups if source in group]
        theirs = [group for group in self.groups if target in group]
        return bool(mine and theirs) and mine[0] is not theirs[0]

    def __str__(self) -> str:
        names = [" ".join(sorted(group)) for group in self.groups]
        if self.both_ways:
            return " | ".join(names)
        return f"{names[0]} > {' | '.join(names[1:]) or 'all others'}"
