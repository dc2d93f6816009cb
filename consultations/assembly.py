"""Putting a file together from pieces that name their place. Pure."""


class TooMuch(ValueError):
    """A piece reaches beyond the end that was announced."""


class Assembly:
    """``have`` is how much of the beginning is there, of ``size`` bytes.

    A piece may come again, or overlap what is there; a piece after a gap is not taken, and whoever
    sends it is told ``have``.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.have = 0

    @property
    def whole(self) -> bool:
        return self.have == self.size

    def take(self, offset: int, piece: bytes) -> bytes:
        """What of the piece follows on what is there. Raises ``TooMuch``."""
        if offset + len(piece) > self.size:
            raise TooMuch
        if offset > self.have:
            return b""
        fresh = piece[self.have - offset :]
        self.have += len(fresh)
        return fresh
