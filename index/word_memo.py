"""What is made of single words, remembered: of news the same words come again and again."""

from collections.abc import Callable
from typing import Final, TypeVar

Made = TypeVar("Made")

_LONGEST: Final = 40  # longer words hardly come twice


class WordMemo(dict[str, Made]):
    """What `make` gives for a word, remembered for `most` words. Safe for many threads.

    In two generations of half as many: when the younger one, which the dict is, is full, it takes
    the place of the older one. Words that come often stay so, and to find them costs nothing more.
    """

    def __init__(self, make: Callable[[str], Made], *, most: int) -> None:
        super().__init__()
        self._make, self._most = make, most
        self._older: dict[str, Made] = {}

    def __missing__(self, word: str) -> Made:
        older = self._older
        made = older[word] if word in older else self._make(word)
        if len(word) <= _LONGEST:
            if 2 * (len(self) + 1) > self._most:
                self._older = dict(self)
                self.clear()
            self[word] = made
        return made
