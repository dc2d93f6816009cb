"""What a provider answers when a message did not go out."""


class Undelivered(Exception):
    """``code`` is stable and holds nothing personal; ``permanent`` means another try is useless."""

    def __init__(self, code: str, *, permanent: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent


class RepeatedKey(Exception):
    """The provider already has a message with this idempotency key: it was sent."""
