"""Puts the sample blocks of one run in place and finds missing blocks (protocol.md, "Blocks")."""

from typing import Any, Dict, List, Optional, Set, Tuple

import numpy as np


class BlockOrder:
    """Collects the codes [samples × cells] of a run from its blocks. Blocks may come in any order, and also
    twice. `waits` is true if a missing block may still come, because the board keeps blocks."""

    def __init__(self, samples: int, cells: int, waits: bool) -> None:
        self.codes = np.zeros((samples, cells), np.int16)
        self.sent = 0
        self._waits = waits
        self._next = 0
        self._ahead: Set[int] = set()
        self._filled = 0
        self._skipped = False

    @property
    def settled(self) -> int:
        """Blocks below this number are here, or the host will never ask for them."""
        return self._next

    @property
    def codes_received(self) -> int:
        """How many entries of `codes` are here. A block that came twice counts once."""
        return self._filled

    @property
    def has_gap(self) -> bool:
        """Whether a block was lost that nobody can send again."""
        return self._skipped

    @property
    def missing(self) -> Optional[Tuple[int, int]]:
        """(first block, count) of the first consecutive blocks that were sent, are not here, and may still
        come."""
        if not self._waits or self._next >= self.sent:
            return None
        end = self._next
        while end < self.sent and end not in self._ahead:
            end += 1
        return self._next, end - self._next

    def take(self, block: Dict[str, Any]) -> bool:
        """Takes a block. Returns False for a block that contradicts the run, and ignores it."""
        samples, cells = self.codes.shape
        number, first, count = block["block"], block["firstSample"], block["sampleCount"]
        first_cell, cell_count = block["firstCell"], block["cellCount"]
        is_whole = count == 1 or (first_cell == 0 and cell_count == cells)
        fits = first + count <= samples and first_cell + cell_count <= cells
        if not (is_whole and fits and len(block["codes"]) == 2 * count * cell_count):
            return False
        if number < self._next or number in self._ahead:
            return True
        codes = np.frombuffer(block["codes"], "<i2").reshape(count, cell_count)
        self.codes[first : first + count, first_cell : first_cell + cell_count] = codes
        self._filled += codes.size
        self._ahead.add(number)
        self.note_sent(number)
        while self._next in self._ahead:
            self._ahead.discard(self._next)
            self._next += 1
        self.sent = max(self.sent, self._next)
        return True

    def note_sent(self, blocks: int) -> None:
        """Remembers that the board has sent the blocks below this number."""
        self.sent = max(self.sent, blocks)
        if not self._waits and self._next < blocks:
            self._skipped = self._skipped or any(n not in self._ahead for n in range(self._next, blocks))
            self._ahead = {n for n in self._ahead if n >= blocks}
            self._next = blocks

    def give_up(self) -> None:
        """Declares all missing blocks lost."""
        self._waits = False
        self.note_sent(self.sent)


def indices(data: bytes) -> List[int]:
    """The u16 numbers in `data`."""
    return np.frombuffer(data[: len(data) // 2 * 2], "<u2").tolist()
