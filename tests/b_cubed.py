"""How well found groups agree with the right ones: B-cubed precision, recall and F1."""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True)
class BCubed:
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def b_cubed(found: Mapping[Item, Hashable], right: Mapping[Item, Hashable]) -> BCubed:
    """Compare two groupings of the same items, each given as the label of every item's group.

    An item's precision is the share of its found group that belongs with it, its recall the share
    of its right group that was found with it; both count the item itself. Each is averaged over
    the items. Sources: Bagga, Baldwin, COLING-ACL 1998; Amigó, Gonzalo, Artiles, Verdejo,
    Information Retrieval 12 (2009).
    """
    assert found.keys() == right.keys()
    assert found
    sizes_found, sizes_right = Counter(found.values()), Counter(right.values())
    together = Counter((found[item], right[item]) for item in found)
    return BCubed(
        sum(together[found[item], right[item]] / sizes_found[found[item]] for item in found)
        / len(found),
        sum(together[found[item], right[item]] / sizes_right[right[item]] for item in found)
        / len(found),
    )
