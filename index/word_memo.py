"""What is made of single words, remembered: of news the same words come again and again."""

from collections.abc import Callable
from typing import Final, TypeVar

Made = TypeVar("Made")

_LONGEST: Final = 40  # longer words hardly come twice


class WordMemo(dict[str, Made]):
    """What `make` gives for a word, which it is asked for once; emptied when it holds `most`."""

    def __init__(self, make: Callable[[str], Made], *, most: int) -> None:
        super().__init__()
        self._make, self._most = make, most

    def __missing__(self, word: str) -> Made:
        made = self._make(word)
        if len(word) <= _LONGEST:
            if len(self) >= self._most:
                self.clear()
            self[word] = made
        return made
