"""The dated tree of organisations. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

Edge = tuple[UUID, UUID]  # (child, parent), valid on the day that is asked about


@dataclass(frozen=True)
class Tree:
    """The edges of one day, walked both ways. A ring in the data ends the walk, not the server."""

    children: dict[UUID, list[UUID]]
    parents: dict[UUID, list[UUID]]

    @classmethod
    def of(cls, edges: Iterable[Edge]) -> "Tree":
        children: dict[UUID, list[UUID]] = defaultdict(list)
        parents: dict[UUID, list[UUID]] = defaultdict(list)
        for child, parent in edges:
            children[parent].append(child)
            parents[child].append(parent)
        return cls(dict(children), dict(parents))

    def below(self, roots: Iterable[UUID]) -> frozenset[UUID]:
        """The roots and everything under them."""
        return _reach(roots, self.children)

    def above(self, leaves: Iterable[UUID]) -> frozenset[UUID]:
        """The leaves and everything over them."""
        return _reach(leaves, self.parents)


def _reach(starts: Iterable[UUID], steps: dict[UUID, list[UUID]]) -> frozenset[UUID]:
    seen: set[UUID] = set()
    ahead = list(starts)
    while ahead:
        here = ahead.pop()
        if here not in seen:
            seen.add(here)
            ahead.extend(steps.get(here, ()))
    return frozenset(seen)
